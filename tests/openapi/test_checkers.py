"""The document in the hands of other programs: validators, schemathesis, generators of
clients, and a browser. ``make checkers`` installs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

import demo_app
from flask_filepages.openapi.document import describe
from flask_filepages.pytest_plugin import write_files

from ..conftest import ROOT
from ..conftest import free_port
from ..conftest import gunicorn
from ..conftest import server
from ..test_docs import blocks
from ..test_docs import files
from . import shelter

if t.TYPE_CHECKING:
    from selenium import webdriver

HERE = Path(__file__).parent
PYTHON = ROOT / ".venv" / "checkers" / "bin"
NODE = ROOT / ".venv" / "npm" / "node_modules"
APPS = ["shelter", "demo"]
GUIDE = (ROOT / "docs" / "guides" / "openapi.rst").read_text(encoding="utf-8")

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not (PYTHON.exists() and (NODE / "openapi-fetch").exists())
        and "CI" not in os.environ,
        reason="the checkers are not installed; see `make checkers`",
    ),
]


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Return what *command* prints; fail if it fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=APPS)
def document(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The document of the fixture app, and that of the demo, as a file."""
    folder = tmp_path_factory.mktemp("document")
    config = {"DATABASE": str(folder / "demo.sqlite")}
    create = shelter.create_app if request.param == "shelter" else demo_app.create_app
    app = create(t.cast("dict[str, t.Any]", config))
    file = folder / f"{request.param}.json"
    file.write_text(json.dumps(describe(app)[0]), encoding="utf-8")
    if request.param == "demo":
        app.extensions["demo_engine"].dispose()
    return file


