"""``flask filepages routes`` and ``check``."""

from __future__ import annotations

import dataclasses
import typing as t

import click

from .app import load_app
from .app import load_sites
from .app import to_json

if t.TYPE_CHECKING:
    from ..errors import Fault
    from ..handling.route import BoundRoute
    from ..site import Site

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
    from ..errors import TreeError

    sites = load_sites(load_app(ctx))
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
                "sent": _sent_by(site, bound),
                "filepages": site.name,
            }


def _sent_by(site: Site, bound: BoundRoute) -> str | None:
    prerendered = site.prerendered.get(bound.endpoint)
    if prerendered is None:
        return None
    if prerendered.guards:
        return "inside Flask, behind middleware"
    return "front" if site.front is not None else "inside Flask"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Load all files and report every error that a start or a build would raise.

    It calls each get_static_paths, but renders nothing.
    Exits with 1 if there is an error. Warnings alone exit with 0.
    """
    from ..errors import TreeError

    faults: list[Fault] = []
    warnings: list[Fault] = []
    sites: list[Site] = []
    loaded: list[Site] = []
    try:
        sites = load_sites(load_app(ctx))
    except click.ClickException as error:
        if not isinstance(error.__cause__, TreeError):
            raise
        faults += error.__cause__.faults
    for site in sites:
        # This command prints all warnings itself. Long imports are still logged.
        site.logs_warnings = False
        try:
            site.load()
        except TreeError as error:
            faults += error.faults
        else:
            loaded.append(site)
        faults += site.template_faults()
        warnings += [*site.warnings, *site.state_warnings(), *site.slash_warnings()]
    if loaded:
        from ..building.plan import plan_faults

        routes = [route for site in loaded for route in site.prerendered.values()]
        faults += plan_faults(routes, loaded[0].settings)
    if as_json:
        report = {"faults": faults, "warnings": warnings}
        dicts = {k: [dataclasses.asdict(f) for f in v] for k, v in report.items()}
        click.echo(to_json(dicts))
    else:
        _show(faults, warnings, sum(len(site.routes) for site in sites))
    ctx.exit(1 if faults else 0)


def _show(faults: list[Fault], warnings: list[Fault], routes: int) -> None:
    """Print what was found, and how much.

    :param routes: the number of routes.
    """
    for fault in faults:
        click.secho(f"error: {fault}", fg="red")
    for warning in warnings:
        click.secho(f"warning: {warning}", fg="yellow")
    counts = {
        "route": routes,
        "error": len(faults),
        "warning": len(warnings),
    }
    click.echo(", ".join(f"{n} {k}{'' if n == 1 else 's'}" for k, n in counts.items()))
