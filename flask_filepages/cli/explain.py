"""``flask filepages explain``."""

from __future__ import annotations

import typing as t

import click

from ..dev import routes
from .app import load_app
from .app import to_json


@click.command()
@click.argument("method")
@click.argument("path")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def explain(ctx: click.Context, method: str, path: str, as_json: bool) -> None:
    """Explain which file handles a request, and why not another one.

    For example: flask filepages explain GET /posts/1. It also shows the middleware, the
    validation, and if the response is stored. No handler is called.
    """
    if "/" in method:
        raise click.UsageError(f"Write the method first: explain GET {method}")
    app = load_app(ctx)
    app.debug = True  # Load only the files that the request needs.
    found = routes.explain(app, method.upper(), path)
    if as_json:
        click.echo(to_json(found))
        return
    for name, value in found.items():
        title = name.replace("_", " ").capitalize()
        for line in _lines(value):
            click.echo(f"{title:14}{line}")
            title = ""


def _lines(value: t.Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{name} = {one!r}" for name, one in value.items()]
    if isinstance(value, list):
        return ["  ".join(v.values()) if isinstance(v, dict) else str(v) for v in value]
    return [] if value is None else [str(value)]
