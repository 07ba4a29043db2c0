"""The pages of the demo: valid HTML, accessible, and readable on a small screen."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from .conftest import ROOT
from .conftest import fetch
from .conftest import free_port
from .conftest import server

if t.TYPE_CHECKING:
    from selenium import webdriver

pytestmark = pytest.mark.long

PACKAGES = ROOT / ".venv" / "npm" / "node_modules"
AXE = PACKAGES / "axe-core" / "axe.min.js"
CHECKER = PACKAGES / "vnu-jar" / "build" / "dist" / "vnu.jar"
PAGES = {
    "/": "A blog whose routes are files",
    "/archive": "All posts",
    "/blog/a-file-is-a-route": "A file is a route",
    "/blog/a-file-is-a-route/comments": "Comments on",
    "/about": "About this blog",
    "/docs": "The API",
    "/docs/api": "Posts",
    "/docs/api/webhook": "The webhook",
    "/contact": "Contact",
    "/login": "Log in",
    "/admin": "Admin",
    "/nowhere": "Not found",
}


def needs(file: Path) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not file.exists() and "CI" not in os.environ,
        reason=f"{file.name} is not installed; see `make checkers`",
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    port = free_port()
    database = tmp_path_factory.mktemp("demo") / "demo.sqlite"
    env = {"PORT": str(port), "DEMO_DATABASE": str(database)}
    url = f"http://127.0.0.1:{port}"
    with server([sys.executable, "-m", "demo_app"], f"{url}/about", ROOT, **env):
        yield url


@pytest.fixture(scope="module")
def admin(browser: webdriver.Chrome, demo: str) -> webdriver.Chrome:
    """The browser, logged in."""
    browser.get(f"{demo}/login")
    password = re.findall(r"The password is <code>(\w+)</code>", browser.page_source)
    browser.find_element("name", "password").send_keys(*password)
    browser.find_element("css selector", "form button").click()
    return browser


def show(
    browser: webdriver.Chrome, url: str, width: int, scheme: str = "light"
) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600},
    )
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get(url)


@needs(AXE)
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1280, "light")])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible(
    admin: webdriver.Chrome, demo: str, path: str, width: int, scheme: str
) -> None:
    show(admin, demo + path, width, scheme)
    assert PAGES[path] in admin.find_element("css selector", "h1").text
    for details in admin.find_elements("css selector", "summary"):
        details.click()  # The source code is a part of the page, too.
    admin.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
    found = admin.execute_async_script(
        "const done = arguments[0]; axe.run().then(r => done(r.violations))"
    )

    assert [(one["id"], [n["html"] for n in one["nodes"]]) for one in found] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_small_screen(
    admin: webdriver.Chrome, demo: str, path: str
) -> None:
    show(admin, demo + path, 360)
    width = admin.execute_script("return document.documentElement.scrollWidth")

    assert width == 360


@pytest.mark.parametrize("path", ["/feed.xml", "/sitemap.xml"])
def test_the_port_is_in_the_addresses(demo: str, path: str) -> None:
    status, text = fetch(demo + path)

    assert status == 200
    assert f"<loc>{demo}/about/</loc>" in text or f"<link>{demo}/</link>" in text
    assert "127.0.0.1:5000" not in text.replace(demo, "")


def test_a_page_says_when_it_arrived(browser: webdriver.Chrome, demo: str) -> None:
    show(browser, f"{demo}/blog/a-file-is-a-route", 1280)
    browser.execute_async_script("setTimeout(arguments[0], 100)")
    text = browser.find_element("css selector", "summary").text

    assert re.fullmatch(
        r"This page is pages/blog/\[slug\]\.py, prerendered, and arrived in \d+ ms",
        text,
    )


def test_the_first_tab_skips_the_navigation(
    browser: webdriver.Chrome, demo: str
) -> None:
    show(browser, demo, 1280)
    browser.find_element("css selector", "body").send_keys("\t")
    focused = browser.switch_to.active_element

    assert focused.text == "Skip to the content"
    assert focused.is_displayed()


@needs(CHECKER)
@pytest.mark.skipif(
    shutil.which("java") is None and "CI" not in os.environ,
    reason="java is not installed",
)
def test_the_pages_are_valid_html(
    admin: webdriver.Chrome, demo: str, tmp_path: Path
) -> None:
    cookie = "; ".join(f"{c['name']}={c['value']}" for c in admin.get_cookies())
    for number, path in enumerate(PAGES):
        _, text = fetch(demo + path, {"Cookie": cookie, "Accept": "text/html"})
        (tmp_path / f"{number}.html").write_text(text, encoding="utf-8")
    command = ["java", "-jar", str(CHECKER), "--format", "json", "--exit-zero-always"]
    result = subprocess.run(
        [*command, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert json.loads(result.stderr)["messages"] == []
