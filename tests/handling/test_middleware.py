"""Functions around handlers: bound to the files of a folder, and closed on failure."""

from __future__ import annotations

import threading
import typing as t
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from flask import Flask
from flask import Response
from flask import abort
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound

from flask_filepages import FilePages
from flask_filepages import LoadError
from flask_filepages import NotAResponseError
from flask_filepages import headers
from flask_filepages import once_per_render
from flask_filepages.handling.middleware import Link
from flask_filepages.pytest_plugin import write_files
from flask_filepages.routing.files import Source
from flask_filepages.testing import make_context

from ..conftest import ECHO
from ..conftest import MakePages
from ..conftest import visitor

PASS = "def middleware(context, call_next):\n    return call_next()\n"
GUARD = (
    "from flask import Response\n"
    "def middleware(context, call_next):\n    return Response('guarded', 403)\n"
)
OK = "from flask import Response\ndef GET(context):\n    return Response('ok')\n"


def trace(name: str) -> str:
    return (
        "def middleware(context, call_next):\n"
        f"    vars(context.locals).setdefault('trace', []).append({name!r})\n"
        "    response = call_next()\n"
        f"    response.headers.add('X-Left', {name!r})\n"
        "    return response\n"
    )


TELL = (
    "def GET(context):\n    return context.json(getattr(context.locals, 'trace', []))\n"
)


# -- where it runs --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "order"),
    [
        ("/", ["root"]),
        ("/shop/a", ["root", "shop"]),
        ("/shop/deep/b", ["root", "shop", "deep", "own", "inner"]),
        ("/grouped", ["root", "group"]),
        ("/page", ["root"]),
    ],
)
def test_outer_folders_go_first(
    make_pages: MakePages, url: str, order: list[str]
) -> None:
    own = f"{trace('own')}own = middleware\n{trace('inner')}middleware = [own, middleware]\n"
    client = make_pages(
        {
            "_middleware.py": trace("root"),
            "index.py": TELL,
            "page.html": "{{ context.locals.trace|tojson }}",
            "shop/_middleware.py": trace("shop"),
            "shop/a.py": TELL,
            "shop/deep/_middleware.py": trace("deep"),
            "shop/deep/b.py": own + TELL,
            "(group)/_middleware.py": trace("group"),
            "(group)/grouped.py": TELL,
        }
    ).test_client()
    answer = client.get(url)

    assert answer.get_json(force=True) == order
    assert answer.headers.getlist("X-Left") == order[::-1]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "DELETE", "BREW"])
def test_it_runs_for_every_method(make_pages: MakePages, method: str) -> None:
    app = make_pages({"_middleware.py": GUARD, "a.py": OK, "b.html": "b"})
    client = app.test_client()

    assert client.open("/a", method=method).status_code == 403
    assert client.open("/b", method=method).status_code == 403


def test_it_runs_before_validation_and_reading(make_pages: MakePages) -> None:
    post = (
        "from marshmallow import fields\nfrom flask_filepages import validate\n"
        "@validate(json={'a': fields.Integer(required=True)})\n"
        "def POST(context, json): ...\n"
    )
    client = make_pages({"_middleware.py": GUARD, "a.py": post}).test_client()

    assert client.post("/a", data="{").status_code == 403


def test_it_may_change_streams_and_read_bodies(make_pages: MakePages) -> None:
    middleware = (
        "def middleware(context, call_next):\n"
        "    sent = context.request.get_data()\n"
        "    response = call_next()\n"
        "    response.headers['X-Sent'] = str(len(sent))\n"
        "    return response\n"
    )
    stream = (
        "from flask import Response\n"
        "def POST(context):\n"
        "    return Response(iter(['a', context.request.get_data(as_text=True)]))\n"
    )
    client = make_pages({"_middleware.py": middleware, "a.py": stream}).test_client()
    answer = client.post("/a", data="body", content_type="text/plain")

    assert (answer.text, answer.headers["X-Sent"]) == ("abody", "4")


def test_a_function_named_like_a_ready_one_is_a_middleware(
    make_pages: MakePages,
) -> None:
    own = trace("own").replace("def middleware", "def cors") + "middleware = cors\n"
    client = make_pages({"a.py": own + OK}).test_client()

    assert client.get("/a").headers["X-Left"] == "own"


def test_async_handlers_are_inside(make_pages: MakePages) -> None:
    handler = "async def GET(context):\n    return context.json('async')\n"
    client = make_pages({"_middleware.py": trace("m"), "a.py": handler}).test_client()

    assert client.get("/a").headers["X-Left"] == "m"


