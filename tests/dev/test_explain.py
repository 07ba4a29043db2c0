"""``flask filepages explain`` says what the app does."""

from __future__ import annotations

import json
import typing as t

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo

from flask_filepages.cli import filepages
from flask_filepages.dev.routes import explain

from ..conftest import ECHO
from ..conftest import MakePages
from ..conftest import built
from ..conftest import visitor

LISTED = f"""\
from flask_filepages import StaticPath
prerender = True
def get_static_paths():
    return [StaticPath({{"slug": "a"}})]
{ECHO}"""
FILES = {
    "index.html": "<p>Home",
    "about.html": "<p>About",
    "about.py": "def POST(context): return context.json(1)\n",
    "posts/new.py": ECHO,
    "posts/[id=int].py": ECHO,
    "posts/[slug].py": LISTED,
    "posts/[name]/edit.py": ECHO,
    "docs/[...path].py": ECHO,
    "[[lang]]/help.html": "<p>Help",
    "all.py": "def ALL(context): return context.json(1)\n",
    "caf\xe9.py": ECHO,
    "admin/_middleware.py": """\
from flask_filepages import headers

def guard(context, call_next):
    return call_next()

middleware = [guard, headers({"X-A": "1"})]
""",
    "admin/index.py": """\
from flask_filepages import responds, validate
from marshmallow import Schema, fields

class Query(Schema):
    page = fields.Integer()

class Row(Schema):
    id = fields.Integer()

@validate(query=Query)
@responds(Row(many=True))
def GET(context, query):
    return context.json([])
""",
    "reads.py": """\
def GET(context):
    context.cookies.set("a", "b")
    return context.json(context.request.args.get("q"))

def PUT(context):
    return context.json(1)
""",
}


def app_views(app: Flask) -> None:
    app.add_url_rule("/view", view_func=lambda: "view")
    app.add_url_rule("/posts/<int:n>/edit", "edit", lambda n: "edit", methods=["POST"])
    app.add_url_rule("/slash/", "slash", lambda: "slash")


@pytest.fixture
def app(make_pages: MakePages) -> Flask:
    return make_pages(
        FILES, app_views, FILEPAGES_REDIRECTS={"/old/[id]": "/posts/[id]"}
    )


@pytest.mark.parametrize(
    ("method", "path", "file"),
    [
        ("GET", "/", "index.html"),
        ("GET", "/about", "about.py"),
        ("POST", "/about", "about.py"),
        ("GET", "/posts/new", "posts/new.py"),
        ("GET", "/posts/5", "posts/[id=int].py"),
        ("GET", "/posts/a", "posts/[slug].py"),
        ("GET", "/posts/b", None),
        ("GET", "/posts/5/edit", "posts/[name]/edit.py"),
        ("POST", "/posts/5/edit", None),
        ("GET", "/docs", "docs/[...path].py"),
        ("GET", "/docs/a/b", "docs/[...path].py"),
        ("GET", "/en/help", "[[lang]]/help.html"),
        ("GET", "/help?x=1", "[[lang]]/help.html"),
        ("GET", "/caf%C3%A9", "caf\xe9.py"),
        ("GET", "http://localhost/about#top", "about.py"),
        ("GET", "/view", None),
        ("GET", "/nothing", None),
        ("GET", "/slash", None),
    ],
)
def test_the_file_that_handles_a_request(
    app: Flask, method: str, path: str, file: str | None
) -> None:
    found = explain(app, method, path)

    assert found.get("file") == file
    matching = [
        one["file"] for one in found["candidates"] if one["why"] == "it matches"
    ]
    assert matching[:1] == ([file] if file else matching[:1])


@pytest.mark.parametrize(
    ("method", "path", "response"),
    [
        ("HEAD", "/posts/new", "GET in "),
        ("OPTIONS", "/posts/new", "204 with Allow: GET, HEAD, OPTIONS"),
        ("PUT", "/posts/new", "405 with Allow: GET, HEAD, OPTIONS"),
        ("PATCH", "/all", "ALL in "),
        ("GET", "/about", "GET in "),
        ("GET", "/old/5", "301, redirect to /posts/5"),
        ("POST", "/old/5", "308, redirect to /posts/5"),
        ("GET", "/view", "the view '<lambda>' of the app"),
        ("GET", "/slash", "308, redirect to /slash/"),
        ("POST", "/view", "405, no file matches"),
        ("GET", "/abuot", "404, no file matches. Did you mean /about?"),
        ("GET", "/posts/b", "404, no file matches"),
    ],
)
def test_the_response(app: Flask, method: str, path: str, response: str) -> None:
    assert explain(app, method, path)["response"].startswith(response)


def test_the_response_is_that_of_the_app(app: Flask) -> None:
    client = visitor(app)
    paths = (
        "/",
        "/about",
        "/posts/5",
        "/posts/a",
        "/posts/b",
        "/docs/x",
        "/view",
        "/no",
    )
    told, sent = {}, {}
    for path in paths:
        for method in ("GET", "HEAD", "PUT", "OPTIONS"):
            response = explain(app, method, path)["response"]
            status = client.open(path, method=method).status_code
            told[method, path] = response[:3] if response[0].isdigit() else "200"
            sent[method, path] = str(status)

    # A view of the app has OPTIONS of its own.
    assert told == sent


