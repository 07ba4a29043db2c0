"""Everything the navigation leads to is there."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient


@pytest.mark.parametrize(
    ("path", "mimetype"),
    [
        ("/", "text/html"),
        ("/?page=2", "text/html"),
        ("/blog/a-file-is-a-route", "text/html"),
        ("/docs", "text/html"),
        ("/docs/api/webhook", "text/html"),
        ("/about", "text/html"),
        ("/login", "text/html"),
        ("/img/x.png", "image/png"),
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
