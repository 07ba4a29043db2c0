"""``context.rewrite``: another route of the tree answers, behind its own guard."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_filepages import FilePages
from flask_filepages.pytest_plugin import write_files
from flask_filepages.testing import make_context

from ..conftest import MakePages
from ..conftest import visitor

TELL = """\
def GET(context):
    return context.json({"id": context.route_id, "params": dict(context.params),
        "path": context.url.path, "query": context.request.args.get("q"),
        "local": getattr(context.locals, "x", None)})
"""
TO = """\
def GET(context):
    context.locals.x = "handed on"
    return context.rewrite(context.request.args["to"])
ALL = GET
"""
TREE = {
    "r.py": TO,
    "users/[id].py": TELL,
    "docs/[...rest].py": TELL,
    "page.html": "<p>{{ context.url.path }} {{ context.locals.x }}",
    "admin/_middleware.py": "from flask import abort\n"
    "def middleware(context, call_next):\n    abort(403)\n",
    "admin/index.py": TELL,
    "post.py": "def POST(context):\n    return context.json(context.request.get_json())\n",
    "a.py": "def GET(context):\n    return context.rewrite('/b')\n",
    "b.py": "def GET(context):\n    return context.rewrite('/a')\n",
    "404.html": "not found",
}


@pytest.fixture
def client(make_pages: MakePages) -> FlaskClient:
    app = make_pages(TREE, FILEPAGES_REDIRECTS={"/old": "/page"})

    @app.get("/own")
    def own() -> str:
        return "the app's own"

    return visitor(app)


def ask(client: FlaskClient, to: str, method: str = "GET", **more: t.Any) -> t.Any:
    query = {"to": to, "q": "1"}
    return client.open("/r", method=method, query_string=query, **more)


@pytest.mark.parametrize(
    ("to", "route_id", "params"),
    [
        ("/users/1", "/users/[id]", {"id": "1"}),
        ("/users/a?x=1", "/users/[id]", {"id": "a?x=1"}),
        ("/users/a#f", "/users/[id]", {"id": "a#f"}),
        ("/users/%2e%2e", "/users/[id]", {"id": "%2e%2e"}),
        ("/users/%61", "/users/[id]", {"id": "%61"}),
        ("/docs/a/b", "/docs/[...rest]", {"rest": "a/b"}),
        ("/docs", "/docs/[...rest]", {"rest": None}),
    ],
)
def test_the_target_is_matched_as_it_stands(
    client: FlaskClient, to: str, route_id: str, params: dict[str, str]
) -> None:
    told = ask(client, to).get_json()

    assert (told["id"], told["params"]) == (route_id, params)
    assert (told["path"], told["query"], told["local"]) == ("/r", "1", "handed on")


@pytest.mark.parametrize(
    "to",
    ["/nope", "/users/1/2", "/docs/../admin", "/r/../users/1", "/own", "/old", "/USERS/1"],
)  # fmt: skip
def test_what_is_not_in_the_tree_is_not_found(client: FlaskClient, to: str) -> None:
    assert ask(client, to).status_code == 404


@pytest.mark.parametrize("to", ["users/1", "", "//users/1", "http://evil.example/"])
def test_what_is_no_path_of_the_tree_is_an_error(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, to: str
) -> None:
    assert ask(client, to).status_code == 500
    assert "is not a path of these pages" in caplog.text


def test_the_guard_of_the_target_runs(client: FlaskClient) -> None:
    assert ask(client, "/admin").status_code == 403


def test_loops_end(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.get("/a")

    assert answer.status_code == 508
    assert "/a -> /b -> /a -> /b -> /a" in caplog.text
    assert "/b" not in answer.text


def test_pages_and_methods(client: FlaskClient) -> None:
    wrong = ask(client, "/users/1", "POST")

    assert ask(client, "/page").text == "<p>/r handed on"
    assert ask(client, "/users/1", "HEAD").text == ""
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert ask(client, "/post", "POST", json={"a": 1}).get_json() == {"a": 1}


def test_cookies_of_both_are_sent_once(make_pages: MakePages) -> None:
    client = make_pages(
        {
            "a.py": "def GET(context):\n    context.cookies.set('a', '1')\n"
            "    return context.rewrite('/b')\n",
            "b.py": "from flask import Response\ndef GET(context):\n"
            "    context.cookies.set('b', context.cookies['a'])\n"
            "    return Response('b')\n",
        }
    ).test_client()
    sent = [c.partition(";")[0] for c in client.get("/a").headers.getlist("Set-Cookie")]

    assert sent == ["a=1", "b=1"]


def test_the_origin_check_of_the_target_counts(make_pages: MakePages) -> None:
    trusting = (
        "from flask_filepages import cors\nmiddleware = cors('https://app.example')\n"
    )
    rewrite = "def POST(context):\n    return context.rewrite('/b')\n"
    write = "from flask import Response\ndef POST(context):\n    return Response('b')\n"
    files = {"a.py": trusting + rewrite, "b.py": write, "c.py": trusting + write}
    client = make_pages(files).test_client()
    headers = {"Origin": "https://app.example"}

    assert client.post("/c", headers=headers).status_code == 200
    assert client.post("/a").status_code == 200
    assert client.post("/a", headers=headers).status_code == 403


def test_a_second_filepages_is_another_tree(tmp_path: Path) -> None:
    write_files(tmp_path / "pages", {"a.py": TO, "same.html": "pages"})
    write_files(tmp_path / "shop", {"r.py": TO, "same.html": "shop", "only.html": "x"})
    app = Flask("two_trees", root_path=str(tmp_path))
    FilePages(app)
    FilePages(app, folder="shop", url_prefix="/shop", name="shop")
    client = app.test_client()

    assert client.get("/shop/r?to=/same").text == "shop"
    assert client.get("/a?to=/same").text == "pages"
    assert client.get("/a?to=/shop/only").status_code == 404


def test_a_context_of_a_test_has_no_routes() -> None:
    with pytest.raises(RuntimeError, match="test_client"):
        make_context().rewrite("/a")
