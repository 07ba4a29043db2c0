"""A real browser: the demo's form, and pages of other origins."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
import typing as t
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from demo_app import create_app
from flask_filepages.hosts.export import export

from .conftest import ROOT
from .conftest import fetch
from .conftest import free_port
from .conftest import server

pytestmark = pytest.mark.long

POST = "/blog/a-file-is-a-route/comments"
FOREIGN = """\
<!doctype html><meta charset="utf-8"><title>elsewhere</title>
<form method="post" action="{demo}{post}">
  <input name="author" value="Eve"><input name="text" value="Buy it"><button>Win</button>
</form>
"""
# What a script of the page may read, and what it may write.
READ = """\
const [url, done] = [arguments[0], arguments[arguments.length - 1]];
fetch(url).then(r => r.json()).then(d => done(d.total)).catch(e => done("refused"));
"""
WRITE = """\
const [url, done] = [arguments[0], arguments[arguments.length - 1]];
fetch(url, {method: "POST", headers: {"Content-Type": "application/json"},
            body: JSON.stringify({title: "From a friend", body: "Hello"})})
  .then(r => done([r.status, r.headers.get("Location")])).catch(e => done("refused"));
"""


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: t.Any) -> None:
        pass


@contextmanager
def static_server(folder: Path) -> Iterator[str]:
    handler = functools.partial(QuietHandler, directory=str(folder))
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{served.server_port}"
    finally:
        served.shutdown()
        thread.join()
        served.server_close()


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """Yield the addresses of the demo, of a page elsewhere, and of a friend's."""
    folder = tmp_path_factory.mktemp("elsewhere")
    port = free_port()
    demo = f"http://127.0.0.1:{port}"
    page = FOREIGN.format(demo=demo, post=POST)
    (folder / "index.html").write_text(page, encoding="utf-8")
    with static_server(folder) as elsewhere, static_server(folder) as friend:
        env = {
            "PORT": str(port),
            "DEMO_DATABASE": str(folder / "demo.sqlite"),
            "DEMO_API_ORIGINS": friend,
        }
        command = [sys.executable, "-m", "demo_app"]
        with server(command, f"{demo}/about", ROOT, **env):
            yield demo, elsewhere, friend


def fill(browser: webdriver.Chrome, **values: str) -> None:
    """Fill in the form and send it; wait for the page that comes."""
    old = browser.find_element(By.TAG_NAME, "html")
    for name, value in values.items():
        field = browser.find_element(By.NAME, name)
        field.clear()
        field.send_keys(value)
    browser.find_element(By.TAG_NAME, "button").click()
    WebDriverWait(browser, 10).until(lambda _: _is_gone(old))


def _is_left(element: t.Any, driver: object) -> bool:
    return _is_gone(element)


def _is_gone(element: t.Any) -> bool:
    from selenium.common.exceptions import StaleElementReferenceException
    from selenium.common.exceptions import WebDriverException

    try:
        element.is_enabled()
    except StaleElementReferenceException:
        return True
    except WebDriverException as error:
        # Asked just while the page is left, the driver says it like this.
        if "does not belong to the document" in str(error.msg):
            return True
        raise
    return False


def texts(browser: webdriver.Chrome, selector: str) -> list[str]:
    return [e.text for e in browser.find_elements(By.CSS_SELECTOR, selector)]


def test_the_form_is_refused_corrected_and_taken(
    browser: webdriver.Chrome, sites: tuple[str, str, str]
) -> None:
    browser.get(sites[0] + POST)
    fill(browser, author="Ann & <Bob>", text=" ")
    refused = texts(browser, ".error")
    kept = browser.find_element(By.NAME, "author").get_attribute("value")
    fill(browser, text="Well said.")

    assert refused == ["Please write something, without control characters."]
    assert kept == "Ann & <Bob>"
    assert texts(browser, ".comment") == ["Ann & <Bob> Well said."]
    assert browser.current_url == f"{sites[0]}{POST}"
    assert texts(browser, ".error") == []


