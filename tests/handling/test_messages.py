"""Errors that say what to write: the first mistakes of people who know Astro or Flask."""

from __future__ import annotations

import sys
import types
import typing as t

import pytest
from flask import Flask
from flask import url_for
from flask.testing import FlaskClient
from jinja2 import TemplateNotFound
from werkzeug.routing import BuildError

from flask_filepages import FilePages
from flask_filepages import LoadError
from flask_filepages import SettingsError
from flask_filepages.testing import make_context

from ..conftest import ECHO
from ..conftest import MakePages

ClientOf = t.Callable[..., FlaskClient]


def handler(code: str) -> str:
    return f"def GET(context):\n    {code}\n    return context.json(1)\n"


def test_params_as_json_say_what_to_write(client_of: ClientOf) -> None:
    code = "def GET(context):\n    return context.json({'got': context.params})\n"

    with pytest.raises(TypeError) as caught:
        client_of({"[id].py": code}).get("/1")
    assert "Write dict(context.params)" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("code", "error", "says"),
    [
        ("context.params.id", AttributeError, "Write context.params['id']."),
        ("context.params.ID", AttributeError, "has no attribute 'ID'"),
        ("context.params.ids", AttributeError, "Write context.params['id']."),
        ("context.props.title", AttributeError, "context.props has no attribute"),
        ("context.cookies['a'] = 'b'", TypeError, "context.cookies.set('a', 'b')"),
        ("del context.cookies['a']", TypeError, "context.cookies.delete('a')"),
        ("context.param", AttributeError, "Did you mean context.params?"),
        ("context.form", AttributeError, "Did you mean context.request.form?"),
        ("context.redirect(None)", TypeError, "redirect is None, not a str"),
        ("context.render({'a': 1})", TypeError, "Pass data by name"),
        ("context.json(1, headers='a: b')", TypeError, "{'Name': 'value'}"),
        ("context.json(1, 'draft')", TypeError, "status is 'draft', not an int"),
        ("context.json(1, True)", TypeError, "status is True, not an int"),
        ("context.json(1, 1000)", ValueError, "Write a number from 100 to 599"),
        ("context.args", AttributeError, "Did you mean context.request.args?"),
        ("context.method", AttributeError, "Did you mean context.request.method?"),
        ("context.abort(404)", AttributeError, "Write `from flask import abort`."),
        ("context.clientAddress", AttributeError, "context.request.remote_addr?"),
        ("context.cookies.set('a', 'b', expires='x')", ValueError, "Write a datetime"),
    ],
)
def test_the_first_lines_of_an_astro_user(
    client_of: ClientOf, code: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        client_of({"[id].py": handler(code)}).get("/1")

    assert says in str(caught.value)


def test_a_call_of_request_json_says_what_to_write(client_of: ClientOf) -> None:
    code = "def POST(context):\n    return context.json(context.request.json())\n"

    with pytest.raises(TypeError) as caught:
        client_of({"a.py": code}).post("/a", json={})
    assert "Write context.request.get_json()." in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("code", "note"),
    [
        ("context.url.pathname", "Write context.url.path."),
        ("context.url.searchParams", "Write context.request.args."),
        ("context.cookies.has('a')", "Write 'name' in context.cookies."),
        ("context.cookies.set('a', 'b', maxAge=1)", "Write max_age=..."),
        ("context.request.text()", "Write context.request.get_data(as_text=True)."),
        ("context.locals['a'] = 1", "Write context.locals.name = value."),
        ("context.json(print)", "Call it. If it is a coroutine, write `await`."),
        ("context.redirect('/a', code=301)", "Write status=..."),
        ("context.params['slug']", "The params of this route are: id."),
        ("flask.render_template('b.html')", "Write context.render('./b.html')."),
        ("flask.render_template('bas.html')", "Did you mean 'base.html'?"),
        ("flask.render_template('id.html')", "Write context.params."),
    ],
)
def test_a_note_says_what_to_write(client_of: ClientOf, code: str, note: str) -> None:
    files = {
        "[id].py": f"import flask\n{handler(code)}",
        "b.html": "",
        "../templates/base.html": "",
        "../templates/id.html": "{{ params.id }}",
    }
    with pytest.raises(Exception) as caught:
        client_of(files).get("/1")

    assert caught.value.__notes__[0] == note


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://example.com/a?b", 302),
        ("https://example.com.evil.example/", 400),
        ("https://example.com@evil.example/", 400),
        ("https://example.com\\@evil.example/", 400),
        ("https://example.com/\\n", 400),
        ("http://example.com/", 400),
    ],
)
def test_an_address_of_the_site_is_a_local_target(
    client_of: ClientOf, url: str, status: int
) -> None:
    files = {"a.py": f"def GET(context):\n    return context.redirect({url!r})\n"}
    response = client_of(files, FILEPAGES_SITE="https://example.com").get("/a")

    assert response.status_code == status


