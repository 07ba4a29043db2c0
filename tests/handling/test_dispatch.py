"""Methods, responses, bodies and errors of handlers."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest
from flask import Flask
from flask import g
from flask.testing import FlaskClient
from jinja2 import TemplateNotFound

from flask_filepages import BodyAlreadyReadError
from flask_filepages import FilePages
from flask_filepages import LoadError
from flask_filepages import NotAResponseError
from flask_filepages.pytest_plugin import write_files

from ..conftest import MakePages

ClientOf = t.Callable[..., FlaskClient]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE")


def handlers(*names: str) -> str:
    return "from flask import Response\n" + "".join(
        f"\n\ndef {name}(context):\n"
        f"    return Response({name!r}, headers={{'X-From': {name!r}}})\n"
        for name in names
    )


@pytest.mark.parametrize(
    ("own", "answers", "allow"),
    [
        ("GET", {"GET": "GET", "HEAD": "GET"}, "GET, HEAD, OPTIONS"),
        ("POST", {"POST": "POST"}, "OPTIONS, POST"),
        ("HEAD GET", {"GET": "GET", "HEAD": "HEAD"}, "GET, HEAD, OPTIONS"),
        (
            "OPTIONS DELETE",
            {"OPTIONS": "OPTIONS", "DELETE": "DELETE"},
            "DELETE, OPTIONS",
        ),
        ("ALL", dict.fromkeys(METHODS, "ALL"), ""),
        ("ALL GET", {**dict.fromkeys(METHODS, "ALL"), "GET": "GET"}, ""),
    ],
)
def test_methods(
    client_of: ClientOf, own: str, answers: dict[str, str], allow: str
) -> None:
    client = client_of({"a.py": handlers(*own.split())})
    for method in METHODS:
        response = client.open("/a", method=method)
        if method in answers:
            assert response.headers["X-From"] == answers[method]
            assert (response.data == b"") is (method == "HEAD")
        elif method == "OPTIONS":
            assert (response.status_code, response.headers["Allow"]) == (204, allow)
        else:
            assert (response.status_code, response.headers["Allow"]) == (405, allow)


@pytest.mark.parametrize("method", ["get", "GeT", "get_static_paths", "__doc__", "OS"])
def test_methods_are_case_sensitive_and_never_names(
    client_of: ClientOf, method: str
) -> None:
    client = client_of({"a.py": handlers("GET") + "\n\nOS = get_static_paths = GET\n"})

    assert client.open("/a", method=method).status_code == 405


def test_one_file_owns_the_url(client_of: ClientOf) -> None:
    client = client_of(
        {"posts/latest.py": handlers("GET"), "posts/[id].py": handlers("DELETE")}
    )

    assert client.delete("/posts/latest").status_code == 405
    assert client.delete("/posts/1").status_code == 200


@pytest.mark.parametrize(
    ("returned", "advice"),
    [
        ("None", "Is a `return` missing?"),
        ("{'a': 1}", "context.json"),
        ("[1]", "context.json"),
        ("'text'", "mimetype"),
        ("b'bytes'", "mimetype"),
        ("('text', 404)", "status="),
        ("('text', 404)", "make_response(body, status)"),
        ("('text', 404)", "FILEPAGES_STRICT_RESPONSE = False"),
        ("({}, 401)", "context.json(data, status, headers)"),
        ("404", "write `abort(404)`"),
        ("GET", "A decorator that takes arguments is called too"),
        ("204", "write `return Response(status=204)`"),
        ("7", "context.json"),
        ("(x for x in 'ab')", "stream"),
        ("other(context)", "async"),
        ("object()", "return Response"),
        ("Response", "return Response"),
    ],
)
def test_what_is_no_response(make_pages: MakePages, returned: str, advice: str) -> None:
    app = make_pages(
        {
            "a.py": "from flask import Response\n\n\n"
            "async def other(context):\n    return 1\n\n\n"
            f"def GET(context):\n    return {returned}\n"
        }
    )
    with pytest.raises(NotAResponseError) as error:
        app.test_client().get("/a")

    assert "/pages/a.py:8: GET() returned " in str(error.value)
    assert advice in str(error.value)


def test_not_strict_takes_what_flask_takes(client_of: ClientOf) -> None:
    client = client_of(
        {"a.py": "def GET(context):\n    return {'a': 1}, 201\n"},
        FILEPAGES_STRICT_RESPONSE=False,
    )

    assert (client.get("/a").status_code, client.get("/a").get_json()) == (
        201,
        {"a": 1},
    )


def test_responses_of_others(client_of: ClientOf) -> None:
    client = client_of(
        {
            "werkzeug.py": "from werkzeug.wrappers import Response\n"
            "def GET(context):\n    return Response('w')\n",
            "exception.py": "from werkzeug.exceptions import Gone\n"
            "def GET(context):\n    return Gone()\n",
            "wsgi.py": "class Answer:\n    status = '202 Accepted'\n    headers = []\n"
            "    def __call__(self, environ, start_response):\n"
            "        start_response(self.status, self.headers)\n"
            "        return [b'wsgi']\n"
            "def GET(context):\n    return Answer()\n",
        }
    )

    assert client.get("/werkzeug").text == "w"
    assert client.get("/exception").status_code == 410
    assert (client.get("/wsgi").status_code, client.get("/wsgi").text) == (202, "wsgi")


def test_async_and_decorated_handlers(client_of: ClientOf) -> None:
    client = client_of(
        {
            "a.py": "import asyncio\nimport functools\n\n\n"
            "def decorated(handler):\n"
            "    @functools.wraps(handler)\n"
            "    def wrapper(context):\n"
            "        return handler(context)\n"
            "    return wrapper\n\n\n"
            "async def GET(context):\n"
            "    await asyncio.sleep(0)\n"
            "    return context.json('async')\n\n\n"
            "@decorated\ndef POST(context):\n    return context.json('decorated')\n"
        }
    )

    assert client.get("/a").get_json() == "async"
    assert client.post("/a").get_json() == "decorated"


def test_streams_are_sent_as_they_come(client_of: ClientOf) -> None:
    client = client_of(
        {
            "a.py": "from flask import Response, stream_with_context\n"
            "def GET(context):\n"
            "    def chunks():\n        yield 'one '\n        yield context.request.path\n"
            "    return Response(stream_with_context(chunks()))\n"
        }
    )
    with client.get("/a", buffered=False) as response:
        assert list(response.response) == [b"one ", b"/a"]


def test_hooks_of_app_and_blueprint_run(make_pages: MakePages) -> None:
    ran = []

    def setup(app: Flask) -> None:
        app.before_request(lambda: ran.append("app"))

        @app.after_request
        def after(response: t.Any) -> t.Any:
            response.headers["X-After"] = "app"
            return response

    app = make_pages({"a.py": handlers("GET")}, setup)
    response = app.test_client().get("/a")

    assert (ran, response.headers["X-After"]) == (["app"], "app")


def test_nothing_is_kept_on_g(make_pages: MakePages) -> None:
    app = make_pages({"a.py": handlers("GET")})
    with app.test_client() as client:
        client.get("/a")
        assert list(g) == []


# -- names of views -------------------------------------------------------------------


def test_each_view_has_a_name_of_its_own(make_pages: MakePages) -> None:
    files = dict.fromkeys(["a.py", "a/[id].py", "b/[id].py"], handlers("GET"))
    app = make_pages({**files, "c.html": "", "[...all].py": handlers("GET")})
    app.add_url_rule("/late", "late", lambda: "late")
    app.test_client().get("/a")
    views = [v for n, v in app.view_functions.items() if n.startswith("filepages")]
    modules = {view.__module__ for view in views}

    assert len({(v.__module__, v.__name__) for v in views}) == len(views) == 5
    assert all(v.__qualname__ == v.__name__ for v in views)
    assert any(module.endswith("pages.b.[id]") for module in modules)


# -- bodies ---------------------------------------------------------------------------

READS = """\
import csv
import gzip
import io


