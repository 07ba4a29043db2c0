"""The commands of ``flask filepages``.

Every ``flask`` command imports this package, so each command imports what it needs only
when it runs.
"""

from __future__ import annotations

import click

from . import build
from . import check
from . import explain
from . import hosts
from . import new
from . import openapi
from . import routes
from .app import Commands
from .app import replace_unprintable


@click.group(cls=Commands)
def filepages() -> None:
    """File-based endpoints and pages."""
    replace_unprintable()


filepages.add_command(routes.routes)
filepages.add_command(explain.explain)
filepages.add_command(check.check)
filepages.add_command(new.init)
filepages.add_command(new.new)
filepages.add_command(build.build)
filepages.add_command(hosts.preview)
filepages.add_command(hosts.export)
filepages.add_command(hosts.deploy_config)
filepages.add_command(openapi.openapi)