def test_cookies_that_it_sets_are_sent(make_pages: MakePages) -> None:
    middleware = (
        "def middleware(context, call_next):\n"
        "    context.cookies.set('before', '1')\n"
        "    response = call_next()\n"
        "    context.cookies.set('after', '2')\n"
        "    return response\n"
    )
    client = make_pages({"_middleware.py": middleware, "a.py": OK}).test_client()
    sent = [c.partition(";")[0] for c in client.get("/a").headers.getlist("Set-Cookie")]

    assert sent == ["before=1", "after=2"]


def test_redirects_by_setting_are_outside(make_pages: MakePages) -> None:
    files = {"_middleware.py": GUARD, "a.py": OK}
    app = make_pages(files, FILEPAGES_REDIRECTS={"/old": "/a"})

    assert app.test_client().get("/old").status_code == 301


def test_an_error_page_is_inside_the_root_and_shares_locals(
    make_pages: MakePages,
) -> None:
    app = make_pages(
        {
            "_middleware.py": trace("root"),
            "404.html": "{{ context.locals.trace|tojson }}",
            "page.py": "from flask import abort\ndef GET(context):\n    abort(404)\n",
            "page.html": "",
        }
    )
    client = visitor(app)

    assert client.get("/nope").get_json(force=True) == ["root"]
    assert client.get("/page").get_json(force=True) == ["root", "root"]


def test_a_guard_that_raises_is_not_shown_by_the_error_page(
    make_pages: MakePages,
) -> None:
    raising = "def middleware(context, call_next):\n    raise RuntimeError('no')\n"
    app = make_pages({"_middleware.py": raising, "500.html": "page 500", "a.html": "a"})
    answer = visitor(app).get("/a")

    assert answer.status_code == 500
    assert "page 500" not in answer.text


# -- what it must not do --------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("call_next()", "returned nothing (None)"),
        ("return 'text'", "returned str"),
        ("return call_next(context)", "passed an argument to call_next()"),
        ("call_next()\n    return call_next()", "called call_next() more than once"),
        (
            "first = call_next()\n"
            "    try:\n        call_next()\n    except Exception:\n        pass\n"
            "    return first",
            "called call_next() more than once",
        ),
        (
            "try:\n        return call_next()\n    finally:\n        raise KeyError(1)",
            "KeyError",
        ),
    ],
)
def test_it_fails_closed_and_is_named(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture, body: str, says: str
) -> None:
    source = f"def middleware(context, call_next):\n    {body}\n"
    app = make_pages({"shop/_middleware.py": source, "shop/a.py": OK})
    answer = visitor(app).get("/shop/a")

    assert answer.status_code == 500
    assert "ok" not in answer.text.split()
    assert says in caplog.text
    assert "_middleware.py" in caplog.text


WITHOUT = [
    ("x = 1\n", "the file defines no `middleware`"),
]
FAULTY = [
    ("def middlewares(context, call_next): ...\n", "Did you mean `middleware`, not `middlewares`"),
    ("from flask_filepages import cors\nmiddleware = [cors]\n", "Call it: cors(...)"),
    ("def guard(context, call_next): ...\nMIDDLEWARE = guard\n", "not `MIDDLEWARE`"),
    ("def guard(context, call_next): ...\nMiddlewares = {guard}\n", "not `Middlewares`"),
    ("middle_ware = []\n", "Did you mean `middleware`"),
    ("middleware = 1\n", "is int, not a function"),
    ("class middleware: ...\n", "is a class"),
    ("async def middleware(context, call_next): ...\n", "is async"),
    ("class M:\n    async def __call__(self, context, call_next): ...\nmiddleware = M()\n", "is async"),
    ("def middleware(context, call_next):\n    yield\n", "is a generator"),
    ("def middleware(context): ...\n", "does not take (context, call_next)"),
    ("middleware = [1, None]\n", "is int, not a function"),
    ("from flask_filepages import cors\nmiddleware = cors('*', credentials=True)\n", "Name the origins"),
    ("from flask_filepages import cors\nmiddleware = cors('app.example')\n", "is not an origin"),
    ("from flask_filepages import once_per_render\nmiddleware = once_per_render([])\n", "Mark each function of a list"),
    ("from flask_filepages import cors, once_per_render\nmiddleware = once_per_render(cors(['https://a.example']))\n", "looks at each request"),
    ("raise SystemExit\n", "SystemExit"),
]  # fmt: skip
FAULTS = [("shop/_middleware.py", *fault) for fault in [*WITHOUT, *FAULTY]]
FAULTS += [("shop/a.py", *fault) for fault in FAULTY]


