"""The development server sees every change of the folder."""

from __future__ import annotations

import sys
import time
import typing as t
from pathlib import Path

import pytest

from flask_filepages.handling import debug as devtools
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


def test_a_change_ends_the_process_within_half_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {"a.py": "", "__pycache__/a.pyc": ""})
    ended: list[float] = []

    class Ended(Exception):
        pass

    def end(code: int) -> t.NoReturn:
        assert code == 3
        ended.append(time.monotonic())
        raise Ended

    monkeypatch.setattr("os._exit", end)
    before = devtools.snapshot(str(tmp_path))
    write_files(tmp_path, {"b/c.py": "", "__pycache__/b.pyc": ""})
    started = time.monotonic()
    with pytest.raises(Ended):
        devtools._watch(str(tmp_path), before)

    assert capsys.readouterr().out == " * Detected change in b/c.py, restarting\n"
    assert ended[0] - started < 0.5


def test_a_file_that_vanishes_while_it_is_looked_at_is_no_trouble(
    tmp_path: Path,
) -> None:
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")

    assert devtools.snapshot(str(tmp_path)) == frozenset()


def test_nothing_is_watched_outside_the_reloader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = []
    monkeypatch.setattr("threading.Thread", lambda **kw: started.append(kw))
    monkeypatch.delenv("WERKZEUG_RUN_MAIN", raising=False)
    devtools.watch("anywhere")

    assert started == []
