"""Builds that are killed, builds in which each call fails in turn, and releases that
are published under load: the site is the old one or the new one, whole.

``TORTURE_KILLS``, ``TORTURE_PUBLISHES`` and ``TORTURE_CALLS=all-calls`` make it longer.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import typing as t
from functools import partial
from pathlib import Path

import pytest

from ..conftest import ROOT
from ..conftest import free_port
from ..conftest import gunicorn
from ..conftest import server
from ..conftest import until
from . import torture
from .torture import build
from .torture import command
from .torture import environment
from .torture import published

pytestmark = pytest.mark.long

KILLS = int(os.environ.get("TORTURE_KILLS", "50"))
PUBLISHES = int(os.environ.get("TORTURE_PUBLISHES", "20"))
CALLS = os.environ.get("TORTURE_CALLS", "calls")
LANES = 2

Row = dict[str, t.Any]


class Sites(t.NamedTuple):
    """A project, and the digests of what undisturbed builds make of the numbers 1 and
    2."""

    folder: Path
    one: str
    two: str


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """A site of a few paths."""
    return make_sites(tmp_path_factory.mktemp("few"), 6)


def make_sites(folder: Path, paths: int) -> Sites:
    site = folder / "site"
    torture.write_site(site, paths)
    digests = []
    for number in (1, 2):
        build(site, folder / f"only-{number}", number)
        digests.append(published(folder / f"only-{number}"))
    assert digests[0] != digests[1]
    return Sites(site, *digests)


def started(kind: str, sites: Sites, out: Path, *words: str) -> subprocess.Popen[str]:
    """Start ``tests.building.torture``, whose builds have the number 2."""
    script = [
        sys.executable,
        "-m",
        "tests.building.torture",
        kind,
        str(sites.folder),
        str(out),
    ]
    return subprocess.Popen(
        [*script, *words],
        cwd=ROOT,
        env=environment(NUMBER="2"),
        stdout=subprocess.PIPE,
        text=True,
    )


def rows_of(process: subprocess.Popen[str]) -> list[Row]:
    output, _ = process.communicate()
    assert process.returncode == 0
    rows: list[Row] = json.loads(output)
    return rows


def wrong(rows: list[Row], sites: Sites) -> list[Row]:
    """Return the builds after which something was not as it was, and not new either."""
    found = []
    for row in rows:
        new = sites.one if row["number"] == "1" else sites.two
        allowed = (new,) if row["status"] == 0 else (row["before"], new)
        following = (row["next_status"], row["next_published"], row["leftovers"])
        if row["published"] not in allowed or following != (0, new, []):
            found.append(row)
    return found


# -- what fails -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def disturbed(
    tmp_path_factory: pytest.TempPathFactory, sites: Sites
) -> dict[str, list[Row]]:
    """Builds in which one call failed, by what was there before: two runs at once."""
    folder = tmp_path_factory.mktemp("calls")
    build(sites.folder, folder / "a release", 1)
    starts = ("a release", "nothing")
    runs = [started(CALLS, sites, folder / start) for start in starts]
    return {start: rows_of(run) for start, run in zip(starts, runs, strict=True)}


@pytest.mark.parametrize("start", ["a release", "nothing"])
def test_each_failing_call_leaves_the_old_site_whole(
    disturbed: dict[str, list[Row]], sites: Sites, start: str
) -> None:
    rows = disturbed[start]
    names = {row["name"].split()[-1] for row in rows}

    assert wrong(rows, sites) == []
    assert {"open", "write", "mkdir", "rename", "replace", "symlink"} <= names
    assert {"sync", "nothing"} <= names
    assert ("link" in names) == (start == "a release")
    assert (rows[-1]["name"].split()[-1], rows[-1]["status"]) == ("nothing", 0)


# A build has three files open at a time.
@pytest.mark.parametrize(
    ("kind", "failures"), [("file-size", 5), ("descriptors", 3), ("short-writes", 0)]
)
def test_a_limit_leaves_the_old_site_whole(
    tmp_path: Path, sites: Sites, kind: str, failures: int
) -> None:
    """No file, SQLite's included, over a size; no more descriptors; half a write."""
    build(sites.folder, tmp_path / "out", 1)
    rows = rows_of(started(kind, sites, tmp_path / "out"))

    assert wrong(rows, sites) == []
    assert [row["status"] for row in rows[:-1]] == [1] * (len(rows) - 1)
    assert rows[-1]["status"] == 0
    assert len(rows) > failures


