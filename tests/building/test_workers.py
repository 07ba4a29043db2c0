"""Rendering in other processes, in threads, and on a real Dask cluster."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributed import Client

from flask_filepages import BuildError
from flask_filepages.pytest_plugin import write_files

from ..conftest import MakePages
from ..conftest import built
from ..conftest import free_port
from ..conftest import until
from .test_build import site_of

APP = """\
from flask import Flask
from flask_filepages import FilePages

app = Flask(__name__)
app.config["FILEPAGES_OUTPUT"] = "hybrid"
FilePages(app)
"""
PAGES = """\
import os
from flask_filepages import StaticPath

class Other:
    pass

def get_static_paths():
    for n in range(60):
        yield StaticPath({"id": str(n)}, {"n": n}, version="1")
    yield StaticPath({"id": "other"}, {"n": Other()})

def GET(context):
    here(context.params["id"])
    return context.json([context.params["id"], str(context.props["n"])[:1]])

def here(name):
    pass
"""
TREE = {"app.py": APP, "pages/index.html": "home", "pages/p/[id].json.py": PAGES}


def build(folder: Path, *words: str, out: str = "dist", **env: str) -> t.Any:
    """Run the command in *folder*; return its end."""
    command = [sys.executable, "-m", "flask", "--app", "app", "filepages", "build"]
    return subprocess.run(
        [*command, "--out", out, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
    )


def files_of(folder: Path) -> dict[str, bytes]:
    root = folder / "current" / "site"
    found = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an app and its site, built in one process."""
    folder = tmp_path_factory.mktemp("site")
    write_files(folder, TREE)
    assert build(folder, out="one").returncode == 0
    return folder


@pytest.mark.parametrize("executor", ["processes", "threads"])
def test_the_same_bytes(site: Path, executor: str) -> None:
    result = build(site, "--jobs=2", f"--executor={executor}", out=executor)

    assert result.returncode == 0, result.stderr
    assert "62 rendered" in result.stdout
    assert files_of(site / executor) == files_of(site / "one")


@pytest.mark.long
def test_nothing_is_rendered_again_by_others(site: Path) -> None:
    build(site, "--jobs=2", out="again")
    report = json.loads(build(site, "--jobs=2", "--json", out="again").stdout)

    # The home page has no version, and the props of the last path are not JSON.
    assert (report["rendered"], report["kept"]) == (2, 60)
    assert (report["unchanged"], report["release"]) == (2, None)


@pytest.mark.parametrize("name", ["forks", "dask"])
def test_no_such_executor(site: Path, name: str) -> None:
    result = build(site, f"--executor={name}")

    assert result.returncode == 2
    assert "write processes, threads or dask://host:port" in result.stderr


LOST = """
def here(name):
    if name == "7" and not os.path.exists("lost"):
        open("lost", "w").close()
        os._exit(1)
"""


def test_a_lost_worker_is_replaced(site: Path) -> None:
    folder = site / "lost"
    write_files(folder, {**TREE, "pages/p/[id].json.py": PAGES + LOST})
    result = build(folder, "--jobs=2")

    assert result.returncode == 0, result.stderr
    assert (folder / "lost").exists()
    assert files_of(folder / "dist") == files_of(site / "one")


def test_a_page_that_ends_its_worker_is_told(site: Path) -> None:
    folder = site / "always"
    ending = "\ndef here(name):\n    if name == '7':\n        os._exit(1)\n"
    write_files(folder, {**TREE, "pages/p/[id].json.py": PAGES + ending})
    result = build(folder, "--jobs=2")

    assert result.returncode == 1
    assert "were lost with their worker 3 times" in result.stderr
    assert os.listdir(folder / "dist" / "releases") == []


def test_any_executor_will_do(make_pages: MakePages) -> None:
    files = {f"{n}.html": f"page {n}" for n in range(40)}
    app = make_pages(files, FILEPAGES_OUTPUT="hybrid")
    built(app, make_executor=lambda: ThreadPoolExecutor(3), jobs=3)

    assert site_of(app) == {f"{n}/index.html": f"page {n}".encode() for n in range(40)}


def test_faults_come_back_from_threads(make_pages: MakePages) -> None:
    files = {"a.html": "{{ nothing.at.all }}", "b.html": "b"}
    app = make_pages(files, FILEPAGES_OUTPUT="hybrid")
    with pytest.raises(BuildError, match="'nothing' is undefined"):
        built(app, make_executor=lambda: ThreadPoolExecutor(2), jobs=2)