def POST(context):
    request = context.request
    read = {
        "bytes": lambda: request.get_data(as_text=True),
        "json": lambda: request.get_json(silent=True),
        "form": lambda: request.form.to_dict(),
        "files": lambda: [f.read().decode() for f in request.files.values()],
        "stream": lambda: request.stream.read().decode(),
        "parts": lambda: [request.stream.read(2).decode() for _ in range(4)],
        "gzip": lambda: gzip.GzipFile(fileobj=request.stream).read().decode(),
        "csv": lambda: list(csv.reader(io.TextIOWrapper(io.BufferedReader(request.stream)))),
        "lines": lambda: [line.decode() for line in request.stream],
    }
    return context.json([read[how]() for how in request.args["how"].split(",")])
"""


@pytest.mark.parametrize(
    ("how", "sent", "expected"),
    [
        ("bytes,bytes", {"data": "x"}, ["x", "x"]),
        ("json,bytes,json", {"json": [1]}, [[1], "[1]", [1]]),
        ("form,bytes,form", {"data": {"a": "1"}}, [{"a": "1"}, "a=1", {"a": "1"}]),
        ("bytes,form", {"data": {"a": "1"}}, ["a=1", {"a": "1"}]),
        ("stream", {"data": "x"}, ["x"]),
        ("parts", {"data": "abcde"}, [["ab", "cd", "e", ""]]),
        (
            "gzip",
            {"data": b"\x1f\x8b\x08\0\0\0\0\0\0\xffK\4\0C\xbe\xb7\xe8\1\0\0\0"},
            ["a"],
        ),
        ("csv", {"data": "a,b\nc,d"}, [[["a", "b"], ["c", "d"]]]),
        ("stream,stream", {"data": ""}, ["", ""]),
        ("stream,parts", {"data": "ab"}, ["ab", ["", "", "", ""]]),
        ("lines", {"data": "a\nb"}, [["a\n", "b"]]),
        ("stream,form", {"data": {"a": "1"}}, ["a=1", {"a": "1"}]),
        ("bytes", {}, [""]),
    ],
)
def test_bodies_can_be_read_again(
    client_of: ClientOf, how: str, sent: dict[str, t.Any], expected: t.Any
) -> None:
    client = client_of({"a.py": READS})

    assert client.post(f"/a?how={how}", **sent).get_json() == expected


def test_a_form_that_a_hook_parsed_is_still_a_form(make_pages: MakePages) -> None:
    from flask import request

    def setup(app: Flask) -> None:
        app.before_request(lambda: request.form.get("x"))

    client = make_pages({"a.py": READS}, setup).test_client()

    assert client.post("/a?how=form", data={"a": "1"}).get_json() == [{"a": "1"}]
    with pytest.raises(BodyAlreadyReadError):
        client.post("/a?how=bytes", data={"a": "1"})


def test_a_body_that_nobody_reads_has_no_limit(make_pages: MakePages) -> None:
    app = make_pages({"a.py": handlers("POST")}, MAX_CONTENT_LENGTH=3)

    assert app.test_client().post("/a", data={"a": "12345"}).status_code == 200


def test_uploads_can_be_read_as_bytes_too(client_of: ClientOf) -> None:
    import io

    client = client_of({"a.py": READS})
    sent = {"f": (io.BytesIO(b"file"), "f.txt")}
    files, whole = client.post(
        "/a?how=files,bytes", data=sent, content_type="multipart/form-data"
    ).get_json()

    assert files == ["file"]
    assert "file" in whole


@pytest.mark.parametrize("how", ["stream,bytes", "stream,stream", "lines,bytes"])
def test_a_used_up_stream_is_an_error_instead_of_silence(
    make_pages: MakePages, how: str
) -> None:
    client = make_pages({"a.py": READS}).test_client()
    with pytest.raises(BodyAlreadyReadError, match="request.get_data"):
        client.post(f"/a?how={how}", data="x" * 10, content_type="text/plain")


# -- loading --------------------------------------------------------------------------

BROKEN = {
    "astro.py": "def GET(params, request): pass\n",
    "ab.test.py": "",
    "raises.py": "x = 1\nraise RuntimeError('SECRET')\n",
    "syntax.py": "def GET(:\n",
    "missing.py": "import nonexistent_module\n",
    "name.py": "from flask import Falsk\n",
    "exits.py": "import sys\nsys.exit(3)\n",
    "interrupts.py": "raise KeyboardInterrupt\n",
    "value.py": "GET = 5\n",
    "class.py": "class GET:\n    pass\n",
    "generator.py": "def GET(context):\n    yield 'x'\n",
    "empty.py": "",
    "lower.py": "def get(context):\n    pass\n",
    "typo.py": "def GTE(context):\n    pass\n",
    "star.py": "from flask import *\n",
    "params.py": "def GET(context, id): ...\n",
    "none.py": "async def POST(): ...\n",
    "deep.py": "from ._deep import x\n",
    "_deep.py": "\n1 / 0\n",
}
EXPECTED = """\
deep
  _deep.py:2: ZeroDivisionError: division by zero
      Importing the file raised this error. Fix this line.
