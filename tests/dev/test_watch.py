"""The development server sees every change of the folder."""

from __future__ import annotations

import os
import sys
import threading
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Blueprint
from flask import Flask

from flask_filepages.dev.watch import Watcher
from flask_filepages.dev.watch import snapshot
from flask_filepages.handling.debug import is_reloader_child
from flask_filepages.pytest_plugin import write_files

from ..conftest import fetch
from ..conftest import free_port
from ..conftest import server
from ..conftest import until

ENDPOINT = "def GET(context):\n    return context.json({n})\n"
APP = """\
from flask import Flask
from flask_filepages import FilePages

app = Flask(__name__)
FilePages(app)
"""


def test_two_filepages_do_not_restart_the_server(tmp_path: Path) -> None:
    app = APP + "FilePages(app, folder='shop', name='shop', url_prefix='/shop')\n"
    write_files(tmp_path, {"app.py": app, "pages/a.html": "", "shop/b.html": ""})
    port = free_port()
    url = f"http://localhost:{port}"
    command = [sys.executable, "-m", "flask", "run", "--debug", "--port", str(port)]
    with server(command, f"{url}/a", tmp_path):
        time.sleep(0.5)
        before = fetch(f"{url}/_filepages/state")[1]
        time.sleep(2)

        assert fetch(f"{url}/_filepages/state")[1] == before


def test_flask_run_debug_notices_new_edited_renamed_and_deleted_files(
    tmp_path: Path,
) -> None:
    pages = tmp_path / "pages"
    write_files(tmp_path, {"app.py": APP, "pages/a.py": ENDPOINT.format(n=1)})
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "flask", "run", "--debug", "--port", str(port)]

    def answers(path: str, expected: tuple[int, str] | int) -> bool:
        try:
            status, text = fetch(url + path)
        except OSError:
            return False
        return expected in (status, (status, text.strip()))

    with server(command, f"{url}/a", tmp_path):
        assert answers("/a", (200, "1"))
        write_files(pages, {"b/[id].py": ENDPOINT.format(n=2)})
        until(lambda: answers("/b/x", (200, "2")), 20)
        write_files(pages, {"a.py": ENDPOINT.format(n=3)})
        until(lambda: answers("/a", (200, "3")), 20)
        (pages / "a.py").rename(pages / "c.py")
        until(lambda: answers("/c", (200, "3")), 20)
        assert answers("/a", 404)
        (pages / "c.py").unlink()
        until(lambda: answers("/c", 404), 20)
        write_files(pages, {"broken.py": "1 / 0\n"})
        until(lambda: answers("/broken", 500), 20)
        assert answers("/b/x", (200, "2"))
        assert "broken.py:1" in fetch(f"{url}/broken")[1]


class Watched(t.NamedTuple):
    """A watcher of a folder with a few files, and the codes with which it would have
    ended the process."""

    folder: Path
    app: Flask
    watcher: Watcher
    ended: list[int]


