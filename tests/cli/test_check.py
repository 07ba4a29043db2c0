"""``flask filepages check`` finds what a start, a build or a visitor would find."""

from __future__ import annotations

import json
import sys
import typing as t
from collections import Counter

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo
from jinja2.ext import Extension

from flask_filepages import FilePages
from flask_filepages.cli import filepages
from flask_filepages.markdown import render_markdown
from flask_filepages.pytest_plugin import write_files

from ..conftest import ECHO


def check(
    pytester: pytest.Pytester, files: dict[str, t.Any], output: str = "server"
) -> dict[str, list[dict[str, t.Any]]]:
    """Return what the command reports of *files*; of their ``app.py`` in a process of
    its own."""
    write_files(pytester.path, files)
    if "app.py" in files:
        command = [sys.executable, "-m", "flask", "--app", "app", "filepages", "check"]
        done = pytester.run(*command, "--json")
        assert "Traceback" not in str(done.stderr)
        return t.cast("dict[str, t.Any]", json.loads(str(done.stdout)))

    def create_app() -> Flask:
        app = Flask(f"checked_{pytester.path.name}", root_path=str(pytester.path))
        app.config["FILEPAGES_OUTPUT"] = output
        FilePages(app, renderers={".md": render_markdown})
        return app

    pytester.syspathinsert()
    script = ScriptInfo(create_app=create_app)
    result = CliRunner().invoke(filepages, ["check", "--json"], obj=script)
    assert isinstance(result.exception, SystemExit | None), result.exception
    return t.cast("dict[str, t.Any]", json.loads(result.stdout))


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


def test_a_layout_is_parsed_once_for_all_pages(pytester: pytest.Pytester) -> None:
    parsed: Counter[str | None] = Counter()

    class Counting(Extension):
        def preprocess(
            self, source: str, name: str | None, filename: str | None = None
        ) -> str:
            parsed[name] += 1
            return source

    def create_app() -> Flask:
        app = Flask("counted", root_path=str(pytester.path))
        app.jinja_env.add_extension(Counting)
        FilePages(app)
        return app

    pages = {f"pages/{name}.html": "{% extends 'base.html' %}" for name in "abc"}
    write_files(pytester.path, {**pages, "templates/base.html": "Hello"})
    script = ScriptInfo(create_app=create_app)
    result = CliRunner().invoke(filepages, ["check"], obj=script)

    assert result.stdout == "3 routes, 0 errors, 0 warnings\n"
    assert parsed["base.html"] == 1


