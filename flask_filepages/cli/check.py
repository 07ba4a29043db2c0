"""``flask filepages check``."""

from __future__ import annotations

import dataclasses

import click

from ..building.plan import plan_faults
from ..dev.checks import handler_faults
from ..dev.checks import link_warnings
from ..dev.checks import unreachable_routes
from ..errors import FAULT_IDS
from ..errors import Fault
from ..errors import TreeError
from ..site import Site
from ..site import sites_of
from .app import counted
from .app import load_app
from .app import to_json

_DOCS = "https://flask-filepages.readthedocs.io/en/latest/reference/checks.html"


def _ids(ctx: click.Context, param: click.Parameter, value: str | None) -> set[str]:
    """Return the ids of an option, such as ``import,link``."""
    ids = {one.strip() for one in (value or "").split(",")} - {""}
    if ids - {*FAULT_IDS}:
        unknown, known = ", ".join(sorted(ids - {*FAULT_IDS})), ", ".join(FAULT_IDS)
        raise click.BadParameter(
            f"{unknown} is not the id of a check. They are: {known}"
        )
    return ids


@click.command()
@click.option(
    "--select", metavar="IDS", callback=_ids, help="Report only these checks."
)
@click.option("--ignore", metavar="IDS", callback=_ids, help="Leave these checks out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(
    ctx: click.Context, select: set[str], ignore: set[str], as_json: bool
) -> None:
    """Report all errors in the pages folder, and likely mistakes.

    It loads all files and calls each get_static_paths, but renders nothing. IDS are
    the words in brackets, separated by commas: --ignore link,near-miss.
    Exits with 1 if there is an error. Warnings alone exit with 0.
    """
    wanted = (select or {*FAULT_IDS}) - ignore
    sites, *found = _find(ctx)
    faults, warnings = ([f for f in one if f.id in wanted] for one in found)
    if as_json:
        dicts = {
            name: [{**dataclasses.asdict(f), "docs": f"{_DOCS}#{f.id}"} for f in one]
            for name, one in (("faults", faults), ("warnings", warnings))
        }
        click.echo(to_json(dicts))
    else:
        _show(faults, warnings, sum(len(site.routes) for site in sites))
    ctx.exit(1 if faults else 0)


def _find(ctx: click.Context) -> tuple[list[Site], list[Fault], list[Fault]]:
    """Return the sites of the app, the errors and the warnings."""
    faults: list[Fault] = []
    warnings: list[Fault] = []
    try:
        sites = list(sites_of(load_app(ctx)).values())
    except TreeError as error:
        return [], [*error.faults], []
    loaded: list[Site] = []
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
        for fault, is_error in handler_faults(site).items():
            (faults if is_error else warnings).append(fault)
    warnings += unreachable_routes(sites)
    routes = [route for site in loaded for route in site.prerendered.values()]
    faults += plan_faults(routes)
    with sites[0].releases.suspended():  # All sites share them.
        warnings += [link for site in loaded for link in link_warnings(site)]
    return sites, faults, warnings


def _show(faults: list[Fault], warnings: list[Fault], routes: int) -> None:
    """Print what was found, and how much.

    :param routes: the number of routes.
    """
    for fault in faults:
        click.secho(f"error[{fault.id}]: {fault}", fg="red")
    for warning in warnings:
        click.secho(f"warning[{warning.id}]: {warning}", fg="yellow")
    if faults or warnings:
        click.echo(f"Each check is explained at {_DOCS}")
    counts = {"route": routes, "error": len(faults), "warning": len(warnings)}
    click.echo(", ".join(counted(n, noun) for noun, n in counts.items()))
