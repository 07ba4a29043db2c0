"""Load the app of a ``flask filepages`` command."""

from __future__ import annotations

import json
import typing as t

import click

if t.TYPE_CHECKING:
    from flask import Flask

    from ..site import Site


def load_app(ctx: click.Context) -> Flask:
    """Return the app that ``flask --app`` names.

    :raises click.ClickException: a setting or a file name is wrong.
    """
    from flask.cli import ScriptInfo

    from ..errors import FilePagesError

    try:
        return ctx.ensure_object(ScriptInfo).load_app()
    except FilePagesError as error:
        raise click.ClickException(str(error)) from error


def load_sites(app: Flask) -> list[Site]:
    """Return the sites of *app*.

    :raises click.ClickException: the app has no FilePages.
    """
    from ..site import sites_of

    found = list(sites_of(app).values())
    if not found:
        raise click.ClickException(
            "This app has no FilePages. Add `FilePages(app)` where the app is created."
        )
    return found


def to_json(value: t.Any) -> str:
    """Return *value* as JSON that every terminal can show."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if text.replace("\n", "").isprintable() else json.dumps(value, indent=2)
