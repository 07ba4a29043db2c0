"""The development server as a developer sees it, in a browser that blocks everything
but ``'self'``."""

from __future__ import annotations

import os
import shutil
import sys
import time
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_filepages.pytest_plugin import write_files

from ..conftest import fetch
from ..conftest import free_port
from ..conftest import server
from ..conftest import until
from ..hosts.test_deploy import nginx
from ..test_demo_pages import AXE
from ..test_demo_pages import needs
from ..test_demo_pages import show

if t.TYPE_CHECKING:
    from selenium import webdriver

pytestmark = pytest.mark.long

APP = """\
from flask import Flask
from flask_filepages import FilePages

app = Flask(__name__)


@app.after_request
def protect(response):
    response.headers["Content-Security-Policy"] = "default-src 'self'"
    return response


FilePages(app)
"""
HELLO = """\
from flask import Response


def GET(context):
    head = '<title>One</title><meta name="viewport" content="width=device-width">'
    return Response(f"<!doctype html><html lang=en>{head}<main><h1>One</h1></main>")
"""
FILES = {
    "app.py": APP,
    "pages/hello.py": HELLO,
    "pages/styled.html": '<!doctype html><link rel=stylesheet href="/static/a.css"><h1>A',
    "static/a.css": "h1 { color: rgb(255, 0, 0) }",
    "pages/items/[id=int].py": """\
from flask_filepages import validate
from marshmallow import fields

@validate(query={"page": fields.Integer()})
def GET(context, query):
    return context.json({"id": context.params["id"], **query})

def POST(context):
    return context.json(context.request.get_json(), status=201)
""",
}
OVERLAY = """\
const overlay = document.querySelector("filepages-overlay");
return overlay ? overlay.shadowRoot.textContent : "";
"""


class Site(t.NamedTuple):
    """A project that the development server runs, and a browser."""

    folder: Path
    url: str
    browser: webdriver.Chrome

    def save(self, name: str, text: str) -> float:
        """Save a file; return the time."""
        write_files(self.folder, {name: text})
        return time.monotonic()

    def shows(self, text: str) -> Callable[[], bool]:
        return lambda: text in self.browser.page_source

    @property
    def overlay(self) -> str:
        return str(self.browser.execute_script(OVERLAY))


@pytest.fixture
def site(browser: webdriver.Chrome, tmp_path: Path) -> Iterator[Site]:
    write_files(tmp_path, FILES)
    port = free_port()
    command = [sys.executable, "-m", "flask", "run", "--debug", "--port", str(port)]
    url = f"http://localhost:{port}"
    with server(command, f"{url}/hello", tmp_path):
        yield Site(tmp_path, url, browser)
        browser.get("about:blank")


def violations(browser: webdriver.Chrome) -> list[tuple[str, list[str]]]:
    """Return what axe-core finds on the page."""
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run().then(r => done(r.violations))"
    )
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (HELLO.replace("return R", "retrn R"), "pages/hello.py:6"),
        ("import nothing_here\n" + HELLO, "pages/hello.py:1"),
    ],
    ids=["syntax", "import"],
)
def test_a_broken_file_is_shown_and_the_page_comes_back(
    site: Site, broken: str, line: str
) -> None:
    site.browser.get(f"{site.url}/hello")
    saved = site.save("pages/hello.py", broken)
    until(site.shows("Cannot load this file"), 20)
    took = time.monotonic() - saved
    place = site.browser.find_element("class name", "place").text
    site.save("pages/hello.py", HELLO)
    until(site.shows("<h1>One</h1>"), 20)

    assert place == line
    assert took < 5  # Usually 0.6 s; benchmarks/following.py measures it.


def test_a_page_that_fails_keeps_its_old_content_below_the_error(site: Site) -> None:
    site.browser.get(f"{site.url}/hello")
    failing = HELLO.replace("    return", "    {}['slug']\n    return")
    site.save("pages/hello.py", failing)
    until(lambda: site.overlay, 20)
    text = site.overlay

    assert "KeyError: 'slug'" in text
    assert "pages/hello.py:6" in text
    assert "   6      {}['slug']" in text
    assert "<h1>One</h1>" in site.browser.page_source
    site.save("pages/hello.py", HELLO.replace("One", "Two"))
    until(site.shows("<h1>Two</h1>"), 20)
    assert site.overlay == ""


def test_an_app_that_cannot_start_is_named(site: Site) -> None:
    site.browser.get(f"{site.url}/hello")
    site.save("pages/[bad.py", HELLO)
    until(lambda: site.overlay, 20)
    text = site.overlay

    assert "The app cannot start" in text
    assert "[bad.py: the brackets are unbalanced" in text
    (site.folder / "pages" / "[bad.py").unlink()
    until(lambda: not site.overlay, 20)


def test_the_error_can_be_closed(site: Site) -> None:
    site.browser.get(f"{site.url}/hello")
    site.save("pages/[bad.py", HELLO)
    until(lambda: site.overlay, 20)
    site.browser.execute_script(
        "document.querySelector('filepages-overlay').shadowRoot"
        ".querySelector('button').click()"
    )
    time.sleep(1.2)  # Two polls, after which it must not be back.

    assert site.overlay == ""


