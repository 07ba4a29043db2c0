"""404 and 500 files, below their prefix and only there."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from flask import Flask
from flask import abort
from werkzeug.exceptions import HTTPException

from flask_filepages import FilePages
from flask_filepages.pytest_plugin import write_files

from ..conftest import MakePages
from ..conftest import visitor

PAGES = {
    "404.html": "page 404 {{ context.props.error.code }} {{ context.url.path }}",
    "500.html": "page 500 {{ context.props.error }}",
    "boom.py": "def GET(context):\n    raise RuntimeError('reason')\n",
    "gone.py": "from flask import abort\ndef GET(context):\n    abort(404)\n",
    "own.py": "from flask import Response\n"
    "def GET(context):\n    return Response('own 404', 404)\n",
    "teapot.py": "from flask import abort\ndef GET(context):\n    abort(418)\n",
}


@pytest.mark.parametrize(
    ("method", "url", "status", "text"),
    [
        ("GET", "/nope", 404, "page 404 404 /nope"),
        ("POST", "/nope", 404, "page 404 404 /nope"),
        ("GET", "/gone", 404, "page 404 404 /gone"),
        ("GET", "/boom", 500, "page 500 reason"),
        ("GET", "/own", 404, "own 404"),
    ],
)
def test_pages(
    make_pages: MakePages, method: str, url: str, status: int, text: str
) -> None:
    client = visitor(make_pages(PAGES))
    response = client.open(url, method=method, headers={"Accept": "text/html"})

    assert (response.status_code, response.text) == (status, text)


def test_other_codes_are_left_alone(make_pages: MakePages) -> None:
    client = visitor(make_pages(PAGES))

    assert client.get("/teapot").status_code == 418
    assert client.delete("/own").status_code == 405


def test_an_endpoint_answers_with_its_own_status(make_pages: MakePages) -> None:
    endpoint = "def GET(context):\n    return context.json('none', {status})\n"
    for status in (404, 200):
        app = make_pages({"404.py": endpoint.format(status=status)})
        assert visitor(app).get("/nope").status_code == status


def test_routes_of_the_app_itself_keep_their_errors(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        app.add_url_rule("/app", "app", lambda: abort(404))
        app.add_url_rule("/app500", "app500", lambda: str(1 / 0))

    client = visitor(make_pages(PAGES, setup))

    assert "page" not in client.get("/app").text
    assert "page" not in client.get("/app500").text


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", [404, HTTPException, Exception])
def test_handlers_of_the_app_itself_go_first(
    make_pages: MakePages, when: str, kind: t.Any
) -> None:
    def register(app: Flask) -> None:
        app.register_error_handler(kind, lambda error: ("the app's", 404))

    app = make_pages(PAGES, register if when == "before" else None)
    if when == "after":
        register(app)

    assert visitor(app).get("/nope").text == "the app's"


def test_an_error_in_the_error_page_ends_in_the_built_in_one(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_pages({"404.html": "{{ 1 / 0 }}"})
    response = visitor(app).get("/nope")

    assert response.status_code == 404
    assert "The requested URL was not found" in response.text
    assert "The 404 page raised" in caplog.text


def test_each_filepages_has_its_own(make_pages: MakePages) -> None:
    app = make_pages({"404.html": "outer", "gone.py": PAGES["gone.py"]})
    files = {"404.html": "inner", "gone.py": PAGES["gone.py"]}
    write_files(Path(app.root_path) / "shop", files)
    FilePages(app, folder="shop", url_prefix="/shop", name="shop")
    client = visitor(app)
    html = {"Accept": "text/html"}
    outer, inner = ("/x", "/shopping", "/gone"), ("/shop/x", "/shop/gone")

    assert {client.get(url, headers=html).text for url in outer} == {"outer"}
    assert {client.get(url, headers=html).text for url in inner} == {"inner"}


def test_a_prefix_without_one_gets_the_built_in_page(make_pages: MakePages) -> None:
    app = make_pages({"404.html": "outer"})
    write_files(Path(app.root_path) / "shop", {"a.html": "a"})
    FilePages(app, folder="shop", url_prefix="/shop", name="shop")

    assert "outer" not in visitor(app).get("/shop/x").text


# -- problem documents --------------------------------------------------------------

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ERRORS = {
    "api.py": "from flask import abort\n"
    "def GET(context):\n    abort(404, 'No such thing.')\n"
    "def PUT(context):\n    raise RuntimeError('SECRET')\n",
    "page.html": "",
    "page.py": "from flask import abort\ndef GET(context):\n    abort(404, 'No such page.')\n",
}


@pytest.mark.parametrize(
    ("url", "accept", "mimetype"),
    [
        ("/api", None, "application/problem+json"),
        ("/api", "*/*", "application/problem+json"),
        ("/api", "application/json", "application/problem+json"),
        ("/api", "text/html;q=0.5, application/json", "application/problem+json"),
        ("/api", BROWSER, "text/html"),
        ("/api", "text/html", "text/html"),
        ("/page", None, "text/html"),
        ("/page", "*/*", "text/html"),
        ("/page", BROWSER, "text/html"),
        ("/page", "application/json", "application/problem+json"),
        ("/nope", "application/json", "application/problem+json"),
        ("/nope", "application/problem+json", "application/problem+json"),
        ("/nope", BROWSER, "text/html"),
        ("/nope", None, "text/html"),
    ],
)
@pytest.mark.parametrize("with_page", [False, True], ids=["", "404.html"])
def test_who_gets_which(
    make_pages: MakePages, with_page: bool, url: str, accept: str | None, mimetype: str
) -> None:
    files = {**ERRORS, "404.html": "page 404"} if with_page else ERRORS
    headers = {"Accept": accept} if accept else {}
    answer = visitor(make_pages(files)).get(url, headers=headers)

    assert (answer.status_code, answer.mimetype) == (404, mimetype)
    assert ("page 404" in answer.text) is (with_page and mimetype == "text/html")
    assert answer.headers["Cache-Control"] == "no-store"


TYPED = {
    "posts/[id=int].py": "def GET(context): ...\n",
    "posts/[id=int]/x-[n=int].json.py": "def GET(context): ...\n",
    "pages/[id=int].html": "",
    "docs/[...path].py": "def GET(context): ...\n",
    "notes/[name].py": "def GET(context): ...\n",
    "pictures/[name].py": "prerender = True\ndef get_static_paths(): return []\n"
    "def GET(context): ...\n",
}


@pytest.mark.parametrize(
    ("url", "mimetype"),
    {
        "/posts/abc": "application/problem+json",
        "/posts/-1": "application/problem+json",
        "/posts/abc/": "application/problem+json",
        "/posts/1/x-a.json": "application/problem+json",
        "/posts/1/y-a.json": "text/html",
        "/posts/1/2/3": "text/html",
        "/other/abc": "text/html",
        "/pages/abc": "text/html",
        "/docs/a%5Cb": "application/problem+json",
        "/notes/%00": "application/problem+json",
        "/notes/a/b": "text/html",
        "/pictures/not-listed": "text/html",
    }.items(),
    ids=str,
)
def test_a_param_that_is_refused_gets_the_error_of_the_endpoint(
    make_pages: MakePages, url: str, mimetype: str
) -> None:
    response = visitor(make_pages(TYPED)).get(url)

    assert (response.status_code, response.mimetype) == (404, mimetype)


def test_a_problem_document(make_pages: MakePages) -> None:
    client = visitor(make_pages(ERRORS))
    wrong = client.post("/api")

    assert client.get("/api").get_json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "No such thing.",
    }
    assert (wrong.status_code, wrong.headers["Allow"]) == (
        405,
        "GET, HEAD, OPTIONS, PUT",
    )


@pytest.mark.parametrize("accept", [None, BROWSER])
def test_a_failure_is_logged_once_and_shows_its_id_only(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture, accept: str | None
) -> None:
    client = visitor(make_pages(ERRORS))
    answer = client.put("/api", headers={"Accept": accept} if accept else {})
    identity = answer.headers["X-Request-Id"]

    assert answer.status_code == 500
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert caplog.text.count(f"request id: {identity}") == 1
    assert "SECRET" in caplog.text
    for secret in ("SECRET", "RuntimeError", "api.py", "Traceback"):
        assert secret not in answer.text
    if accept is None:
        assert answer.get_json()["instance"] == f"urn:uuid:{identity}"


def test_the_error_page_gets_the_id(make_pages: MakePages) -> None:
    app = make_pages({"500.html": "{{ context.props.request_id }}", **ERRORS})
    answer = visitor(app).put("/api", headers={"Accept": "text/html"})

    assert answer.text == answer.headers["X-Request-Id"]


def test_an_endpoint_for_errors_answers_programs_too(make_pages: MakePages) -> None:
    own = "def GET(context):\n    return context.json({'own': True}, 404)\n"
    client = visitor(make_pages({**ERRORS, "404.py": own}))

    assert client.get("/api").get_json() == {"own": True}


def test_an_answer_of_the_error_itself_is_left_alone(make_pages: MakePages) -> None:
    code = (
        "from flask import Response\nfrom werkzeug.exceptions import NotFound\n"
        "def GET(context):\n    raise NotFound(response=Response('as it is', 404))\n"
    )
    client = visitor(make_pages({"a.py": code, "404.html": "page 404"}))

    assert client.get("/a").text == "as it is"


@pytest.mark.parametrize("described", ["ValueError('x')", "{'a': 1}", "b'x'"])
def test_abort_takes_any_description(make_pages: MakePages, described: str) -> None:
    code = f"from flask import abort\ndef GET(context):\n    abort(400, {described})\n"
    answer = visitor(make_pages({"a.py": code})).get("/a")

    assert (answer.status_code, type(answer.get_json()["detail"])) == (400, str)


def test_exceptions_that_cannot_be_noted_or_are_raised_again(
    make_pages: MakePages,
) -> None:
    code = (
        "from dataclasses import dataclass\n"
        "@dataclass(frozen=True)\nclass Gone(Exception):\n    what: str\n"
        "SAME = RuntimeError('same')\n"
        "def GET(context):\n    raise Gone('x')\n"
        "def PUT(context):\n    raise SAME\n"
    )
    app = make_pages({"a.py": code})
    client = visitor(app)
    seen: list[list[str]] = []

    @app.errorhandler(Exception)
    def handle(error: Exception) -> str:
        seen.append(list(getattr(error, "__notes__", [])))
        return type(error).__name__

    assert client.get("/a").text == "Gone"
    assert {client.put("/a").text for _ in range(3)} == {"RuntimeError"}
    assert [len(notes) for notes in seen] == [0, 1, 1, 1]


@pytest.mark.parametrize("static_url_path", ["", "/static"])
def test_a_file_that_the_static_folder_lacks_is_an_unmatched_url(
    tmp_path: Path, static_url_path: str
) -> None:
    write_files(tmp_path, {"pages/404.html": "page 404", "static/a.txt": "a"})
    app = Flask("static", root_path=str(tmp_path), static_url_path=static_url_path)
    FilePages(app)
    client = app.test_client()
    missing = client.get(f"{static_url_path}/nope.txt")

    assert (missing.status_code, missing.text) == (404, "page 404")
    with client.get(f"{static_url_path}/a.txt") as found:
        assert found.get_data() == b"a"


def test_errors_of_the_apps_own_routes_stay_the_apps(make_pages: MakePages) -> None:
    app = make_pages({"index.html": "", "404.html": "page 404"})
    app.add_url_rule("/own", "own", lambda: abort(404))
    client = visitor(app)
    headers = {"Accept": "application/json"}

    for answer in (client.get("/own", headers=headers), client.post("/own")):
        assert "page 404" not in answer.text
        assert "Cache-Control" not in answer.headers


@pytest.mark.parametrize(
    "code",
    [
        "return Response('no', 401)",
        "from flask import abort; abort(401)",
        "return Response('no', 401, headers={'WWW-Authenticate': 'Basic'})",
    ],
)
def test_refusals_of_middleware_are_not_stored(
    make_pages: MakePages, code: str
) -> None:
    guard = (
        f"from flask import Response\ndef middleware(context, call_next):\n    {code}\n"
    )
    client = visitor(make_pages({"_middleware.py": guard, "a.html": ""}))

    assert client.get("/a").headers["Cache-Control"] == "no-store"
