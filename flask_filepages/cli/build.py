"""``flask filepages build``, ``preview`` and ``deploy-config``."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import os
import sys
import time
import typing as t

import click

from ..errors import FilePagesError
from .app import load_app
from .app import states_of

if t.TYPE_CHECKING:
    from ..building.build import Build
    from ..building.report import PageResult
    from ..building.report import Report

_SLOWEST = 5
_SLOW = 0.05  # seconds


def _not_empty(ctx: click.Context, param: click.Parameter, value: t.Any) -> t.Any:
    if value == "":
        raise click.BadParameter("It is empty; name a folder.")
    return value


@click.command()
@click.option(
    "--out",
    metavar="FOLDER",
    callback=_not_empty,
    help="Instead of FILEPAGES_BUILD_DIR, from where the app sends.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Render in so many processes or threads.",
)
@click.option(
    "--executor",
    metavar="NAME",
    default="processes",
    show_default=True,
    help="What renders in parallel: processes, threads, or dask://host:port.",
)
@click.option("--force", is_flag=True, help="Render everything.")
@click.option(
    "--verify",
    is_flag=True,
    help="Render everything; fail if something kept would have been another answer.",
)
@click.option("--no-static", is_flag=True, help="Leave the static folders out.")
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="How many releases stay.",
)
@click.option("--wait", is_flag=True, help="Wait for another build to end.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON for a program.")
@click.pass_context
def build(ctx: click.Context, /, as_json: bool, **given: t.Any) -> None:
    """Store all prerendered paths, and publish them.

    What did not change since the last release is kept. Ends with 0 if the site is up
    to date, with 1 if something is wrong with it: nothing is published then, unless
    --verify found only that something kept would have been another answer. An
    interrupt leaves the last release as it was.
    """
    import sqlite3

    made: Build | None = None
    try:
        # What the app prints is none of what this command tells.
        with contextlib.redirect_stdout(sys.stderr):
            made = _begun(ctx, **given)
            pages = [dataclasses.asdict(result) for result in made] if as_json else []
            summary = Summary() if as_json else _shown(made)
    except (FilePagesError, OSError, sqlite3.Error) as error:
        if as_json:
            click.echo(_json(_failure(error)))
        else:
            click.secho(_told(error), fg="red", err=True)
        ctx.exit(1)
    except KeyboardInterrupt:
        release = made.report.release if made is not None else None
        told = f"{release} is published" if release else "the last release is as it was"
        click.secho(f"Interrupted; {told}.", fg="red", err=True)
        ctx.exit(130)
    if as_json:
        click.echo(_json({**dataclasses.asdict(made.report), "pages": pages}))
    else:
        summary.show(made.report)
    ctx.exit(1 if made.report.unsound else 0)


def _begun(
    ctx: click.Context, *, executor: str, jobs: int, no_static: bool, **given: t.Any
) -> Build:
    """Return the build, with everything that the app reads from now on in the log."""
    from .. import listening
    from .. import reads
    from ..building import executors

    is_pool = executor == "processes" and jobs > 1
    start_method = executors.prepare() if is_pool else "spawn"
    log = listening.install()
    app = load_app(ctx)
    states_of(app)
    from flask.cli import ScriptInfo

    from ..building.build import Build
    from ..building.build import Options

    make, jobs = executors.named(executor, jobs, start_method)
    options = Options(
        app_import=ctx.ensure_object(ScriptInfo).app_import_path,
        make_executor=make,
        jobs=jobs,
        static=not no_static,
        **given,
    )
    with reads.paused():
        made = Build(app, options)
    log.skip(made.folder.path)
    return made


def _told(error: Exception) -> str:
    if isinstance(error, FilePagesError):
        return str(error)
    if "malformed" in str(error):
        return f"The last release cannot be read: {error}. Build with --force."
    return f"The release cannot be written: {error}. The last one is as it was."


def _json(value: t.Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if text.replace("\n", "").isprintable() else json.dumps(value, indent=2)


def _failure(error: Exception) -> dict[str, t.Any]:
    faults = [dataclasses.asdict(fault) for fault in getattr(error, "faults", ())]
    return {"error": _told(error).partition("\n")[0], "faults": faults}


def _shown(made: Build) -> Summary:
    """Run a build behind a progress bar."""
    results = iter(made)
    summary = Summary()
    if not sys.stderr.isatty():
        summary.take(results)
        return summary
    # How many there are is known as soon as the first one is.
    first = list(itertools.islice(results, 1))
    total = made.report.total or 0
    start = time.monotonic()

    def rate(result: object) -> str:
        seconds = max(time.monotonic() - start, 1e-3)
        return f"{summary.count / seconds:,.0f} pages/s"

    with click.progressbar(
        itertools.chain(first, results),
        *(total, "Storing"),
        item_show_func=rate,
        file=sys.stderr,
        update_min_steps=max(1, total // 200),
    ) as bar:
        summary.take(bar)
    return summary


@dataclasses.dataclass(slots=True)
class Summary:
    """What is told of the pages of a build: sums by route, and the slowest."""

    count: int = 0
    routes: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    slowest: list[tuple[float, str]] = dataclasses.field(default_factory=list)

    def take(self, results: t.Iterable[PageResult]) -> None:
        for result in results:
            self.count += 1
            sums = self.routes.setdefault(result.route_id, [0, 0, 0])
            sums[result.action == "kept"] += 1
            sums[2] += result.size
            if result.seconds > _SLOW:
                self.slowest.append((result.seconds, result.path))
                self.slowest = sorted(self.slowest, reverse=True)[:_SLOWEST]

    def show(self, report: Report) -> None:
        for route_id, (rendered, kept, size) in sorted(self.routes.items()):
            note = f", {kept:,} kept" if kept else ""
            click.echo(f"○ {route_id}  {rendered:,} rendered{note}, {_size(size)}")
        if self.slowest:
            click.echo("Slowest:")
        for seconds, path in self.slowest:
            click.echo(f"  {seconds * 1000:8,.0f} ms  {path}")
        _show(report)


def _size(size: int) -> str:
    return f"{size} B" if size < 1024 else f"{size / 1024:,.1f} kB"


def _show(report: Report) -> None:
    if not report.total:
        click.echo(
            "No route is prerendered. Write `prerender = True` in a file, or set"
            ' FILEPAGES_OUTPUT to "hybrid".'
        )
    if report.reason is not None and report.rendered:
        click.echo(f"Everything was rendered: {report.reason}.")
    elif report.changed:
        more = f", and {len(report.changed) - 3} more" if report.changed[3:] else ""
        click.echo(f"Changed: {', '.join(report.changed[:3])}{more}.")
    for path in report.unsound:
        click.secho(f"unsound: {path} would have been kept, and differs", fg="red")
    if report.verified and not report.unsound:
        click.echo(f"Verified: {report.verified:,} that would be kept are the same.")
    if report.release is None:
        pages = "1 page" if report.kept == 1 else f"{report.kept:,} pages"
        click.echo(f"Nothing changed: {pages} in {report.folder}.")
        return
    click.echo(
        f"{report.rendered:,} rendered, {report.kept:,} kept, {report.removed:,}"
        f" removed in {report.seconds:.2f} s: {report.release}"
    )


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=4321, show_default=True)
@click.pass_context
def preview(ctx: click.Context, host: str, port: int) -> None:
    """Serve the app with the current release, as a server would.

    For looking at it; behind a real server, gunicorn or another one does that.
    """
    from werkzeug.serving import run_simple

    # A release is never served in debug.
    os.environ["FLASK_DEBUG"] = "0"
    app = load_app(ctx)
    app.debug = False
    releases = states_of(app)[0].releases
    if releases.current() is None:
        raise _no_release(releases.folder)
    run_simple(host, port, app, threaded=True)


@click.command("deploy-config")
@click.argument("kind", type=click.Choice(["nginx", "caddy", "netlify"]))
@click.pass_context
def deploy_config(ctx: click.Context, kind: str) -> None:
    """Write the configuration of a plain host that sends what a build stored.

    It gives the same status and header fields as the app would.
    """
    from ..hosts.config import CONFIGS
    from ..releases.folder import BuildFolder
    from ..releases.manifest import Manifest

    states = states_of(load_app(ctx))
    folder = states[0].releases.folder
    release = BuildFolder(folder).current()
    manifest = Manifest.open(release) if release is not None else None
    if manifest is None:
        raise _no_release(folder)
    click.echo(CONFIGS[kind](manifest, folder), nl=False)
    manifest.close()
    for state in states:
        state.load()
        for live in state.routes.values():
            if not live.route.prerender and live.route.redirect is None:
                told = "runs on request; this host does not send it"
            elif live.guards:
                told = f"is guarded by {live.guards[0].name}; this host runs no guard"
            else:
                continue
            click.secho(f"{live.route.id} {told}.", fg="yellow", err=True)


def _no_release(folder: str) -> click.ClickException:
    return click.ClickException(
        f"{folder} holds no release. Run `flask filepages build` first."
    )
