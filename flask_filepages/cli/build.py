"""``flask filepages build``."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import sys
import time
import typing as t
from collections.abc import Callable
from collections.abc import Iterator

import click

from .app import clean_up_on_signals
from .app import counted
from .app import load_app
from .app import not_empty
from .app import reporting
from .app import to_json

if t.TYPE_CHECKING:
    from ..building.build import Build
    from ..building.report import PageResult
    from ..building.report import Report

_MOST_SLOW = 5
_SLOW = 0.05  # seconds
_MOST_CHANGES = 3
_MOST_VIEWS = 5


@click.command()
@click.option(
    "--out",
    metavar="FOLDER",
    callback=not_empty,
    help="The build folder, instead of FILEPAGES_BUILD_DIR.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="The number of processes or threads that render.",
)
@click.option(
    "--executor",
    metavar="NAME",
    default="processes",
    show_default=True,
    help="How to render in parallel: processes, threads, or dask://host:port.",
)
@click.option(
    "--force", is_flag=True, help="Ignore the last release and render everything."
)
@click.option(
    "--verify",
    is_flag=True,
    help="Render everything; fail if a page changed although its version did not.",
)
@click.option(
    "--links",
    type=click.Choice(["error", "warn", "off"]),
    default="off",
    show_default=True,
    help="What to do about links in the stored pages that lead nowhere.",
)
@click.option("--no-static", is_flag=True, help="Do not copy the static folders.")
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="The number of releases to keep.",
)
@click.option("--wait", is_flag=True, help="Wait for another build to finish.")
@click.option(
    "--wait-for-workers",
    type=click.FloatRange(0),
    metavar="SECONDS",
    default=10.0,
    show_default=True,
    help="How long to wait for the first worker of Dask.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def build(ctx: click.Context, /, as_json: bool, **given: t.Any) -> None:
    """Store all prerendered paths, and publish them as a new release.

    Pages that did not change are linked from the last release. If nothing changed,
    nothing is published. Exits with 0 if the site is up to date, and with 1 if it has
    errors: then nothing is published, unless --verify only found pages that broke the
    promise of their version. If interrupted, the last release stays.
    """
    import sqlite3

    from ..errors import ReleaseError

    running: Build | None = None
    try:
        with reporting(ctx, as_json=as_json), clean_up_on_signals() as check:
            try:
                running = _start(ctx, **given)
                # Closed at once, so that an interrupted build deletes its files.
                with contextlib.closing(iter(running)) as made:
                    results = _checked(made, check)
                    pages = [dataclasses.asdict(p) for p in results] if as_json else []
                    summary = Summary() if as_json else _show_progress(running, results)
            except (OSError, sqlite3.Error) as error:
                message = f"Cannot write the release: {error}. The last release stays."
                raise ReleaseError(message) from error
    except KeyboardInterrupt as error:
        release = running.report.release if running is not None else None
        state = f"{release} was published" if release else "nothing was published"
        click.secho(f"Interrupted; {state}.", fg="red", err=True)
        ctx.exit(getattr(error, "status", 130))
    if as_json:
        click.echo(to_json({**dataclasses.asdict(running.report), "pages": pages}))
    else:
        summary.show(running.report)
    ctx.exit(1 if running.report.broken_promises else 0)


def _checked(
    results: Iterator[PageResult], check: Callable[[], None]
) -> Iterator[PageResult]:
    for result in results:
        check()  # A page with a bare `except` may have caught the signal.
        yield result


def _start(
    ctx: click.Context,
    *,
    executor: str,
    jobs: int,
    no_static: bool,
    wait_for_workers: float,
    **given: t.Any,
) -> Build:
    from flask.cli import ScriptInfo

    from ..building import workers

    is_pool = executor == "processes" and jobs > 1
    start_method = workers.prepare_processes() if is_pool else "spawn"
    app = load_app(ctx)
    from ..building.build import Build
    from ..building.build import Options

    try:
        make, jobs = workers.executor_factory(
            executor, jobs, start_method, wait_for_workers
        )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--executor") from None
    except workers.WorkerError as error:
        raise click.ClickException(str(error)) from None
    options = Options(
        app_import=ctx.ensure_object(ScriptInfo).app_import_path,
        make_executor=make,
        jobs=jobs,
        static=not no_static,
        **given,
    )
    return Build(app, options)


def _show_progress(running: Build, results: t.Iterator[PageResult]) -> Summary:
    """Count *results* of a build, with a progress bar on a terminal."""
    summary = Summary()
    if not sys.stderr.isatty():
        summary.add(results)
        return summary
    # The total is known before the first result.
    first = list(itertools.islice(results, 1))
    total = running.report.total or 0
    start = time.monotonic()

    def rate(result: object) -> str:
        seconds = max(time.monotonic() - start, 1e-3)
        return f"{summary.count / seconds:,.0f} pages/s"

    with click.progressbar(
        itertools.chain(first, results),
        length=total,
        label="Rendering",
        item_show_func=rate,
        file=sys.stderr,
        update_min_steps=max(1, total // 200),
    ) as bar:
        summary.add(bar)
    return summary


@dataclasses.dataclass(slots=True)
class Summary:
    """The pages of a build: counted by route, and the slowest."""

    count: int = 0
    routes: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    titles: dict[str, str] = dataclasses.field(default_factory=dict)
    slowest: list[tuple[float, str]] = dataclasses.field(default_factory=list)

    def add(self, results: t.Iterable[PageResult]) -> None:
        for result in results:
            self.count += 1
            group = _group_of(result)
            is_first = group not in self.routes
            self.titles[group] = result.route_id if is_first else group
            counts = self.routes.setdefault(group, {})
            counts[result.action] = counts.get(result.action, 0) + 1
            counts["size"] = counts.get("size", 0) + result.size
            if result.seconds > _SLOW:
                self.slowest.append((result.seconds, result.path))
                self.slowest = sorted(self.slowest, reverse=True)[:_MOST_SLOW]

    def show(self, report: Report) -> None:
        """Print the summary. Routes and slow pages are left out if nothing changed."""
        if report.release is not None:
            for group, counts in sorted(self.routes.items()):
                size = _size(counts.pop("size"))
                actions = ", ".join(f"{n:,} {action}" for action, n in counts.items())
                click.echo(f"○ {self.titles[group]}  {actions}, {size}")
            if self.slowest:
                click.echo("Slowest:")
            for seconds, path in self.slowest:
                click.echo(f"  {seconds * 1000:8,.0f} ms  {path}")
        _show(report)


def _group_of(result: PageResult) -> str:
    """Return the route of a page, or for plain templates their folder: one line for
    5,000 Markdown files."""
    name = result.source.rpartition("/")[2]
    if name.endswith(".py") or "[" in result.source:
        return result.route_id
    folder = result.path.rstrip("/").rpartition("/")[0]
    return f"{folder}/*{os.path.splitext(name)[1]}"


def _size(size: int) -> str:
    return f"{size} B" if size < 1024 else f"{size / 1024:,.1f} kB"


def _show(report: Report) -> None:
    for name, file in report.named_as_pages.items():
        click.echo(f"{name} returns HTML or a redirect, so its file is {file}.")
    for name in report.empty_routes:
        click.echo(f"{name}: its get_static_paths lists no path.")
    if not report.total and not report.empty_routes:
        click.echo(
            "No route is prerendered. Write `prerender = True` in a file, or set"
            ' FILEPAGES_OUTPUT to "hybrid".'
        )
    if report.changed:
        changed = _first(report.changed, _MOST_CHANGES)
        click.echo(f"No version was used, because these changed: {changed}.")
    for path in report.broken_promises:
        message = f"broken promise: {path} changed, but its version did not"
        click.secho(message, fg="red")
    if report.verified and not report.broken_promises:
        click.echo(f"Verified the versions of {report.verified:,} pages.")
    if report.release is None:
        pages = counted(report.kept + report.rendered, "page")
        click.echo(f"Nothing changed: {pages}.")
    else:
        click.echo(
            f"{report.rendered:,} rendered ({report.unchanged:,} unchanged),"
            f" {report.kept:,} kept, {report.removed:,} removed in"
            f" {report.seconds:.2f} s."
        )
    _show_release(report)


def _first(names: list[str], most: int) -> str:
    """Return the first names, and how many more there are."""
    rest = len(names) - most
    more = [f"and {rest:,} more"] if rest > 0 else []
    return ", ".join([*names[:most], *more])


def _show_release(report: Report) -> None:
    """Print where the release is, what it holds and what to do next."""
    click.echo(f"The release is {report.current}")
    click.echo(f"  site/     {counted(report.site_files, 'public file')}")
    if report.guarded_files:
        count = counted(report.guarded_files, "file")
        click.echo(f"  guarded/  {count} behind middleware, which only the app sends")
    if report.own_views:
        views = _first(report.own_views, _MOST_VIEWS)
        click.echo(f"Views of the app are not part of a static site: {views}.")
    if not report.is_served:
        setting = f"FILEPAGES_BUILD_DIR = {report.folder!r}"
        click.echo(f"Next: set {setting} to serve, preview or export the release.")
        return
    click.echo(
        "Next: run the app, which serves the release; look at it with `flask filepages"
        " preview`; or write a folder to upload with `flask filepages export FOLDER`."
    )
