"""How soon a change is seen: from saving a file to the new response, next to
``flask run --debug`` with plain views, and to ``astro dev``. And what the watcher and
the commands cost."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
import typing as t
import urllib.request
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import astro
from .fronting import free_port
from .measure import new_folder
from .measure import spent
from .measure import write

ROOT = Path(__file__).parent.parent
APP = """\
from flask import Flask
from flask_filepages import FilePages

app = Flask(__name__)
FilePages(app)
"""
ENDPOINT = """\
from flask import Response


def GET(context):
    return Response("<!doctype html><h1>0</h1>")
"""
PLAIN = """\
import importlib, pathlib
from flask import Flask

app = Flask(__name__)
for file in pathlib.Path("views").rglob("*.py"):
    _, *parts = file.with_suffix("").parts
    module = importlib.import_module(".".join(["views", *parts]))
    app.add_url_rule("/" + "/".join(parts), module.__name__, module.view)
"""
VIEW = """\
def view():
    return "<!doctype html><h1>0</h1>"
"""
ASTRO = """\
export const prerender = false;

export function GET() {
  return new Response("<!doctype html><h1>0</h1>");
}
"""
# Without the package watchfiles.
NO_WATCHFILES = {"sitecustomize.py": "import sys\nsys.modules['watchfiles'] = None\n"}
IDLE = """\
import sys, time
from flask import Flask
from flask_filepages.dev.watch import Watcher
watcher = Watcher(Flask("idle", root_path=sys.argv[1]))
watcher.add(sys.argv[1] + "/pages", [])
watcher.start()
time.sleep(2)
start, cpu = time.monotonic(), time.process_time()
time.sleep(float(sys.argv[2]))
print(100 * (time.process_time() - cpu) / (time.monotonic() - start))
"""
COMMANDS = {
    "routes": ["routes"],
    "explain": ["explain", "GET", "/g1/p1"],
    "check": ["check"],
    "new": ["new", "/fresh"],
    "openapi": ["openapi"],
}


def names(count: int) -> list[str]:
    """Return the names of files in folders of a hundred."""
    return [f"g{n // 100}/p{n}" for n in range(count)]


def fetch(url: str) -> str:
    """Return the text at *url*, or "" if there is no response."""
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return str(response.read().decode())
    except (OSError, http.client.HTTPException):
        return ""


@contextmanager
def running(command: list[str], folder: Path, url: str, **env: str) -> Iterator[None]:
    """Run a server until *url* responds; end it and its children by their group."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 120
        while not fetch(url):
            if time.monotonic() > end or process.poll() is not None:
                raise RuntimeError(f"{command}: no response")
            time.sleep(0.1)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def save_times(
    url: str, file: Path, rounds: int, see: Callable[[str, str], bool]
) -> list[float]:
    """Return the seconds from each of several edits of *file* until *see* is true."""
    found = []
    for number in range(1, rounds + 1):
        time.sleep(1.5)  # The server is idle again.
        text = re.sub(r"<h1>\d+", f"<h1>{number}", file.read_text(encoding="utf-8"))
        start = time.monotonic()
        file.write_text(text, encoding="utf-8")
        while not see(url, f"<h1>{number}<"):
            time.sleep(0.01)
        found.append(time.monotonic() - start)
    return found


def in_response(url: str, text: str) -> bool:
    return text in fetch(url)


@contextmanager
def browser() -> Iterator[t.Any]:
    """A headless Chromium, or ``None`` where it is not installed."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        yield None
        return
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(word)
    chrome = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


def flask_times(
    folder: Path, file: str, url: str, rounds: int, chrome: t.Any
) -> tuple[list[float], list[float]]:
    """Return the times until the response, and until the browser shows it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}{url}"
    command = [sys.executable, "-m", "flask", "run", "--debug", "--port", str(port)]
    with running(command, folder, url, PYTHONPATH=f"{folder}:{ROOT}"):
        responses = save_times(url, folder / file, rounds, in_response)
        if chrome is None:
            return responses, []
        chrome.get(url)

        def shown(url: str, text: str) -> bool:
            try:
                return text in chrome.page_source
            except Exception:  # The page is being loaded.
                return False

        return responses, save_times(url, folder / file, rounds, shown)


