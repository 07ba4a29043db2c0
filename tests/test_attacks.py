"""The recorded attacks, sent to the fixture app under real servers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import typing as t
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
from .conftest import server

pytestmark = pytest.mark.long

HERE = Path(__file__).parent / "attacks"
ITEMS = json.loads((HERE / "attacks.json").read_text(encoding="utf-8"))
AREAS = (
    *("param", "method", "slash", "redirect", "cookie", "header", "route", "mw"),
    *("json", "form", "ctype", "size", "csrf", "cors", "rewrite", "tmpl", "error"),
    *("host", "redos", "smuggle"),
)
CONTROLS = {
    "/about": {},
    "/users/1": {},
    "/files/a/b": {},
    "/num/1": {},
    "/match/a-b": {},
    "/items": {},
    "/me": {},
    "/admin": {"X-Admin": "1"},
    "/admin/settings": {"X-Admin": "1"},
    "/r/1": {},
    "/links": {},
    "/form": {},
    "/form-action": {},
    "/api/data": {},
    "/private/data": {},
    "/hello?name=x": {},
}
OVER_HTTP = ("http", "http_seq", "raw")
SERVERS = {
    "sync": ["gunicorn", "--no-control-socket", "-b", "{}"],
    "gthread": ["gunicorn", "--no-control-socket", "--threads=4", "-b", "{}"],
    "gevent": ["gunicorn", "--no-control-socket", "--worker-class=gevent", "-b", "{}"],
    "waitress": ["waitress", "--listen={}"],
    "granian": ["granian", "--interface=wsgi", "--port={port}"],
}
#: What a server decides before any app is asked; a plain Flask app fails there too.
OF_THE_SERVER = {
    "waitress": {
        "redos-010": "its own pattern for header lines takes a second",
        "smuggle-006": "takes Transfer-Encoding and Content-Length together",
        "smuggle-022": "takes a target that is no path",
        "smuggle-023": "takes a target that is no path",
        "smuggle-024": "joins two Host fields",
    },
    # Whether a client that closes its half at once gets an answer is a race there.
    "granian": {
        "smuggle-006": "takes Transfer-Encoding and Content-Length together",
        "smuggle-016": "takes bare line feeds",
        "smuggle-022": "takes a target that is no path",
        "smuggle-024": "takes two Host fields",
        "smuggle-013": "hands over a body that broke off as if it were whole",
        "error-004": "sends the head before the first chunk is made",
    },
}


def items(area: str) -> list[dict[str, t.Any]]:
    return [item for item in ITEMS if item["area"] == area]


@pytest.fixture(scope="module", params=["", "-O"], ids=["plain", "optimized"])
def python(request: pytest.FixtureRequest) -> list[str]:
    return [sys.executable, *([request.param] if request.param else [])]


@pytest.mark.skipif(
    shutil.which("node") is None and "CI" not in os.environ,
    reason="node, whose URL parser judges the Locations, is not installed",
)
@pytest.mark.parametrize("name", SERVERS)
def test_server(python: list[str], name: str) -> None:
    port = free_port()
    words = [w.format(f"127.0.0.1:{port}", port=port) for w in SERVERS[name]]
    command = [*python, "-m", *words, "tests.attacks.app:app"]
    script, cases = HERE / "replay.py", HERE / "attacks.json"
    areas = [f"--area={area}" for area in AREAS]
    replay = [sys.executable, str(script), f"127.0.0.1:{port}", str(cases), *areas]
    with server(command, f"http://127.0.0.1:{port}/about", ROOT):
        for url, headers in CONTROLS.items():
            assert fetch(f"http://127.0.0.1:{port}{url}", headers)[0] == 200, url
        result = subprocess.run(replay, capture_output=True, text=True)
    failed = set(re.findall(r"^FAIL (\S+)", result.stdout, re.MULTILINE))
    sent = [i for area in AREAS for i in items(area) if i["input"]["type"] in OVER_HTTP]
    count = len(sent)

    assert failed <= set(OF_THE_SERVER.get(name, ())), result.stdout
    assert f"{count - len(failed)} passed, {len(failed)} failed" in result.stdout


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
