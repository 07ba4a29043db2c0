"""The commands of ``flask filepages``.

Every ``flask`` command imports this module, so the modules of the commands are imported
only when one of them is needed.
"""

from __future__ import annotations

import io
import sys
import typing as t
from collections.abc import Iterator
from collections.abc import Mapping
from importlib import import_module

import click

#: The module of each command.
_MODULES = {
    "build": "build",
    "check": "check",
    "deploy-config": "hosts",
    "explain": "explain",
    "export": "hosts",
    "init": "new",
    "new": "new",
    "openapi": "openapi",
    "preview": "hosts",
    "routes": "routes",
}


class Commands(Mapping[str, click.Command]):
    """The commands by name. Each is imported when it is first needed."""

    def __getitem__(self, name: str) -> click.Command:
        module = import_module(f"{__name__}.{_MODULES[name]}")
        command: click.Command = getattr(module, name.replace("-", "_"))
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


class Group(click.Group):
    """A group whose commands print the errors of this package without a traceback."""

    def invoke(self, ctx: click.Context) -> t.Any:
        from ..errors import FilePagesError

        try:
            return super().invoke(ctx)
        except FilePagesError as error:
            click.secho(f"Error: {error}", fg="red", err=True)
            ctx.exit(1)


@click.group(cls=Group, commands=Commands())
def filepages() -> None:
    """File-based endpoints and pages."""
    # The encoding of the terminal may lack characters of the output.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
