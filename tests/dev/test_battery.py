"""``pytest --filepages-battery`` fails exactly where an app breaks a promise."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from _pytest.pytester import RunResult

from flask_filepages.pytest_plugin import write_files

from ..conftest import ECHO
from ..conftest import ROOT

APP = """\
import traceback
from flask import Flask, Response, request
from flask_filepages import FilePages

app = Flask(__name__)

@app.after_request
def plant(response):
    if request.path == "/allow" and response.status_code == 405:
        response.headers["Allow"] = "GET"
    if request.path == "/head" and request.method == "HEAD":
        response.headers["X-Head"] = response.headers.pop("X-Get")
    if request.path == "/options" and request.method == "OPTIONS":
        response.status_code = 200
    if request.path == "/trace" and response.status_code == 405:
        response.set_data("Traceback (most recent call last): ...")
    return response

FilePages(app)
"""
GOOD = {
    "app.py": APP,
    "pages/good.py": ECHO,
    "pages/page.html": "<p>{{ request.url }}",
    "pages/all.py": "def ALL(context): return context.json(1)\n",
    "pages/every.py": "\n".join(
        f"def {name}(context): return context.json(1)"
        for name in [
            "GET",
            "HEAD",
            "POST",
            "PUT",
            "PATCH",
            "DELETE",
            "OPTIONS",
            "QUERY",
        ]
    ),
    "pages/posts/[id].py": ECHO,
    "pages/users/[id].py": ECHO,
    "pages/docs/[...path].py": ECHO,
    "pages/nonce.py": """\
import secrets

def GET(context):
    return context.json(1, headers={"Content-Security-Policy": secrets.token_hex()})
""",
    "pages/valid.py": """\
from flask_filepages import responds, validate
from marshmallow import Schema, fields

class Body(Schema):
    name = fields.String(required=True)
    age = fields.Integer()

@validate(json=Body, query={"page": fields.Integer()}, headers={"X-N": fields.Integer()})
def POST(context, json, query, headers):
    raise AssertionError("no valid request is sent")

@responds(Body)
def GET(context):
    return context.json({"name": "a", "age": 1})
""",
    "pages/stored/[slug].py": f"""\
from flask_filepages import StaticPath
prerender = True
def get_static_paths():
    return [StaticPath({{"slug": "a"}}), StaticPath({{"slug": "b"}})]
{ECHO}""",
    "pages/member/_middleware.py": """\
from flask import abort

def middleware(context, call_next):
    if "user" not in context.session:
        abort(401)
    return call_next()
""",
    "pages/member/index.py": f"prerender = True\n{ECHO}",
    "filepages_samples.json": '{"/posts/[id]": {"id": "1"}}',
}
#: A file with a fault, and the only test that must fail.
FAULTS = {
    "allow.py": (ECHO, "method_not_allowed"),
    "head.py": (
        "def GET(context): return context.json(1, headers={'X-Get': '1'})\n",
        "head_equals_get",
    ),
    "options.py": (ECHO, "options"),
    "trace.py": (ECHO, "no_trace"),
    "json.py": (
        """\
from flask_filepages import validate
from marshmallow import Schema, fields, pre_load

class Body(Schema):
    name = fields.String(required=True)

    @pre_load
    def strip(self, data, **kwargs):
        return {"name": data["name"].strip()}

@validate(json=Body)
def POST(context, json):
    return context.json(json)
""",
        "malformed_input",
    ),
    "query.py": (
        """\
from flask_filepages import validate
from marshmallow import Schema, fields, validates

class Query(Schema):
    page = fields.String()

    @validates("page")
    def check(self, value, **kwargs):
        int(value)

@validate(query=Query)
def GET(context, query):
    return context.json(query)
""",
        "malformed_input",
    ),
    "promise.py": (
        """\
from flask import Response
from flask_filepages import responds
from marshmallow import fields

@responds({"a": fields.Integer()})
def GET(context):
    return Response("{a: 1}", mimetype="application/json")
""",
        "promised_json",
    ),
    "differs.py": (
        "import time\nprerender = True\n"
        "def GET(context): return context.json(time.perf_counter())\n",
        "stored_equals_live",
    ),
    "guard/index.py": (f"prerender = True\n{ECHO}", "guards_hold"),
}
#: It refuses strangers, but not a build, whose requests have no address.
GUARD = """\
from flask import abort
from flask_filepages import once_per_render

@once_per_render
def middleware(context, call_next):
    address = context.request.remote_addr
    if address and not address.startswith("10."):
        abort(403)
    return call_next()
