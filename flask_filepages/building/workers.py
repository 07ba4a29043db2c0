"""Rendering in other processes or threads, over any ``concurrent.futures.Executor``.

A worker gets the app's import string and what to render, as text; it gives back
answers, and what it read for them. Nothing else is handed over, so any executor will
do: a pool of processes, of threads, a Dask cluster.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import secrets
import sys
import threading
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field

from .. import epoch
from .. import listening
from .. import reads
from ..prerendering.listing import decode
from ..releases.manifest import ALWAYS
from ..site import states
from .answers import Answer
from .render import Job
from .render import Renderer

if t.TYPE_CHECKING:
    from flask import Flask

#: Path, endpoint name, entry as text, whether it is an error page.
Task = tuple[str, str, str, bool]


@dataclass(frozen=True, slots=True)
class Spec:
    """What a worker makes its app from. Equal ones are one app in a process."""

    app: str | None
    folder: str
    build: str
    build_folder: str


@dataclass(slots=True)
class Batch:
    """The answers of one chunk, and what its process read since the last one."""

    process: str
    answers: list[Answer]
    start: int
    found: list[reads.Found]
    seconds: float


@dataclass(slots=True)
class Worker:
    """An app in this process that renders for a build."""

    renderer: Renderer
    own_reads: t.Container[str]
    process: str = field(default_factory=lambda: secrets.token_hex(8))
    told: int = 0
    spec: Spec | None = None
    sources: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def render(self, job: Job) -> Answer:
        """Return one answer, with what it was made from."""
        log = reads.log
        answer, uses = self.renderer.render(job)
        if log is None or log.unseen is not None:
            answer.position = ALWAYS
            return answer
        log.look_for_drivers()
        if uses.templates or uses.files:
            answer.uses = [
                *(("template", k, v) for k, v in sorted(uses.templates.items())),
                *(("file", k, v) for k, v in sorted(uses.files.items())),
            ]
        if job.endpoint in self.own_reads:
            vouched = job.static_path.version is not None
            every = {*uses.others, *log.shared}
            others = [r for r in sorted(every) if not (vouched and r[0] == "taint")]
            with reads.paused():
                found = [(*read, log.found_one(read)) for read in others]
            answer.uses = [*(answer.uses or ()), *found]
            answer.position = 0
        else:
            answer.position = len(log.entries)
        return answer

    def batch(self, jobs: t.Iterable[Job]) -> Batch:
        start_time = time.perf_counter()
        if reads.log is not None:
            reads.log.adopt_thread()
            reads.log.is_rendering = True
        with reads.resumed():
            answers = [self.render(job) for job in jobs]
        start, found = self.news()
        seconds = time.perf_counter() - start_time
        return Batch(f"{self.process}-{os.getpid()}", answers, start, found, seconds)

    def news(self) -> tuple[int, list[reads.Found]]:
        """Return what was read since the last call, and from where in the log on."""
        log = reads.log
        if log is None:
            return 0, []
        with self.lock, reads.paused():
            start, self.told = self.told, len(log.entries)
            return start, log.found(start, self.told)


def begin(environ: t.Mapping[str, str]) -> None:
    """Begin as a process of a pool, which ends where the one that made it is gone.

    :param environ: the environment as the command got it, before its app changed it.
    """
    os.environ.clear()
    os.environ.update(environ)
    # What pages print is none of what the command tells.
    sys.stdout = sys.stderr
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for, args=(parent,), daemon=True).start()


def _wait_for(parent: t.Any) -> None:
    parent.join()
    os._exit(1)


_workers: dict[Spec, Worker] = {}
_lock = threading.Lock()


def register(spec: Spec, worker: Worker) -> None:
    """Let threads of this process render with *worker*."""
    _workers[spec] = worker


def forget(spec: Spec) -> None:
    _workers.pop(spec, None)


def render_chunk(spec: Spec, tasks: list[Task]) -> Batch:
    """Render *tasks*: what an executor is given to call."""
    with _lock:
        worker = _workers.get(spec)
        if worker is None:
            worker = _workers[spec] = _made(spec)
    return worker.batch(
        Job(path, endpoint, decode(text), is_error)
        for path, endpoint, text, is_error in tasks
    )


def _made(spec: Spec) -> Worker:
    """Import the app in this process, with all that it reads in the log."""
    from flask.cli import ScriptInfo

    earlier = next(reversed(_workers.values()), None)
    if earlier is not None:
        return _again(earlier, spec)
    log = listening.install()
    log.skip(spec.build_folder)
    with _in_folder(spec.folder):
        app = ScriptInfo(app_import_path=spec.app).load_app()
    worker = worker_of(app)
    worker.sources = epoch.sources_of(app, spec.build_folder)
    worker.spec = spec
    return worker


def _again(worker: Worker, spec: Spec) -> Worker:
    """Return the worker of an earlier build in this process, which lives on.

    :raises StaleWorkerError: it knows another app, or what may not be so any more.
    """
    earlier, log = t.cast(Spec, worker.spec), t.cast(reads.Log, reads.log)
    app = worker.renderer.app
    if (earlier.app, earlier.folder) != (spec.app, spec.folder):
        raise StaleWorkerError(f"a worker has the app of {earlier.folder}")
    why = log.outdated(app.jinja_env)
    if epoch.sources_of(app, spec.build_folder) != worker.sources:
        why = "a source file changed"
    if why is not None:
        raise StaleWorkerError(f"a worker is of an earlier build, and {why}")
    worker.told = 0
    worker.process = secrets.token_hex(8)
    return worker


def worker_of(app: Flask) -> Worker:
    """Return a worker for *app*, whose files are loaded."""
    own_reads = set()
    for state in states(app).values():
        state.load()
        own_reads |= {name for name, one in state.stored.items() if one.trusts_reads}
    settings = next(iter(states(app).values())).settings
    return Worker(Renderer(app, settings), own_reads)


@contextlib.contextmanager
def _in_folder(folder: str) -> Iterator[None]:
    before = os.getcwd()
    if os.path.isdir(folder):
        os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


class WorkerError(RuntimeError):
    """Workers cannot end a build; :attr:`fix` says what would help."""

    fix = ""


class StaleWorkerError(WorkerError):
    """A worker that lives on knows what is not so any more."""

    fix = "Restart the workers."
