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
    ("text", "file", "line", "fix"),
    [
        ("\n{% include 'foter.html' %}", "a.html", 2, "Did you mean 'footer.html'?"),
        ("{% include 'c.html' %}", "a.html", 1, "Did you mean './c.html'?"),
        ("{% include './cc.html' %}", "a.html", 1, "Did you mean './_ccc.html'?"),
        ("\n\n{% include ['xxxxx', 'yyyyy'] %}", "a.html", 3, "Check the name."),
        ("{% extends 'latin.html' %}", "latin.html", None, "Save it as UTF-8."),
        ("\n\ncaf\xe9".encode("latin-1"), "a.html", 3, "Save it as UTF-8."),
        (
            "{% extends 'broken.html' %}",
            "broken.html",
            2,
            "Fix the syntax error on this line.",
        ),
    ],
)
def test_faults_of_templates_say_where_and_how(
    pytester: pytest.Pytester, text: t.Any, file: str, line: int | None, fix: str
) -> None:
    files = {
        "pages/a.html": text,
        "pages/b.html": text,
        "pages/c.html": "",
        "pages/_ccc.html": "",
        "templates/footer.html": "",
        "templates/latin.html": "caf\xe9".encode("latin-1"),
        "templates/broken.html": "\n{% if %}",
    }
    faults = check(pytester, files)["faults"]

    (fault,) = [fault for fault in faults if fault["file"] == file]
    assert (fault["line"], fault["fix"].partition(" Write")[0]) == (line, fix)


@pytest.mark.parametrize(
    "text",
    [
        "{% include 'x.html' ignore missing %}",
        "{% include ['x.html', 'there.html'] %}",
        "{% include name %}",
        "{% import './a.html' as a %}",
    ],
)
def test_templates_that_need_not_exist(pytester: pytest.Pytester, text: str) -> None:
    files = {"pages/a.html": text, "templates/there.html": ""}

    assert check(pytester, files)["faults"] == []


def test_all_faults_of_a_page_are_reported(pytester: pytest.Pytester) -> None:
    text = "{% include 'x.html' %}\n{% include 'y.html' %}"
    faults = check(pytester, {"pages/a.html": text})["faults"]

    assert [fault["line"] for fault in faults] == [1, 2]


@pytest.mark.parametrize(
    ("files", "problem", "fix"),
    [
        (
            {"_middleware.py": "def middleware(call_next, context): ...\n"},
            "its middleware takes the context as its second argument",
            "Write `def middleware(context, call_next): return call_next()`.",
        ),
        (
            {
                "_middleware.py": "from flask_filepages import cors\nmiddleware = [cors]\n"
            },
            "its middleware is cors itself",
            "Call it: cors(...).",
        ),
        (
            {"utils.py": "def f(): ...\n"},
            "the file defines no handler",
            "Write `def GET(context): ...`. If it is not a route, name it _utils.py.",
        ),
        (
            {"a.py": f"from flask import g\ng.user\n{ECHO}"},
            "RuntimeError: Working outside of application context.",
            "Nothing is requested while the file is imported. Use context.app,"
            " context.request, context.session and functions such as url_for inside a"
            " handler.",
        ),
        (
            {
                "a.py": "from flask_filepages import validate\n"
                f"@validate(body={{}})\n{ECHO}"
            },
            "TypeError: validate() got an unexpected keyword argument 'body'",
            "The arguments of validate are: params, json, form, query, headers, cookies,"
            " files.",
        ),
        (
            {"[id].py": f"prerender = True\ndef get_static_paths(): ...\n{ECHO}"},
            "get_static_paths returned nothing (None), not a list",
            'Write `return [StaticPath({"id": "..."})]`.',
        ),
        (
            {
                "[id].py": f"prerender = True\ndef get_static_paths(): return [1]\n{ECHO}"
            },
            "entry 0 of get_static_paths is int, not a StaticPath",
            'Write StaticPath({"id": "..."}, props={...}).',
        ),
        (
            {"a.py": f"if True:\n    prerender = True\n{ECHO}"},
            "prerender is not a literal of the module: it is indented",
            "Write `prerender = True` or `prerender = False` on a line of its own. It is"
            " read before the file is run.",
        ),
    ],
)
def test_faults_of_python_files_say_how_to_fix_them(
    pytester: pytest.Pytester, files: dict[str, str], problem: str, fix: str
) -> None:
    files = {f"pages/{name}": text for name, text in files.items()}
    files["pages/index.html"] = ""
    (fault,) = check(pytester, files)["faults"]

    assert fault["problem"].startswith(problem)
    assert fault["fix"] == fix


def test_on_demand_in_a_static_site_is_an_error_at_start(
    pytester: pytest.Pytester,
) -> None:
    files = {"pages/a.py": f"\nprerender = False\n{ECHO}", "pages/b.html": "{% if %}"}
    (fault,) = check(pytester, files, "static")["faults"]

    assert (fault["file"], fault["line"]) == ("a.py", 2)
    assert fault["fix"] == "Set FILEPAGES_OUTPUT = 'hybrid', or remove the line."


BLUEPRINTS = """\
from flask import Blueprint, Flask, abort
from flask_filepages import FilePages

app = Flask(__name__)
FilePages(app)
api = Blueprint("api", __name__, url_prefix="/api")
plain = Blueprint("plain", __name__, url_prefix="/plain")


@api.before_request
def check_token():
    abort(401)


app.register_blueprint(api)
app.register_blueprint(plain)
"""


def test_a_file_below_a_guarded_blueprint_is_not_guarded(
    pytester: pytest.Pytester,
) -> None:
    names = ("api/users.py", "api/posts.py", "plain/a.py", "apix.py", "index.py")
    files = {f"pages/{name}": ECHO for name in names}
    (warning,) = check(pytester, {**files, "app.py": BLUEPRINTS})["warnings"]

    assert warning["file"] == "api/posts.py"
    assert warning["problem"] == (
        "the before_request functions of the blueprint 'api' (check_token) do not run"
        " for it, nor for 1 more"
    )


def test_a_variable_that_the_pages_package_will_replace(
    pytester: pytest.Pytester,
) -> None:
    code = (
        "from flask import Flask\nfrom flask_filepages import FilePages\n"
        "pages = FilePages()\n\n\n"
        "def create_app():\n    app = Flask(__name__)\n    pages.init_app(app)\n"
        "    return app\n"
    )
    files = {"my/__init__.py": code, "my/pages/a.py": ECHO}
    start = "from my import create_app\napp = create_app()\n"
    (warning,) = check(pytester, {**files, "app.py": start})["warnings"]

    assert warning["fix"] == (
        "Give the variable another name: filepages = FilePages(...)."
    )


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