@pytest.mark.parametrize(("name", "source", "says"), FAULTS)
def test_faults_name_file_and_fix_and_nothing_is_served(
    tmp_path: Path, name: str, source: str, says: str
) -> None:
    files = {"shop/a.py": OK, "shop/b.py": OK, "free.py": OK}
    files[name] = source + (OK if name == "shop/a.py" else "")
    write_files(tmp_path / "pages", files)
    app = Flask("faults", root_path=str(tmp_path))
    with pytest.raises(LoadError) as caught:
        FilePages(app).load()
    debug = Flask("faults_debug", root_path=str(tmp_path))
    debug.debug = True
    FilePages(debug)
    client = debug.test_client()

    assert {fault.file for fault in caught.value.faults} == {name}
    assert says in str(caught.value)
    assert client.get("/shop/a").status_code == 500
    assert (client.get("/shop/b").status_code == 500) is (name != "shop/a.py")
    plain = {"Sec-Fetch-Dest": "empty"}  # Not a page, which would get the script.
    assert client.get("/free", headers=plain).text == "ok"


@pytest.mark.parametrize(
    ("files", "statuses", "says"),
    [
        (
            {"admin.py": OK, "admin/_middleware.py": GUARD, "admin/a.py": OK},
            [200, 403],
            "admin.py: admin/_middleware.py does not run for it",
        ),
        (
            {"admin.py": GUARD + OK, "admin/a.py": OK},
            [403, 200],
            "admin.py:2: its middleware does not run for admin/",
        ),
        (
            {"admin/middleware.py": GUARD + OK, "admin/a.py": OK, "admin.py": OK},
            [200, 200],
            "admin/middleware.py: it is a route, not the middleware of its folder",
        ),
    ],
)
@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
def test_what_is_only_half_guarded_is_warned_of(
    make_pages: MakePages,
    caplog: pytest.LogCaptureFixture,
    files: dict[str, str],
    statuses: list[int],
    says: str,
    debug: bool,
) -> None:
    client = make_pages(files, DEBUG=debug).test_client()

    assert [client.get(url).status_code for url in ("/admin", "/admin/a")] == statuses
    assert says in caplog.text
    assert says in "\n".join(
        str(w) for w in client.application.extensions["filepages"]["filepages"].warnings
    )


def test_a_guard_under_the_name_of_a_route_is_told_its_name(
    make_pages: MakePages,
) -> None:
    app = make_pages({"admin/middleware.py": GUARD})
    with pytest.raises(LoadError, match=r"or name it _middleware\.py"):
        app.extensions["filepages"]["filepages"].load()


# -- no way around ----------------------------------------------------------------------


def note(name: str) -> str:
    return (
        "def middleware(context, call_next):\n"
        f"    context.request.environ['test.ran'].append({name!r})\n"
        "    return call_next()\n"
    )


GUARDED = {
    "_middleware.py": note("root"),
    "admin/_middleware.py": note("admin"),
    "admin/index.py": TELL,
    "admin/[id].py": TELL,
    "admin/deep/[...rest].py": TELL,
    "[[lang]]/news/_middleware.py": note("news"),
    "[[lang]]/news/[slug].html": "",
    "open/[a]-[b].py": TELL,
    "404.py": TELL,
}
EXPECTED = {
    "/admin": ["root", "admin"],
    "/admin/[id]": ["root", "admin"],
    "/admin/deep/[...rest]": ["root", "admin"],
    "/[[lang]]/news/[slug]": ["root", "news"],
    "/open/[a]-[b]": ["root"],
    "/404": ["root"],
    None: ["root"],
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    root = tmp_path_factory.mktemp("guarded")
    write_files(root / "pages", GUARDED)
    app = Flask("guarded", root_path=str(root), static_folder=None)
    FilePages(app).load()
    return app


pieces = st.sampled_from(
    [
        "admin",
        "deep",
        "news",
        "en",
        "open",
        "a-b",
        "404",
        "x",
        ".",
        "..",
        "%2e",
        "%2f",
        "%252f",
        "%00",
        "\\",
        "%5c",
        ";",
        "é",
        "Admin",
        "ADMIN",
        "%61dmin",
        "",
        "?",
        "#",
    ]
)
paths = st.lists(
    st.tuples(st.sampled_from(["/", "//", "%2F", "/./", "/../", "\\"]), pieces),
    max_size=6,
).map(lambda parts: "/" + "".join(a + b for a, b in parts))
methods = st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "PUT", "BREW", "get"])


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(paths, methods)
def test_the_guards_that_ran_are_those_of_the_matched_route(
    guarded: Flask, path: str, method: str
) -> None:
    asked = path.partition("?")[0].partition("#")[0]
    environ = make_context().request.environ | {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(asked).decode("latin-1"),
        "test.ran": [],
    }
    statuses: list[str] = []

    def start_response(status: str, fields: t.Any, info: t.Any = None, /) -> t.Any:
        statuses.append(status[:3])

    with guarded.request_context(environ) as pushed:
        rule = pushed.request.url_rule
    result = guarded.wsgi_app(environ, start_response)
    b"".join(result)
    route_id = getattr(getattr(rule, "route", None), "id", None)
    if rule is None and statuses[-1] in ("308", "400"):
        return  # to the merged path, before any route

    assert sorted(set(environ["test.ran"])) == sorted(EXPECTED[route_id])