def test_a_page_elsewhere_can_neither_post_nor_read(
    browser: webdriver.Chrome, sites: tuple[str, str, str]
) -> None:
    demo, elsewhere, _ = sites
    browser.get(elsewhere)
    read = browser.execute_async_script(READ, f"{demo}/api/posts")
    written = browser.execute_async_script(WRITE, f"{demo}/api/posts")
    fill(browser)

    assert (read, written) == ("refused", "refused")
    assert "another site" in browser.page_source
    assert "Eve" not in fetch(demo + POST)[1]
    assert "From a friend" not in fetch(f"{demo}/api/posts")[1]


def test_a_friend_may_use_the_api_but_not_the_form(
    browser: webdriver.Chrome, sites: tuple[str, str, str]
) -> None:
    demo, _, friend = sites
    browser.get(friend)
    read = browser.execute_async_script(READ, f"{demo}/api/posts")
    written = browser.execute_async_script(WRITE, f"{demo}/api/posts")
    fill(browser)

    assert read == 7
    assert written == [201, "/api/posts/from-a-friend"]
    assert "Eve" not in fetch(demo + POST)[1]


# -- an export --------------------------------------------------------------------------

STATUS = "return performance.getEntriesByType('navigation')[0].responseStatus"
LINKS = "return [...document.querySelectorAll('a[href]')].map(a => a.href)"
PARTS = (
    "return [...document.querySelectorAll('link[rel=stylesheet], img')]"
    ".map(e => e.href || e.src)"
)


def test_the_demo_below_a_root_of_github_pages_has_no_broken_link(
    browser: webdriver.Chrome, tmp_path: Path
) -> None:
    app = create_app(
        {
            "DATABASE": str(tmp_path / "demo.sqlite"),
            "FILEPAGES_BUILD_DIR": str(tmp_path / "site"),
            "FILEPAGES_SITE": "https://ann.example/repo",
            "APPLICATION_ROOT": "/repo",
            "ONLY_FILES": True,
        }
    )
    for _ in app.extensions["filepages"]["filepages"].pages.build(app):
        pass
    app.extensions["demo_engine"].dispose()
    folder = export(app, str(tmp_path / "out"), "github-pages").folder
    port = free_port()
    host = f"http://127.0.0.1:{port}"
    python = [sys.executable, "-m", "tests.hosts.static_hosts"]
    command = [*python, "github-pages", folder, str(port), "--root", "/repo"]
    with server(command, f"{host}/repo/", ROOT):
        visited = clicked_through(browser, f"{host}/repo/")

    assert {url: status for url, status in visited.items() if status != 200} == {}
    assert f"{host}/repo/archive/2/" in visited
    assert len(visited) > 15


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def clicked_through(browser: webdriver.Chrome, start: str) -> dict[str, int]:
    """Click every link of every page once; return the statuses by address."""
    browser.get(start)
    statuses = {start: int(browser.execute_script(STATUS))}
    waiting = [(start, link) for link in browser.execute_script(LINKS)]
    while waiting:
        page, link = waiting.pop()
        link = link.partition("#")[0]
        if link in statuses or not link.startswith(start.rpartition("/repo")[0]):
            continue
        browser.get(page)
        old = browser.find_element(By.TAG_NAME, "html")
        script = "[...document.querySelectorAll('a[href]')]"
        script += ".find(a => a.href.split('#')[0] === arguments[0]).click()"
        browser.execute_script(script, link)
        WebDriverWait(browser, 10).until(functools.partial(_is_left, old))
        statuses[link] = int(browser.execute_script(STATUS))
        here = browser.current_url
        if here not in statuses:
            statuses[here] = statuses[link]
        for part in browser.execute_script(PARTS):
            statuses[part] = statuses.get(part) or status_of(part)
        waiting += [(here, other) for other in browser.execute_script(LINKS)]
    return statuses
