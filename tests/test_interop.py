"""Other extensions work as they do with hand-written views."""

from __future__ import annotations

import sys
import types
import typing as t

import pytest
from flask import Flask
from flask import session

from flask_filepages.site import sites_of

from .conftest import MakePages

HANDLER = (
    "from flask import Response\n\n\ndef {name}(context):\n    return Response('ok')\n"
)


def test_flask_wtf_protects_and_exempts(make_pages: MakePages) -> None:
    from flask_wtf import CSRFProtect
    from flask_wtf.csrf import generate_csrf

    app = make_pages(
        {
            "form.py": HANDLER.format(name="POST"),
            "hook/[id].py": HANDLER.format(name="POST"),
            "other/[id].py": HANDLER.format(name="POST"),
            "token.py": "from flask import Response\n"
            "from flask_wtf.csrf import generate_csrf\n\n\n"
            "def GET(context):\n    return Response(generate_csrf())\n",
        },
        SECRET_KEY="x",
    )
    csrf = CSRFProtect(app)
    csrf.exempt(app.view_functions["filepages./hook/[id]"])
    client = app.test_client()
    token = client.get("/token").text

    assert client.post("/form").status_code == 400
    assert client.post("/form", data={"csrf_token": token}).status_code == 200
    assert client.post("/hook/1").status_code == 200
    assert client.post("/other/1").status_code == 400
    assert callable(generate_csrf)


def test_flask_login_guards_handlers(make_pages: MakePages) -> None:
    from flask_login import LoginManager
    from flask_login import UserMixin

    class User(UserMixin):
        id = "ann"

    def setup(app: Flask) -> None:
        manager = LoginManager(app)
        manager.user_loader(lambda user_id: User())

    client = make_pages(
        {
            "me.py": "from flask import Response\n"
            "from flask_login import current_user, login_required\n\n\n"
            "@login_required\ndef GET(context):\n"
            "    return Response(current_user.id)\n",
            "login.py": "from flask import Response\nfrom flask_login import login_user\n"
            "from flask_login import UserMixin\n\n\n"
            "class User(UserMixin):\n    id = 'ann'\n\n\n"
            "def POST(context):\n    login_user(User())\n    return Response('in')\n",
        },
        setup,
        SECRET_KEY="x",
    ).test_client()

    assert client.get("/me").status_code == 401
    client.post("/login")
    assert client.get("/me").text == "ann"


# Flask-Limiter's storage asks importlib about a version in a way that is deprecated.
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_flask_limiter_counts_each_handler_by_itself(make_pages: MakePages) -> None:
    from flask_limiter import Limiter
    from flask_limiter.util import get_remote_address

    limiters: list[t.Any] = []

    def setup(app: Flask) -> None:
        limiters.append(Limiter(get_remote_address, app=app, storage_uri="memory://"))
        app.extensions["limited"] = limiters[0]

    source = (
        "from flask import Response, current_app\n\n"
        "from tests.test_interop import limiter_of\n\n\n"
        "@limiter_of().limit('2/hour')\n"
        "def GET(context):\n    return Response('ok')\n"
    )
    LIMITERS[:] = limiters
    app = make_pages({"a.py": source, "b.py": source}, setup)
    LIMITERS[:] = limiters
    client = app.test_client()

    assert [client.get("/a").status_code for _ in range(3)] == [200, 200, 429]
    assert client.get("/b").status_code == 200


LIMITERS: list[t.Any] = []


def limiter_of() -> t.Any:
    return LIMITERS[0]


def test_flask_cors_adds_its_headers(make_pages: MakePages) -> None:
    from flask_cors import CORS

    app = make_pages({"api/data.py": HANDLER.format(name="GET")})
    CORS(app, resources={"/api/*": {"origins": ["https://app.example"]}})
    client = app.test_client()
    allowed = client.get("/api/data", headers={"Origin": "https://app.example"})
    refused = client.get("/api/data", headers={"Origin": "https://evil.example"})

    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_flask_caching_caches_a_handler(make_pages: MakePages) -> None:
    from flask_caching import Cache

    def setup(app: Flask) -> None:
        CACHES[:] = [Cache(app, config={"CACHE_TYPE": "SimpleCache"})]

    client = make_pages(
        {
            "a.py": "import itertools\n\nfrom tests.test_interop import CACHES\n\n"
            "COUNT = itertools.count(1)\n\n\n"
            "@CACHES[0].cached(60)\n"
            "def GET(context):\n    return context.json(next(COUNT))\n"
        },
        setup,
    ).test_client()

    assert [client.get("/a").get_json() for _ in range(3)] == [1, 1, 1]


CACHES: list[t.Any] = []


def test_pytest_flask_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        from flask import url_for

        @pytest.fixture
        def app(make_pages):
            return make_pages({"a/[id].py": (
                "def GET(context):\\n    return context.json(context.params['id'])"
            )})

        def test_client(client, accept_json):
            response = client.get(url_for("/a/[id]", id="x"), headers=accept_json)
            assert response.json == "x"

        @pytest.mark.options(debug=False)
        def test_options(client, filepages_client):
            assert client.get("/a/x") == 200
            assert filepages_client.get("/a/y") == 200
        """
    )
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=2)


def test_sessions_are_opened_only_when_they_are_read(make_pages: MakePages) -> None:
    app = make_pages(
        {
            "plain.py": HANDLER.format(name="GET"),
            "counts.py": "def GET(context):\n"
            "    context.session['n'] = 1\n    return context.json(1)\n",
        },
        SECRET_KEY="x",
    )
    client = app.test_client()

    assert "Vary" not in client.get("/plain").headers
    assert client.get("/counts").headers["Vary"] == "Cookie"
    with client:
        client.get("/counts")
        assert session["n"] == 1


def test_csrf_exempt_on_a_handler_is_warned_of(
    make_pages: MakePages,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from flask_wtf import CSRFProtect

    code = (
        "from flask import Response\n"
        "from module_of_the_app import csrf\n\n\n"
        "@csrf.exempt\ndef POST(context):\n    return Response('x')\n"
    )
    csrf = CSRFProtect()
    module: t.Any = types.SimpleNamespace(csrf=csrf)
    monkeypatch.setitem(sys.modules, "module_of_the_app", module)
    app = make_pages({"hook.py": code}, csrf.init_app, SECRET_KEY="x")
    sites_of(app)["filepages"].load()

    assert "hook.py:6: @csrf.exempt has no effect on POST" in caplog.text
    assert "csrf.exempt(app.view_functions['filepages./hook'])" in caplog.text
