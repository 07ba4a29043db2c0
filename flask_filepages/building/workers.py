"""Render in other processes or threads, with any ``concurrent.futures.Executor``.

A worker gets the import string of the app and the paths to render, as text, and returns
responses. Nothing else is handed over, so every executor works: processes, threads, or
a Dask cluster.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import sys
import threading
import typing as t
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED
from concurrent.futures import BrokenExecutor
from concurrent.futures import Executor
from concurrent.futures import Future
from concurrent.futures import wait
from dataclasses import dataclass

from ..site import sites_of
from .promises import Project
from .promises import describe_project
from .promises import differences
from .render import BuildClient
from .render import Job
from .rendered import RenderedResponse

_MOST_TRIES = 3
_FIRST_CHUNK, _LONGEST_CHUNK = 16, 1024
_CHUNK_SECONDS = 0.1  # Rendering a chunk should take about this long.


class WorkerError(RuntimeError):
    """Workers cannot finish a build; :attr:`fix` says what would help."""

    fix = "Find out what ends the workers. Fewer --jobs need less memory."


class StaleWorkerError(WorkerError):
    """A worker that outlived an earlier build has another app or other files."""

    fix = "Restart the workers."


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """How a worker gets its app. Equal specs mean the same app in a process.

    :attr:`build` is a token of the build, :attr:`folder` the working directory.
    """

    app_import: str | None
    folder: str
    build: str
    build_folder: str


# -- in a worker --------------------------------------------------------------------

_clients: dict[WorkerSpec, BuildClient] = {}
_projects: dict[WorkerSpec, Project] = {}
_lock = threading.Lock()


def start_process() -> None:
    """Prepare a process of a pool."""
    import multiprocessing

    # Output of pages must not mix with output of the command.
    sys.stdout = sys.stderr
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_with, args=(parent,), daemon=True).start()


def _exit_with(parent: t.Any) -> None:
    parent.join()
    os._exit(1)


def render_chunk(spec: WorkerSpec, chunk: list[Job]) -> list[RenderedResponse]:
    """Render the paths of *chunk*. Executors call this function.

    :raises StaleWorkerError: the project has changed since this process started.
    """
    with _lock:
        client = _clients.get(spec)
        if client is None:
            client = _clients[spec] = _make_client(spec)
    return [client.get(job) for job in chunk]


def _make_client(spec: WorkerSpec) -> BuildClient:
    earlier = next(reversed(_clients), None)
    if earlier is None:
        from flask.cli import ScriptInfo

        is_here = os.path.isdir(spec.folder)  # A worker on another machine lacks it.
        with contextlib.chdir(spec.folder if is_here else "."):
            app = ScriptInfo(app_import_path=spec.app_import).load_app()
        for site in sites_of(app).values():
            site.releases.is_suspended = True
        client = BuildClient(app)
    elif (earlier.app_import, earlier.folder) == (spec.app_import, spec.folder):
        client = _clients[earlier]
    else:
        raise StaleWorkerError(f"a worker has the app of {earlier.folder}")
    project = describe_project(client.app, spec.build_folder)
    if earlier is not None:
        changed = differences(_projects[earlier], project)
        if changed:
            raise StaleWorkerError(f"a worker was started before {changed[0]} changed")
    _projects[spec] = project
    return client


# -- handing out work ---------------------------------------------------------------

_InFlight = dict[Future[list[RenderedResponse]], tuple[list[Job], int, Executor]]


class Pool:
    """Hands chunks of jobs to an executor, and again if a worker is lost.

    :param make: returns the executor, and a new one after a whole pool broke.
    :param width: the number of workers.
    :param client: renders in threads, which use the app that is loaded already.
    """

    def __init__(
        self,
        make: t.Callable[[], Executor],
        width: int,
        spec: WorkerSpec,
        client: BuildClient,
    ) -> None:
        self._make = make
        self._executor = make()
        self._width = width
        self._spec = spec
        self._size = float(_FIRST_CHUNK)
        self._in_flight: _InFlight = {}
        _clients[spec] = client

    def render(self, jobs: Iterator[Job]) -> Iterator[RenderedResponse]:
        """Yield the responses of *jobs*, in the order in which their chunks finish.

        :raises WorkerError: a chunk lost its worker three times, or a worker is stale.
        """
        self._fill(jobs)
        while self._in_flight:
            done, _ = wait(self._in_flight, return_when=FIRST_COMPLETED)
            for future in done:
                chunk, tries, executor = self._in_flight.pop(future)
                error = future.exception()
                if error is not None:
                    self._retry(chunk, tries, executor, error)
                    continue
                responses = future.result()
                self._adapt_size(responses)
                yield from responses
            self._fill(jobs)

    def close(self) -> None:
        """Cancel the chunks that are left, and shut the executor down."""
        for future in self._in_flight:
            future.cancel()
        self._executor.shutdown(wait=False)
        _clients.pop(self._spec, None)

    def _fill(self, jobs: Iterator[Job]) -> None:
        while len(self._in_flight) < 2 * self._width:
            chunk = list(itertools.islice(jobs, int(self._size)))
            if not chunk:
                return
            self._submit(chunk, 1)

    def _retry(
        self, chunk: list[Job], tries: int, executor: Executor, error: BaseException
    ) -> None:
        if isinstance(error, StaleWorkerError):
            raise error
        if tries >= _MOST_TRIES:
            raise WorkerError(
                f"{len(chunk)} paths from {chunk[0].path} on were lost with their"
                f" worker {tries} times: {type(error).__name__}: {error}"
            ) from error
        if isinstance(error, BrokenExecutor) and executor is self._executor:
            executor.shutdown(wait=False)
            self._executor = self._make()
        self._submit(chunk, tries + 1)

    def _submit(self, chunk: list[Job], tries: int) -> None:
        future = self._executor.submit(render_chunk, self._spec, chunk)
        self._in_flight[future] = (chunk, tries, self._executor)

    def _adapt_size(self, responses: list[RenderedResponse]) -> None:
        """Make chunks long enough to pay for their round trip."""
        seconds = sum(response.seconds for response in responses)
        wanted = len(responses) * _CHUNK_SECONDS / max(seconds, 1e-4)
        self._size = min(_LONGEST_CHUNK, max(1.0, (self._size + wanted) / 2))


# -- executors by name --------------------------------------------------------------


def prepare_processes() -> str:
    """Start a process that imports what all workers need, and return the start method.

    Workers are never forks of this process, which has loaded the app by then.
    """
    import multiprocessing

    if "forkserver" not in multiprocessing.get_all_start_methods():
        return "spawn"
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload(["flask.cli", "flask_filepages.building.workers"])
    try:
        forkserver.ensure_running()
    except OSError:  # The name of its socket is too long.
        return "spawn"
    return "forkserver"


def executor_factory(
    name: str, jobs: int, start_method: str, wait_for_workers: float
) -> tuple[t.Callable[[], Executor] | None, int]:
    """Return a function that makes the executor *name*, and its number of workers. The
    function is ``None`` where this process renders alone.

    :param start_method: see :func:`prepare_processes`.
    :param wait_for_workers: the seconds to wait for the first worker of Dask.
    :raises ValueError: *name* is not the name of an executor.
    :raises WorkerError: Dask is not installed, its scheduler does not respond, or it
        has no worker.
    """
    if name.startswith("dask://"):
        return _dask(name.removeprefix("dask://"), wait_for_workers)
    if name not in ("processes", "threads"):
        raise ValueError(
            f"{name!r} is not an executor; write processes, threads or"
            " dask://host:port."
        )
    if jobs == 1:
        return None, 1
    # Imported here, because most builds need no other process.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures import ThreadPoolExecutor

    if name == "threads":
        return lambda: ThreadPoolExecutor(jobs), jobs
    context = multiprocessing.get_context(start_method)
    return lambda: ProcessPoolExecutor(jobs, context, start_process), jobs


def _dask(address: str, seconds: float) -> tuple[t.Callable[[], Executor], int]:
    try:
        distributed: t.Any = importlib.import_module("distributed")
    except ImportError:
        raise WorkerError(
            "Dask is not installed. Install the extra: Flask-Filepages[dask]."
        ) from None
    try:
        client = distributed.Client(f"tcp://{address}", set_as_default=False, timeout=5)
    except OSError as error:
        raise WorkerError(f"No Dask scheduler responds at {address}: {error}") from None
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError:
        client.close()
        raise WorkerError(
            f"The Dask scheduler at {address} had no worker for {seconds:g} seconds."
            f" Start one: dask worker tcp://{address}"
        ) from None
    count = len(client.scheduler_info(-1)["workers"])
    # By default Dask returns the old result for a call that it has seen before.
    return lambda: t.cast("Executor", client.get_executor(pure=False)), count
