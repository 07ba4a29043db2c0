"""Handing chunks of paths to an executor, and again where its workers are lost."""

from __future__ import annotations

import itertools
import typing as t
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED
from concurrent.futures import BrokenExecutor
from concurrent.futures import Executor
from concurrent.futures import Future
from concurrent.futures import wait

from .workers import Batch
from .workers import Spec
from .workers import StaleWorkerError
from .workers import Task
from .workers import WorkerError
from .workers import render_chunk

_UnderWay = dict["Future[Batch]", tuple[list[Task], int, Executor]]
_MOST_TRIES = 3
_FIRST_CHUNK, _LONGEST_CHUNK = 16, 1024
_AIM = 0.1  # seconds of work in a chunk


class LostWorkerError(WorkerError):
    """A chunk was lost with its worker again and again."""

    fix = "See what ends the workers; fewer --jobs take less memory."


class Pool:
    """Hands chunks of work to an executor, and again if its worker is lost.

    :param make: gives the executor; called again where a whole pool broke.
    :param width: how many chunks are under way at a time.
    """

    def __init__(self, make: t.Callable[[], Executor], width: int, spec: Spec) -> None:
        self._make = make
        self._executor = make()
        self._width = width
        self._spec = spec
        self._size = float(_FIRST_CHUNK)
        self._under_way: _UnderWay = {}

    def size(self) -> int:
        return int(self._size)

    def results(self, chunks: Iterator[list[Task]]) -> Iterator[Batch]:
        """Yield the batches of *chunks*, in the order in which they are ready.

        :raises WorkerError: a chunk ended no worker well, or its worker is stale.
        """
        self._fill(chunks)
        while self._under_way:
            done, _ = wait(self._under_way, return_when=FIRST_COMPLETED)
            for future in done:
                chunk, tries, executor = self._under_way.pop(future)
                error = future.exception()
                if error is not None:
                    self._try_again(chunk, tries, executor, error)
                    continue
                batch = future.result()
                self._learn(len(chunk), batch.seconds)
                yield batch
            self._fill(chunks)

    def _fill(self, chunks: Iterator[list[Task]]) -> None:
        """Submit chunks until enough are under way."""
        free = max(0, 2 * self._width - len(self._under_way))
        for chunk in itertools.islice(chunks, free):
            self._submit(chunk, 1)

    def _try_again(
        self, chunk: list[Task], tries: int, executor: Executor, error: BaseException
    ) -> None:
        if isinstance(error, StaleWorkerError):
            raise error
        if tries >= _MOST_TRIES:
            raise LostWorkerError(
                f"{len(chunk)} paths from {chunk[0][0]} on were lost with their"
                f" worker {tries} times: {type(error).__name__}: {error}"
            ) from error
        if isinstance(error, BrokenExecutor) and executor is self._executor:
            executor.shutdown(wait=False)
            self._executor = self._make()
        self._submit(chunk, tries + 1)

    def close(self) -> None:
        """Let go of the executor; what is not done yet is not wanted any more."""
        for future in self._under_way:
            future.cancel()
        self._executor.shutdown(wait=False)

    def _submit(self, chunk: list[Task], tries: int) -> None:
        future = self._executor.submit(render_chunk, self._spec, chunk)
        self._under_way[future] = (chunk, tries, self._executor)

    def _learn(self, count: int, seconds: float) -> None:
        """Make chunks as long as pays: a chunk costs a round trip."""
        wanted = count * _AIM / max(seconds, 1e-4)
        self._size = min(_LONGEST_CHUNK, max(1.0, (self._size + wanted) / 2))
