"""The documentation names what there is, and what it shows runs."""

from __future__ import annotations

import datetime
import re
import sys
import textwrap
import types
from pathlib import Path

import pytest
from flask import Flask
from marshmallow import Schema
from marshmallow import fields

import flask_filepages
from flask_filepages.cli import filepages
from flask_filepages.pytest_plugin import write_files
from flask_filepages.settings import _READERS

from .conftest import ROOT

PAGES = sorted((ROOT / "docs").glob("*.rst"))
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
README = (ROOT / "README.rst").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(_READERS))
def test_every_setting_is_described(name: str) -> None:
    key = f"FILEPAGES_{name.upper()}"

    assert key in TEXT
    assert key in (flask_filepages.FilePages.init_app.__doc__ or "")


@pytest.mark.parametrize("name", sorted(filepages.commands))
def test_every_command_is_described(name: str) -> None:
    assert f"``flask filepages {name}``" in TEXT


@pytest.mark.parametrize("name", flask_filepages.__all__)
def test_every_public_name_is_described(name: str) -> None:
    family = (
        (flask_filepages.errors.__doc__ or "")
        if hasattr(flask_filepages, "errors")
        else ""
    )

    assert name in TEXT or name in family


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_files_that_the_readme_names_are_there() -> None:
    assert all(
        (ROOT / name).is_file() for name in re.findall(r"``(docs/\w+\.rst)``", README)
    )


def blocks(text: str) -> dict[str, str]:
    """Return the blocks of a page that say which file they are."""
    found = re.findall(
        r"\.\. code-block:: (?:python|jinja|md)\n(?:    :caption: (\S+)\n)?\n((?:    .*\n|\n)+)",
        text,
    )
    plain = [(name, re.sub("^    ", "", code, flags=re.M)) for name, code in found]
    named = {name: code for name, code in plain if name}
    for _, code in plain:
        first = re.match(r"# myapp/(\S+)\n", code)
        if first:
            named[first[1]] = code
    return named


def test_the_readme_program_answers_as_it_says(pytester: pytest.Pytester) -> None:
    files = {f"myapp/{name}": code for name, code in blocks(README).items()}
    assert sorted(files) == ["myapp/__init__.py", "myapp/pages/api/posts/[id].py"]
    write_files(pytester.path, files)
    code = (
        "from myapp import app\nclient = app.test_client()\n"
        "got, posted = client.get('/api/posts/1'), client.post('/api/posts/1')\n"
        "print(got.text.strip(), posted.status, posted.headers['Allow'])\n"
        "print(client.delete('/api/posts/1').status, client.get('/api/posts/1').status)\n"
    )
    result = pytester.run(sys.executable, "-c", code)

    assert result.outlines == [
        '{"title":"Hello"} 405 METHOD NOT ALLOWED DELETE, GET, HEAD, OPTIONS',
        "204 NO CONTENT 404 NOT FOUND",
    ]
    for line in result.outlines[0].split(" 405 "):
        assert line.removeprefix("METHOD NOT ALLOWED ") in README


def test_the_quickstart_works_as_typed(pytester: pytest.Pytester) -> None:
    text = (ROOT / "docs" / "quickstart.rst").read_text(encoding="utf-8")
    write_files(pytester.path, blocks(text))
    code = "from wsgi import app\nprint(app.test_client().get('/hello/ann').text)"
    asked = pytester.run(sys.executable, "-c", code)
    listed = pytester.run(sys.executable, "-m", "flask", "filepages", "routes")

    assert asked.outlines[0] == '{"hello":"ann"}'
    assert asked.outlines[0] in text
    assert all(line in text for line in listed.outlines)


