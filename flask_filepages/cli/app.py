"""What all commands begin with: the app."""

from __future__ import annotations

import typing as t

import click

if t.TYPE_CHECKING:
    from flask import Flask

    from ..site import PagesState


def load_app(ctx: click.Context) -> Flask:
    """Return the app that ``flask --app`` names.

    :raises click.ClickException: this package refuses its settings, or its files.
    """
    from flask.cli import ScriptInfo

    from ..errors import FilePagesError

    try:
        return ctx.ensure_object(ScriptInfo).load_app()
    except FilePagesError as error:
        raise click.ClickException(str(error)) from error


def states_of(app: Flask) -> list[PagesState]:
    """Return the state of each FilePages of *app*.

    :raises click.ClickException: there is none.
    """
    from ..site import states

    found = list(states(app).values())
    if not found:
        raise click.ClickException(
            "This app has no FilePages. Add `FilePages(app)` where the app is made."
        )
    return found
