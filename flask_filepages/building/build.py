"""Storing all prerendered paths of an app: plan, render, publish."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
import typing as t
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

from flask import Flask

from .. import reads
from ..epoch import epoch_of
from ..epoch import project_of
from ..errors import BuildError
from ..errors import Fault
from ..incremental import Previous
from ..releases.files import Tree
from ..releases.folder import SITE
from ..releases.folder import BuildFolder
from ..releases.manifest import Manifest
from ..site import states
from . import workers
from .plan import Listing
from .plan import listings
from .pool import Pool
from .redirect_pages import redirect_answers
from .report import PageResult
from .report import Report
from .static_files import Copies
from .workers import Spec
from .workers import Worker
from .writer import Making


@dataclass(frozen=True, slots=True)
class Options:
    """How to build.

    :param out: the build folder, instead of ``FILEPAGES_BUILD_DIR``.
    :param app_import: what a worker imports the app by (``--app``).
    :param make_executor: gives what renders in parallel; ``None``: this process does.
    :param jobs: how many workers it has.
    :param force: render everything.
    :param verify: render everything, and compare with what would have been kept.
    :param static: copy the static folders.
    :param keep: how many releases stay.
    :param wait: for another build that holds the folder.
    """

    out: str | None = None
    app_import: str | None = None
    make_executor: t.Callable[[], Executor] | None = None
    jobs: int = 1
    force: bool = False
    verify: bool = False
    static: bool = True
    keep: int = 3
    wait: bool = False


class Build:
    """One build of an app. Iterate over it; it has published when the iteration ends.

    :attr:`report` is whole then; its ``total`` is known as soon as all paths are.
    """

    def __init__(self, app: Flask, options: Options) -> None:
        self.app = app
        self.options = options
        self._states = states(app)
        first = next(iter(self._states.values()))
        self.settings = first.settings
        self.folder = BuildFolder(options.out or first.releases.folder)
        self.report = Report(self.folder.path)
        self._stored = {
            name: stored
            for state in self._states.values()
            for name, stored in state.stored.items()
        }

    # -- the whole --------------------------------------------------------------

    def __iter__(self) -> Iterator[PageResult]:
        start = time.perf_counter()
        with reads.paused():
            self._check()
            with contextlib.ExitStack() as opened:
                self.folder.claim(self._kept_away())
                opened.enter_context(self.folder.lock(wait=self.options.wait))
                yield from self._build(opened)
        self.report.seconds = time.perf_counter() - start

    def _check(self) -> None:
        """Refuse what no build can store.

        :raises BuildError: with all of it.
        """
        faults = []
        for state in self._states.values():
            with reads.resumed():
                state.load()
            for live in state.routes.values():
                if self.settings.output == "static" and live.route.prerender is False:
                    problem = "it says prerender = False, and the output is static"
                    fix = "Store it, or write FILEPAGES_OUTPUT = 'hybrid'."
                    faults.append(Fault("prerender", live.route.name, problem, fix))
        if faults:
            raise BuildError(project_of(self.app), faults)

    def _kept_away(self) -> list[str]:
        """Return the folders that the build folder must neither be nor hold; itself,
        if it lies in one where files are looked for."""
        sources = [state.folder for state in self._states.values()]
        if self.app.static_folder is not None:
            sources.append(os.path.realpath(self.app.static_folder))
        is_inside = any(
            self.folder.path.startswith(folder + os.sep) for folder in sources
        )
        folders = [self.app.root_path, project_of(self.app), *sources]
        return [*folders, self.folder.path] if is_inside else folders

    def _build(self, opened: contextlib.ExitStack) -> Iterator[PageResult]:
        listed = listings(self._stored.values(), opened)
        copies = Copies.of(self.app) if self.options.static else Copies({})
        epoch = epoch_of(
            self.app,
            self._states.values(),
            self.folder.path,
            self.options.app_import,
        )
        current = self.folder.current()
        manifest = None
        if current is not None and not self.options.force:
            manifest = Manifest.open(current)
        if manifest is not None:
            opened.callback(manifest.close)
        previous = Previous(
            manifest,
            epoch,
            lambda name: reads.template_digest(self.app.jinja_env, name),
            force=self.options.force or self.options.verify,
        )
        self.report.reason = previous.reason or self._unseen()
        self.report.changed = previous.changed
        same = self._same_routes(previous, listed)
        redirects = redirect_answers(self._states.values(), self._stored)
        if len(same) == len(listed) and manifest is not None:
            with contextlib.closing(Tree(os.path.join(str(current), SITE))) as tree:
                is_whole = all(tree.has(*file) for file in manifest.files())
                is_whole = is_whole and copies.are_in(manifest, tree)
            if is_whole:
                self.report.kept = self.report.total = manifest.count() - len(redirects)
                return
        staging = self.folder.stage()
        opened.callback(shutil.rmtree, staging, ignore_errors=True)
        made = self._making(staging, previous, current, opened)
        yield from made.plan(listed, same, redirects)
        with self._pool(made.worker) as pool:
            yield from made.render(pool)
        made.copy(copies)
        made.finish(epoch)
        self.report.release = self.folder.publish(staging)
        self.folder.prune(self.options.keep)

    def _unseen(self) -> str | None:
        if self.options.make_executor is not None:
            return None
        if reads.log is None:
            return "what the app read before is not known; the command knows it"
        if reads.log.unseen is None:
            return None
        return f"{reads.log.unseen} was imported before, so what it read is not known"

    def _making(
        self,
        staging: str,
        previous: Previous,
        current: str | None,
        opened: contextlib.ExitStack,
    ) -> Making:
        """Return what makes a release in *staging*; *opened* closes it."""
        tree = Tree(os.path.join(staging, SITE), make=True)
        opened.callback(tree.close)
        old = None
        if previous.manifest is not None and current is not None:
            old = Tree(os.path.join(current, SITE))
            opened.callback(old.close)
        manifest = Manifest.create(staging)
        opened.callback(manifest.close)
        return Making(
            project_of(self.app),
            self.settings,
            self._stored,
            workers.worker_of(self.app),
            *(manifest, tree, previous, old),
            self.report,
            self.options.verify,
        )

    @contextlib.contextmanager
    def _pool(self, worker: Worker) -> Iterator[Pool | None]:
        make = self.options.make_executor
        if make is None:
            yield None
            return
        name = secrets.token_hex(4)
        spec = Spec(self.options.app_import, os.getcwd(), name, self.folder.path)
        # For threads: they find the app that is there.
        workers.register(spec, worker)
        pool = Pool(make, self.options.jobs, spec)
        try:
            yield pool
        finally:
            pool.close()
            workers.forget(spec)

    def _same_routes(self, previous: Previous, listed: list[Listing]) -> set[str]:
        """Return the routes that list what they did, all answers of which stay."""
        if previous.kept_from is None:
            return set()
        before = previous.kept_from.listings()
        clean = previous.clean_routes()
        empty = before.keys() - clean
        same = set()
        for listing in listed:
            name, digest = listing.live.endpoint, listing.digest
            if digest is not None and before.get(name) == digest:
                is_empty = name in empty and next(listing.entries(), None) is None
                if name in clean or is_empty:
                    same.add(name)
        return same