APP = "from flask import Flask\nfrom flask_filepages import FilePages\napp = Flask(__name__)\nfilepages = FilePages(app)\n"
ASKED = {
    "pages": """
        got = client.get("/contact").text, client.get("/rules").text
        assert "<title>A site</title>" in got[0] and "error" not in got[0]
        assert "<title>House rules</title>" in got[1] and "<em>kind</em>" in got[1]
        again = client.post("/contact", data={"email": "<x>"})
        assert again.status_code == 400 and "Not a valid email" in again.text
        assert 'value="&lt;x&gt;"' in again.text
        assert client.post("/contact", data={"email": "a@b.example"}).status_code == 303
        assert "About localhost" in client.get("/about").text
    """,
    "middleware": """
        assert client.get("/admin/x").headers["Location"] == "/login"
        client.set_cookie("reader", "Ann")
        report = client.get("/report")
        assert report.text == "for Ann" and "Server-Timing" in report.headers
        assert client.get("/latest").get_json() == {"id": "42", "path": "/latest"}
        got = client.get("/api/x", headers={"Origin": "https://app.example"})
        assert got.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
    """,
    "validation": """
        bad = client.post("/api/posts", json={"tags": [7], "x": 1})
        assert bad.status_code == 400
        assert [e["pointer"] for e in bad.get_json()["errors"]] == ["#/title", "#/tags/0", "#/x"]
        assert client.post("/api/posts", json={"title": "x"}).get_json()["id"] == 1
        assert client.get("/api/posts?page=2&x=1").get_json() == {"page": 2}
    """,
    "errors": """
        assert "nothing at this address" in client.get("/x").text
        assert client.get("/api/posts/1").get_json()["detail"] == "There is no such post."
        invalid = client.post("/api/tags", json={}).get_json()
        assert invalid["invalid"]["json"] == {"name": ["Missing data for required field."]}
    """,
    "security": """
        got = client.get("/api/data", headers={"Origin": "http://localhost:3000"})
        assert got.headers["Access-Control-Allow-Credentials"] == "true"
        assert got.headers["Referrer-Policy"] == "same-origin"
        foreign = {"Origin": "https://evil.example"}
        assert client.post("/api/data", headers=foreign).status_code == 403
    """,
}
ASKED["output"] = """
    paths = sorted(page.path for page in filepages.build())
    assert paths == ["/archive", "/archive/2", "/notes/a.json", "/posts/a.json",
                     "/posts/b.json", "/sitemap.xml"]
    got = client.get("/posts/a.json")
    assert got.get_json() == {"title": "First"} and "ETag" in got.headers
    assert got.headers["Referrer-Policy"] == "same-origin"
    assert '<a href="/archive/2">Older</a>' in client.get("/archive").text
    assert client.get("/posts/c.json").status_code == 404
    assert client.get("/notes/a.json").get_json() == {"title": "First", "stored": True}
    assert client.get("/notes/b.json").status_code == 404
    assert "<loc>https://x.example/archive/2/</loc>" in client.get("/sitemap.xml").text
"""
MORE = {
    "output": {
        "__init__.py": APP.replace(
            "filepages =",
            "app.config['FILEPAGES_OUTPUT'] = 'hybrid'\n"
            "app.config['FILEPAGES_SITE'] = 'https://x.example'\nfilepages =",
        )
    },
    "middleware": {
        "pages/admin/x.html": "",
        "pages/api/x.py": "def GET(context):\n    return context.json(1)\n",
    },
}


@pytest.mark.parametrize("name", ASKED)
def test_the_examples_of_a_page_answer(pytester: pytest.Pytester, name: str) -> None:
    found = blocks((ROOT / "docs" / f"{name}.rst").read_text(encoding="utf-8"))
    files = {"__init__.py": APP, **found, **MORE.get(name, {})}
    write_files(pytester.path, {f"myapp/{path}": text for path, text in files.items()})
    code = "import os\nfrom myapp import app, filepages\napp.secret_key = 'x'\n"
    code += "filepages.load()\nclient = app.test_client()\n" + textwrap.dedent(
        ASKED[name]
    )
    asked = pytester.run(sys.executable, "-c", code)
    tests = [path for path in found if path.endswith("_test.py")]

    assert asked.ret == 0, asked.stderr.str()
    if tests:
        options = ("--import-mode=importlib", "-q", "-p", "no:cacheprovider")
        result = pytester.run(sys.executable, "-m", "pytest", *options, "myapp")
        result.assert_outcomes(passed=len(tests))


def plain_blocks() -> list[tuple[str, str]]:
    """Return the Python blocks of these pages that are no files."""
    pattern = r"\.\. code-block:: python\n\n((?:    .*\n|\n)+)"
    named = [*ASKED, "building", "keeping"]
    texts = {name: (ROOT / "docs" / f"{name}.rst").read_text("utf-8") for name in named}
    return [
        (n, textwrap.dedent(b))
        for n, x in texts.items()
        for b in re.findall(pattern, x)
    ]


@pytest.mark.parametrize(("name", "block"), plain_blocks())
def test_the_small_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, block: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pages").mkdir()

    class PostBody(Schema):
        title = fields.String()

    app = Flask("small", root_path=str(tmp_path))
    names = {"app": app, "FilePages": flask_filepages.FilePages, "PostBody": PostBody}
    names |= {"validate": flask_filepages.validate, "login_required": lambda f: f}
    names |= {"StaticPath": flask_filepages.StaticPath}
    names["row"] = types.SimpleNamespace(id=1, updated=datetime.date(2026, 1, 1))
    if "filepages.build" in block:
        names["filepages"] = flask_filepages.FilePages(app)
    exec(block, names)
    if "config" in block:
        flask_filepages.FilePages(app)


def test_no_page_speaks_of_a_folder_of_this_machine() -> None:
    sources = [p for p in ROOT.rglob("*.py") if ".venv" not in p.parts]
    named = [p for p in [*PAGES, *sources] if p != Path(__file__)]
    told = [p.name for p in named if "/work/" in p.read_text(encoding="utf-8")]

    assert told == []