def test_a_fault_of_a_template_hides_no_path(pytester: pytest.Pytester) -> None:
    code = f"prerender = True\ndef get_static_paths(): return [1]\n{ECHO}"
    files = {"pages/[id].py": code, "pages/a.html": "{% if %}"}
    faults = check(pytester, files)["faults"]

    assert {fault["file"] for fault in faults} == {"[id].py", "a.html"}


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
            {"s.py": "import helper\n"},
            "ZeroDivisionError: division by zero (helper.py:2)",
            "Importing the file raised this error. Fix this line.",
        ),
        (
            {"_lib.py": "", "s.py": "from .lib import x\n"},
            "ModuleNotFoundError: No module named",
            "For the file _lib.py write `from ._lib import x`.",
        ),
        (
            {"_lib.py": "", "s/x.py": "from ._lib import x\n"},
            "ModuleNotFoundError: No module named",
            "For the file _lib.py write `from .._lib import x`.",
        ),
        (
            {
                "_middleware.py": "import functools\ndef d(f):\n"
                "    @functools.wraps(f)\n    def w(**k): ...\n    return w\n\n\n"
                "@d\ndef middleware(context, call_next): ...\n"
            },
            "its middleware does not take (context, call_next)",
            "Let its decorator pass on all arguments: (*args, **kwargs).",
        ),
        (
            {"s.md": "---\nlayout: ../base.html\n---\n"},
            "its layout ../base.html leads out of the pages folder",
            "Fix this line.",
        ),
        (
            {"s.md": "caf\xe9".encode("latin-1")},
            "it is not UTF-8: byte 3 is 0xe9",
            "Save it as UTF-8.",
        ),
        (
            {"s.py": f"from ._b import x\ny = 1\n{ECHO}", "_b.py": "from .s import y"},
            "ImportError: cannot import name 'y' from partially initialized",
            "The two modules import each other. Move what both need to a third one, or"
            " import it inside the function that needs it.",
        ),
        (
            {"s.py": "x = 1\0"},
            "SyntaxError: source code string cannot contain null bytes",
            "Save it as UTF-8.",
        ),
        (
            {"s.py": "def POST(context, json): ...\n"},
            "POST does not take (context)",
            "Write @validate(json=Schema) above it.",
        ),
        (
            {"s.py": "def DELETE(): ...\n"},
            "DELETE does not take (context)",
            "Write `def DELETE(context): ...`; a param is context.params[name].",
        ),
        (
            {"s.py": "def d(f): ...\n\n\n@d\ndef GET(context): ...\n"},
            "GET is NoneType, not a function",
            "Write `def GET(context): ...`; a param is context.params[name]. If it has a"
            " decorator, let that return a function.",
        ),
        (
            {
                "s.py": "def d(f):\n    def w(**k): ...\n    return w\n\n\n"
                "@d\ndef GET(context): ...\n"
            },
            "GET has a decorator whose function w(**k) does not take the context",
            "Let it pass on all arguments: `def w(*args, **kwargs)`.",
        ),
        (
            {
                "s.py": "from flask_filepages import headers\n"
                f"middleware = headers(['X-A: b'])\n{ECHO}"
            },
            "TypeError: headers() got 'X-A: b'. Write headers({'X-Name': 'value'}).",
            "Importing the file raised this error. Fix this line.",
        ),
        (
            {
                "s.py": "import functools\nfrom flask_filepages import validate\n"
                "def d(f):\n    @functools.wraps(f)\n    def w(context): ...\n"
                "    return w\n\n\n@validate(json={})\n@d\n"
                "def POST(context, json): ...\n"
            },
            "TypeError: the decorator below @validate (pages/s.py:4) does not pass on",
            "Importing the file raised this error. Fix this line.",
        ),
        (
            {
                "s.py": "from flask_filepages import validate\n"
                "from marshmallow import fields\n\n\n"
                "@validate(json=fields.Integer())\ndef POST(context, json): ...\n"
            },
            "TypeError: Integer(...) is not a marshmallow schema or a dict of fields.",
            "Importing the file raised this error. Fix this line.",
        ),
        (
            {
                "s.py": "from flask_filepages import validate\n\n\n"
                "@validate(json={})\ndef POST(json, context): ...\n"
            },
            "TypeError: Write POST(context, json).",
            "Importing the file raised this error. Fix this line.",
        ),
        (
            {
                "s.py": "from flask_filepages import validate\n\n\n"
                "@validate(json={})\ndef view(context): ...\n\n\nPOST = view\n"
            },
            "TypeError: view() lacks a parameter for json. Write",
            "Importing the file raised this error. Fix this line.",
        ),
        (
            {"_middleware.html": ""},
            "nothing reads middleware from a file of this name",
            "Rename it to _middleware.py.",
        ),
        (
            {"[a].py": f"prerender = True\ndef get_static_paths(x): ...\n{ECHO}"},
            "get_static_paths must take no arguments",
            'Write `def get_static_paths(): return [StaticPath({"a": "..."})]`.',
        ),
        (
            {
                "[page].py": "from flask_filepages import paginate\nprerender = True\n"
                f"def get_static_paths(): return [paginate([])]\n{ECHO}"
            },
            "entry 0 of get_static_paths is a list, not a StaticPath",
            "Write `return paginate(...)`, without a list around it.",
        ),
        (
            {
                "[a].py": "from flask_filepages import StaticPath\nprerender = True\n"
                f"def get_static_paths(): return [StaticPath({{'a': '1'}})] * 2\n{ECHO}"
            },
            "it lists the path /1 twice",
            "Remove one of them.",
        ),
        (
            {"[x=path].py": ECHO},
            "there is no matcher 'path'",
            "For several segments write [...x].",
        ),
        (
            {"utils.py": "def f(): ...\n"},
            "the file defines no handler",
            "Write `def GET(context): ...`. If it is not a route, name it _utils.py.",
        ),
        (
            {"a.py": f"from flask import g\ng.user\n{ECHO}"},
            "RuntimeError: Working outside of application context.",
            "The file is imported outside of any request. Use context.app,"
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
            'Write `prerender = True`, `prerender = False` or `prerender = "auto"` on a'
            " line of its own. It is read before the file is run.",
        ),
    ],
)
def test_faults_of_python_files_say_how_to_fix_them(
    pytester: pytest.Pytester, files: dict[str, t.Any], problem: str, fix: str
) -> None:
    files = {f"pages/{name}": text for name, text in files.items()}
    files |= {"pages/index.html": "", "helper.py": "\n1 / 0\n"}
    (fault,) = check(pytester, files)["faults"]

    assert fault["problem"].startswith(problem)
    assert fault["fix"] == fix


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (f"prerander = True\n{ECHO}", "prerander means nothing"),
        (f"isPrerender = True\n{ECHO}", "isPrerender means nothing"),
        (f"prerendered: bool = True\n{ECHO}", "prerendered means nothing"),
        ("def GET(request): ...\n", "the first argument of GET is the context"),
        (f"def TRACE(context): ...\n\n\n{ECHO}", "TRACE is not called"),
        (
            "from flask_filepages import validate\n\n\n@validate(json={})\n"
            "def GET(context, json): ...\n",
            "GET validates json, but a GET request has no body",
        ),
        (
            f"prerender = True\ndef get_static_paths(): ...\n\n\n{ECHO}",
            "its get_static_paths is not used: the route has no params",
        ),
    ],
)
def test_warnings_of_python_files(
    pytester: pytest.Pytester, code: str, problem: str
) -> None:
    report = check(pytester, {"pages/s.py": code})

    assert report["faults"] == []
    assert [warning["problem"] for warning in report["warnings"]] == [problem]


