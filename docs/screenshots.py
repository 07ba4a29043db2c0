"""Take the pictures of the demo in ``_static/``: ``make screenshots`` while the demo
runs on port 5000. Those of the development tools are taken of a development server,
which this starts."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

URL = "http://127.0.0.1:5000"
FOLDER = Path(__file__).parent / "_static"
SHOTS = {"demo": "/", "demo-post": "/blog/a-function-is-a-method"}


def main() -> None:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for word in ("--headless=new", "--no-sandbox", "--hide-scrollbars"):
        options.add_argument(word)
    service = webdriver.ChromeService(shutil.which("chromedriver") or "")
    browser = webdriver.Chrome(options, service)
    for name, path in SHOTS.items():
        for width, height in ((360, 740), (1280, 900)):
            for scheme in ("light", "dark"):
                size = {"width": width, "height": height, "deviceScaleFactor": 1}
                browser.execute_cdp_cmd(
                    "Emulation.setDeviceMetricsOverride",
                    {**size, "mobile": width < 600},
                )
                feature = {"name": "prefers-color-scheme", "value": scheme}
                browser.execute_cdp_cmd(
                    "Emulation.setEmulatedMedia", {"features": [feature]}
                )
                browser.get(URL + path)
                browser.execute_async_script("setTimeout(arguments[0], 200)")
                browser.save_screenshot(FOLDER / f"{name}-{width}-{scheme}.png")
    take_openapi(browser)
    take_tools(browser)
    browser.quit()


def take_tools(browser: webdriver.Chrome) -> None:
    """Take the pictures of the route map and of a file that cannot be loaded."""
    with tempfile.TemporaryDirectory() as folder:
        flask = [sys.executable, "-m", "flask"]
        subprocess.run([*flask, "filepages", "init", "blog", folder], check=True)
        broken = Path(folder) / "pages" / "about.py"
        broken.write_text("from flask import Response\nfrom psots import POSTS\n")
        server = subprocess.Popen(
            [*flask, "run", "--debug", "--port", "5001"], cwd=folder
        )
        try:
            time.sleep(3)
            url = "http://localhost:5001"
            size = {"width": 1280, "deviceScaleFactor": 1, "mobile": False}
            set_size = "Emulation.setDeviceMetricsOverride"
            browser.execute_cdp_cmd(set_size, {**size, "height": 420})
            browser.get(f"{url}/about")
            browser.save_screenshot(FOLDER / "failure-1280.png")
            browser.execute_cdp_cmd(set_size, {**size, "height": 800})
            browser.get(f"{url}/blog/first")
            browser.get(f"{url}/_filepages")
            browser.find_element("css selector", "[data-url='/']").click()
            browser.find_element("css selector", "#try button").click()
            browser.execute_async_script("setTimeout(arguments[0], 500)")
            browser.execute_script("scrollTo(0, 0)")
            browser.save_screenshot(FOLDER / "routes-1280.png")
        finally:
            server.terminate()


def take_openapi(browser: webdriver.Chrome) -> None:
    """Take the picture of the API page, with a request and its response."""
    size = {"width": 1280, "height": 1500, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get(f"{URL}/openapi/#/api-posts/get_api_posts")
    for selector in (".try-out__btn", ".execute", ".live-responses-table"):
        where = (By.CSS_SELECTOR, selector)
        wait = WebDriverWait(browser, 20)
        element = wait.until(lambda _, where=where: browser.find_element(*where))
        if element.tag_name == "button":
            element.click()
    browser.execute_script(
        "document.querySelector('.opblock.is-open').scrollIntoView()"
    )
    browser.execute_async_script("setTimeout(arguments[0], 500)")
    browser.save_screenshot(FOLDER / "openapi-1280.png")


if __name__ == "__main__":
    main()
