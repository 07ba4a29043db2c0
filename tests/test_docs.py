"""The documentation names what there is, and what it shows runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import flask_filepages
from flask_filepages.cli import filepages
from flask_filepages.pytest_plugin import write_files
from flask_filepages.settings import _READERS

from .conftest import ROOT

PAGES = sorted((ROOT / "docs").glob("*.rst"))
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
README = (ROOT / "README.rst").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(_READERS))
def test_every_setting_is_described(name: str) -> None:
    key = f"FILEPAGES_{name.upper()}"

    assert key in TEXT
    assert key in (flask_filepages.FilePages.init_app.__doc__ or "")


@pytest.mark.parametrize("name", sorted(filepages.commands))
def test_every_command_is_described(name: str) -> None:
    assert f"``flask filepages {name}``" in TEXT


@pytest.mark.parametrize("name", flask_filepages.__all__)
def test_every_public_name_is_described(name: str) -> None:
    family = (
        (flask_filepages.errors.__doc__ or "")
        if hasattr(flask_filepages, "errors")
        else ""
    )

    assert name in TEXT or name in family


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 120


def test_files_that_the_readme_names_are_there() -> None:
    assert all(
        (ROOT / name).is_file() for name in re.findall(r"``(docs/\w+\.rst)``", README)
    )


def blocks(text: str) -> dict[str, str]:
    """Return the Python blocks of a page that say which file they are."""
    found = re.findall(
        r"\.\. code-block:: python\n(?:    :caption: (\S+)\n)?\n((?:    .*\n|\n)+)",
        text,
    )
    plain = [(name, re.sub("^    ", "", code, flags=re.M)) for name, code in found]
    named = {name: code for name, code in plain if name}
    for _, code in plain:
        first = re.match(r"# myapp/(\S+)\n", code)
        if first:
            named[first[1]] = code
    return named


def test_the_readme_program_answers_as_it_says(pytester: pytest.Pytester) -> None:
    files = {f"myapp/{name}": code for name, code in blocks(README).items()}
    assert sorted(files) == ["myapp/__init__.py", "myapp/pages/api/posts/[id].py"]
    write_files(pytester.path, files)
    code = (
        "from myapp import app\nclient = app.test_client()\n"
        "got, posted = client.get('/api/posts/1'), client.post('/api/posts/1')\n"
        "print(got.text.strip(), posted.status, posted.headers['Allow'])\n"
        "print(client.delete('/api/posts/1').status, client.get('/api/posts/1').status)\n"
    )
    result = pytester.run(sys.executable, "-c", code)

    assert result.outlines == [
        '{"title":"Hello"} 405 METHOD NOT ALLOWED DELETE, GET, HEAD, OPTIONS',
        "204 NO CONTENT 404 NOT FOUND",
    ]
    for line in result.outlines[0].split(" 405 "):
        assert line.removeprefix("METHOD NOT ALLOWED ") in README


def test_the_quickstart_works_as_typed(pytester: pytest.Pytester) -> None:
    text = (ROOT / "docs" / "quickstart.rst").read_text(encoding="utf-8")
    write_files(pytester.path, blocks(text))
    code = "from wsgi import app\nprint(app.test_client().get('/hello/ann').text)"
    asked = pytester.run(sys.executable, "-c", code)
    listed = pytester.run(sys.executable, "-m", "flask", "filepages", "routes")

    assert asked.outlines[0] == '{"hello":"ann"}'
    assert asked.outlines[0] in text
    assert all(line in text for line in listed.outlines)


def test_no_page_speaks_of_a_folder_of_this_machine() -> None:
    sources = [p for p in ROOT.rglob("*.py") if ".venv" not in p.parts]
    named = [p for p in [*PAGES, *sources] if p != Path(__file__)]
    told = [p.name for p in named if "/work/" in p.read_text(encoding="utf-8")]

    assert told == []
