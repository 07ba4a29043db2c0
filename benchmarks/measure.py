"""Measuring fairly: CPU time, batches in turn, a percentile, a run against itself."""

from __future__ import annotations

import atexit
import io
import os
import random
import shutil
import subprocess
import tempfile
import time
import typing as t
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path

WSGI = Callable[..., t.Any]
Batch = Callable[[], float]


def environ(path: str, method: str = "GET") -> dict[str, t.Any]:
    """Return the environ of a request without a body."""
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def wsgi_batch(app: WSGI, path: str, size: int) -> Batch:
    """Return a function that asks *app* for *path* and gives CPU microseconds each."""
    template = environ(path)
    status: list[str] = []

    def start_response(line: str, headers: t.Any, exc_info: t.Any = None) -> None:
        status.append(line)

    def once() -> None:
        result = app(dict(template), start_response)
        b"".join(result)
        result.close()

    once()
    if not status[0].startswith("200"):
        raise RuntimeError(f"{path}: {status[0]}")
    return timed(once, size)


def timed(once: Callable[[], object], size: int) -> Batch:
    """Return a function that calls *once* *size* times; CPU microseconds each."""

    def batch() -> float:
        start = time.process_time()
        for _ in range(size):
            once()
        return (time.process_time() - start) / size * 1e6

    return batch


def interleaved(batches: Mapping[str, Batch], rounds: int) -> dict[str, float]:
    """Return the 10th percentile of each, the batches run in turn.

    The order changes from round to round: who comes behind a batch of other code
    finds the processor's caches full of it.
    """
    measured: dict[str, list[float]] = {name: [] for name in batches}
    order = random.Random(1)
    for _ in range(rounds):
        for name in order.sample(list(batches), len(batches)):
            measured[name].append(batches[name]())
    return {name: sorted(v)[len(v) // 10] for name, v in measured.items()}


class Spent(t.NamedTuple):
    """What a command took: CPU seconds, its children included, and wall seconds."""

    cpu: float
    wall: float


def spent(command: list[str], cwd: Path, **env: str) -> Spent:
    """Run *command* to its end; return what it took.

    :raises RuntimeError: it failed; with what it printed.
    """
    environment = {**os.environ, **env}
    with tempfile.TemporaryFile() as printed:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=printed, stderr=printed
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            printed.seek(0)
            raise RuntimeError(f"{command}: {printed.read().decode()}")
    return Spent(usage.ru_utime + usage.ru_stime, wall)


def new_folder(below: str | None = None) -> Path:
    """Return a new folder, deleted with all others when the process ends.

    Not before: a file system that has just deleted many files is slow to make some.
    """
    folder = Path(tempfile.mkdtemp(prefix="bench", dir=below))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write *files* into *folder*; return it."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
