"""The documentation covers the whole product, and its examples run."""

from __future__ import annotations

import configparser
import datetime
import re
import shlex
import sys
import textwrap
import tomllib
import types
import typing as t
from pathlib import Path

import click
import pytest
import yaml
from flask import Flask
from jinja2 import Environment
from marshmallow import Schema
from marshmallow import fields

import flask_filepages
from flask_filepages.cli import filepages
from flask_filepages.errors import FAULT_IDS
from flask_filepages.pytest_plugin import write_files
from flask_filepages.settings import _READERS

from .conftest import ROOT

DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(DOCS).with_suffix("").as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(DOCS.rglob("*.rst"))
    if "_build" not in path.parts
}
README = (ROOT / "README.rst").read_text(encoding="utf-8")
PROSE = {
    **PAGES,
    "README": README,
    "CONTRIBUTING": (ROOT / "CONTRIBUTING.rst").read_text(),
}

# -- the reference is complete ------------------------------------------------------


@pytest.mark.parametrize("name", sorted(_READERS))
def test_every_setting_is_in_the_table(name: str) -> None:
    key = f"FILEPAGES_{name.upper()}"

    row = PAGES["reference/settings"].partition(f"    * - ``{key}``\n")[2]
    kind, default, meaning = row.partition("    * - ")[0].split("      - ")[1:]
    assert kind.strip()
    assert default.startswith("``")
    assert "Example:" in meaning
    assert key in (flask_filepages.FilePages.init_app.__doc__ or "")


@pytest.mark.parametrize("name", sorted(filepages.commands))
def test_every_option_of_a_command_is_described(name: str) -> None:
    title = f"flask filepages {name}\n-----"
    text = PAGES["reference/commands"].partition(title)[2].partition("\n-----")[0]
    described = set(re.findall(r"^``(--[a-z-]+).*``\n    \S", text, re.M))
    options = [
        p for p in filepages.commands[name].params if isinstance(p, click.Option)
    ]

    assert described == {option.opts[0] for option in options}


@pytest.mark.parametrize("name", FAULT_IDS)
def test_every_check_is_explained(name: str) -> None:
    assert f"\n{name}\n{'-' * len(name)}\n" in PAGES["reference/checks"]


def test_every_id_of_a_fault_is_listed() -> None:
    package = Path(flask_filepages.__file__).parent
    text = "\n".join(path.read_text("utf-8") for path in package.rglob("*.py"))
    used = re.findall(r"Fault\(\s*\"([a-z-]+)\"|where = \(\"([a-z-]+)\"", text)

    assert {one or other for one, other in used} | {"middleware"} == {*FAULT_IDS}


