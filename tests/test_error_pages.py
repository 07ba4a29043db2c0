"""404 and 500 files, below their prefix and only there."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from flask import Flask
from flask import abort
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException

from flask_filepages import FilePages
from flask_filepages.pytest_plugin import write_files

from .conftest import MakePages

PAGES = {
    "404.html": "page 404 {{ context.props.error.code }} {{ context.url.path }}",
    "500.html": "page 500 {{ context.props.error }}",
    "boom.py": "def GET(context):\n    raise RuntimeError('reason')\n",
    "gone.py": "from flask import abort\ndef GET(context):\n    abort(404)\n",
    "own.py": "from flask import Response\n"
    "def GET(context):\n    return Response('own 404', 404)\n",
    "teapot.py": "from flask import abort\ndef GET(context):\n    abort(418)\n",
}


def client_of(app: Flask) -> FlaskClient:
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app.test_client()


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
    response = client_of(make_pages(PAGES)).open(url, method=method)

    assert (response.status_code, response.text) == (status, text)


def test_other_codes_are_left_alone(make_pages: MakePages) -> None:
    client = client_of(make_pages(PAGES))

    assert client.get("/teapot").status_code == 418
    assert client.delete("/own").status_code == 405


def test_an_endpoint_answers_with_its_own_status(make_pages: MakePages) -> None:
    endpoint = "def GET(context):\n    return context.json('none', {status})\n"
    for status in (404, 200):
        app = make_pages({"404.py": endpoint.format(status=status)})
        assert client_of(app).get("/nope").status_code == status


def test_routes_of_the_app_itself_keep_their_errors(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        app.add_url_rule("/app", "app", lambda: abort(404))
        app.add_url_rule("/app500", "app500", lambda: str(1 / 0))

    client = client_of(make_pages(PAGES, setup))

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

    assert client_of(app).get("/nope").text == "the app's"


def test_an_error_in_the_error_page_ends_in_the_built_in_one(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_pages({"404.html": "{{ 1 / 0 }}"})
    response = client_of(app).get("/nope")

    assert response.status_code == 404
    assert "The requested URL was not found" in response.text
    assert "The 404 page raised" in caplog.text


def test_each_filepages_has_its_own(make_pages: MakePages) -> None:
    app = make_pages({"404.html": "outer", "gone.py": PAGES["gone.py"]})
    files = {"404.html": "inner", "gone.py": PAGES["gone.py"]}
    write_files(Path(app.root_path) / "shop", files)
    FilePages(app, folder="shop", url_prefix="/shop", name="shop")
    client = client_of(app)

    assert [client.get(url).text for url in ("/x", "/shopping", "/gone")] == [
        "outer"
    ] * 3
    assert [client.get(url).text for url in ("/shop/x", "/shop/gone")] == ["inner"] * 2


def test_a_prefix_without_one_gets_the_built_in_page(make_pages: MakePages) -> None:
    app = make_pages({"404.html": "outer"})
    write_files(Path(app.root_path) / "shop", {"a.html": "a"})
    FilePages(app, folder="shop", url_prefix="/shop", name="shop")

    assert "outer" not in client_of(app).get("/shop/x").text