def astro_times(count: int, rounds: int) -> tuple[str, list[float]]:
    """Return the version of Astro and its times; none where npm cannot install it."""
    files = {f"src/pages/{name}.ts": ASTRO for name in names(count)}
    project = astro.project(files)
    if project is None:
        return "", []
    port = free_port()
    url = f"http://127.0.0.1:{port}/g0/p1"
    command = project.command("dev", "--port", str(port), "--host", "127.0.0.1")
    with running(command, project.folder, url, **astro.QUIET):
        file = project.folder / "src/pages/g0/p1.ts"
        return project.version, save_times(url, file, rounds, in_response)


def seconds(found: list[float]) -> str:
    return f"{statistics.median(found):.2f}" if found else "-"


def run(quick: bool, *, with_astro: bool) -> Iterator[str]:
    """Yield the lines of the tables."""
    counts, rounds = ((10,), 2) if quick else ((10, 1000, 5000), 5)
    yield "## Following changes"
    yield ""
    yield "Seconds from saving an endpoint to its new response (asked every 10 ms), and"
    yield f"until Chromium shows it: the median of {rounds} edits. Flask's own reloader"
    yield "is that of Werkzeug, which looks at the files of modules once a second."
    yield ""
    yield "| files | server | response | in the browser |"
    yield "| --- | --- | --- | --- |"
    with browser() as chrome:
        for count in counts:
            pages = {f"pages/{name}.py": ENDPOINT for name in names(count)}
            views = {f"views/{name}.py": VIEW for name in names(count)}
            for title, files, file, shown in (
                ("file routes, watchfiles", pages, "pages/g0/p1.py", chrome),
                (
                    "file routes, scan",
                    {**pages, **NO_WATCHFILES},
                    "pages/g0/p1.py",
                    chrome,
                ),
                ("plain views", {**views, "app.py": PLAIN}, "views/g0/p1.py", None),
            ):
                folder = write(new_folder(), {"app.py": APP, **files})
                found = flask_times(folder, file, "/g0/p1", rounds, shown)
                yield f"| {count:,} | {title} | {' | '.join(map(seconds, found))} |"
            if with_astro:
                version, times = astro_times(count, rounds)
                yield f"| {count:,} | astro dev {version} | {seconds(times)} | - |"
    yield ""
    yield from _costs(quick)


def _costs(quick: bool) -> Iterator[str]:
    count, wait = (50, "1") if quick else (5000, "15")
    folder = write(new_folder(), {f"pages/{name}.py": "" for name in names(count)})
    yield f"What the watcher uses while nothing changes, with {count:,} files:"
    yield ""
    yield "| way | % of a processor | goal |"
    yield "| --- | --- | --- |"
    for way, goal in (("watchfiles", 1), ("scan", 3)):
        place = write(new_folder(), NO_WATCHFILES if way == "scan" else {})
        environment = {**os.environ, "PYTHONPATH": f"{place}:{ROOT}"}
        command = [sys.executable, "-c", IDLE, str(folder), wait]
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        yield f"| {way} | {float(done.stdout):.2f} | {goal} |"
    count, rounds = (50, 1) if quick else (2000, 3)
    yield ""
    yield f"CPU seconds of commands, with {count:,} files: the median of {rounds} runs."
    yield ""
    yield "| command | CPU s | goal |"
    yield "| --- | --- | --- |"
    pages = {f"pages/{name}.py": ENDPOINT for name in names(count)}
    folder = write(new_folder(), {"app.py": APP, **pages})
    for name, words in COMMANDS.items():
        times = []
        for number in range(rounds):
            words = [word.replace("fresh", f"fresh{number}") for word in words]
            command = [sys.executable, "-m", "flask", "filepages", *words]
            times.append(spent(command, folder, PYTHONPATH=str(ROOT)).cpu)
        yield f"| {name} | {statistics.median(times):.2f} | 1.5 |"
    yield ""
