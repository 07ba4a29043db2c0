"""The recorded attacks, sent to the fixture app under a real gunicorn."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from flask_filepages import FilePages
from flask_filepages import LoadError
from flask_filepages import TreeError
from flask_filepages.pytest_plugin import write_files

from .conftest import ROOT
from .conftest import fetch
from .conftest import free_port
from .conftest import gunicorn
from .conftest import server

HERE = Path(__file__).parent / "attacks"
ITEMS = json.loads((HERE / "attacks.json").read_text(encoding="utf-8"))
AREAS = ("param", "method", "slash", "redirect", "cookie", "header", "route")
CONTROLS = ("/about", "/users/1", "/files/a/b", "/num/1", "/match/a-b", "/items", "/me")


def items(area: str) -> list[dict[str, t.Any]]:
    return [item for item in ITEMS if item["area"] == area]


@pytest.fixture(scope="module", params=["", "-O"], ids=["plain", "optimized"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    port = free_port()
    command = gunicorn("tests.attacks.app:app", port)
    command[1:1] = [request.param] if request.param else []
    with server(command, f"http://127.0.0.1:{port}/about", ROOT):
        yield f"127.0.0.1:{port}"


def test_control_urls_answer(address: str) -> None:
    assert {fetch(f"http://{address}{url}")[0] for url in CONTROLS} == {200}


@pytest.mark.skipif(
    shutil.which("node") is None and "CI" not in os.environ,
    reason="node, whose URL parser judges the Locations, is not installed",
)
@pytest.mark.parametrize("area", AREAS)
def test_area(address: str, area: str) -> None:
    script, cases = HERE / "replay.py", HERE / "attacks.json"
    replay = [sys.executable, str(script), address, str(cases), f"--area={area}"]
    result = subprocess.run(replay, capture_output=True, text=True)

    assert result.returncode == 0, result.stdout
    assert f"{len(items(area))} passed, 0 failed" in result.stdout


def name_of(item: dict[str, t.Any]) -> str:
    return str(item["input"].get("path") or item["input"].get("paths"))[:40]


@pytest.mark.parametrize("item", items("disc"), ids=name_of)
def test_names(tmp_path: Path, item: dict[str, t.Any]) -> None:
    """A name is no route and never served, or a route, or an error that names it."""
    given, expected = item["input"], item["expect"]
    paths = given.get("paths") or [given["path"]]
    source = given.get("source", "def GET(context): ...\n").replace(
        "request=None", "context"
    )
    try:
        write_files(tmp_path / "pages", dict.fromkeys(paths, source))
    except OSError as error:
        pytest.skip(f"no file system here takes this name: {error}")
    app = Flask(f"disc_{item['id']}", root_path=str(tmp_path))
    try:
        FilePages(app).load()
    except (TreeError, LoadError) as error:
        assert expected.get("routes") != []
        named = {fault.file for fault in error.faults}
        assert named & set(paths)
        return
    routes = list(app.extensions["filepages"]["filepages"].routes)
    client = app.test_client()

    assert "error" not in expected["text"] or "routes" in expected
    if expected.get("routes") == []:
        assert routes == []
        for url in expected["get_404"]:
            response = client.get(url)
            assert response.status_code == 404
            assert "EXPOSED" not in response.text
    else:
        assert len(routes) == len(paths)


@pytest.mark.parametrize("item", items("broken"), ids=lambda i: i["expect"]["text"])
def test_broken_files(tmp_path: Path, item: dict[str, t.Any]) -> None:
    """A start names the file; in debug the other routes answer; nothing leaks."""
    if "os._exit" in item["input"]["source"]:
        pytest.skip("the process ends at once; no Python program outlives os._exit")
    ok = "def GET(context):\n    return context.json(1)\n"
    files = {item["input"]["path"]: item["input"]["source"], "ok.py": ok}
    write_files(tmp_path / "pages", files)
    app = Flask(f"broken_{item['id']}", root_path=str(tmp_path))
    with pytest.raises(LoadError, match=r"bad\.py"):
        FilePages(app).load()
    leaked = app.test_client().get("/bad").text
    debug = Flask(f"debug_{item['id']}", root_path=str(tmp_path))
    debug.debug = True
    FilePages(debug)
    client = debug.test_client()

    assert not any(text in leaked for text in item["expect"]["body_not"])
    assert client.get("/ok").status_code == 200
    assert client.get("/bad").status_code == 500
    assert "bad.py" in client.get("/bad").text
