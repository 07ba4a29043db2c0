"""A release that is being made: its paths, its answers, its files."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field

from ..errors import BuildError
from ..errors import Fault
from ..incremental import Previous
from ..notes import Notes
from ..prerendering.listing import decode
from ..prerendering.stored import StoredRoute
from ..releases.files import Tree
from ..releases.manifest import Entry
from ..releases.manifest import Manifest
from ..settings import Settings
from .answers import Answer
from .plan import Listing
from .plan import Planner
from .plan import batches
from .plan import for_a_while
from .pool import Pool
from .render import Job
from .report import PageResult
from .report import Report
from .static_files import Copies
from .workers import Batch
from .workers import Task
from .workers import Worker
from .workers import WorkerError

_MOST_FAULTS = 1000
# How the system says that a name is that of another file or folder.
_TAKEN = (FileExistsError, NotADirectoryError, IsADirectoryError)


@dataclass(slots=True)
class Making:
    """The steps of a release, in their order.

    :param project: what an error calls the whole.
    :param old: the files of the last release.
    :param is_verified: whether rendered answers are compared with those of before.
    """

    project: str
    settings: Settings
    stored: t.Mapping[str, StoredRoute]
    worker: Worker
    manifest: Manifest
    tree: Tree
    previous: Previous
    old: Tree | None
    report: Report
    is_verified: bool
    planner: Planner = field(init=False)
    notes: Notes = field(init=False)
    _listings: dict[str, bytes | None] = field(default_factory=dict)
    _under_way: dict[str, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.planner = Planner(self.manifest)
        self.notes = Notes(self.manifest)

    # -- planning ---------------------------------------------------------------

    def plan(
        self,
        listed: list[Listing],
        same: set[str],
        redirects: list[tuple[Entry, Answer]],
    ) -> Iterator[PageResult]:
        """Put all paths into the manifest; keep what can be kept.

        :raises BuildError: with everything that is wrong with them.
        """
        if self.previous.kept_from is not None:
            self.notes.adopt(self.previous.kept_from)
        for listing in listed:
            name = listing.live.endpoint
            route_name = listing.live.route.name
            self._listings[name] = listing.digest
            if name in same and all(map(self._has_files, self._entries_before(name))):
                for entry in self._entries_before(name):
                    self._plan_kept(entry, route_name)
                continue
            for entry, text in self.planner.add(listing, self.settings):
                before = self._before(entry)
                if before is None:
                    self.planner.insert(entry, route_name, text)
                else:
                    self._plan_kept(before, route_name)
        for entry, _ in redirects:
            self.planner.insert(entry, f"FILEPAGES_REDIRECTS[{entry.path!r}]")
        self.planner.check_folders()
        self.raise_faults(self.planner.faults)
        self.report.total = self.manifest.count_planned() - len(redirects)
        for entry in self.manifest.entries():
            yield self._keep(entry)
        for entry, answer in redirects:
            self._write(entry, answer)

    def _entries_before(self, endpoint: str) -> Iterator[Entry]:
        return t.cast(Manifest, self.previous.kept_from).entries(endpoint)

    def _has_files(self, entry: Entry) -> bool:
        """Whether the files of an answer are as they were written."""
        sizes = [entry.size, *entry.variants.values()]
        old = t.cast(Tree, self.old)
        return all(map(old.has, entry.files, sizes))

    def _plan_kept(self, entry: Entry, route_name: str) -> None:
        if self.planner.insert(entry, route_name):
            self.manifest.add(entry)

    def _before(self, entry: Entry) -> Entry | None:
        """Return the answer of the last release for a path, if it can be kept."""
        manifest = self.previous.kept_from
        if manifest is None or entry.entry is None:
            return None
        before = manifest.entry(entry.path)
        if before is None or before.entry != entry.entry:
            return None
        if before.endpoint != entry.endpoint or not self.previous.is_clean(before):
            return None
        return before if self._has_files(before) else None

    def _keep(self, entry: Entry) -> PageResult:
        for name in entry.files:
            self.tree.link(name, t.cast(Tree, self.old))
        self.report.kept += 1
        return self._result(entry, "kept")

    # -- rendering --------------------------------------------------------------

    def render(self, pool: Pool | None) -> Iterator[PageResult]:
        """Render what is not kept, and write it.

        :param pool: what renders, instead of this process.
        :raises BuildError: with everything that cannot be stored.
        """
        faults: list[Fault] = []
        for batch in self._batches(pool):
            self.notes.take(batch)
            for answer in batch.answers:
                entry = self._under_way.pop(answer.path)
                if answer.problem is None:
                    yield self._take(entry, answer, batch)
                else:
                    faults.append(self._fault(entry, answer))
            if len(faults) >= _MOST_FAULTS:
                break
        self.raise_faults(faults)

    def _batches(self, pool: Pool | None) -> Iterator[Batch]:
        tasks = (
            (entry.path, entry.endpoint, text or "", self._is_error_page(entry))
            for entry, text in self._begun(is_text=True)
        )
        if pool is None:
            yield from self._here(
                Job(path, endpoint, decode(text), is_error)
                for path, endpoint, text, is_error in tasks
            )
        else:
            yield from self._elsewhere(pool, tasks)
        # Props that are more than JSON do not travel.
        yield from self._here(
            Job(entry.path, entry.endpoint, self.planner.objects[entry.path])
            for entry, _ in self._begun(is_text=False)
        )

    def _begun(self, *, is_text: bool) -> Iterator[tuple[Entry, str | None]]:
        # A redirect is planned, too, and made already.
        for entry, text in self.manifest.planned(is_text=is_text):
            if entry.endpoint in self.stored:
                self._under_way[entry.path] = entry
                yield entry, text

    def _here(self, jobs: Iterator[Job]) -> Iterator[Batch]:
        while True:
            batch = self.worker.batch(for_a_while(jobs))
            if not batch.answers:
                return
            yield batch

    def _elsewhere(self, pool: Pool, tasks: Iterator[Task]) -> Iterator[Batch]:
        try:
            yield from pool.results(batches(tasks, pool.size))
        except WorkerError as error:
            fault = Fault("worker", "the executor", str(error), error.fix)
            raise BuildError(self.project, [fault]) from error

    def _is_error_page(self, entry: Entry) -> bool:
        return self.stored[entry.endpoint].live.is_error_page

    def _fault(self, entry: Entry, answer: Answer) -> Fault:
        route = self.stored[entry.endpoint].live.route
        problem = f"GET {entry.path}: {answer.problem}"
        return Fault("render", route.name, problem, answer.fix, answer.line)

    def _take(self, entry: Entry, answer: Answer, batch: Batch) -> PageResult:
        entry.log = None
        if answer.position > 0:
            entry.log = self.notes.log(batch.process)
        entry.position = answer.position
        if answer.uses:
            entry.uses = self.notes.uses(json.dumps(answer.uses))
        if self.is_verified:
            self._compare(entry, answer)
        self._write(entry, answer)
        self.report.rendered += 1
        return self._result(entry, "rendered", answer.seconds)

    def _write(self, entry: Entry, answer: Answer) -> None:
        """Write the files of an answer and complete its row."""
        entry.status, entry.headers = answer.status, answer.headers
        entry.digest, entry.size = answer.digest, len(answer.body)
        if not answer.has_body:
            entry.file = None
        entry.variants = {k: len(v) for k, v in answer.variants.items()}
        if entry.file is not None:
            bodies = [answer.body, *answer.variants.values()]
            for name, body in zip(entry.files, bodies, strict=True):
                try:
                    self.tree.write(name, body)
                except _TAKEN:
                    problem = f"its file {name} is that of another path"
                    fault = Fault("collision", entry.path, problem, "Rename one.")
                    raise BuildError(self.project, [fault]) from None
        self.manifest.add(entry)

    def _compare(self, entry: Entry, answer: Answer) -> None:
        """Tell of an answer that would have been kept, and is another one now."""
        manifest = self.previous.manifest
        before = manifest.entry(entry.path) if manifest is not None else None
        if before is None or before.entry != entry.entry or entry.entry is None:
            return
        if not self.previous.is_clean(before):
            return
        self.report.verified += 1
        now = (answer.status, answer.headers, answer.digest)
        if now != (before.status, before.headers, before.digest):
            self.report.unsound.append(entry.path)

    def _result(
        self, entry: Entry, action: t.Literal["rendered", "kept"], seconds: float = 0.0
    ) -> PageResult:
        route = self.stored[entry.endpoint].live.route
        code = int(entry.status[:3])
        return PageResult(
            entry.path, route.id, entry.file, action, code, entry.size, seconds
        )

    # -- the end ----------------------------------------------------------------

    def copy(self, copies: Copies) -> None:
        """Copy the static folders.

        :raises BuildError: two files have one name.
        """
        manifest = self.previous.manifest
        before = manifest.copies() if manifest is not None else {}
        old = t.cast(Tree, self.old)
        for name, digest in copies.digests():
            try:
                if before.get(name) == digest and copies.is_in(old, name):
                    self.tree.link(name, old)
                else:
                    self.tree.write(name, copies.read(name))
                    self.report.copied += 1
            except _TAKEN:
                problem = "a page has the file of this name"
                fix = "Rename one of the two, or build with --no-static."
                self.planner.faults.append(Fault("collision", name, problem, fix))
                continue
            self.manifest.add_all("copies", [(name, digest)])
        self.raise_faults(self.planner.faults)

    def finish(self, epoch: t.Mapping[str, str]) -> None:
        """Complete the manifest."""
        self.report.removed = self.previous.count_missing(self.manifest)
        self.manifest.add_all("listings", self._listings.items())
        self.manifest.drop_unused()
        self.tree.close()
        self.manifest.finish(
            {
                "epoch": dict(epoch),
                "site": self.settings.site,
                "trailing_slash": self.settings.trailing_slash,
                "build_format": self.settings.build_format,
            }
        )

    def raise_faults(self, faults: list[Fault]) -> None:
        if faults:
            raise BuildError(self.project, faults[:_MOST_FAULTS])