# -- what is killed ---------------------------------------------------------------------


def test_a_killed_build_leaves_a_whole_site(tmp_path: Path) -> None:
    sites = make_sites(tmp_path, 100)
    lanes = [
        started("kills", sites, tmp_path / f"out{lane}", str(KILLS // LANES), str(lane))
        for lane in range(LANES)
    ]
    rows = [row for lane in lanes for row in rows_of(lane)]
    killed = [row for row in rows if row["status"] == -signal.SIGKILL]

    assert wrong(rows, sites) == []
    assert len(killed) > len(rows) // 2
    # Some were killed before the switch, some after it.
    assert {row["published"] == row["before"] for row in killed} == {True, False}


def test_a_killed_build_takes_its_workers_along(tmp_path: Path) -> None:
    site = tmp_path / "site"
    torture.write_site(site, 20_000)
    out = tmp_path / "out"
    process = subprocess.Popen(
        command("build", "--out", str(out), "--jobs", "2"),
        cwd=site,
        env=environment(NUMBER="1"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        until(lambda: list(out.glob("releases/staging-*/site/small")), 30)
        process.kill()
        process.wait()
        until(lambda: not is_alive(process.pid), 5)
    finally:
        if is_alive(process.pid):
            os.killpg(process.pid, signal.SIGKILL)


def is_alive(group: int) -> bool:
    """Whether any process of *group* is there."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


# -- what is asked for meanwhile --------------------------------------------------------


class Visitors:
    """Threads that fetch pages all the time and look whether each is of one piece.

    Nothing but stored answers can be right: the number is not in the environment of the
    server.
    """

    paths = ("/small/p0", "/small/p3", "/big/p0")
    fields: t.ClassVar[list[dict[str, str]]] = [
        {},
        {"Accept-Encoding": "gzip"},
        {"Range": "bytes=0-99"},
    ]

    def __init__(self, port: int, count: int) -> None:
        self.port = port
        self.answers = 0
        self.errors: list[str] = []
        self.mixed: list[str] = []
        self.numbers: set[int] = set()
        self.tags: dict[tuple[str, str], str] = {}
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(seed,)) for seed in range(count)
        ]

    def __enter__(self) -> Visitors:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _run(self, seed: int) -> None:
        choose = random.Random(seed).choice
        tag = '""'
        while not self._done.is_set():
            path = choose(self.paths)
            fields = choose([*self.fields, {"If-None-Match": tag}])
            try:
                tag = self._ask(path, fields) or tag
            except (OSError, http.client.HTTPException) as error:
                self.errors.append(f"{path}: {error!r}")
            # As many as make a server busy; the builds need a processor, too.
            time.sleep(0.005)

    def _ask(self, path: str, fields: dict[str, str]) -> str | None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=fields)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        with self._lock:
            return self._look(path, response, body)

    def _look(
        self, path: str, response: http.client.HTTPResponse, body: bytes
    ) -> str | None:
        self.answers += 1
        tag = response.headers["ETag"]
        if response.status == 304:
            return tag
        number = response.headers["X-Number"]
        if response.status not in (200, 206) or number is None or tag is None:
            self.errors.append(f"{path}: {response.status}")
            return None
        self.numbers.add(int(number))
        if self.tags.setdefault((path, tag), number) != number:
            self.mixed.append(f"{path}: {tag} is of {number}, too")
        if response.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        if {*re.findall(rb'"(\d+)"', body)} != {number.encode()}:
            self.mixed.append(f"{path}: {number} in the head of {body[:40]!r}")
        return tag


def test_publishing_under_load_disturbs_nobody(tmp_path: Path) -> None:
    site = tmp_path / "site"
    torture.write_site(site, 6)
    build(site, site / "instance" / "site", 1)
    port = free_port()
    workers = gunicorn("app:app", port, "--workers=2")
    with server(workers, f"http://127.0.0.1:{port}/about", site):
        with Visitors(port, 4) as visitors:
            for number in range(2, PUBLISHES + 2):
                build(site, site / "instance" / "site", number)
                until(partial(visitors.numbers.__contains__, number), 5)

    assert visitors.errors == []
    assert visitors.mixed == []
    assert visitors.numbers == set(range(1, PUBLISHES + 2))
    assert visitors.answers > 20 * PUBLISHES