def test_params_are_a_mapping_that_cannot_be_changed() -> None:
    params = make_context(params={"id": "1"}).params

    assert (dict(params), len(params), "id" in params, repr(params)) == (
        {"id": "1"},
        1,
        True,
        "{'id': '1'}",
    )
    with pytest.raises(TypeError):
        params["id"] = "2"  # type: ignore[index]


def test_templates_may_use_attributes_for_params(client_of: ClientOf) -> None:
    client = client_of({"[id].html": "{{ context.params.id }}"})

    assert client.get("/7").text == "7"


def test_a_context_knows_its_filepages(make_pages: MakePages) -> None:
    code = "def GET(context):\n    return context.json(len(context.pages.routes))\n"

    assert make_pages({"a.py": code}).test_client().get("/a").json == 1
    with pytest.raises(RuntimeError, match="belongs to no pages"):
        _ = make_context().pages


def test_a_decorator_of_a_flask_view_is_named(make_pages: MakePages) -> None:
    code = (
        "import functools\n\n\n"
        "def login_required(view):\n"
        "    @functools.wraps(view)\n"
        "    def wrapped_view(**kwargs):\n"
        "        return view(**kwargs)\n\n"
        "    return wrapped_view\n\n\n"
        f"@login_required\n{ECHO}"
    )
    with pytest.raises(LoadError) as caught:
        make_pages({"a.py": code}).test_client().get("/a")

    (fault,) = caught.value.faults
    assert "wrapped_view(**kwargs) does not take the context" in fault.problem
    assert fault.problem.endswith("pages/a.py:5)")
    assert fault.fix == (
        "Let it pass on all arguments: `def wrapped_view(*args, **kwargs)`."
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("id", "GET takes 'id', but it is called with the context"),
        ("id, other=1", "GET takes 'id', but it is called with the context"),
    ],
)
def test_a_handler_that_expects_a_param(
    make_pages: MakePages, arguments: str, problem: str
) -> None:
    with pytest.raises(LoadError) as caught:
        make_pages({"[id].py": f"def GET({arguments}): ...\n"}).test_client().get("/1")

    (fault,) = caught.value.faults
    assert (fault.problem, fault.line) == (problem, 1)
    assert fault.fix.endswith("a param is context.params[name].")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("", "GET takes no context"),
        ("*, id", "GET takes no context"),
        ("**kwargs", "GET takes no context"),
        ("id", "GET takes 'id', but it is called with the context"),
        ("context", None),
        ("user, context", None),
        ("*args", None),
    ],
)
def test_below_a_decorator_that_is_a_warning(
    make_pages: MakePages,
    caplog: pytest.LogCaptureFixture,
    arguments: str,
    problem: str | None,
) -> None:
    code = (
        "import functools\n\n\n"
        "def decorate(view):\n"
        "    @functools.wraps(view)\n"
        "    def wrapped(*args, **kwargs):\n"
        "        return 'x'\n\n"
        "    return wrapped\n\n\n"
        f"@decorate\ndef GET({arguments}): ...\n"
    )
    make_pages({"[id].py": code}).extensions["filepages"]["filepages"].load()

    assert [r.message.partition("\n")[0] for r in caplog.records] == (
        [f"[id].py:13: {problem}"] if problem else []
    )


