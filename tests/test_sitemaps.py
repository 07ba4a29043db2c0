"""``sitemap()``: which pages are in it, and what it refuses."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ElementTree

import pytest

from .conftest import MakePages
from .conftest import visitor

SPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
CODE = """\
import datetime

from flask_filepages import sitemap


def GET(context):
    return sitemap(context.pages{})
"""
LISTING = """\
from flask_filepages import StaticPath
prerender = True


def get_static_paths():
    return [StaticPath({'x': value}) for value in %r]
"""
GUARD = "def middleware(context, call_next):\n    return call_next()\n"
PAGES = {
    "index.html": "",
    "a.html": "",
    "404.html": "",
    "data.json.py": "def GET(context):\n    return context.json(1)\n",
    "p/[x].py": LISTING % ["é & <b>", "c"],
    "p/[x].html": "",
    "q/[x].html": "",
    "q/[x].py": "prerender = False\n\n\ndef GET(context):\n    return context.render()\n",
    "club/_middleware.py": GUARD,
    "club/index.html": "",
}
SITE = {"FILEPAGES_SITE": "https://x.example", "FILEPAGES_OUTPUT": "hybrid"}


def parsed(text: str) -> list[dict[str, str]]:
    return [
        {child.tag.removeprefix(SPACE): child.text or "" for child in url}
        for url in ElementTree.fromstring(text)
    ]


def test_it_has_the_pages_that_everybody_may_have(make_pages: MakePages) -> None:
    app = make_pages({**PAGES, "sitemap.xml.py": CODE.format("")}, **SITE)
    response = app.test_client().get("/sitemap.xml")

    assert response.mimetype == "application/xml"
    assert sorted(url["loc"] for url in parsed(response.text)) == [
        "https://x.example/",
        "https://x.example/a/",
        "https://x.example/p/%C3%A9%20&%20%3Cb%3E/",
        "https://x.example/p/c/",
    ]


@pytest.mark.parametrize("base_url", ["http://localhost", "http://localhost/repo"])
def test_its_urls_begin_with_the_site_and_the_root(
    make_pages: MakePages, base_url: str
) -> None:
    files = {"a.html": "", "sitemap.xml.py": CODE.format("")}
    app = make_pages(files, APPLICATION_ROOT="/repo", **SITE)
    text = app.test_client().get("/sitemap.xml", base_url=base_url).text

    assert [url["loc"] for url in parsed(text)] == ["https://x.example/repo/a/"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("datetime.date(2026, 1, 2)", "2026-01-02"),
        (
            "datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)",
            "2026-01-02T03:04:05+00:00",
        ),
        ("None", None),
    ],
)
def test_a_function_returns_the_date(
    make_pages: MakePages, value: str, text: str | None
) -> None:
    code = CODE.format(f", lastmod=lambda path: {value}")
    app = make_pages({"a.html": "", "sitemap.xml.py": code}, **SITE)
    (url,) = parsed(app.test_client().get("/sitemap.xml").text)

    assert url.get("lastmod") == text


def test_a_function_chooses_the_paths(make_pages: MakePages) -> None:
    code = CODE.format(", include=lambda path: path.route_id.startswith('/p')")
    app = make_pages({**PAGES, "sitemap.xml.py": code}, **SITE)

    assert len(parsed(app.test_client().get("/sitemap.xml").text)) == 2


@pytest.mark.parametrize(
    ("arguments", "config", "words"),
    [
        ("", {"FILEPAGES_SITE": None}, "needs FILEPAGES_SITE"),
        (
            ", lastmod=lambda path: datetime.datetime(2026, 1, 2)",
            {},
            "has no time zone",
        ),
    ],
)
def test_what_it_refuses(
    make_pages: MakePages, arguments: str, config: dict[str, t.Any], words: str
) -> None:
    files = {"a.html": "", "sitemap.xml.py": CODE.format(arguments)}
    app = make_pages(files, **{**SITE, **config})
    with pytest.raises(Exception, match=words):
        app.test_client().get("/sitemap.xml")


def test_too_many_urls_are_an_error_that_says_how_to_split(
    make_pages: MakePages,
) -> None:
    files = {
        "p/[x].py": LISTING.replace("%r", "map(str, range(50_001))"),
        "p/[x].html": "",
        "sitemap.xml.py": CODE.format(""),
        "a.html": "",
        "rest.xml.py": CODE.format(", include=lambda path: path.route_id == '/a'"),
    }
    app = make_pages(files, **SITE)
    with pytest.raises(ValueError, match=r"at most 50,000 URLs. Write several files"):
        app.test_client().get("/sitemap.xml")

    assert len(parsed(visitor(app).get("/rest.xml").text)) == 1