class.py:1: GET is a class, not a function
    Write `def GET(context): ...`; a param is context.params[name].
empty.py: the file defines no handler
    Write `def GET(context): ...`.
exits.py:2: SystemExit: 3
    Remove the call; a page must not end the process when it is imported.
generator.py:1: GET is a generator
    Return flask.Response(generator()) to stream, instead of `yield`.
interrupts.py:1: KeyboardInterrupt
    Remove the call; a page must not end the process when it is imported.
lower.py:1: get handles no method
    Did you mean `GET`?
missing.py:1: ModuleNotFoundError: No module named 'nonexistent_module'
    Install it, or check the name. Inside pages/ write `from ._lib import x`.
raises.py:2: RuntimeError: SECRET
    Importing the file raised this error. Fix this line.
star.py: the file defines no handler
    Write `def GET(context): ...`.
syntax.py:1: SyntaxError: invalid syntax
    Fix the syntax error on this line.
typo.py:1: GTE handles no method
    Did you mean `GET`?
value.py:1: GET is int, not a function
    Write `def GET(context): ...`; a param is context.params[name].
params.py:1: GET does not take (context)
    Write `def GET(context): ...`; a param is context.params[name].
astro.py:1: GET does not take (context)
    Write `def GET(context): ...`; a param is context.params[name].
