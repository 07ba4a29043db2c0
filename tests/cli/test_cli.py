"""``flask filepages``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from flask_filepages.pytest_plugin import write_files

from ..conftest import ECHO

APP = """\
from flask import Flask
from flask_filepages import FilePages

app = Flask(__name__)
FilePages(app)
"""
TREE = {
    "pages/index.py": ECHO + "\n\nPOST = GET\n",
    "pages/about.html": "",
    "pages/[...path].py": "prerender = True\nget_static_paths = list\n" + ECHO,
}


def flask(pytester: pytest.Pytester, *words: str) -> pytest.RunResult:
    return pytester.run(
        sys.executable, "-m", "flask", "--app", "app", "filepages", *words
    )


def test_routes(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, {**TREE, "app.py": APP})
    result = flask(pytester, "routes")

    assert result.outlines == [
        "  URL           Methods                   File          Stored responses",
        "ƒ /about        GET, HEAD, OPTIONS        about.html",
        "ƒ /             GET, HEAD, OPTIONS, POST  index.py",
        "○ /<path:path>  GET, HEAD, OPTIONS        [...path].py  inside Flask",
    ]


@pytest.mark.parametrize(
    ("front", "sent"), [("True", "front"), ("False", "inside Flask")]
)
def test_routes_tells_what_sends_stored_responses(
    pytester: pytest.Pytester, front: str, sent: str
) -> None:
    guard = "def middleware(context, call_next):\n    return call_next()\n"
    files = {
        "pages/a/_middleware.py": guard,
        "pages/a/b.py": "prerender = True\n" + ECHO,
    }
    config = f"app.config['FILEPAGES_FRONT'] = {front}\nFilePages(app)"
    write_files(pytester.path, {**TREE, **files})
    write_files(pytester.path, {"app.py": APP.replace("FilePages(app)", config)})
    rows = json.loads(flask(pytester, "routes", "--json").stdout.str())

    assert {row["id"]: row["sent"] for row in rows} == {
        "/": None,
        "/about": None,
        "/a/b": "inside Flask, behind middleware",
        "/[...path]": sent,
    }


def test_routes_shows_middleware(pytester: pytest.Pytester) -> None:
    guard = "def middleware(context, call_next):\n    return call_next()\n"
    files = {"pages/admin/_middleware.py": guard, "pages/admin/a.py": ECHO}
    write_files(pytester.path, {**TREE, **files, "app.py": APP})
    lines = flask(pytester, "routes").outlines

    assert lines[0].split() == [
        *("URL", "Methods", "File", "Middleware", "Stored", "responses"),
    ]
    assert lines[2].endswith("admin/a.py    admin/_middleware.py:middleware")
    assert lines[1].endswith("about.html")


def test_routes_for_a_program(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, {**TREE, "app.py": APP})
    rows = json.loads(flask(pytester, "routes", "--json").stdout.str())

    assert rows[0] == {
        "url": "/about",
        "methods": ["GET", "HEAD", "OPTIONS"],
        "file": "about.html",
        "page": "about.html",
        "id": "/about",
        "endpoint": "filepages./about",
        "prerender": False,
        "middleware": [],
        "sent": None,
        "filepages": "filepages",
    }


DOCS = "https://flask-filepages.readthedocs.io/en/latest/reference/checks.html"


@pytest.mark.parametrize(
    ("files", "code", "lines"),
    [
        (TREE, 0, ["3 routes, 0 errors, 0 warnings"]),
        (
            {"pages/a.py": ECHO + "\n\ndef post(context): ...\n"},
            0,
            [
                "warning[near-miss]: a.py:5: post handles no method",
                "    Did you mean `POST`?",
                "1 route, 0 errors, 1 warning",
            ],
        ),
        (
            {"pages/a.py": "1 / 0\n", "pages/b.py": ""},
            1,
            [
                "error[import]: a.py:1: ZeroDivisionError: division by zero",
                "    Importing the file raised this error. Fix this line.",
                "error[no-handler]: b.py: the file defines no handler",
                "    Write `def GET(context): ...`. If it is not a route, name it _b.py.",
                "2 routes, 2 errors, 0 warnings",
            ],
        ),
        (
            {"pages/a.html": "\n{% block x %}", "pages/b.txt": ""},
            1,
            [
                "error[template]: a.html:2: TemplateSyntaxError: Unexpected end of template. Jinja"
                " was looking for the following tags: 'endblock'. The innermost block that"
                " needs to be closed is 'block'.",
                "    Fix the syntax error on this line.",
                "1 route, 1 error, 0 warnings",
            ],
        ),
        (
            {"pages/[a.py": ""},
            1,
            [
                "error[name]: [a.py: the brackets are unbalanced",
                "    Write a param as [name].",
                "0 routes, 1 error, 0 warnings",
            ],
        ),
    ],
    ids=["good", "warning", "broken", "template", "bad name"],
)
def test_check(
    pytester: pytest.Pytester, files: dict[str, str], code: int, lines: list[str]
) -> None:
    write_files(pytester.path, {**files, "app.py": APP})
    result = flask(pytester, "check")

    if len(lines) > 1:
        lines = [*lines[:-1], f"Each check is explained at {DOCS}", lines[-1]]
    assert (result.ret, result.outlines) == (code, lines)


def test_check_for_a_program(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, {"pages/a.py": "\n1 / 0\n", "app.py": APP})
    result = flask(pytester, "check", "--json")

    assert json.loads(result.stdout.str()) == {
        "faults": [
            {
                "id": "import",
                "file": "a.py",
                "problem": "ZeroDivisionError: division by zero",
                "fix": "Importing the file raised this error. Fix this line.",
                "line": 2,
                "chain": ["pages/a.py:2, in <module>: 1 / 0"],
                "docs": f"{DOCS}#import",
            }
        ],
        "warnings": [],
    }


def test_an_app_without_filepages_is_told(pytester: pytest.Pytester) -> None:
    write_files(
        pytester.path, {"app.py": "from flask import Flask\napp = Flask('x')\n"}
    )
    result = flask(pytester, "routes")

    assert result.ret == 1
    result.stderr.fnmatch_lines(["Error: This app has no FilePages.*"])


def test_a_wrong_setting_is_told(pytester: pytest.Pytester) -> None:
    app = APP.replace("FilePages(app)", "FilePages(app, folder='nope')")
    write_files(pytester.path, {"app.py": app})
    result = flask(pytester, "check")

    assert result.ret == 1
    result.stderr.fnmatch_lines(["Error: The folder *nope does not exist.*"])


def test_flask_routes_lists_them_too(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, {**TREE, "app.py": APP})
    result = pytester.run(sys.executable, "-m", "flask", "--app", "app", "routes")

    result.stdout.fnmatch_lines(
        ["filepages./ *GET, POST*/*", "filepages./about*GET*/about*"]
    )


def test_in_process(make_pages: object) -> None:
    """The commands again without a process of their own."""
    from click.testing import CliRunner
    from flask.cli import ScriptInfo

    from flask_filepages.cli import filepages

    app = make_pages(  # type: ignore[operator]
        {"a.py": ECHO + "\n\ndef post(context): ...\n", "b.py": "", "c.html": ""}
    )
    info = ScriptInfo(create_app=lambda: app)
    checked = CliRunner().invoke(filepages, ["check"], obj=info)
    as_json = CliRunner().invoke(filepages, ["check", "--json"], obj=info)
    listed = CliRunner().invoke(filepages, ["routes"], obj=info)
    rows = CliRunner().invoke(filepages, ["routes", "--json"], obj=info)

    assert "b.py: the file defines no handler" in listed.stderr
    assert (checked.exit_code, as_json.exit_code) == (1, 1)
    assert "b.py: the file defines no handler" in checked.output
    assert len(json.loads(as_json.stdout)["warnings"]) == 1
    assert "c.html" in listed.output
    assert [row["file"] for row in json.loads(rows.stdout)] == [
        "a.py",
        "b.py",
        "c.html",
    ]
    assert Path(app.root_path).is_dir()