def test_candidates_come_with_the_reason(app: Flask) -> None:
    def why(method: str, path: str) -> dict[str, str]:
        found = explain(app, method, path)["candidates"]
        return {one["file"]: one["why"] for one in found}

    assert why("GET", "/posts/b") == {
        "posts/[id=int].py": "a matcher does not accept the value",
        "posts/[slug].py": "get_static_paths does not list it",
    }
    assert why("GET", "/posts/5") == {
        "posts/[id=int].py": "it matches",
        "posts/[slug].py": "get_static_paths does not list it",
    }
    assert why("GET", "/posts/5/edit") == {
        "posts/[name]/edit.py": "it matches",
        "edit": "it handles only OPTIONS, POST",
    }


def test_params_middleware_and_schemas(app: Flask) -> None:
    found = explain(app, "GET", "/admin")

    assert found["middleware"][0].startswith("guard (")
    assert found["middleware"][0].endswith("_middleware.py:3), on every response")
    assert found["middleware"][1].startswith("headers (")
    assert found["middleware"][1].endswith("_middleware.py:6), once per render")
    assert found["validates"] == ["GET query: Query (page)"]
    assert found["responds"] == ["GET 200: Row (id)"]
    assert explain(app, "GET", "/posts/5")["params"] == {"id": 5}
    assert explain(app, "GET", "/help")["params"] == {"lang": None}


def test_why_a_route_is_not_prerendered(app: Flask) -> None:
    because = explain(app, "GET", "/reads")["because"]

    assert because == [
        "FILEPAGES_OUTPUT is 'server', and reads.py has no `prerender = True`",
        'reads.py:5: PUT needs `prerender = "auto"`',
        "reads.py:2: GET uses context.cookies.set",
        'reads.py:3: GET uses context.request.args["q"]',
    ]
    assert explain(app, "GET", "/posts/5")["because"][1] == (
        "it has params, and no get_static_paths lists their values"
    )


def test_which_release_has_the_response(make_pages: MakePages) -> None:
    app = make_pages({"a.py": f"prerender = True\n{ECHO}", "b.py": ECHO})
    before = explain(app, "GET", "/a")
    after = explain(built(app), "GET", "/a")

    assert before["stored"] == "no release yet; run `flask filepages build`"
    assert after["stored"].startswith("200 OK in release 000001, built 20")
    assert "Content-Type: application/json" in after["headers"]
    assert after["sent"] == "inside Flask"


@pytest.mark.parametrize(
    ("slash", "path", "response"),
    [
        ("always", "/about", "301, redirect to /about/"),
        ("always", "/about/", "GET in "),
        ("never", "/about/", "301, redirect to /about"),
        ("ignore", "/about/", "GET in "),
    ],
)
def test_slashes(make_pages: MakePages, slash: str, path: str, response: str) -> None:
    app = make_pages({"about.html": ""}, FILEPAGES_TRAILING_SLASH=slash)

    assert explain(app, "GET", path)["response"].startswith(response)


@pytest.mark.parametrize(
    ("path", "file"),
    [("/base/ment", "ment.html"), ("/basement", None), ("/ment", "ment.html")],
)
def test_the_root_may_be_left_out(
    make_pages: MakePages, path: str, file: str | None
) -> None:
    app = make_pages({"ment.html": ""}, APPLICATION_ROOT="/base")

    assert explain(app, "GET", path).get("file") == file


def test_the_app_may_trust_only_other_hosts(make_pages: MakePages) -> None:
    app = make_pages({"a.html": ""}, TRUSTED_HOSTS=["example.com"])

    assert explain(app, "GET", "/a")["response"].startswith("GET in ")


def run(app: Flask, *arguments: str) -> t.Any:
    script = ScriptInfo(create_app=lambda: app)
    return CliRunner().invoke(filepages, ["explain", *arguments], obj=script)


def test_the_command_prints_one_thing_in_a_line(app: Flask) -> None:
    lines = run(app, "get", "/posts/5").output.splitlines()

    assert lines[0] == "Request       GET /posts/5"
    assert lines[4] == "Params        id = 5"
    assert lines[-2:] == [
        "Candidates    /posts/<int:id>  posts/[id=int].py  it matches",
        "              /posts/<slug>  posts/[slug].py  get_static_paths does not list it",
    ]


def test_the_command_prints_json(app: Flask) -> None:
    assert json.loads(run(app, "GET", "/about", "--json").output)["file"] == "about.py"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["/about", "GET"], "Write the method first: explain GET /about"),
        (["GET"], "Missing argument 'PATH'"),
    ],
)
def test_wrong_arguments(app: Flask, arguments: list[str], says: str) -> None:
    result = run(app, *arguments)

    assert result.exit_code == 2
    assert says in result.output


def test_a_broken_file_is_named_and_others_are_explained(
    make_pages: MakePages,
) -> None:
    app = make_pages({**FILES, "broken.py": "1 / 0\n"})

    assert "500, its files cannot be loaded" in run(app, "GET", "/broken").output
    assert "broken.py:1: ZeroDivisionError" in run(app, "GET", "/broken").output
    assert "posts/[slug].py  it matches" in run(app, "GET", "/posts/a").output


def test_a_listing_that_fails_is_an_error_without_a_traceback(
    make_pages: MakePages,
) -> None:
    app = make_pages({"[slug].py": LISTED.replace("return [", "1 / 0; return [")})
    result = run(app, "GET", "/a")

    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.output