@pytest.mark.parametrize(
    ("arguments", "fault"), [("**kwargs", True), ("context, user", False)]
)
def test_a_decorator_below_another_is_checked(
    make_pages: MakePages, arguments: str, fault: bool
) -> None:
    code = (
        "import functools\n\n\n"
        "def outer(view):\n"
        "    @functools.wraps(view)\n"
        "    def passing(*args, **kwargs):\n"
        "        return view(*args, user=1, **kwargs)\n\n"
        "    return passing\n\n\n"
        "def inner(view):\n"
        "    @functools.wraps(view)\n"
        f"    def wrapped({arguments}):\n"
        "        return view(context)\n\n"
        "    return wrapped\n\n\n"
        f"@outer\n@inner\n{ECHO}"
    )
    site = make_pages({"a.py": code}).extensions["filepages"]["filepages"]
    faults = [f for route in site.routes.values() for f in route.load()]

    assert [f.problem.partition("(")[0] for f in faults] == (
        ["GET has a decorator whose function wrapped"] if fault else []
    )


def test_a_decorator_that_makes_a_generator_is_not_blamed(
    make_pages: MakePages,
) -> None:
    code = (
        "import functools\n\n\n"
        "def stream(view):\n"
        "    @functools.wraps(view)\n"
        "    def wrapped(context):\n"
        "        yield view(context)\n\n"
        "    return wrapped\n\n\n"
        f"@stream\n{ECHO}"
    )
    with pytest.raises(LoadError, match="GET is a generator"):
        make_pages({"a.py": code}).test_client().get("/a")


# -- templates --------------------------------------------------------------------------

TEMPLATES = {
    "blog/page.html": "{% include './_card.html' %}{% include '../_foot.html' %}",
    "blog/_card.html": "card ",
    "_foot.html": "foot",
    "blog/other.py": "def GET(context):\n    return context.render('./_card.html')\n",
    "blog/up.py": "def GET(context):\n    return context.render('../_foot.html')\n",
}


@pytest.mark.parametrize(
    ("url", "text"),
    [("/blog/page", "card foot"), ("/blog/other", "card "), ("/blog/up", "foot")],
)
def test_relative_names_of_templates(client_of: ClientOf, url: str, text: str) -> None:
    assert client_of(TEMPLATES).get(url).text == text


@pytest.mark.parametrize(
    ("file", "code", "says"),
    [
        ("blog/a.html", "{% include '_card.html' %}", "Write './_card.html'."),
        ("blog/a.html", "{% extends '_foot.html' %}", "'filepages:/_foot.html'."),
        ("blog/a.html", "{% include '../../app.html' %}", "leads out of the pages"),
        ("blog/a.html", "{% include 'nowhere.html' %}", "nowhere.html"),
        ("blog/a.py", "context.render('_card.html')", "Write './_card.html'."),
        ("blog/a.py", "context.render('../../app.html')", "leads out of the pages"),
    ],
)
def test_a_missing_template_says_which_name_to_write(
    client_of: ClientOf, file: str, code: str, says: str
) -> None:
    text = code if file.endswith(".html") else handler(code)

    with pytest.raises(TemplateNotFound) as caught:
        client_of({**TEMPLATES, file: text}).get("/blog/a")
    assert says in str(caught.value)


def test_names_in_templates_of_the_app_keep_their_meaning(
    make_pages: MakePages,
) -> None:
    app = make_pages(
        {
            "a.html": "{% extends 'layout.html' %}",
            "../templates/layout.html": "{% include 'part.html' %}",
            "../templates/part.html": "part",
        }
    )

    assert app.test_client().get("/a").text == "part"


