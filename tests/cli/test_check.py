"""``flask filepages check`` finds what a start, a build or a visitor would find."""

from __future__ import annotations

import json
import sys
import typing as t

import pytest

from flask_filepages.pytest_plugin import write_files

from ..conftest import ECHO

APP = """\
from flask import Flask
from flask_filepages import FilePages
from flask_filepages.markdown import render_markdown

app = Flask(__name__)
app.config["FILEPAGES_OUTPUT"] = "{output}"
FilePages(app, renderers={{".md": render_markdown}})
"""


def check(
    pytester: pytest.Pytester, files: dict[str, t.Any], output: str = "server"
) -> dict[str, list[dict[str, t.Any]]]:
    write_files(pytester.path, {"app.py": APP.format(output=output), **files})
    command = [sys.executable, "-m", "flask", "--app", "app", "filepages", "check"]
    done = pytester.run(*command, "--json")
    assert "Traceback" not in str(done.stderr)
    return t.cast("dict[str, t.Any]", json.loads(str(done.stdout)))


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"a.html": "{% extends 'missing.html' %}"}, "'missing.html' does not exist"),
        (
            {"a.html": "{% include './_b.html' %}"},
            "'filepages:/_b.html' does not exist",
        ),
        (
            {"a.html": "{% include './_b.html' %}", "_b.html": "{% if %}"},
            "TemplateSyntaxError",
        ),
        ({"a.html": "{{ x "}, "TemplateSyntaxError"),
        ({"a.html": "{% include '../x.html' %}"}, "leads out of the pages folder"),
        ({"a.html": "caf\xe9".encode("latin-1")}, "it is not UTF-8: byte 3 is 0xe9"),
        ({"a.md": "---\na: b: c\n---\n"}, "the front matter is not YAML"),
        ({"a.md": "---\nlayout: no.html\n---\n"}, "layout 'no.html' is not a template"),
        ({"a.md": "caf\xe9".encode("latin-1")}, "it is not UTF-8: byte 3 is 0xe9"),
    ],
)
def test_templates_that_cannot_be_rendered(
    pytester: pytest.Pytester, files: dict[str, t.Any], problem: str
) -> None:
    report = check(pytester, {f"pages/{name}": text for name, text in files.items()})

    assert len(report["faults"]) == 1
    assert problem in report["faults"][0]["problem"]


@pytest.mark.parametrize(
    "name", ["PRERENDER", "Prerender", "pre_render", "prerendered"]
)
def test_near_misses_of_prerender(pytester: pytest.Pytester, name: str) -> None:
    report = check(pytester, {"pages/a.py": f"{name} = True\n{ECHO}"})

    (warning,) = report["warnings"]
    assert (warning["file"], warning["line"]) == ("a.py", 1)
    assert warning["fix"] == "Did you mean `prerender`?"


@pytest.mark.parametrize("name", ["x.ts", "style.css", "{id}.html", "403.html"])
def test_files_that_are_not_what_they_seem(
    pytester: pytest.Pytester, name: str
) -> None:
    (warning,) = check(pytester, {f"pages/{name}": ""})["warnings"]

    assert warning["file"] == name


def test_wrong_entries_of_get_static_paths(pytester: pytest.Pytester) -> None:
    code = (
        "from flask_filepages import StaticPath\nprerender = True\n\n\n"
        "def get_static_paths():\n"
        "    return [StaticPath({'id': 'a/b'}), StaticPath({'x': 'y'})]\n\n\n" + ECHO
    )
    report = check(pytester, {"pages/[id].py": code})

    assert [fault["file"] for fault in report["faults"]] == ["[id].py", "[id].py"]


def test_advice_for_a_post_in_a_static_site_works(pytester: pytest.Pytester) -> None:
    code = "def POST(context): ...\n"
    (fault,) = check(pytester, {"pages/a.py": code}, "static")["faults"]
    assert fault["fix"].startswith("Set FILEPAGES_OUTPUT = 'hybrid'.")

    followed = check(pytester, {"pages/a.py": f"prerender = False\n{code}"}, "hybrid")

    assert followed["faults"] == []


def test_each_warning_is_printed_once(pytester: pytest.Pytester) -> None:
    files = {
        "app.py": APP.format(output="server"),
        "pages/a.py": f"{ECHO}\n\ndef POTS(c): ...\n",
    }
    write_files(pytester.path, files)
    command = [sys.executable, "-m", "flask", "--app", "app", "filepages", "check"]
    done = pytester.run(*command)

    assert (str(done.stdout) + str(done.stderr)).count("POTS handles no method") == 1
    assert done.outlines[-1] == "1 route, 0 errors, 1 warning"