@pytest.fixture(scope="module", params=APPS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[tuple[str, str]]:
    """Yield the name of an app, and its address while gunicorn serves it."""
    with serving(request.param, tmp_path_factory.mktemp("served")) as url:
        yield request.param, url


@contextmanager
def serving(name: str, folder: Path) -> t.Iterator[str]:
    """Serve an app for the time of a ``with`` statement, whose target is its URL."""
    port = free_port()
    package = "tests.openapi.shelter" if name == "shelter" else "demo_app"
    url = f"http://127.0.0.1:{port}"
    command = gunicorn(f"{package}:create_app()", port, "--threads", "2")
    env = {"DEMO_DATABASE": str(folder / "demo.sqlite"), "DEMO_SITE": url}
    with server(command, f"{url}/openapi.json", ROOT, **env):
        yield url


# -- validators -----------------------------------------------------------------------


def test_openapi_spec_validator_finds_nothing(document: Path) -> None:
    assert run(PYTHON / "openapi-spec-validator", document).endswith(": OK\n")


def test_spectral_finds_nothing(document: Path) -> None:
    rules = HERE / "spectral.yaml"
    spectral = NODE / ".bin" / "spectral"
    found = run(spectral, "lint", document, "-r", rules, "--fail-severity", "hint")

    assert "No results with a severity of 'hint' or higher found!" in found


def test_redocly_finds_nothing(document: Path) -> None:
    config = f"--config={HERE / 'redocly.yaml'}"
    redocly = NODE / ".bin" / "redocly"
    found = json.loads(run(redocly, "lint", document, config, "--format=json"))

    assert found["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}


# -- schemathesis ---------------------------------------------------------------------


def test_schemathesis_finds_nothing(served: tuple[str, str], tmp_path: Path) -> None:
    name, url = served
    # One worker: `ast.parse` of Python 3.11 fails now and then in two threads (gh-106905).
    options = ["--seed", "1", "--workers", "1", "--no-color"]
    config: list[str | Path] = []
    if name == "shelter":  # The demo needs no exceptions.
        config = ["--config-file", HERE / "schemathesis.toml"]
    options += ["--max-examples", "80" if name == "shelter" else "200"]
    command = [PYTHON / "st", *config, "run", f"{url}/openapi.json", *options]
    found = run(*command, cwd=tmp_path)
    counted = re.search(r"([\d,]+) generated, ([\d,]+) passed", found)

    assert counted is not None, found
    generated, passed = (int(one.replace(",", "")) for one in counted.groups())
    assert passed == generated >= 2000


# -- clients --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shelter_url(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    with serving("shelter", tmp_path_factory.mktemp("shelter")) as url:
        yield url


def operations() -> dict[str, str]:
    """Return the operation ids of the fixture app by method and path."""
    paths = describe(shelter.create_app())[0]["paths"]
    return {
        f"{method} {path}": operation["operationId"]
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def save(url: str, folder: Path) -> Path:
    """Save the document of the app at *url*, as a client generator needs it."""
    file = folder / "openapi.json"
    with urllib.request.urlopen(f"{url}/openapi.json") as response:
        file.write_bytes(response.read())
    return file


def build_typescript(folder: Path, saved: Path, types: str, program: str) -> Path:
    """Compile *program*, which imports the types of the document from *types*."""
    (folder / "node_modules").symlink_to(NODE)
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    generator = NODE / ".bin" / "openapi-typescript"
    run(generator, saved, "-o", folder / types, "--default-non-nullable=false")
    (folder / "client.ts").write_text(program, encoding="utf-8")
    options = ["--strict", "--target", "es2022", "--module", "nodenext"]
    run(NODE / ".bin" / "tsc", *options, "client.ts", cwd=folder)
    return folder / "client.js"


def test_a_typescript_client_runs_every_operation(
    shelter_url: str, tmp_path: Path
) -> None:
    saved = save(shelter_url, tmp_path)
    program = (HERE / "client.ts").read_text(encoding="utf-8")
    compiled = build_typescript(tmp_path, saved, "shelter.d.ts", program)
    called = run("node", compiled, shelter_url)

    assert called.splitlines() == sorted(operations())


def generate_python(folder: Path, saved: Path, name: str) -> None:
    generator = PYTHON / "openapi-python-client"
    where: list[str | Path] = ["--path", saved, "--output-path", folder / name]
    config = HERE / "python-client.yaml"
    options = ["--meta", "none", "--fail-on-warning"]
    run(generator, "generate", *where, "--config", config, *options)


def test_a_python_client_runs_every_operation(shelter_url: str, tmp_path: Path) -> None:
    generate_python(tmp_path, save(shelter_url, tmp_path), "shelter_client")
    program = (HERE / "client.py").read_text(encoding="utf-8")
    (tmp_path / "client.py").write_text(program, encoding="utf-8")
    run(PYTHON / "mypy", "--strict", "client.py", cwd=tmp_path)
    run(PYTHON / "python", "client.py", shelter_url, cwd=tmp_path)

    assert [name for name in operations().values() if f" {name}\n" not in program] == []


def block_of(language: str) -> str:
    """Return the only block of a language in the guide."""
    (text,) = [
        b.text for b in blocks(GUIDE) if b.language == language and not b.caption
    ]
    return text


@pytest.fixture
def notes(tmp_path: Path) -> t.Iterator[str]:
    """Yield the address of the app of the guide."""
    written = {f"notes/{name}": text for name, text in files(GUIDE).items()}
    write_files(tmp_path / "app", written)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with server(gunicorn("notes:app", port), f"{url}/openapi.json", tmp_path / "app"):
        yield url


def test_the_typescript_of_the_guide(notes: str, tmp_path: Path) -> None:
    program = block_of("typescript").replace("https://notes.example", notes)
    program = program.replace("./api", "./api.js")
    compiled = build_typescript(tmp_path, save(notes, tmp_path), "api.d.ts", program)

    assert run("node", compiled) == "Hello\n"


def test_the_python_of_the_guide(notes: str, tmp_path: Path) -> None:
    program = block_of("python3").replace("https://notes.example", notes)
    (tmp_path / "client.py").write_text(program, encoding="utf-8")
    generate_python(tmp_path, save(notes, tmp_path), "notes_client")

    assert run(PYTHON / "python", "client.py", cwd=tmp_path) == "Hello\n"


# -- the page -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    with serving("demo", tmp_path_factory.mktemp("demo")) as url:
        yield url


def found(browser: webdriver.Chrome, selector: str) -> t.Any:
    """Return the element of *selector* once it is there."""
    where = (By.CSS_SELECTOR, selector)
    return WebDriverWait(browser, 20).until(lambda _: browser.find_element(*where))


def test_the_page_sends_a_request_and_shows_its_response(
    browser: webdriver.Chrome, demo_url: str
) -> None:
    browser.get(f"{demo_url}/openapi/#/api-posts/get_api_posts")
    for selector in (".try-out__btn", ".execute"):
        found(browser, selector).click()
    shown = found(browser, ".live-responses-table .response").text

    assert shown.startswith("200")
    assert '"total": 7' in shown
    assert browser.find_element(By.CSS_SELECTOR, ".title").text.startswith(
        "The file blog"
    )


def test_the_page_loads_nothing_from_elsewhere(
    browser: webdriver.Chrome, demo_url: str
) -> None:
    browser.get(f"{demo_url}/openapi/")
    found(browser, ".opblock")
    script = "return performance.getEntriesByType('resource').map(r => r.name)"
    loaded = browser.execute_script(script)

    assert len(loaded) >= 4
    assert [url for url in loaded if not url.startswith((demo_url, "data:"))] == []
