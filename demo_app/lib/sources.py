"""The source code behind a page, which its footer shows."""

from __future__ import annotations

import typing as t
from pathlib import Path

from markupsafe import Markup

from demo_app.lib.text import highlighted
from flask_filepages import Context

_LANGUAGES = {".py": "python", ".html": "html+jinja", ".md": "markdown"}


class SourceFile(t.NamedTuple):
    """One file of a route: its name, and its highlighted text."""

    name: str
    code: Markup


def files_of(context: Context) -> list[SourceFile]:
    """Return the endpoint and the template of the route of *context*."""
    routes = [r for r in context.pages.routes if r.id == context.route_id]
    files = [file for r in routes for file in (r.endpoint, r.page) if file is not None]
    return [
        SourceFile(
            f"pages/{file.relative}",
            highlighted(
                Path(file.path).read_text(encoding="utf-8"),
                _LANGUAGES[Path(file.path).suffix],
            ),
        )
        for file in files
    ]