ab.test.py: the file defines no handler
    If it is a test, name it ab_test.py.
none.py:1: POST does not take (context)
    Write `def GET(context): ...`; a param is context.params[name].
"""


def test_all_broken_files_are_reported_together(make_pages: MakePages) -> None:
    app = make_pages(BROKEN)
    with pytest.raises(LoadError) as error:
        app.extensions["filepages"]["filepages"].load()
    printed = str(error.value)

    assert printed.splitlines()[0].endswith(" cannot be loaded: 18 errors")
    for line in EXPECTED.splitlines()[1:]:
        assert line.strip() in printed
    assert "name.py:1: ImportError: cannot import name 'Falsk'" in printed


def test_the_first_request_reports_them_too_and_so_does_the_next(
    make_pages: MakePages,
) -> None:
    app = make_pages({**BROKEN, "ok.py": handlers("GET")})
    app.testing = False
    client = app.test_client()

    for _ in range(2):
        response = client.get("/ok")
        assert response.status_code == 500
        assert "SECRET" not in response.text


def test_somebody_at_the_keyboard_is_not_a_fault(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_pages({"a.py": handlers("GET")})

    pressed = KeyboardInterrupt()

    def interrupted(name: str) -> None:
        raise pressed

    state = app.extensions["filepages"]["filepages"]
    with monkeypatch.context() as patched:
        patched.setattr("flask_filepages.handling.loading.import_module", interrupted)
        with pytest.raises(KeyboardInterrupt):
            state.load()
    state.load()

    assert app.test_client().get("/a").status_code == 200


def test_async_without_its_extra_names_the_file(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asgiref.sync", None)
    app = make_pages({"a.py": "async def GET(context): ...\n"})
    with pytest.raises(LoadError, match=r"a\.py: Install Flask with the 'async' extra"):
        app.extensions["filepages"]["filepages"].load()


def test_an_error_that_cannot_be_printed_is_named(make_pages: MakePages) -> None:
    source = (
        "class Silent(Exception):\n    def __str__(self):\n        1 / 0\n\n\n"
        "raise Silent\n"
    )
    with pytest.raises(LoadError, match=r"a\.py:6: Silent\n"):
        make_pages({"a.py": source}).extensions["filepages"]["filepages"].load()


def test_near_misses_are_warnings(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_pages({"a.py": handlers("GET", "post", "PSOT", "PUTT", "helper")})
    app.extensions["filepages"]["filepages"].load()
    warned = [record.getMessage().splitlines()[0] for record in caplog.records]

    assert warned == [
        f"a.py:{line}: {name} handles no method"
        for line, name in ((8, "post"), (12, "PSOT"), (16, "PUTT"))
    ]


def test_debug_load_only_logs_and_looks_again(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    def setup(app: Flask) -> None:
        app.debug = True

    app = make_pages({"a.py": "1 / 0\n"}, setup)
    pages = FilePages(name="again", url_prefix="/again")
    pages.init_app(app)
    pages.load()
    assert "a.py:1: ZeroDivisionError" in caplog.text

    write_files(Path(app.root_path) / "pages", {"a.py": handlers("GET")})
    pages.load()
    assert app.test_client().get("/again/a").status_code == 200


def test_a_callable_that_does_not_say_what_it_takes_is_believed(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(value: t.Any, **options: t.Any) -> t.NoReturn:
        raise ValueError("no signature found")

    app = make_pages({"a.py": handlers("GET")})
    with monkeypatch.context() as patched:
        patched.setattr("inspect.signature", unknown)
        app.extensions["filepages"]["filepages"].load()

    assert app.test_client().get("/a").status_code == 200


def test_debug_a_broken_file_breaks_only_its_own_route(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        app.debug = True

    client = make_pages({**BROKEN, "ok.py": handlers("GET")}, setup).test_client()
    broken = client.get("/raises")

    assert client.get("/ok").status_code == 200
    assert broken.status_code == 500
    assert "raises.py:2" in broken.text
    assert "RuntimeError: SECRET" in broken.text


@pytest.mark.parametrize(
    ("file", "handler", "warning"),
    [
        (
            "a.json.py",
            "Response('x', mimetype='text/plain')",
            "looks like application/json",
        ),
        ("a.py", "Response('{\"a\": 1}')", "looks like JSON"),
        ("feed.xml.py", "Response('x', mimetype='application/rss+xml')", None),
        ("a.json.py", "context.json(1)", None),
        ("a.py", "Response('<p>')", None),
        ("a.json.py", "Response('', status=404)", None),
    ],
)
def test_debug_warns_of_a_type_that_cannot_be_meant(
    make_pages: MakePages,
    caplog: pytest.LogCaptureFixture,
    file: str,
    handler: str,
    warning: str | None,
) -> None:
    def setup(app: Flask) -> None:
        app.debug = True

    source = f"from flask import Response\ndef GET(context):\n    return {handler}\n"
    client = make_pages({file: source}, setup).test_client()
    client.get("/" + file.removesuffix(".py"))
    warned = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]

    assert [str(warning) in text for text in warned] == ([True] if warning else [])


def test_the_running_script_is_not_imported_again(pytester: pytest.Pytester) -> None:
    from flask_filepages.pytest_plugin import write_files

    write_files(
        pytester.path,
        {
            "app.py": "from flask import Flask\nfrom flask_filepages import FilePages\n"
            "app = Flask(__name__)\nFilePages(app).load()\n",
            "pages/a.py": "from app import app\n\n\ndef GET(context): ...\n",
        },
    )
    result = pytester.runpython(pytester.path / "app.py")

    result.stderr.fnmatch_lines(
        ["*a.py:1: SecondMainError: 'app' is the running script*"]
    )


def test_an_unfinished_app_module_is_named(pytester: pytest.Pytester) -> None:
    from flask_filepages.pytest_plugin import write_files

    write_files(
        pytester.path,
        {
            "app.py": "from flask import Flask\nfrom flask_filepages import FilePages\n"
            "app = Flask(__name__)\nFilePages(app).load()\ndb = 1\n",
            "pages/a.py": "from app import db\n\n\ndef GET(context): ...\n",
        },
    )
    result = pytester.run(sys.executable, "-c", "import app")

    result.stderr.fnmatch_lines(["*app is still being imported. Call FilePages(app)*"])


ALL_REFUSES = "from flask import abort\n\n\ndef ALL(context):\n    abort(403)\n"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_all_beside_a_page_is_asked_before_the_page(
    client_of: ClientOf, method: str
) -> None:
    client = client_of({"a.py": ALL_REFUSES, "a.html": "the page"})
    client.application.testing = False

    assert client.open("/a", method=method).status_code == 403


def test_get_beside_all_goes_first(client_of: ClientOf) -> None:
    code = f"{ALL_REFUSES}\n\ndef GET(context):\n    return context.render()\n"
    client = client_of({"a.py": code, "a.html": "the page"})

    assert client.get("/a").text == "the page"


def test_query_is_safe_and_has_a_body(client_of: ClientOf) -> None:
    code = (
        "def QUERY(context):\n"
        "    form = context.request.form\n"
        "    return context.json([form['q'], len(context.request.get_data())])\n"
    )
    client = client_of({"a.py": code})
    # Another site may send it, because it changes nothing.
    headers = {"Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"}
    answer = client.open("/a", method="QUERY", data={"q": "x"}, headers=headers)

    assert answer.get_json() == ["x", 3]
    assert client.options("/a").headers["Allow"] == "OPTIONS, QUERY"


@pytest.mark.parametrize("status", ["draft", 2.0, "200"])
def test_a_status_that_is_no_int_is_an_error(
    client_of: ClientOf, status: object
) -> None:
    code = f"def GET(context):\n    return context.render(status={status!r})\n"
    client = client_of({"a.py": code, "a.html": "page"})

    with pytest.raises(TypeError, match=f"status is {status!r}, not an int"):
        client.get("/a")


@pytest.mark.parametrize("name", ["_lib.py", "a.py", "data.json", "../app.py"])
def test_only_templates_of_the_pages_folder_are_rendered(
    client_of: ClientOf, name: str
) -> None:
    code = f"def GET(context):\n    return context.render('filepages:/{name}')\n"
    client = client_of({"a.py": code, "_lib.py": "SECRET = 1", "data.json": "{}"})

    with pytest.raises(TemplateNotFound):
        client.get("/a")


@pytest.mark.parametrize("name", ["_part.html", "_note.txt", "_map.xml"])
def test_texts_of_the_pages_folder_are_templates(
    client_of: ClientOf, name: str
) -> None:
    code = f"def GET(context):\n    return context.render('filepages:/{name}')\n"

    assert client_of({"a.py": code, name: "{{ 1 + 1 }}"}).get("/a").text == "2"