def test_the_text_of_a_query_is_no_handler(pytester: pytest.Pytester) -> None:
    code = f"QUERY = 'SELECT 1'\n\n\n{ECHO}"

    assert check(pytester, {"pages/a.py": code}) == {"faults": [], "warnings": []}


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


def test_a_blueprint_without_a_prefix_guards_no_folder(
    pytester: pytest.Pytester,
) -> None:
    code = (
        "from flask import Blueprint, Flask\nfrom flask_filepages import FilePages\n\n"
        "app = Flask(__name__)\nFilePages(app)\nauth = Blueprint('auth', __name__)\n"
        "auth.before_request(lambda: None)\nauth.add_url_rule('/login', 'login', print)\n"
        "app.register_blueprint(auth)\n"
    )

    assert check(pytester, {"pages/a.py": ECHO, "app.py": code})["warnings"] == []


def test_middleware_of_the_folder_answers_that_warning(
    pytester: pytest.Pytester,
) -> None:
    guard = "def middleware(context, call_next):\n    return call_next()\n"
    files = {"pages/api/a.py": ECHO, "pages/api/_middleware.py": guard}

    assert check(pytester, {**files, "app.py": BLUEPRINTS})["warnings"] == []


@pytest.mark.parametrize(
    ("folder", "count"), [("", 1), ("plain/", 1), ("(v1)/api/", 0), ("api/v1/", 1)]
)
def test_middleware_of_another_folder_does_not(
    pytester: pytest.Pytester, folder: str, count: int
) -> None:
    guard = "def middleware(context, call_next):\n    return call_next()\n"
    page = f"pages/{'(v1)/' if '(' in folder else ''}api/a.py"
    files = {page: ECHO, f"pages/{folder}_middleware.py": guard, "app.py": BLUEPRINTS}

    assert len(check(pytester, files)["warnings"]) == count


