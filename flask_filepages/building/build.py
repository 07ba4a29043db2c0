"""Build a site: plan all paths, render them, and publish a release."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import os
import secrets
import time
import typing as t
from collections.abc import Generator
from collections.abc import Iterator

from flask import Flask

from ..errors import BuildError
from ..errors import Fault
from ..releases.folder import BuildFolder
from ..releases.manifest import Entry
from ..releases.manifest import Manifest
from ..routing.urls import digest_of_rules
from ..site import own_views
from ..site import sites_of
from .links import link_faults
from .plan import Listing
from .plan import Plan
from .plan import read_listings
from .plan import redirect_pages
from .promises import Project
from .promises import describe_project
from .promises import differences
from .promises import project_folder
from .promises import read_record
from .promises import record_project
from .render import BuildClient
from .render import Job
from .rendered import RenderedResponse
from .report import Options as Options
from .report import PageResult
from .report import Report
from .static_files import digests_of
from .static_files import static_files
from .workers import Pool
from .workers import WorkerError
from .workers import WorkerSpec
from .writer import LastRelease
from .writer import ReleaseWriter

_MOST_FAULTS = 1000
_MOST_LINKS = 100


class Build:
    """One build of an app. Iterating over it runs the build and yields a result for
    each page.

    After the last result the release is published and :attr:`report` is complete. The
    report's ``total`` is known before the first result.
    """

    def __init__(self, app: Flask, options: Options) -> None:
        self.app = app
        self.options = options
        self._sites = list(sites_of(app).values())
        self.settings = self._sites[0].settings
        self._releases = self._sites[0].releases
        self.folder = BuildFolder(options.out or self._releases.folder)
        self.report = Report(self.folder.path)
        self.report.is_served = self.folder.path == self._releases.build_folder.path
        self._routes = {
            n: r for site in self._sites for n, r in site.prerendered.items()
        }
        self._warned: set[str] = set()
        self._root_faults: list[Fault] = []
        self._in_flight: dict[str, tuple[Entry, Entry | None]] = {}

    def __iter__(self) -> Generator[PageResult, None, None]:
        start = time.perf_counter()
        self._load()
        with contextlib.ExitStack() as opened:
            sources = [site.folder for site in self._sites]
            self.folder.claim(self.app, project_folder(self.app), sources)
            opened.enter_context(self.folder.lock(wait=self.options.wait))
            opened.enter_context(self._releases.suspended())
            yield from self._build(opened)
        self.report.current = self.folder.current()
        self.report.seconds = time.perf_counter() - start

    def _load(self) -> None:
        """Load all files.

        :raises LoadError: with every file that could not be loaded.
        """
        for site in self._sites:
            site.load()
            site.log([*site.state_warnings(), *site.slash_warnings()])

    def _build(self, opened: contextlib.ExitStack) -> Iterator[PageResult]:
        listings, redirects = self._list(opened)
        static = static_files(self.app) if self.options.static else {}
        last = LastRelease(self.folder.current())
        opened.callback(last.manifest.close)
        last.check_owner(self._releases.owner)
        if self.options.force:
            last = LastRelease(None)
            opened.callback(last.manifest.close)
        has_versions = any(listing.has_versions for listing in listings)
        project = describe_project(self.app, self.folder.path) if has_versions else {}
        can_keep = has_versions and self._is_same_project(last, project)
        if can_keep and self._is_up_to_date(last, listings, static):
            self.report.kept = last.manifest.count() - len(redirects)
            self.report.total = self.report.kept
            self._count_files(last.manifest)
            return
        staging = opened.enter_context(self.folder.staging())
        writer = ReleaseWriter(staging, last)
        opened.callback(writer.manifest.close)
        plan = Plan(self._names)
        opened.callback(plan.close)
        self._fill(plan, listings, writer, can_keep=can_keep)
        for entry, _ in redirects:
            plan.add(entry, None, is_done=True)
        self._raise(plan.faults)
        self.report.total = plan.count() - len(redirects)
        for entry in writer.manifest.entries():
            self.report.kept += 1
            yield self._result(entry, "kept")
        for entry, response in redirects:
            writer.add(entry, response, writer.last_response(entry.path))
        yield from self._render(plan, writer, can_verify=can_keep)
        self.report.copied = writer.copy(static)
        self._raise([*self._root_faults, *writer.check(self._names)])
        if self.options.links != "off":
            self._check_links(writer)
        self._publish(writer, staging, listings)
        if has_versions:
            current = os.path.basename(self.folder.current() or "")
            created = min(site.created for site in self._sites)
            record_project(self.app, self.folder.path, current, project, created)

    def _list(
        self, opened: contextlib.ExitStack
    ) -> tuple[list[Listing], list[tuple[Entry, RenderedResponse]]]:
        """Return the listings of all routes, and the pages of redirects.

        :raises BuildError: with everything that is wrong with them.
        """
        faults: list[Fault] = []
        routes = self._routes.values()
        listings = read_listings(routes, opened, faults)
        empty = [listing.route.route.name for listing in listings if listing.is_empty]
        self.report.empty_routes = empty
        self._raise(faults)
        redirects = redirect_pages(self._sites, routes, faults)
        self._raise(faults)
        if self.settings.output == "static":
            self.report.own_views = own_views(self.app)
        return listings, redirects

    # -- keeping ----------------------------------------------------------------

    def _is_same_project(self, last: LastRelease, project: Project) -> bool:
        """Return True if versions can be trusted; else report what changed."""
        record = read_record(self.folder.path, last.name)
        if record is None:
            return False
        self.report.changed = differences(record, project)
        return not self.report.changed

    def _is_up_to_date(
        self, last: LastRelease, listings: list[Listing], static: dict[str, str]
    ) -> bool:
        """Return True if every path is promised to be unchanged, and nothing is lost.

        One digest for each listing saves planning its paths.
        """
        digests = {listing.route.endpoint: listing.digest for listing in listings}
        copied = {name: file.digest for name, file in last.static_files().items()}
        return (
            not self.options.verify
            and self.options.links == "off"
            and None not in digests.values()
            and digests == last.meta.get("listings")
            and self._meta.items() <= last.meta.items()
            and digests_of(static) == copied
            and last.is_whole()
        )

    def _fill(
        self,
        plan: Plan,
        listings: list[Listing],
        writer: ReleaseWriter,
        *,
        can_keep: bool,
    ) -> None:
        """Plan all paths, and keep the responses of those that promise no change."""
        can_keep = can_keep and not self.options.verify
        for listing in listings:
            for entry, line in plan.entries_of(listing):
                before = None
                if can_keep and entry.key is not None:
                    before = writer.last_response(entry.path)
                    promised = (entry.key, entry.is_guarded)
                    if before and (before.key, before.is_guarded) != promised:
                        before = None
                is_free = plan.add(entry, line, is_done=before is not None)
                if is_free and before is not None:
                    writer.keep(before)

    # -- rendering --------------------------------------------------------------

    def _render(
        self, plan: Plan, writer: ReleaseWriter, *, can_verify: bool
    ) -> Iterator[PageResult]:
        """Render the paths of *plan*, and write their responses.

        :raises BuildError: with everything that cannot be stored.
        """
        faults: list[Fault] = []
        with contextlib.closing(self._responses(plan, writer)) as responses:
            for response in responses:
                entry, before = self._in_flight.pop(response.path)
                if response.problem is not None:
                    faults.append(self._fault(entry, response))
                    if len(faults) >= _MOST_FAULTS:
                        break
                    continue
                if response.warning is not None:
                    self._warn(entry, response.warning)
                self._name_file(entry, response)
                if entry.file == "" and response.has_body:
                    self._root_faults.append(self._root_fault(entry))
                    continue
                is_equal = writer.add(entry, response, before)
                if can_verify and self.options.verify and before is not None:
                    self._verify(entry, before)
                self.report.rendered += 1
                self.report.unchanged += is_equal
                action: t.Any = "unchanged" if is_equal else "rendered"
                yield self._result(entry, action, response.seconds)
        self._raise(faults)

    def _responses(
        self, plan: Plan, writer: ReleaseWriter
    ) -> Generator[RenderedResponse, None, None]:
        client = BuildClient(self.app)
        make = self.options.make_executor
        jobs = self._jobs(plan, writer, is_json=True)
        if make is None:
            yield from client.responses(jobs)
        else:
            token, out = secrets.token_hex(4), self.folder.path
            spec = WorkerSpec(self.options.app_import, os.getcwd(), token, out)
            pool = Pool(make, self.options.jobs, spec, client)
            try:
                yield from pool.render(jobs)
            except WorkerError as error:
                fault = Fault("worker", "the executor", str(error), error.fix)
                raise BuildError(project_folder(self.app), [fault]) from error
            finally:
                pool.close()
        # Props that cannot be written as JSON cannot be sent to a worker.
        yield from client.responses(self._jobs(plan, writer, is_json=False))

    def _jobs(
        self, plan: Plan, writer: ReleaseWriter, *, is_json: bool
    ) -> Iterator[Job]:
        """Yield the paths to render, and record their last responses."""
        for entry, static_path in plan.waiting(is_json=is_json):
            before = writer.last_response(entry.path)
            self._in_flight[entry.path] = (entry, before)
            digest = before.digest if before is not None else None
            yield Job(entry.path, entry.endpoint, static_path, digest)

    def _name_file(self, entry: Entry, response: RenderedResponse) -> None:
        """Give HTML of an endpoint the file name of a page."""
        route = self._routes[entry.endpoint]
        if route.file_names.is_page or not response.is_html:
            return
        name = route.file_names.name(entry.path, is_html=True)
        if name != entry.file:
            entry.file = name
            self.report.named_as_pages.setdefault(route.route.name, name)

    def _root_fault(self, entry: Entry) -> Fault:
        name = self._routes[entry.endpoint].route.name
        problem = f"GET {entry.path}: it is the root of the site, which is a folder"
        typed = f"{name.removesuffix('.py')}.json.py"
        fix = f"Return HTML, or rename the file to {typed}, which changes its URL."
        return Fault("collision", name, problem, fix)

    def _warn(self, entry: Entry, warning: str) -> None:
        """Log a warning of a response, once for each route."""
        if entry.endpoint not in self._warned:
            self._warned.add(entry.endpoint)
            name = self._routes[entry.endpoint].route.name
            self.app.logger.warning("%s: GET %s: %s", name, entry.path, warning)

    def _verify(self, entry: Entry, before: Entry) -> None:
        """Report a response that differs although its version promised that it does
        not."""
        if entry.key is None or entry.key != before.key:
            return
        self.report.verified += 1
        now = (entry.status, entry.headers, entry.digest)
        if now != (before.status, before.headers, before.digest):
            self.report.broken_promises.append(entry.path)

    def _check_links(self, writer: ReleaseWriter) -> None:
        found = link_faults(self.app, self._routes, writer)
        faults = list(itertools.islice(found, _MOST_LINKS))
        if self.options.links == "error":
            self._raise(faults)
        self._sites[0].log(faults)

    # -- publishing -------------------------------------------------------------

    @functools.cached_property
    def _names(self) -> dict[str, str]:
        """The names of all routes in errors, by endpoint name."""
        return {
            bound.endpoint: bound.route.name
            for site in self._sites
            for bound in site.routes.values()
        }

    @functools.cached_property
    def _meta(self) -> dict[str, t.Any]:
        """What the manifest says about the app; the routes cannot change any more."""
        return {
            "owner": dataclasses.asdict(self._releases.owner),
            "routes": digest_of_rules(self.app.url_map),
            "root": self.settings.root,
            "site": self.settings.site,
            "trailing_slash": self.settings.trailing_slash,
            "build_format": self.settings.build_format,
        }

    def _publish(
        self, writer: ReleaseWriter, staging: str, listings: list[Listing]
    ) -> None:
        digests = {listing.route.endpoint: listing.digest for listing in listings}
        self._count_files(writer.manifest)
        is_changed, self.report.removed = writer.finish(self._meta, digests)
        if is_changed:
            self.report.release = self.folder.publish(staging)
            self.folder.prune(self.options.keep)

    def _count_files(self, manifest: Manifest) -> None:
        self.report.site_files = manifest.count_files(guarded=False)
        self.report.guarded_files = manifest.count_files(guarded=True)

    def _result(self, entry: Entry, action: t.Any, seconds: float = 0.0) -> PageResult:
        route = self._routes[entry.endpoint]
        what = (entry.path, route.id, route.route.name, entry.file)
        return PageResult(*what, action, entry.code, entry.size, seconds)

    def _fault(self, entry: Entry, response: RenderedResponse) -> Fault:
        name = self._routes[entry.endpoint].route.name
        problem = f"GET {entry.path}: {response.problem}"
        return Fault("render", name, problem, response.fix)

    def _raise(self, faults: list[Fault]) -> None:
        if faults:
            raise BuildError(project_folder(self.app), faults[:_MOST_FAULTS])
