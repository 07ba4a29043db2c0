"""What most tests need: an app from a few lines, and a real server."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
import typing as t
import urllib.error
import urllib.request
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_filepages.building.build import Build
from flask_filepages.building.build import Options

if t.TYPE_CHECKING:
    from selenium import webdriver

pytest_plugins = ["pytester"]
# A machine may be slow, and no test is timed.
hypothesis.settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("untimed")

MakePages = Callable[..., Flask]
ROOT = Path(__file__).parent.parent

#: Handlers for trees of which only the routing matters.
ECHO = """\
def GET(context):
    return context.json({"id": context.route_id, "params": dict(context.params)})
"""


@pytest.fixture
def client_of(make_pages: MakePages) -> Callable[..., FlaskClient]:
    """Return ``client_of(files, **config)``: a test client of a tree."""

    def make(files: t.Mapping[str, str], **config: t.Any) -> FlaskClient:
        return make_pages(files, **config).test_client()

    return make


def visitor(app: Flask) -> FlaskClient:
    """Return a client that gets answers to failures, as a visitor does: they do not
    come up in the test."""
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app.test_client()


def built(app: Flask, **options: t.Any) -> Flask:
    """Build *app*, and return it as a server would run it: in tests all is live."""
    for _ in Build(app, Options(**options)):
        pass
    app.testing = False
    return app


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """A headless Chromium."""
    from selenium import webdriver  # Imported here, because few tests need it.

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver) and "CI" not in os.environ:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium or ""
    profile = tmp_path_factory.mktemp("profile")
    quiet = ("background-networking", "component-update", "sync", "gpu", "quic")
    for word in (
        *("--headless=new", "--no-sandbox", "--no-first-run", "--hide-scrollbars"),
        *("--disable-dev-shm-usage", f"--user-data-dir={profile}"),
        *(f"--disable-{name}" for name in quiet),
    ):
        options.add_argument(word)
    chrome = webdriver.Chrome(options, webdriver.ChromeService(driver or ""))
    chrome.set_script_timeout(20)
    yield chrome
    chrome.quit()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def server(command: list[str], url: str, cwd: Path, **env: str) -> Iterator[t.Any]:
    """Run *command* until *url* answers; stop it afterwards."""
    environ = {**os.environ, "PYTHONUNBUFFERED": "1", **env}
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until(lambda: _answers(url) or process.poll() is not None, 30)
        if process.poll() is not None:
            pytest.fail(f"the server ended: {process.communicate()[0]}")
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def gunicorn(target: str, port: int, *options: str) -> list[str]:
    address = f"127.0.0.1:{port}"
    python = [sys.executable, "-m", "gunicorn", "--no-control-socket"]
    return [*python, "-b", address, *options, target]


def until(condition: Callable[[], t.Any], seconds: float) -> t.Any:
    """Return the first true value of *condition*; fail after *seconds*."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    return pytest.fail(f"still not so after {seconds} s")


def _answers(url: str) -> bool:
    try:
        fetch(url)
    except OSError:
        return False
    return True


def fetch(url: str, headers: t.Mapping[str, str] | None = None) -> tuple[int, str]:
    """Return status and text of *url*; an HTTP error is an answer like any other.

    :raises OSError: no answer, or not a whole one.
    """
    try:
        return _fetch(urllib.request.Request(url, headers=dict(headers or {})))
    except http.client.HTTPException as error:
        raise OSError("the server ended in the middle of its answer") from error


def _fetch(request: urllib.request.Request) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