@pytest.mark.parametrize(
    "register",
    [
        "app.register_blueprint(api, url_prefix='/api')",
        "outer = Blueprint('outer', __name__, url_prefix='/api')\n"
        "outer.register_blueprint(api, url_prefix='/')\n"
        "app.register_blueprint(outer)",
    ],
    ids=["registered", "nested"],
)
def test_the_prefix_of_a_blueprint_may_be_given_later(
    pytester: pytest.Pytester, register: str
) -> None:
    code = (
        "from flask import Blueprint, Flask\nfrom flask_filepages import FilePages\n\n"
        "app = Flask(__name__)\nFilePages(app)\napi = Blueprint('api', __name__)\n"
        "api.before_request(lambda: None)\napi.add_url_rule('/old', 'old', print)\n"
        f"{register}\n"
    )
    files = {"pages/api/a.py": ECHO, "pages/b.py": ECHO, "app.py": code}

    assert [w["file"] for w in check(pytester, files)["warnings"]] == ["api/a.py"]


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
        "app.py": "from flask import Flask\nfrom flask_filepages import FilePages\n\n"
        "app = Flask(__name__)\nFilePages(app)\n",
        "pages/a.py": f"{ECHO}\n\ndef POTS(c): ...\n",
    }
    write_files(pytester.path, files)
    command = [sys.executable, "-m", "flask", "--app", "app", "filepages", "check"]
    done = pytester.run(*command)

    assert (str(done.stdout) + str(done.stderr)).count("POTS handles no method") == 1
    assert done.outlines[-1] == "1 route, 0 errors, 1 warning"


# -- what handlers do with their context ----------------------------------------------------


def found_in(pytester: pytest.Pytester, files: dict[str, str]) -> list[tuple[str, ...]]:
    """Return kind, id, file, line and problem of all findings."""
    report = check(pytester, {f"pages/{name}": text for name, text in files.items()})
    return [
        (kind[:-1], *(str(one[key]) for key in ("id", "file", "line", "problem")))
        for kind, found in report.items()
        for one in found
    ]


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("[slug].py", 'context.params["slugg"]', 'context.params["slugg"]'),
        ("[slug].py", 'int(context.params["id"])', 'context.params["id"]'),
        ("a.py", "f\"{context.params['x']}\"", 'context.params["x"]'),
        ("[slug].py", "context.params.slug", "context.params.slug"),
        ("[a]/[b].py", '[context.params["c"] for i in [1]]', 'context.params["c"]'),
    ],
)
def test_params_that_the_route_lacks(
    pytester: pytest.Pytester, name: str, code: str, text: str
) -> None:
    files = {name: f"def GET(context):\n    return context.json({code})\n"}
    ((kind, fault_id, file, line, problem),) = found_in(pytester, files)

    assert (kind, fault_id, file, line) == ("fault", "param", name, "2")
    assert text in problem


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("params = context.params\n    params['x']", 1),
        ("params: dict = context.params\n    params['x']", 1),
        ("params = dict(context.params, x=1)\n    params['x']", 0),
        ("params = context.params\n    params = {'x': 1}\n    params['x']", 0),
        ("if 'x' in context.params:\n        context.params['x']", "warning"),
        ("try: context.params['x']\n    except KeyError: pass", "warning"),
        ("context.params.get('x')", "warning"),
        ("[params['x'] for params in [{'x': 1}]]", 0),
        ("list(map(lambda context: context.x, []))", 0),
        ("context = {'x': 1}\n    context.update(a=1)", 0),
        ("list(context.params.items())", 0),
        ("context.params['slug']", 0),
        ("hasattr(context, 'x') and context.x", "warning"),
        ("def inner(context): return context.x", 0),
        ("helper(1, context)", 1),
        ("helper = print\n    helper(1, context)", 0),
        ("context.x = 1\n    context.x", 0),
        ("print(context.x, 1)", 1),
        ("if context.x: pass", 1),
        ("setattr(context, 'x', 1)\n    context.x", 0),
    ],
)
def test_code_that_is_wrong_and_code_that_is_not(
    pytester: pytest.Pytester, code: str, count: int | str
) -> None:
    files = {
        "[slug].py": f"def helper(n, c): return c.nothing\n\n{ECHO}\n\n"
        f"def POST(context):\n    {code}\n    return context.json(1)\n"
    }
    found = found_in(pytester, files)

    assert len(found) == (count if isinstance(count, int) else 1)
    if count == "warning":
        assert found[0][0] == "warning"