# -- url_for ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "hint"),
    [
        ("posts/[id]", "Did you mean url_for('/posts/[id]')?"),
        (".b", "Did you mean url_for('/b')?"),
        ("filepages.b", "Did you mean url_for('/b')?"),
        ("/posts/1", "Did you mean url_for('/posts/[id]', id='1')?"),
        ("/post/[id]", "Did you mean url_for('/posts/[id]')?"),
        ("/posts/[slug]", "Did you mean url_for('/posts/[id]')?"),
        ("/posts/<id>", "Did you mean url_for('/posts/[id]')?"),
        ("/posts/[id]", "Write url_for('/posts/[id]', id=...)."),
        ("b", "Did you mean url_for('/b')?"),
        ("auth.login", "Did you mean url_for('/auth/login')?"),
        ("auth.index", "Did you mean url_for('/auth')?"),
        ("login", "Did you mean url_for('/auth/login')?"),
        (".account", "Did you mean url_for('user.account')?"),
        ("user.acount", "Did you mean url_for('user.account')?"),
        ("/auth/index", "Did you mean url_for('/auth')?"),
        (".login", "Did you mean url_for('/auth/login')?"),
        ("shop:/b", "There is no FilePages named 'shop' with this route."),
    ],
)
def test_url_for_suggests_route_ids(
    make_pages: MakePages, endpoint: str, hint: str
) -> None:
    def ask() -> str:
        with pytest.raises(BuildError) as caught:
            url_for(endpoint)
        return f"{caught.value} {caught.value.__notes__}"

    files = {"posts/[id].py": ECHO, "b.html": "", "auth/login.py": ECHO}
    app = make_pages({**files, "auth/index.html": ""})
    app.add_url_rule("/own", "user.account", lambda: "own")
    with app.test_request_context("/b"):
        app.preprocess_request()
        told = ask()

    assert hint in told
    assert "filepages./" not in told.partition("[")[2]


def test_other_endpoints_get_werkzeugs_suggestion(make_pages: MakePages) -> None:
    app = make_pages({"a.html": ""})
    app.add_url_rule("/own", "account", lambda: "own")

    with app.test_request_context(), pytest.raises(BuildError, match="'account'"):
        url_for("acount")


# -- loading ----------------------------------------------------------------------------


def test_a_syntax_error_shows_its_line(make_pages: MakePages) -> None:
    with pytest.raises(LoadError, match=r"syntax.*: x = = 1|x = = 1"):
        make_pages({"a.py": "x = = 1\n"}).test_client().get("/a")


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("hook", ["get('/x')", "before_request", "errorhandler(418)"])
def test_a_page_with_a_view_of_the_app(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch, hook: str, debug: bool
) -> None:
    code = (
        "from module_of_the_app import app\n"
        f"@app.{hook}\ndef x(*args):\n    return 'x'\n{ECHO}"
    )

    def setup(app: Flask) -> None:
        app.debug = debug

    app = make_pages({"a.py": code}, setup)
    module = types.SimpleNamespace(app=app)
    monkeypatch.setitem(sys.modules, "module_of_the_app", t.cast(t.Any, module))
    told = load(app)

    assert "Move views and hooks of the app to the module of the app." in told


def load(app: Flask) -> str:
    """Return why the pages of *app* cannot be loaded."""
    from flask_filepages.site import sites_of

    with pytest.raises(LoadError) as caught:
        sites_of(app)["filepages"].load()
    return str(caught.value)


@pytest.mark.parametrize("name", ["slow.py", "_middleware.py"])
def test_an_import_that_takes_long_is_logged(
    make_pages: MakePages,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    monkeypatch.setattr("flask_filepages.site._LONG", 0.05)
    wait = "import time\ntime.sleep(1)\n"
    guard = "def middleware(context, call_next):\n    return call_next()\n"
    files = {"slow.py": ECHO, name: wait + (ECHO if name == "slow.py" else guard)}
    make_pages(files).test_client().get("/slow")

    assert f"{name} is being imported." in caplog.text


def test_in_debug_a_405_says_what_to_write(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        app.debug = True

    files = {"contact.html": "<form method=post>"}
    debug = make_pages(files, setup).test_client().post("/contact")
    plain = make_pages(files).test_client().post("/contact")

    assert "Write `def POST(context)` in contact.py." in debug.text
    assert "def POST" not in plain.text
    assert (debug.status_code, plain.status_code) == (405, 405)


# -- settings ---------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["FILEPAGE_OUTPUT", "FILE_PAGES_OUTPUT"])
def test_a_near_miss_of_the_prefix_of_a_setting(
    make_pages: MakePages, key: str
) -> None:
    with pytest.raises(SettingsError, match="Did you mean FILEPAGES_OUTPUT?"):
        make_pages({}, **{key: "static"})


def test_a_suffix_of_a_renderer_has_a_dot() -> None:
    with pytest.raises(SettingsError, match=r"Write '\.md'\."):
        FilePages(renderers={"md": lambda *args: ""})
