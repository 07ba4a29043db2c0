"""Take the pictures of the demo in ``_static/``: ``make screenshots`` while the demo
runs on port 5000."""

from __future__ import annotations

import shutil
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
    browser.quit()


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
