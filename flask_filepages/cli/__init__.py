"""``flask filepages``: the commands. Loaded on every ``flask`` call, so what only a
command needs is imported by that command."""

from __future__ import annotations

import json
import typing as t

import click

from . import build as build_cli
from .app import load_app
from .app import states_of

if t.TYPE_CHECKING:
    from ..errors import Fault
    from ..site import PagesState


@click.group()
def filepages() -> None:
    """File-based endpoints and pages."""


@filepages.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON for a program.")
@click.pass_context
def routes(ctx: click.Context, as_json: bool) -> None:
    """List the routes, the most specific first.

    A route marked with a circle is prerendered, one with an f runs on request. What is
    stored is sent in front of Flask, or from inside it, for the reason that is given.
    """
    from ..errors import TreeError

    states = states_of(load_app(ctx))
    for state in states:
        try:
            state.load()
        except TreeError as error:
            click.secho(str(error), fg="red", err=True)
    rows = [row for state in states for row in _rows(state)]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    headers = {"url": "URL", "methods": "Methods", "file": "File"}
    if any(row["middleware"] for row in rows):
        headers["middleware"] = "Middleware"
    if any(row["sent"] for row in rows):
        headers["sent"] = "Sent"
    lists = ("methods", "middleware")
    table = [{**row, **{name: ", ".join(row[name]) for name in lists}} for row in rows]
    table = [{**row, "sent": row["sent"] or ""} for row in table]
    width = {k: max(len(str(r[k])) for r in [headers, *table]) for k in headers}
    click.echo("  " + "  ".join(headers[k].ljust(width[k]) for k in headers).rstrip())
    for row in table:
        mark = "○" if row["prerender"] else "ƒ"
        cells = "  ".join(str(row[k]).ljust(width[k]) for k in headers)
        click.echo(f"{mark} {cells}".rstrip())


def _rows(state: PagesState) -> t.Iterator[dict[str, t.Any]]:
    from ..survey import sent_from

    for live in state.routes.values():
        route = live.route
        methods = sorted(state.methods(live))
        for rule in live.rules:
            yield {
                "url": rule.rule,
                "methods": methods,
                "file": route.name,
                "page": route.page.relative if route.page else None,
                "id": route.id,
                "endpoint": live.endpoint,
                "prerender": bool(route.prerender),
                "middleware": [link.name for link in live.links],
                "sent": sent_from(state, live),
                "filepages": state.name,
            }


@filepages.command()
@click.option("--json", "as_json", is_flag=True, help="Write JSON for a program.")
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Load all files and report everything that a start would refuse.

    Ends with 1 if there is a fault. Warnings alone end with 0.
    """
    from ..errors import TreeError
    from ..survey import template_faults

    faults: list[Fault] = []
    warnings: list[Fault] = []
    states: list[PagesState] = []
    try:
        states = states_of(load_app(ctx))
    except click.ClickException as error:
        if not isinstance(error.__cause__, TreeError):
            raise
        faults += error.__cause__.faults
    for state in states:
        try:
            state.load()
        except TreeError as error:
            faults += error.faults
        faults += template_faults(state)
        warnings += state.warnings
    if as_json:
        report = {"faults": faults, "warnings": warnings}
        dicts = {k: [_as_dict(f) for f in found] for k, found in report.items()}
        click.echo(json.dumps(dicts, indent=2, ensure_ascii=False))
    else:
        for fault in faults:
            click.secho(f"fault: {fault}", fg="red")
        for warning in warnings:
            click.secho(f"warning: {warning}", fg="yellow")
        count = sum(len(state.routes) for state in states)
        click.echo(f"{count} routes, {len(faults)} faults, {len(warnings)} warnings")
    ctx.exit(1 if faults else 0)


filepages.add_command(build_cli.build)
filepages.add_command(build_cli.preview)
filepages.add_command(build_cli.deploy_config)


def _as_dict(fault: Fault) -> dict[str, t.Any]:
    return {name: getattr(fault, name) for name in fault.__slots__}