@pytest.fixture(params=["watchfiles", "scan"])
def watched(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Watched]:
    ended: list[int] = []
    released = threading.Event()

    def end(code: int) -> None:
        ended.append(code)
        released.wait()  # os._exit never returns.

    if request.param == "scan":
        monkeypatch.setitem(sys.modules, "watchfiles", None)
    else:
        pytest.importorskip("watchfiles")
    monkeypatch.setattr("os._exit", end)
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    monkeypatch.setenv("FLASK_FILEPAGES_PID", str(os.getpid()))
    monkeypatch.chdir(tmp_path)
    names = ["pages/a.py", "pages/a.html", "pages/data.json", "pages/__pycache__/a.pyc"]
    names += ["static/a.css", "static/a.js", "templates/a.html"]
    write_files(tmp_path, dict.fromkeys(names, "1"))
    app = Flask("watched", root_path=str(tmp_path))
    watcher = Watcher(app)
    watcher.add(str(tmp_path / "pages"), [".html"])
    time.sleep(0.1)  # Modification times must differ.
    yield Watched(tmp_path, app, watcher, ended)
    watcher._is_stopped.set()  # The thread must not outlive the test.
    released.set()
    watcher.stop()
    assert not t.cast(threading.Thread, watcher._thread).is_alive()


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        ("", "pages/b/c.py", "restart"),
        ("", "pages/b.html", "restart"),
        ("pages/a.py", "pages/a.py", "restart"),
        ("pages/a.py", "pages/b.py", "restart"),
        ("pages/a.html", "", "restart"),
        ("pages/data.json", "pages/data.json", "restart"),
        ("pages/a.html", "pages/a.html", "version"),
        ("templates/a.html", "templates/a.html", "version"),
        ("", "templates/b.html", "version"),
        ("static/a.js", "static/a.js", "version"),
        ("static/a.css", "static/a.css", "styles"),
    ],
)
def test_a_change_is_noticed_within_half_a_second(
    watched: Watched, old: str, new: str, effect: str
) -> None:
    folder, _, watcher, ended = watched
    before = dict(watcher.state)
    if old and old != new:
        (folder / old).unlink()
    if new:
        write_files(folder, {new: "other"})
    start = time.monotonic()
    until(lambda: ended or watcher.state != before, 20)

    assert time.monotonic() - start < 0.5
    if effect == "restart":
        assert ended == [3]
        assert watcher.state == before
    else:
        assert ended == []
        changed = {key for key in before if watcher.state[key] != before[key]}
        assert changed == {effect}


@pytest.mark.parametrize("name", ["a.html~", ".a.html.swp", "4913", "a.tmp"])
def test_files_of_editors_are_not_changes(watched: Watched, name: str) -> None:
    before = dict(watched.watcher.state)
    write_files(watched.folder, {f"pages/{name}": "x", "templates/a.html": "other"})
    until(lambda: watched.watcher.state != before, 20)

    assert watched.ended == []


def test_folders_that_are_added_later_are_not_changes(
    watched: Watched, tmp_path: Path
) -> None:
    """A second FilePages, or a blueprint with templates."""
    before = dict(watched.watcher.state)
    write_files(tmp_path, {"shop/cart.py": "", "more/templates/b.html": ""})
    watched.watcher.add(str(tmp_path / "shop"), [".html"])
    more = str(tmp_path / "more")
    watched.app.register_blueprint(
        Blueprint("more", "more", root_path=more, template_folder="templates")
    )
    time.sleep(1.5)  # Both ways look at the folders in this time.
    assert watched.ended == []
    assert watched.watcher.state == before
    write_files(tmp_path, {"more/templates/b.html": "other"})
    until(lambda: watched.watcher.state != before, 20)
    write_files(tmp_path, {"shop/cart.py": "other"})
    until(lambda: watched.ended, 20)


def test_the_terminal_says_what_has_changed(
    watched: Watched, capfd: pytest.CaptureFixture[str]
) -> None:
    names = {"pages/b/c.py": "", "pages/__pycache__/b.pyc": ""}
    write_files(watched.folder, names)
    until(lambda: watched.ended, 20)

    output = capfd.readouterr().out
    assert output == " * Detected change in pages/b/c.py, restarting\n"


def test_a_file_that_vanishes_while_it_is_looked_at_is_no_trouble(
    tmp_path: Path,
) -> None:
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")
    (tmp_path / "z.py").touch()

    assert list(snapshot([str(tmp_path)])) == [str(tmp_path / "z.py")]


def test_a_child_of_the_server_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that the app starts inherits the environment of the reloader's child."""
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    monkeypatch.setenv("FLASK_FILEPAGES_PID", "1")

    assert not is_reloader_child()


def test_nothing_is_watched_outside_the_reloader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = []
    monkeypatch.setattr("threading.Thread", lambda **kw: started.append(kw))
    monkeypatch.delenv("WERKZEUG_RUN_MAIN", raising=False)
    Watcher(Flask("watched")).add("anywhere", [])

    assert started == []
