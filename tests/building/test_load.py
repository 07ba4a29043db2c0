"""Threaded servers that start, stop and see new releases while clients send requests.

``LOAD_RESTARTS`` makes it longer.
"""

from __future__ import annotations

import http.client
import os
import random
import subprocess
import sys
import threading
import typing as t
from functools import partial
from pathlib import Path

import pytest

from flask_filepages.pytest_plugin import write_files

from ..conftest import free_port
from ..conftest import until

pytestmark = pytest.mark.long

RESTARTS = int(os.environ.get("LOAD_RESTARTS", "2"))
SWITCHES = 9  # after each restart
REQUESTS = 190  # for each switch
CLIENTS = 8
LISTED = [str(number) for number in range(2000)]
FILES = {
    "app.py": (
        "from flask import Flask\nfrom flask_filepages import FilePages\n\n"
        "app = Flask(__name__)\nFilePages(app)\n"
    ),
    "pages/p/[id].py": (
        "from pathlib import Path\nfrom flask_filepages import StaticPath\n\n"
        "prerender = True\n\n\n"
        "def get_static_paths():\n"
        "    ids = Path('ids.txt').read_text().split()\n"
        "    return [StaticPath({'id': n}, {'n': n}) for n in ids]\n\n\n"
        "def GET(context):\n    return context.json(context.props['n'])\n"
    ),
}
SERVERS = {
    "gthread": ("gunicorn", "--no-control-socket", "--threads=8", "-b", "127.0.0.1:{}"),
    "granian": ("granian", "--interface=wsgi", "--blocking-threads=8", "--port={}"),
    "waitress": ("waitress", "--threads=8", "--listen=127.0.0.1:{}"),
}


class Site:
    """A project with two releases, one of which has the path ``/p/extra`` too, whose
    code lists no path any more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_files(folder, FILES)
        command = [sys.executable, "-m", "flask", "filepages", "build", "--keep=9"]
        for ids in (LISTED, [*LISTED, "extra"]):
            (folder / "ids.txt").write_text(" ".join(ids))
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        (folder / "ids.txt").write_text("")
        self._releases = sorted(os.listdir(folder / "instance" / "site" / "releases"))
        assert len(self._releases) == 2

    def switch(self, number: int) -> None:
        """Publish one of the releases, as a build does: by one rename."""
        new = self.folder / "instance" / "site" / "new"
        new.symlink_to(f"releases/{self._releases[number % 2]}")
        new.replace(self.folder / "instance" / "site" / "current")


class Clients:
    """Threads that send requests all the time, and record the wrong responses.

    A connection that a server refuses while it starts or stops has no response.
    """

    def __init__(self, port: int) -> None:
        self.responses = 0
        self.wrong: list[tuple[str, int, bytes]] = []
        self._port = port
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(seed,)) for seed in range(CLIENTS)
        ]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *args: t.Any) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def reached(self, goal: int) -> bool:
        return self.responses >= goal

    def _run(self, seed: int) -> None:
        choose = random.Random(seed)
        while not self._done.is_set():
            name = choose.choice(LISTED) if choose.random() < 0.8 else "extra"
            try:
                status, body = self._get(f"/p/{name}")
            except (OSError, http.client.HTTPException):
                self._done.wait(0.01)
                continue
            is_stored = status == 200 and body.strip() == f'"{name}"'.encode()
            with self._lock:
                self.responses += 1
                if not is_stored and (name, status) != ("extra", 404):
                    self.wrong.append((name, status, body[:80]))

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@pytest.mark.parametrize("name", SERVERS)
def test_no_response_is_wrong_while_servers_start_and_releases_change(
    tmp_path: Path, name: str
) -> None:
    site = Site(tmp_path)
    port = free_port()
    words = [word.format(port) for word in SERVERS[name]]
    command = [sys.executable, "-m", *words, "app:app"]
    quiet = subprocess.DEVNULL
    with Clients(port) as clients:
        for restart in range(RESTARTS):
            process = subprocess.Popen(
                command, cwd=tmp_path, stdout=quiet, stderr=quiet
            )
            try:
                for number in range(SWITCHES):
                    goal = (restart * SWITCHES + number + 1) * REQUESTS
                    until(partial(clients.reached, goal), 60)
                    site.switch(restart * SWITCHES + number)
            finally:
                process.terminate()
                process.wait()

    assert clients.wrong == []
    assert clients.responses >= RESTARTS * SWITCHES * REQUESTS