def test_an_edited_page_reloads(site: Site) -> None:
    site.browser.get(f"{site.url}/hello")
    site.save("pages/hello.py", HELLO.replace("One", "Two"))

    until(site.shows("<h1>Two</h1>"), 20)


def test_a_style_sheet_is_swapped_without_a_reload(site: Site) -> None:
    browser = site.browser
    browser.get(f"{site.url}/styled")
    until(lambda: "filepages" not in browser.title, 5)
    time.sleep(1)  # The script must have asked once, to know the state before.
    browser.execute_script("window.mark = 'still here'")
    site.save("static/a.css", "h1 { color: rgb(0, 0, 255) }")
    color = "return getComputedStyle(document.querySelector('h1')).color"
    until(lambda: browser.execute_script(color) == "rgb(0, 0, 255)", 20)

    assert browser.execute_script("return window.mark") == "still here"


def test_a_new_file_appears_in_the_map(site: Site) -> None:
    site.browser.get(f"{site.url}/_filepages")
    assert "/about" not in site.browser.page_source
    site.save("pages/about.html", "<h1>About")

    until(site.shows('href="/about"'), 20)


def test_a_route_is_tried_from_the_map(site: Site) -> None:
    browser = site.browser
    browser.get(f"{site.url}/_filepages")
    browser.find_element("css selector", "[data-url='/items/<int:id>']").click()
    field = browser.find_element("id", "try-path")
    assert field.get_attribute("value") == "/items/<int:id>"
    field.clear()
    field.send_keys("/items/7?page=2")
    browser.find_element("css selector", "#try button").click()
    response = browser.find_element("id", "response")
    until(lambda: response.text, 20)

    assert response.text.startswith("200 OK in ")
    assert '"id": 7' in response.text
    browser.find_element("css selector", "[value=POST], option:nth-child(3)").click()
    browser.find_element("id", "try-body").send_keys('{"a": 1}')
    browser.find_element("css selector", "#try button").click()
    until(lambda: response.text.startswith("201 CREATED"), 20)


def test_the_search_leaves_what_fits(site: Site) -> None:
    browser = site.browser
    browser.get(f"{site.url}/_filepages")
    browser.find_element("id", "search").send_keys("hel py")
    shown = [one for one in browser.find_elements("class name", "route") if one.text]

    assert ["/hello" in one.text for one in shown] == [True]
    assert browser.find_element("id", "count").text == "1 of 3 routes"


def test_a_hidden_page_does_not_ask(site: Site) -> None:
    browser = site.browser
    browser.get(f"{site.url}/hello")
    count = "return performance.getEntriesByName(location.origin + '/_filepages/state').length"
    until(lambda: browser.execute_script(count) > 1, 20)
    tab = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.switch_to.window(tab)
    hidden = "return document.visibilityState"
    if browser.execute_script(hidden) == "visible":
        browser.execute_script(
            "Object.defineProperty(document, 'hidden', {get: () => true})"
        )
    time.sleep(0.7)
    before = browser.execute_script(count)
    time.sleep(1.2)

    assert browser.execute_script(count) == before
    browser.switch_to.window(browser.window_handles[-1])
    browser.close()
    browser.switch_to.window(tab)


@pytest.mark.skipif(
    shutil.which("nginx") is None and "CI" not in os.environ,
    reason="nginx is not installed",
)
@pytest.mark.parametrize("host", ["localhost", "public.example"])
def test_behind_nginx_there_is_nothing(site: Site, tmp_path: Path, host: str) -> None:
    """By default it adds no field, and sends the name of the upstream as ``Host``."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    port = free_port()
    upstream = site.url.replace("localhost", "127.0.0.1")
    command = nginx(
        f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {upstream}; }} }}",
        port,
        folder,
    )
    front = f"http://127.0.0.1:{port}"
    with server(command, f"{front}/hello", folder):
        paths = ("", ".json", "/state", "/live.js")
        found = [fetch(f"{front}/_filepages{p}", {"Host": host})[0] for p in paths]
        page = fetch(f"{front}/hello", {"Host": host})[1]

    assert found == [403] * 4
    assert "live.js" not in page


@needs(AXE)
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
@pytest.mark.parametrize("page", ["map", "failure", "overlay"])
def test_the_tools_are_accessible_and_fit(
    site: Site, page: str, width: int, scheme: str
) -> None:
    browser = site.browser
    url = f"{site.url}/_filepages" if page == "map" else f"{site.url}/hello"
    show(browser, url, width, scheme)
    if page == "failure":
        site.save("pages/hello.py", "import nothing_here\n" + HELLO)
        until(site.shows("Cannot load this file"), 20)
    if page == "overlay":
        site.save(
            "pages/hello.py", HELLO.replace("    return", "    1 / 0\n    return")
        )
        until(lambda: site.overlay, 20)

    assert violations(browser) == []
    width_needed = "return document.documentElement.scrollWidth"
    assert browser.execute_script(width_needed) == width