# -- Dask ---------------------------------------------------------------------------


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, list[t.Any]]]:
    """Run a scheduler and two workers; yield its address and the workers."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    python = [sys.executable, "-m"]
    words = [*python, "distributed.cli.dask_scheduler", "--host=127.0.0.1"]
    worker = [*python, "distributed.cli.dask_worker", f"tcp://{address}", "--no-nanny"]
    worker += ["--host=127.0.0.1", "--nthreads=1", "--no-dashboard"]
    options: dict[str, t.Any] = {
        "cwd": folder,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    running = [
        subprocess.Popen([*words, f"--port={port}", "--no-dashboard"], **options)
    ]
    try:
        running += [subprocess.Popen(worker, **options) for _ in range(2)]
        with Client(f"tcp://{address}", timeout=30, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)
        yield address, running[1:]
    finally:
        for process in running:
            process.kill()
            process.wait()


@pytest.mark.long
def test_a_dask_cluster_builds_the_same_bytes(site: Path) -> None:
    with cluster(site) as (address, _):
        for out in ("dask", "dask2"):
            result = build(site, f"--executor=dask://{address}", out=out)

            assert result.returncode == 0, result.stderr
            assert files_of(site / out) == files_of(site / "one")


@pytest.mark.long
def test_a_site_is_whole_without_one_of_its_workers(site: Path) -> None:
    folder = site / "killed"
    slow = "\nimport time\n\ndef here(name):\n    time.sleep(0.05)\n"
    write_files(folder, {**TREE, "pages/p/[id].json.py": PAGES + slow})
    with cluster(folder) as (address, workers):
        command = [sys.executable, "-m", "flask", "--app", "app", "filepages", "build"]
        running = subprocess.Popen(
            [*command, "--out=dist", f"--executor=dask://{address}"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        written = folder / "dist" / "releases"
        until(lambda: any(written.glob("staging-*/site/p/1*.json")), 30)
        os.kill(workers[0].pid, signal.SIGKILL)
        output, _ = running.communicate(timeout=60)

    assert running.returncode == 0, output
    assert files_of(folder / "dist") == files_of(site / "one")


def test_a_scheduler_without_workers_is_an_error_in_time(site: Path) -> None:
    port = free_port()
    words = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    words += ["--host=127.0.0.1", f"--port={port}", "--no-dashboard"]
    quiet: t.Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen(words, cwd=site, **quiet)
    try:
        until(lambda: _listens(port), 30)
        start = time.monotonic()
        result = build(
            site, f"--executor=dask://127.0.0.1:{port}", "--wait-for-workers=0.5"
        )
        seconds = time.monotonic() - start
    finally:
        scheduler.kill()
        scheduler.wait()

    assert result.returncode == 1
    assert f"at 127.0.0.1:{port} had no worker for 0.5 seconds" in result.stderr
    assert f"Start one: dask worker tcp://127.0.0.1:{port}" in result.stderr
    assert seconds < 30


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.long
def test_no_scheduler(site: Path) -> None:
    result = build(site, f"--executor=dask://127.0.0.1:{free_port()}")

    assert result.returncode == 1
    assert "No Dask scheduler responds" in result.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, None),
        (
            {"templates/part.html": "newer"},
            "was started before templates/part.html changed",
        ),
        ({"pages/p/more.py": PAGES}, "was started before pages/p/more.py changed"),
    ],
    ids=["nothing", "a template", "a source file"],
)
def test_workers_that_live_on_tell_what_they_do_not_know(
    changes: dict[str, str], fault: str | None, site: Path, tmp_path: Path
) -> None:
    pages = {"pages/index.html": "{% include 'part.html' %}", "data.txt": "old"}
    app = f"{APP}DATA = open('data.txt').read()\n"
    write_files(
        tmp_path, {**TREE, **pages, "templates/part.html": "old", "app.py": app}
    )
    with cluster(tmp_path) as (address, _):
        words = f"--executor=dask://{address}"
        first = build(tmp_path, words)
        write_files(tmp_path, changes)
        second = build(tmp_path, words, "--force")

    assert first.returncode == 0, first.stderr
    if fault is None:
        assert second.returncode == 0, second.stderr
    else:
        assert fault in second.stderr
        assert "Restart the workers." in second.stderr


@pytest.mark.long
def test_workers_that_live_on_have_one_app(site: Path, tmp_path: Path) -> None:
    write_files(tmp_path, {**TREE, "pages/index.html": "another home"})
    with cluster(tmp_path) as (address, _):
        words = f"--executor=dask://{address}"
        first = build(tmp_path, words)
        other = build(site, words, out="other")

    assert first.returncode == 0, first.stderr
    assert f"a worker has the app of {tmp_path}" in other.stderr
