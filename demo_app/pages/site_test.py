"""Everything the navigation leads to is there."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from demo_app import create_app


@pytest.mark.parametrize(
    ("path", "mimetype"),
    [
        ("/", "text/html"),
        ("/archive/2", "text/html"),
        ("/blog/a-file-is-a-route", "text/html"),
        ("/blog/a-file-is-a-route/comments", "text/html"),
        ("/sitemap.xml", "application/xml"),
        ("/docs", "text/html"),
        ("/docs/api/webhook", "text/html"),
        ("/about", "text/html"),
        ("/login", "text/html"),
        ("/img/a-file-is-a-route.png", "image/png"),
        ("/api/time", "application/json"),
        ("/static/style.css", "text/css"),
    ],
)
def test_answers(filepages_client: FlaskClient, path: str, mimetype: str) -> None:
    with filepages_client.get(path) as response:
        assert (response.status_code, response.mimetype) == (200, mimetype)


def test_every_link_of_every_page_answers(filepages_client: FlaskClient) -> None:
    seen: set[str] = set()
    queue = ["/"]
    while queue:
        with filepages_client.get(queue.pop()) as page:
            expected = 303 if page.request.path == "/admin" else 200
            assert (page.request.path, page.status_code) == (
                page.request.path,
                expected,
            )
            if page.mimetype == "text/html":
                links = set(re.findall(r'(?:href|src)="(/[^"]*)"', page.text)) - seen
                seen |= links
                queue += sorted(links)

    assert len(seen) > 20


def test_unknown_pages_get_the_page_for_that(filepages_client: FlaskClient) -> None:
    page = filepages_client.get("/nowhere/<b>")

    assert page.status_code == 404
    assert "/nowhere/&lt;b&gt;" in page.text


def built(app: Flask) -> tuple[set[str], Flask]:
    """Return the paths of a build of *app*, and an app that serves it: in tests all
    pages are live."""
    site = app.extensions["filepages"]["filepages"]
    paths = {page.path for page in site.pages.build(app)}
    names = ("DATABASE", "FILEPAGES_BUILD_DIR")
    return paths, create_app({name: app.config[name] for name in names})


def test_the_stored_site_is_the_same(app: Flask) -> None:
    urls = ["/", "/archive/2", "/blog/a-file-is-a-route", "/docs/api", "/feed.xml"]
    live = [app.test_client().get(url) for url in urls]
    paths, other = built(app)
    stored = [other.test_client().get(url) for url in urls]
    other.extensions["demo_engine"].dispose()

    assert {"/sitemap.xml", "/img/nothing-else-changes.png", *urls} <= paths
    assert all("ETag" in answer.headers for answer in stored)
    named = ("Content-Type", "Content-Security-Policy", "Cache-Control")
    for before, after in zip(live, stored, strict=True):
        assert before.text == after.text
        assert [before.headers[n] for n in named] == [after.headers[n] for n in named]


def test_a_new_post_is_there_before_the_next_build(app: Flask) -> None:
    _, other = built(app)
    client = other.test_client()
    client.post("/api/posts", json={"title": "News", "body": "x"})
    stored, fresh = client.get("/blog/a-file-is-a-route"), client.get("/blog/news")
    other.extensions["demo_engine"].dispose()

    assert ("ETag" in stored.headers, "ETag" in fresh.headers) == (True, False)
    assert fresh.status_code == 200