@pytest.mark.parametrize(
    ("code", "problem", "fix"),
    [
        ("context.query", "A context has no 'query'", "Did you mean context.request"),
        ("context.clientAddress", "A context has no", "context.request.remote_addr"),
        ("context.nothing", "A context has no 'nothing'", "go into context.locals"),
        ("context.parms", "A context has no 'parms'", "Did you mean context.params?"),
    ],
)
def test_attributes_that_a_context_lacks(
    pytester: pytest.Pytester, code: str, problem: str, fix: str
) -> None:
    code = f"def GET(context):\n    return context.json({code})\n"
    (fault,) = check(pytester, {"pages/a.py": code})["faults"]

    assert (fault["id"], fault["line"]) == ("context", 2)
    assert problem in fault["problem"]
    assert fix in fault["fix"]


def test_an_attribute_that_middleware_sets(pytester: pytest.Pytester) -> None:
    middleware = """\
def middleware(context, call_next):
    context.user = "Ann"
    return call_next()
"""
    code = "def GET(context):\n    return context.json(context.user)\n"

    assert found_in(pytester, {"_middleware.py": middleware, "a.py": code}) == []


@pytest.mark.parametrize(
    ("read", "is_found"),
    [
        ("context.request.args", True),
        ("context.request.headers['X']", True),
        ("context.session.get('a')", True),
        ("context.cookies['a']", True),
        ("context.url.query", True),
        ("request.args", True),
        ("session['x']", True),
        ("helper(context)", True),
        ("context.request.method", False),
        ("context.request.path", False),
        ("context.url.path", False),
        ("context.cookies.set('a', 'b')", False),
        ("context.is_prerendered or context.request.args", False),
        ("[session for session in [1]]", False),
        ("context.params", False),
    ],
)
def test_stored_handlers_that_read_the_request(
    pytester: pytest.Pytester, read: str, is_found: bool
) -> None:
    code = (
        "from flask import request, session\nprerender = True\n"
        "def helper(c): return c.request.args\n"
        f"def GET(context):\n    return context.json(str({read}))\n"
    )
    found = found_in(pytester, {"a.py": code})

    assert [one[:2] for one in found] == [("warning", "request")] * is_found


@pytest.mark.parametrize(
    ("files", "unreachable"),
    [
        ({"[id].py": ECHO, "[name=string].py": ECHO}, ["[id].py"]),
        ({"[id].py": ECHO, "[id=int].py": ECHO}, []),
        ({"[id].py": ECHO, "[...path].py": ECHO, "a.py": ECHO}, []),
    ],
)
def test_routes_that_no_request_reaches(
    pytester: pytest.Pytester, files: dict[str, str], unreachable: list[str]
) -> None:
    found = found_in(pytester, files)

    assert [one[2] for one in found if one[1] == "unreachable"] == unreachable


def test_a_file_that_a_redirect_replaces(pytester: pytest.Pytester) -> None:
    app = (
        "from flask import Flask\nfrom flask_filepages import FilePages\n"
        "app = Flask(__name__)\napp.config['FILEPAGES_REDIRECTS'] = {'/a': '/b'}\n"
        "FilePages(app)\n"
    )
    files = {"app.py": app, "pages/a.html": "", "pages/b.html": ""}
    (warning,) = check(pytester, files)["warnings"]

    assert (warning["id"], warning["file"]) == ("unreachable", "a.html")


# -- links ----------------------------------------------------------------------------------

TARGETS = {
    "pages/index.html": "",
    "pages/there.html": "",
    "pages/sub/index.html": "",
    "pages/sub/page.html": "",
    "pages/api/[id].py": "prerender = False\n" + ECHO,
    "pages/form.py": "prerender = False\ndef POST(context): ...\n",
    "static/a.css": "",
}


