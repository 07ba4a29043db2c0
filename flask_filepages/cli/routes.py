"""``flask filepages routes``."""

from __future__ import annotations

import typing as t

import click

from ..dev.routes import sent_by
from ..errors import TreeError
from ..site import Site
from ..site import sites_of
from .app import load_app
from .app import to_json

_MARKS = {True: "○", "auto": "◐", False: "ƒ"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def routes(ctx: click.Context, as_json: bool) -> None:
    """List the routes, the most specific first.

    A circle marks a prerendered route, an f one that runs on request, and a half circle
    one with prerender = "auto". The last column says if stored responses are sent by
    the front or from inside Flask.
    """
    sites = sites_of(load_app(ctx)).values()
    for site in sites:
        try:
            site.load()
        except TreeError as error:
            click.secho(str(error), fg="red", err=True)
    rows = [row for site in sites for row in _rows(site)]
    if as_json:
        click.echo(to_json(rows))
        return
    titles = {"url": "URL", "methods": "Methods", "file": "File"}
    if any(row["middleware"] for row in rows):
        titles["middleware"] = "Middleware"
    if any(row["sent"] for row in rows):
        titles["sent"] = "Stored responses"
    table = [titles, *({name: _cell(row[name]) for name in titles} for row in rows)]
    width = {name: max(len(row[name]) for row in table) for name in titles}
    marks = [" ", *(_MARKS[row["prerender"]] for row in rows)]
    for mark, row in zip(marks, table, strict=True):
        cells = "  ".join(row[name].ljust(width[name]) for name in titles)
        click.echo(f"{mark} {cells}".rstrip())


def _cell(value: t.Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value)


def _rows(site: Site) -> t.Iterator[dict[str, t.Any]]:
    for bound in site.routes.values():
        route = bound.route
        methods = sorted(bound.methods())
        for rule in bound.rules:
            yield {
                "url": rule.rule,
                "methods": methods,
                "file": route.name,
                "page": route.page.relative if route.page else None,
                "id": route.id,
                "endpoint": bound.endpoint,
                "prerender": route.prerender or False,
                "middleware": [link.name for link in bound.links],
                "sent": sent_by(bound),
                "filepages": site.name,
            }
