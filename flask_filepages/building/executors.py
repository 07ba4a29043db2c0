"""What renders in parallel for ``flask filepages build``."""

from __future__ import annotations

import importlib
import multiprocessing
import typing as t
from concurrent.futures import Executor
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import ThreadPoolExecutor

import click

from .. import digests
from . import workers


def named(
    name: str, jobs: int, start_method: str
) -> tuple[t.Callable[[], Executor] | None, int]:
    """Return what makes the executor of this name, ``None`` for this process alone, and
    how many workers it has.

    :param start_method: of processes, as :func:`prepare` gave it.
    """
    if name.startswith("dask://"):
        return _dask(name.removeprefix("dask://"))
    if name not in ("processes", "threads"):
        raise click.BadParameter(
            f"{name!r} is no executor; write processes, threads or dask://host:port.",
            param_hint="--executor",
        )
    if jobs == 1:
        return None, 1
    if name == "threads":
        return lambda: ThreadPoolExecutor(jobs), jobs
    context = multiprocessing.get_context(start_method)
    given = (digests.environment(),)
    return lambda: ProcessPoolExecutor(jobs, context, workers.begin, given), jobs


def prepare() -> str:
    """Let a process import what all workers need, while this one loads the app; return
    how workers are started. Never as a copy of this process, whose app has read things
    by then."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return "spawn"
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload(["flask.cli", "flask_filepages.workers"])
    try:
        forkserver.ensure_running()
    except OSError:  # the name of its socket is too long
        return "spawn"
    return "forkserver"


def _dask(address: str) -> tuple[t.Callable[[], Executor], int]:
    try:
        distributed: t.Any = importlib.import_module("distributed")
    except ImportError:
        raise click.ClickException(
            "Dask is not installed. Install the extra: Flask-Filepages[dask]."
        ) from None
    try:
        client = distributed.Client(f"tcp://{address}", set_as_default=False, timeout=5)
    except OSError as error:
        raise click.ClickException(f"No Dask scheduler answers: {error}") from None
    count = max(1, len(client.scheduler_info(-1)["workers"]))
    # Else Dask gives the old answer to a call that it has seen before.
    return lambda: t.cast("Executor", client.get_executor(pure=False)), count