@pytest.mark.parametrize(
    ("link", "is_broken"),
    [
        ("/there", False),
        ("/there/", False),
        ("../there?x=1#y", False),
        ("../there", False),
        ("page", False),
        ("#top", False),
        ("", False),
        ("?page=2", False),
        ("/api/7", False),
        ("/static/a.css", False),
        ("https://example.com/x", False),
        ("//example.com/x", False),
        ("mailto:a@b.example", False),
        ("tel:1", False),
        ("javascript:void(0)", False),
        ("data:,x", False),
        ("{{ url_for('/there') }}", False),
        ("/{% if x %}a{% endif %}{{ y }}", False),
        ("/theer", True),
        ("nothing", True),
        ("/static/b.css", True),
        ("/api", True),
        ("/form", True),
    ],
)
def test_links_of_a_page(pytester: pytest.Pytester, link: str, is_broken: bool) -> None:
    files = {**TARGETS, "pages/sub/x.html": f'<p>\n<a href="{link}">x</a>\n'}
    warnings = check(pytester, files, output="hybrid")["warnings"]

    assert [(one["id"], one["line"]) for one in warnings] == [("link", 2)] * is_broken


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.html", "<!-- <a href='/no'> -->{# <a href='/no'> #}"),
        ("x.html", "{% set x = '<a href=\"/no\">' %}"),
        ("x.html", '<base href="https://cdn.example/"><a href="x">'),
        ("x.html", "const a = b[0](/no);"),
        ("x.md", "`[a](/no)`\n\n```\n[a](/no)\n```\n\n    [a](/no)\n"),
        ("x.md", "\\[a](/no)"),
        ("x.md", "[a](/there)"),
    ],
)
def test_text_that_is_not_a_link(
    pytester: pytest.Pytester, name: str, text: str
) -> None:
    files = {**TARGETS, f"pages/{name}": text}

    assert check(pytester, files, output="hybrid")["warnings"] == []


@pytest.mark.parametrize(
    ("link", "count"), [("/theer", 1), ("/there", 0), ("theer", 0), ("../theer", 0)]
)
def test_links_of_a_page_with_params(
    pytester: pytest.Pytester, link: str, count: int
) -> None:
    """Only paths that begin with a slash: others depend on the params."""
    code = "def get_static_paths(): return []\n"
    files = {"pages/p/[id].py": code, "pages/p/[id].html": f'<a href="{link}">'}
    warnings = check(pytester, {**TARGETS, **files}, output="hybrid")["warnings"]

    assert [one["id"] for one in warnings] == ["link"] * count


def test_a_link_in_markdown(pytester: pytest.Pytester) -> None:
    files = {**TARGETS, "pages/x.md": "# X\n\nSee [there](/theer 'title').\n"}
    (warning,) = check(pytester, files, output="hybrid")["warnings"]

    assert (warning["file"], warning["line"]) == ("x.md", 3)
    assert warning["fix"] == "Did you mean /there?"


# -- options --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code", "ids"),
    [
        ([], 1, ["import", "near-miss"]),
        (["--select", "near-miss"], 0, ["near-miss"]),
        (["--ignore", "import"], 0, ["near-miss"]),
        (["--ignore", "import, near-miss"], 0, []),
        (["--select", "import,near-miss", "--ignore", "near-miss"], 1, ["import"]),
    ],
)
def test_findings_are_selected_by_id(
    pytester: pytest.Pytester, options: list[str], code: int, ids: list[str]
) -> None:
    text = f"{ECHO}\n\ndef post(context): ...\n"
    write_files(pytester.path, {"pages/a.py": "1 / 0\n", "pages/b.py": text})

    def create_app() -> Flask:
        app = Flask(f"selected_{pytester.path.name}", root_path=str(pytester.path))
        FilePages(app)
        return app

    script = ScriptInfo(create_app=create_app)
    result = CliRunner().invoke(filepages, ["check", "--json", *options], obj=script)
    report = json.loads(result.stdout)

    assert result.exit_code == code
    assert [one["id"] for found in report.values() for one in found] == ids


def test_an_unknown_id_is_an_error(pytester: pytest.Pytester) -> None:
    result = CliRunner().invoke(filepages, ["check", "--select", "imports"])

    assert result.exit_code == 2
    assert "imports is not the id of a check. They are: async," in result.output