"""


def battery(folder: Path, pytester: pytest.Pytester, *options: str) -> RunResult:
    command = [sys.executable, "-m", "pytest", "--filepages-battery", "-rfs"]
    return pytester.run(*command, "-p", "no:cacheprovider", *options)


def failed(result: RunResult) -> list[str]:
    return sorted(re.findall(r"^FAILED battery::(\S+)", result.stdout.str(), re.M))


def test_a_good_app_is_all_green(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, GOOD)
    result = battery(pytester.path, pytester)

    assert failed(result) == []
    assert result.ret == 0
    text = result.stdout.str()
    assert 'write filepages_samples.json with {"/users/[id]": {"id": "..."}}' in text
    assert "the app refuses the request with 401 UNAUTHORIZED" in text


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_fails_one_test(pytester: pytest.Pytester, name: str) -> None:
    code, fact = FAULTS[name]
    files = {f"pages/{name}": code, "pages/guard/_middleware.py": GUARD}
    write_files(pytester.path, {**GOOD, **files})
    result = battery(pytester.path, pytester)
    route = name.removesuffix(".py").removesuffix("/index")

    assert failed(result) == [f"/{route}[{fact}]"]


def test_all_faults_at_once(pytester: pytest.Pytester) -> None:
    files = {f"pages/{name}": code for name, (code, _) in FAULTS.items()}
    files["pages/guard/_middleware.py"] = GUARD
    write_files(pytester.path, {**GOOD, **files})
    result = battery(pytester.path, pytester)

    assert len(failed(result)) == len(FAULTS)


def test_a_route_that_cannot_be_built_fails_alone(pytester: pytest.Pytester) -> None:
    code = "from flask import abort\nprerender = True\ndef GET(context): abort(404)\n"
    write_files(pytester.path, {**GOOD, "pages/gone.py": code})
    result = battery(pytester.path, pytester)

    assert failed(result) == ["/gone[guards_hold]", "/gone[stored_equals_live]"]
    assert "the build fails because of gone.py" in result.stdout.str()


def test_a_handler_that_fails_is_found(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, {**GOOD, "pages/fails.py": "def GET(context): 1 / 0\n"})

    assert failed(battery(pytester.path, pytester)) == ["/fails[head_equals_get]"]


def test_the_tests_of_the_user_may_turn_testing_on(pytester: pytest.Pytester) -> None:
    code, _ = FAULTS["differs.py"]
    test = """\
from app import app

def test_a():
    app.config["TESTING"] = True
    app.config["PROPAGATE_EXCEPTIONS"] = None
"""
    write_files(pytester.path, {**GOOD, "pages/differs.py": code, "test_a.py": test})
    result = battery(pytester.path, pytester, "-o", "pythonpath=.")

    assert failed(result) == ["/differs[stored_equals_live]"]


def test_the_battery_leaves_the_app_as_it_was(pytester: pytest.Pytester) -> None:
    test = """\
from app import app

def test_a():
    assert app.config["PROPAGATE_EXCEPTIONS"] is None
"""
    write_files(pytester.path, {**GOOD, "test_a.py": test})
    result = battery(pytester.path, pytester, "-o", "pythonpath=.")

    assert failed(result) == []
    assert "test_a.py" in result.stdout.str()


def test_k_selects_tests(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, GOOD)
    result = battery(pytester.path, pytester, "-k", "good and options")

    result.assert_outcomes(passed=1, deselected=result.parseoutcomes()["deselected"])


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"app.py": "1 / 0\n"}, "ERROR: *division by zero"),
        ({"app.py": ""}, "ERROR: *Failed to find Flask application*"),
        ({"filepages_samples.json": "{"}, "ERROR: *JSONDecodeError*"),
        (
            {"filepages_samples.json": '{"/nope": {}}'},
            "ERROR: *filepages_samples.json has {'/nope'}, which are not routes.",
        ),
        ({"pages/broken.py": "1 / 0\n"}, "ERROR: LoadError: *"),
    ],
)
def test_an_app_that_cannot_be_loaded_is_an_error(
    pytester: pytest.Pytester, files: dict[str, str], says: str
) -> None:
    write_files(pytester.path, {**GOOD, **files})
    result = battery(pytester.path, pytester)

    assert result.ret == 4
    result.stderr.fnmatch_lines([says])


def test_the_demo_is_all_green(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLASK_APP", "demo_app")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("DEMO_DATABASE", str(pytester.path / "demo.sqlite"))
    result = battery(pytester.path, pytester)
    outcomes = result.parseoutcomes()

    assert failed(result) == []
    assert outcomes["passed"] > 80
    assert outcomes.get("skipped", 0) <= 3


def test_without_the_option_nothing_is_added(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, {**GOOD, "test_a.py": "def test_a(): pass\n"})
    result = pytester.run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1)