def test_a_first_request_in_many_threads_is_guarded(tmp_path: Path) -> None:
    slow = "import time\ntime.sleep(0.05)\n"
    files = {"_middleware.py": slow + GUARD, "a.py": OK, "b.py": slow + OK}
    write_files(tmp_path / "pages", files)
    app = Flask("threads", root_path=str(tmp_path))
    FilePages(app)
    statuses = []
    barrier = threading.Barrier(8)

    def ask(url: str) -> None:
        barrier.wait()
        statuses.append(app.test_client().get(url).status_code)

    threads = [
        threading.Thread(target=ask, args=(f"/{'ab'[n % 2]}",)) for n in range(8)
    ]
    [thread.start() for thread in threads]  # type: ignore[func-returns-value]
    [thread.join() for thread in threads]  # type: ignore[func-returns-value]

    assert set(statuses) == {403}


# -- ready ones and the mark --------------------------------------------------------------


def test_headers_are_on_all_answers_and_the_nearest_counts(
    make_pages: MakePages,
) -> None:
    folder = (
        "from flask_filepages import headers\n"
        "middleware = headers([('X-A', 'folder'), ('X-B', 'b1'), ('X-B', 'b2')])\n"
    )
    own = (
        "from flask import Response, abort\nfrom flask_filepages import headers\n"
        "middleware = headers({'X-A': 'own'})\n"
        "def GET(context):\n    return Response('ok')\n"
        "def PUT(context):\n    return Response('ok', headers={'X-A': 'handler'})\n"
        "def POST(context):\n    abort(418)\n"
        "def DELETE(context):\n    raise RuntimeError\n"
    )
    client = visitor(make_pages({"_middleware.py": folder, "a.py": own}))
    methods = ["GET", "PUT", "POST", "DELETE", "PATCH"]
    answers = [client.open("/a", method=method) for method in methods]

    assert [a.status_code for a in answers] == [200, 200, 418, 500, 405]
    assert [a.headers["X-A"] for a in answers] == [
        "own",
        "handler",
        "own",
        "own",
        "own",
    ]
    assert all(a.headers.getlist("X-B") == ["b1", "b2"] for a in answers)


@pytest.mark.parametrize("raised", ["abort(401)", "abort(redirect('/login'))"])
def test_a_guard_of_the_root_may_refuse_unmatched_urls(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture, raised: str
) -> None:
    guard = f"from flask import abort, redirect\ndef middleware(context, call_next):\n    {raised}\n"
    client = visitor(
        make_pages({"_middleware.py": guard, "404.html": "", "a.html": ""})
    )

    assert client.get("/nope").status_code == client.get("/a").status_code
    assert caplog.text == ""


def test_the_mark_is_read_and_changes_nothing_else() -> None:
    source = Source("/pages/a.py", "a.py", "a")

    @once_per_render
    def marked(context: t.Any, call_next: t.Any) -> t.Any: ...

    def plain(context: t.Any, call_next: t.Any) -> t.Any: ...

    ready = once_per_render(headers({"X-A": "1"}))
    links = [Link(function, source) for function in (marked, plain, ready)]

    assert [link.is_once_per_render for link in links] == [True, False, True]
    assert links[0].name == "a.py:marked"


def test_a_method_is_marked_by_a_function_around_it() -> None:
    class Owner:
        def method(self, context: t.Any, call_next: t.Any) -> t.Any: ...

    with pytest.raises(TypeError, match="cannot mark a method"):
        once_per_render(Owner().method)


def test_a_middleware_is_a_plain_function_for_its_test() -> None:
    middleware = headers({"X-A": "1"})
    answer = middleware(make_context(), lambda: Response("inner"))

    assert (answer.get_data(), answer.headers["X-A"]) == (b"inner", "1")
    with pytest.raises(NotFound):
        middleware(make_context(), lambda: abort(404))


def test_a_type_for_annotations_is_no_middleware(make_pages: MakePages) -> None:
    code = (
        "from flask_filepages import CallNext, Context, Middleware\n\n\n"
        "def GET(context: Context):\n    return context.json(1)\n"
    )

    assert make_pages({"a.py": code}).test_client().get("/a").json == 1


def test_the_setting_for_handlers_is_not_advice_for_middleware(
    make_pages: MakePages,
) -> None:
    code = "def middleware(context, call_next):\n    return {}, 401\n"
    app = make_pages({"_middleware.py": code, "a.py": ECHO})

    with pytest.raises(NotAResponseError) as error:
        app.test_client().get("/a")
    assert "Write `return context.json(data, status, headers)`." in str(error.value)
    assert "FILEPAGES_STRICT_RESPONSE" not in str(error.value)