@pytest.mark.parametrize("name", flask_filepages.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    text = "\n".join(
        text for page, text in PAGES.items() if page.startswith("reference")
    )

    is_error = name in (sys.modules["flask_filepages.errors"].__doc__ or "")
    documented = re.search(rf"^\.\. auto\w+:: (flask_filepages\.)?{name}$", text, re.M)
    assert is_error or documented


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_files_that_the_readme_names_exist() -> None:
    named = re.findall(r"(?:`|image:: |<)((?:docs|demo_app)/[\w/.-]+|\w+\.rst)", README)

    assert len(named) > 5
    assert [name for name in named if not (ROOT / name).exists()] == []


# -- the words ----------------------------------------------------------------------

#: Words that this project does not use, because another one has the meaning.
OTHER_WORDS = {
    r"answer(s|ed|ing)?": "response, respond, handle",
    r"mend(s|ed)?": "fix",
    r"vouch(es|ed)?": "promise",
    r"(?<!there )is no [a-z]+": "is not a",
    r"those that": "the ones that",
    r"rule \d+": "a link to the rule",
}


@pytest.mark.parametrize("page", [p for p in PROSE if p != "changes"])
def test_a_page_uses_one_word_for_one_thing(page: str) -> None:
    found = [
        (match[0], instead)
        for word, instead in OTHER_WORDS.items()
        for match in re.finditer(rf"\b{word}\b", PROSE[page], re.IGNORECASE)
    ]

    assert found == []


# -- the examples -------------------------------------------------------------------


class Block(t.NamedTuple):
    """A block of code on a page, and the file that its caption names."""

    language: str
    caption: str | None
    text: str


_block_re = re.compile(
    r"^(?P<indent> *)\.\. code-block:: (?P<language>\w+)\n"
    r"(?:(?P=indent)    :caption: (?P<caption>\S+)\n)?\n"
    r"(?P<text>(?:(?P=indent)    .*\n|\n)+)",
    re.MULTILINE,
)


def blocks(text: str) -> list[Block]:
    return [
        Block(m["language"], m["caption"], textwrap.dedent(m["text"]).rstrip() + "\n")
        for m in _block_re.finditer(text + "\n")
    ]


def files(text: str) -> dict[str, str]:
    return {block.caption: block.text for block in blocks(text) if block.caption}


def test_the_readme_program_responds_as_it_says(pytester: pytest.Pytester) -> None:
    named = {
        first[1]: block.text
        for block in blocks(README)
        if (first := re.match(r"# (myapp/\S+)\n", block.text))
    }
    assert sorted(named) == ["myapp/__init__.py", "myapp/pages/api/posts/[id].py"]
    write_files(pytester.path, named)
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


APP = """\
from flask import Flask
from flask_filepages import FilePages
app = Flask(__name__)
filepages = FilePages(app)
"""
#: What each page with files promises about them, as a program.
CHECKS = {
    "guides/openapi": """
        made = client.get("/openapi.json").get_json()
        note = made["paths"]["/api/notes/{id}"]
        assert note["get"]["operationId"] == "get_api_notes_by_id"
        assert note["get"]["tags"] == ["api-notes"]
        assert note["put"]["description"] == "A note with the same number is replaced."
        assert list(note["put"]["responses"])[0] == "204"
        assert "ApiNotesByIdNote" in made["components"]["schemas"]
        assert made["info"]["title"] == "Notes"
        assert client.get("/openapi/").status_code == 200
        assert client.get("/api/notes/1").get_json() == {"text": "Hello"}
        assert client.put("/api/notes/2", json={"text": "x"}).status_code == 204
    """,
    "index": """
        assert client.get("/api/posts/1").get_json() == {"title": "Hello"}
        assert client.get("/api/posts/2").status_code == 404
    """,
    "tutorial": """
        assert "<h1>Journal</h1>" in client.get("/").text
        bad = client.post("/contact", data={"email": "<x>", "message": "Hi"})
        assert bad.status_code == 400 and 'value="&lt;x&gt;"' in bad.text
        assert "Not a valid email address." in bad.text
        form = {"email": "a@b.example", "message": "Hello"}
        assert client.post("/contact", data=form).headers["Location"] == "/"
        assert "Thank you for your message." in client.get("/").text
        assert client.get("/api/notes/1").text in TEXT
        made = client.post("/api/notes", json={"text": "Write a post"})
        assert made.text in TEXT and made.status_code == 201
        assert client.get(made.headers["Location"]).text == made.text
        assert client.post("/api/notes", json={"txt": "x"}).status_code == 400
        missing = client.get("/api/notes/9")
        assert missing.text.strip() in TEXT and missing.status_code == 404
        put = client.put("/api/notes/1")
        assert put.status_code == 405 and f"Allow: {put.headers['Allow']}" in TEXT
        assert client.delete("/api/notes/2").status_code == 204
        assert client.get("/admin").headers["Location"] == "/login"
        assert client.post("/login", data={"password": "x"}).headers["Location"] == "/login"
        assert "That is not the password." in client.get("/login").text
        client.post("/login", data={"password": "let me in"})
        assert "Only you can see this." in client.get("/admin").text
        import subprocess, sys
        command = [sys.executable, "-m", "flask", "--app", "journal", "filepages", "routes"]
        listed = subprocess.run(command, capture_output=True, text=True).stdout
        shown = TEXT.partition("filepages routes\\n")[2].partition("    ...")[0]
        missing = [line for line in shown.splitlines()
                   if line.split() not in [x.split()[:len(line.split())]
                                           for x in listed.splitlines()]]
        assert missing == [], listed
        assert "/blog/hello" in client.get("/blog").text
        paths = sorted(page.path for page in filepages.build())
        assert paths == ["/blog", "/blog/hello", "/blog/second"]
        stored = client.get("/blog/hello")
        assert "This is the first post." in stored.text and "ETag" in stored.headers
    """,
    "guides/existing-app": """
        assert client.get("/posts/1").get_json() == {"title": "Hello"}
        assert client.delete("/posts/1").status_code == 204
        assert client.get("/posts/1").status_code == 404
        assert client.post("/settings").status_code == 201
        assert client.get("/settings").text == "The settings"
        assert client.get("/shop/x").get_json() == {"error": "There is no such product."}
        assert client.get("/api/status").status_code == 401
        assert client.get("/api/status", headers={"X-Token": "secret"}).status_code == 200
    """,
    "guides/pages": """
        assert "About /about" in client.get("/about").text
        assert "<p>Ann</p>" in client.get("/team").text
        rules = client.get("/rules").text
        assert "<title>House rules</title>" in rules and "<em>kind</em>" in rules
    """,
    "guides/forms": """
        bad = client.post("/contact", data={"email": "<x>"})
        assert bad.status_code == 400 and 'value="&lt;x&gt;"' in bad.text
        assert "Not a valid email address." in bad.text
        assert client.post("/contact", data={"email": "a@b.example"}).status_code == 303
        part = client.post("/counter", headers={"HX-Request": "true"})
        assert part.text == "<output>1</output>"
        assert "<output>1</output>" in client.get("/counter").text
        assert client.post("/counter").status_code == 303
    """,
    "guides/uploads": """
        import io
        app.instance_path = "."
        png = io.BytesIO(b"\\x89PNG\\r\\n\\x1a\\n...")
        sent = client.post("/photos", data={"title": "x", "photo": (png, "a.png")})
        assert sent.status_code == 201 and sent.get_json()["name"].endswith(".png")
        gif = io.BytesIO(b"GIF89a")
        bad = client.post("/photos", data={"title": "x", "photo": (gif, "a.png")})
        assert bad.status_code == 400 and "Please choose a PNG image." in bad.text
        assert "multipart" in client.get("/photos").text
    """,
    "guides/validation": """
        bad = client.post("/api/posts", json={"tags": [7], "x": 1})
        assert bad.status_code == 400
        assert [e["pointer"] for e in bad.get_json()["errors"]] == ["#/title", "#/tags/0", "#/x"]
        assert client.post("/api/posts", json={"title": "x"}).get_json()["id"] == 1
        assert client.get("/api/posts?page=2&x=1").get_json() == {"page": 2}
    """,
    "guides/middleware": """
        assert client.get("/admin/x").headers["Location"] == "/login"
        client.set_cookie("reader", "Ann")
        report = client.get("/report")
        assert report.text == "for Ann" and "Server-Timing" in report.headers
        assert client.get("/latest").get_json() == {"id": "42", "path": "/latest"}
        got = client.get("/api/x", headers={"Origin": "https://app.example"})
        assert got.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert client.get("/name").text == "My site"
    """,
    "guides/errors": """
        assert "nothing at this address" in client.get("/x").text
        assert client.get("/api/posts/1").text.strip() in TEXT
        invalid = client.post("/api/tags", json={}).get_json()
        assert invalid["invalid"]["json"] == {"name": ["Missing data for required field."]}
    """,
    "guides/matchers": """
        assert client.get("/diary/2026-02-03").get_json() == {"weekday": "Tuesday"}
        assert client.get("/diary/today").status_code == 404
        assert client.get("/diary/2026-02-31").status_code == 404
    """,
    "guides/static": """
        paths = sorted(page.path for page in filepages.build())
        assert paths == ["/archive", "/archive/2", "/notes/a.json", "/posts/a.json",
                         "/posts/b.json", "/sitemap.xml"]
        got = client.get("/posts/a.json")
        assert got.get_json() == {"title": "First"} and "ETag" in got.headers
        assert '<a href="/archive/2">Older</a>' in client.get("/archive").text
        assert client.get("/posts/c.json").status_code == 404
        assert client.get("/notes/a.json").get_json() == {"title": "First", "stored": True}
        assert client.get("/notes/b.json").status_code == 404
        assert "<loc>https://x.example/archive/2/</loc>" in client.get("/sitemap.xml").text
    """,
    "guides/caching": """
        list(filepages.build())
        rates, news = client.get("/rates.json"), client.get("/feeds/news.json")
        assert rates.headers["Cache-Control"] == "public, max-age=60"
        assert news.headers["Cache-Control"] == "public, max-age=300"
        asset, account = client.get("/assets/app-3f2a.js"), client.get("/account")
        assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "ETag" in asset.headers
        assert account.headers["Cache-Control"] == "no-store"
        assert account.headers["Vary"] == "Cookie"
    """,
    "guides/testing": """
        assert client.get("/api/posts/1").get_json() == {"title": "Hello"}
    """,
    "guides/deploying": "",
    "guides/from-astro": """
        got = client.get("/api/posts/1", headers={"Origin": "https://app.example"})
        assert got.get_json() == {"title": "Hello"}
        assert got.headers["Cache-Control"] == "public, max-age=60"
        assert got.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert client.post("/api/posts", json={"title": ""}).status_code == 400
        assert client.post("/api/posts", json={"title": "x"}).status_code == 201
        paths = sorted(page.path for page in filepages.build())
        assert paths == ["/archive", "/archive/2", "/posts/hello.json"]
        assert got.headers["X-User"] == "nobody"
        assert "1: Hello" in client.get("/").text
        assert client.post("/api/webhook", data="x").status_code == 401
        assert client.get("/posts/hello.json").get_json() == {"title": "Hello"}
    """,
    "guides/from-fastapi": """
        item = {"name": "Pen", "price": 1.5}
        assert client.put("/items/3", json=item).get_json() == {"id": 3, **item}
        assert client.put("/items/x", json=item).status_code == 404
    """,
    "guides/from-flask-smorest": """
        assert client.get("/pets/1").get_json() == {"id": 1, "name": "Max"}
        assert client.get("/pets/2").get_json()["detail"] == "There is no such pet."
        assert client.put("/pets/2", json={"name": "Mia"}).get_json()["id"] == 2
    """,
    "reference/handlers": """
        assert client.get("/example").headers["X-Example"] == "1"
        assert client.post("/example").headers["Location"] == "/login"
        assert client.put("/example").headers["Location"] == "https://example.com/"
        assert client.patch("/example").text == "a stream of text"
        assert client.delete("/example").status_code == 204
        dark, old = client.post("/theme").headers.getlist("Set-Cookie")
        assert dark.startswith("theme=dark;") and "Max-Age=3600" in dark
        assert old.startswith("old=;") and "HttpOnly" in dark
    """,
    "explanation/modules": """
        assert client.get("/api/posts/1").get_json() == {"posts": ["hello"], "user": "Ann"}
    """,
    "explanation/security": """
        got = client.get("/api/data", headers={"Origin": "http://localhost:3000"})
        assert got.headers["Access-Control-Allow-Credentials"] == "true"
        assert got.headers["Referrer-Policy"] == "same-origin"
        foreign = {"Origin": "https://evil.example"}
        assert client.post("/api/data", headers=foreign).status_code == 403
    """,
}
#: Files that an example leaves out, because its reader has them.
MORE = {
    "guides/deploying": {"pages/index.html": ""},
    "guides/static": {
        "__init__.py": APP.replace(
            "filepages =",
            "app.config['FILEPAGES_OUTPUT'] = 'hybrid'\n"
            "app.config['FILEPAGES_SITE'] = 'https://x.example'\nfilepages =",
        )
    },
    "guides/middleware": {
        "pages/admin/x.html": "",
        "pages/api/x.py": "def GET(context):\n    return context.json(1)\n",
        "pages/name.html": "{{ context.locals.site_name }}",
    },
    "explanation/modules": {"lib/__init__.py": ""},
}


def test_every_page_with_files_has_a_check() -> None:
    assert [page for page, text in PAGES.items() if files(text)] == sorted(CHECKS)


@pytest.mark.parametrize("page", CHECKS)
def test_the_files_of_a_page_do_what_it_says(
    pytester: pytest.Pytester, page: str
) -> None:
    found = files(PAGES[page])
    is_project = page == "tutorial"
    package = "journal" if is_project else "myapp"
    named = found if is_project else {"__init__.py": APP, **found, **MORE.get(page, {})}
    folder = pytester.path if is_project else pytester.path / "myapp"
    write_files(folder, named)
    write_files(pytester.path, {"page.rst": PAGES[page]})
    code = f"import {package}\nTEXT = open('page.rst').read()\n"
    code += f"filepages = {package}.filepages\n"
    code += f"app = getattr({package}, 'app', None) or {package}.create_app()\n"
    code += "app.secret_key = 'x'\nfilepages.load(app)\nclient = app.test_client()\n"
    code += textwrap.dedent(CHECKS[page])
    asked = pytester.run(sys.executable, "-c", code)
    tests = [name for name in found if name.endswith("_test.py")]

    assert asked.ret == 0, asked.stderr.str()
    if tests:
        options = ("--import-mode=importlib", "-q", "-p", "no:cacheprovider")
        given = "pythonpath=."
        result = pytester.run(
            sys.executable, "-m", "pytest", *options, "-o", given, package
        )
        count = sum(len(re.findall(r"^def test_", found[name], re.M)) for name in tests)
        result.assert_outcomes(passed=count)


def plain(language: str) -> list[tuple[str, str]]:
    """Return the blocks of a language that are not files, with their pages."""
    texts = {**PAGES, "README": README}
    return [
        (page, block.text)
        for page, text in texts.items()
        for block in blocks(text)
        if block.language == language and block.caption is None
        if not block.text.startswith("# myapp/")
    ]


@pytest.mark.parametrize(("page", "block"), plain("python"))
def test_a_small_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, block: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET_KEY", "x")
    monkeypatch.setenv("ADMIN_PASSWORD", "x")
    app = Flask("small", root_path=str(tmp_path))
    names: dict[str, t.Any] = {"app": app, "login_required": lambda f: f}
    write_files(
        tmp_path,
        {
            "pages/api/posts/[id].py": "def GET(context): ...\n",
            "pages/docs/[...path].html": "",
            "pages/index.html": "",
            "pages/contact.py": "def GET(context): ...\n",
            "shop_pages/cart.html": "",
        },
    )

    class PostBody(Schema):
        title = fields.String()

    for name in ("FilePages", "StaticPath", "validate"):
        names[name] = getattr(flask_filepages, name)
    names |= {"PostBody": PostBody, "load_endpoint": lambda *args, **kwargs: None}
    names |= {"__file__": str(tmp_path / "x_test.py"), "url_for": lambda *a, **k: None}
    names["csrf"] = types.SimpleNamespace(exempt=lambda view: view)
    names["row"] = types.SimpleNamespace(id=1, updated=datetime.date(2026, 1, 1))
    if "filepages." in block:
        names["filepages"] = flask_filepages.FilePages(app)
        app.view_functions["filepages./api/status"] = lambda: ""
    exec(block, names)
    if "app.config" in block:
        flask_filepages.FilePages(app)


@pytest.mark.parametrize(
    "line",
    sorted(
        {
            line.removeprefix("$ ").partition(" > ")[0]
            for _, text in plain("console")
            for line in text.splitlines()
            if re.match(r"\$ flask .*filepages ", line)
        }
    ),
)
def test_a_command_line_is_understood(line: str) -> None:
    _, _, rest = line.partition("filepages ")
    name, *arguments = shlex.split(rest)

    filepages.commands[name].make_context(name, arguments).close()


_PARSERS: dict[str, t.Callable[[str], object]] = {
    "ini": configparser.ConfigParser().read_string,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
    "jinja": Environment().parse,
}


@pytest.mark.parametrize(
    ("language", "block"),
    [(name, block) for name in _PARSERS for _, block in plain(name)],
)
def test_a_fragment_is_well_formed(language: str, block: str) -> None:
    assert _PARSERS[language](block) != {}


def test_no_page_speaks_of_a_folder_of_this_machine() -> None:
    folders = ("flask_filepages", "tests", "demo_app", "benchmarks", "docs")
    sources = [path for name in folders for path in (ROOT / name).rglob("*.py")]
    named = [path for path in sources if path != Path(__file__)]
    found = [p.name for p in named if "/work/" in p.read_text(encoding="utf-8")]
    found += [page for page, text in PAGES.items() if "/work/" in text]

    assert found == []
