"""``flask filepages build --links`` checks the links of all stored pages."""

from __future__ import annotations

import pytest

from flask_filepages.errors import BuildError

from ..conftest import MakePages
from ..conftest import built

FILES = {
    "index.html": '<h1 id="hello">Hello</h1><a name="old">',
    "about.html": '<p id="caf\xe9">',
    "posts/[slug].py": """\
from flask import Response
from flask_filepages import StaticPath

def get_static_paths():
    return [StaticPath({"slug": slug}) for slug in ("a", "b")]

def GET(context):
    return Response(f'<p id="{context.params["slug"]}">')
""",
    "live/[id].py": "prerender = False\ndef GET(context): return context.json(1)\n",
    "form.py": "prerender = False\ndef POST(context): return context.json(1)\n",
    "404.html": "<p>Not found",
    "../static/a.css": "",
}


def build(make_pages: MakePages, page: str, **config: str) -> list[str]:
    """Return the problems of a build in which a page has the text *page*."""
    files = {**FILES, "sub/x.html": page}
    app = make_pages(files, FILEPAGES_OUTPUT="hybrid", **config)
    try:
        built(app, links="error")
    except BuildError as error:
        return [fault.problem for fault in error.faults]
    return []


@pytest.mark.parametrize(
    "link",
    [
        *("/", "/about", "/about/", "/posts/a", "/posts/b/#b", "../about", "/live/7"),
        *("/#hello", "/#old", "/#top", "/#TOP", "/#", "#", "/about#caf%C3%A9"),
        *("/about#caf\xe9", "/#:~:text=Hello", "/static/a.css", "?page=2", ""),
        *("https://x.example/y", "//x.example", "mailto:a@b.example", "/#/spa"),
        *("https://x.example/y#z", "mailto:a@b.example#z"),
        "javascript:void(0)",
    ],
)
def test_links_that_lead_somewhere(make_pages: MakePages, link: str) -> None:
    assert build(make_pages, f'<a href="{link}">') == []


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ('<a href="/abuot">', "links to '/abuot': no route has this path"),
        ('<img src="/static/b.png">', "links to '/static/b.png': no route"),
        ('<a href="/posts/c">', "links to '/posts/c': no route has this path"),
        ('<a href="/form">', "links to '/form': no route has this path"),
        ('<a href="/#helo">', "links to '/#helo': no element has this id"),
        ('<a href="#nothing">', "links to '#nothing': no element has this id"),
        ('<p>\n<a href="no">', "/sub/x, line 2, links to 'no'"),
    ],
)
def test_links_that_lead_nowhere(
    make_pages: MakePages, page: str, problem: str
) -> None:
    (found,) = build(make_pages, page)

    assert problem in found


def test_the_error_page_is_checked_too(make_pages: MakePages) -> None:
    app = make_pages(
        {"index.html": "", "404.html": '<a href="/no">'}, FILEPAGES_OUTPUT="hybrid"
    )

    with pytest.raises(BuildError, match="links to '/no'"):
        built(app, links="error")


def test_the_base_of_a_page(make_pages: MakePages) -> None:
    assert build(make_pages, '<base href="/posts/"><a href="a">') == []
    assert build(make_pages, '<base href="https://x.example/"><a href="y">') == []


def test_links_begin_with_the_root(make_pages: MakePages) -> None:
    page = '<a href="/shop/about"><a href="/shop/no"><a href="/other">'
    (found,) = build(make_pages, page, APPLICATION_ROOT="/shop")

    assert "links to '/shop/no'" in found


def test_a_fix_is_a_path_that_exists(make_pages: MakePages) -> None:
    files = {**FILES, "x.html": '<a href="/abuot"><a href="/#helo">'}
    with pytest.raises(BuildError) as caught:
        built(make_pages(files, FILEPAGES_OUTPUT="hybrid"), links="error")

    fixes = [fault.fix for fault in caught.value.faults]
    assert fixes == ["Did you mean /about?", "Did you mean #hello?"]


def test_nothing_is_published_with_an_error(make_pages: MakePages) -> None:
    files = {"index.html": '<a href="/no">'}
    app = make_pages(files, FILEPAGES_OUTPUT="hybrid")
    with pytest.raises(BuildError):
        built(app, links="error")

    assert app.extensions["filepages"]["filepages"].releases.current() is None


@pytest.mark.parametrize(("links", "count"), [("warn", 1), ("off", 0)])
def test_a_warning_is_logged(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture, links: str, count: int
) -> None:
    app = make_pages({"index.html": '<a href="/no">'}, FILEPAGES_OUTPUT="hybrid")
    built(app, links=links)

    assert caplog.text.count("links to '/no'") == count


def test_the_links_of_pages_that_did_not_change_are_checked(
    make_pages: MakePages,
) -> None:
    app = make_pages({"index.html": '<a href="/no">'}, FILEPAGES_OUTPUT="hybrid")
    built(app)
    app.testing = True

    with pytest.raises(BuildError, match="links to '/no'"):
        built(app, links="error")
