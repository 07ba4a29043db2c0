"""The development tools: who gets them, what they show, and which pages follow."""

from __future__ import annotations

import logging
import typing as t
from pathlib import Path

import pytest
from flask import Flask
from flask import Response
from flask.testing import FlaskClient
from werkzeug.middleware.proxy_fix import ProxyFix

from flask_filepages import FilePages
from flask_filepages.building.build import Build
from flask_filepages.building.build import Options
from flask_filepages.dev.guard import refusal

from ..conftest import MakePages

PATHS = [
    "/_filepages",
    "/_filepages.json",
    "/_filepages/state",
    "/_filepages/live.js",
    "/_filepages/map.js",
    "/_filepages/dev.css",
]
PAGE = "<!doctype html><body><h1>Hello</h1></body>"
FILES = {
    "index.html": PAGE,
    "posts/[id].py": """\
from flask_filepages import responds, validate
from marshmallow import Schema, fields

class Query(Schema):
    page = fields.Integer()

class Post(Schema):
    id = fields.String()

@validate(query=Query)
@responds(Post)
def GET(context, query):
    return context.json({"id": context.params["id"]})
""",
    "posts/_middleware.py": "def middleware(context, call_next):\n    return call_next()\n",
    "old.py": "prerender = True\ndef GET(context): return context.json(1)\n",
    "fails.py": "def GET(context):\n    return context.json(1 / 0)\n",
    "broken.py": "x = 1\n\nimport nothing_of_this_name\n",
    "html.py": """\
from flask import Response

def GET(context):
    return Response(context.request.args.get("text", "<p>Hi"))
""",
}


@pytest.fixture
def app(make_pages: MakePages) -> Flask:
    """An app in debug mode, as ``flask run --debug`` serves it."""
    app = make_pages(FILES, DEBUG=True, PROPAGATE_EXCEPTIONS=False)
    app.testing = False
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


# -- who gets them ------------------------------------------------------------------

OWN: dict[str, str] = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:5000"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"HTTP_HOST": "LOCALHOST"},
        {"HTTP_HOST": "127.0.0.1:5000"},
        {"HTTP_HOST": "[::1]:5000", "REMOTE_ADDR": "::1"},
        {"HTTP_HOST": "shop.localhost:8000"},
        {"REMOTE_ADDR": "::ffff:127.0.0.1"},
        {"REMOTE_ADDR": "127.5.6.7"},
        {"SERVER_SOFTWARE": "Werkzeug/3.1"},
        {"SERVER_PROTOCOL": "HTTP/1.1"},
        {"HTTP_SEC_FETCH_SITE": "none"},
        {"HTTP_SEC_FETCH_SITE": "same-origin"},
    ],
    ids=str,
)
def test_the_developer_gets_the_tools(given: dict[str, str]) -> None:
    assert refusal({**OWN, **given}, None) is None


@pytest.mark.parametrize(
    "given",
    [
        # Another machine.
        {"REMOTE_ADDR": "192.168.1.2"},
        {"REMOTE_ADDR": "::ffff:192.168.1.2"},
        {"REMOTE_ADDR": "fe80::1"},
        {"REMOTE_ADDR": "0.0.0.0"},
        {"REMOTE_ADDR": "127.0.0.1, 10.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1\n"},
        {"REMOTE_ADDR": "localhost"},
        {"REMOTE_ADDR": ""},  # A Unix socket, behind some proxy.
        # DNS rebinding, and other names.
        {"HTTP_HOST": "evil.example"},
        {"HTTP_HOST": "evil.example:5000"},
        {"HTTP_HOST": "localhost.evil.example"},
        {"HTTP_HOST": "127.0.0.1.nip.io"},
        {"HTTP_HOST": "evil.example#localhost"},
        {"HTTP_HOST": "evil.example/.localhost"},
        {"HTTP_HOST": "localhost@evil.example"},
        {"HTTP_HOST": "evil.example@localhost"},
        {"HTTP_HOST": "localhost."},
        {"HTTP_HOST": ".localhost"},
        {"HTTP_HOST": "notlocalhost"},
        {"HTTP_HOST": "localhost:5000:80"},
        {"HTTP_HOST": "localhost\n"},
        {"HTTP_HOST": "localhost, evil.example"},
        {"HTTP_HOST": "lo\u0441alhost"},
        {"HTTP_HOST": "0.0.0.0"},
        {"HTTP_HOST": "[::ffff:127.0.0.1]"},
        {"HTTP_HOST": "2130706433"},
        {"HTTP_HOST": ""},
        # A proxy.
        {"HTTP_FORWARDED": "for=127.0.0.1"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_X_FORWARDED_HOST": ""},
        {"HTTP_X_FORWARDED": "x"},
        {"HTTP_VIA": "1.1 proxy"},
        {"HTTP_X_REAL_IP": "127.0.0.1"},
        {"HTTP_CF_CONNECTING_IP": "127.0.0.1"},
        {"SERVER_PROTOCOL": "HTTP/1.0"},  # nginx
        {"SERVER_SOFTWARE": "waitress"},  # It removes the fields of proxies.
        {"SERVER_SOFTWARE": "gunicorn/23.0"},
        # A page of another site.
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_SEC_FETCH_SITE": "Same-Origin"},
        {"HTTP_SEC_FETCH_SITE": ""},
    ],
    ids=str,
)
def test_everybody_else_is_refused(given: dict[str, str]) -> None:
    assert refusal({**OWN, **given}, None) is not None


def test_a_request_without_a_host_is_refused() -> None:
    assert refusal({"REMOTE_ADDR": "127.0.0.1"}, None) is not None


@pytest.mark.parametrize(
    ("given", "is_refused"),
    [
        ({"REMOTE_ADDR": "172.17.0.1"}, False),
        ({"HTTP_HOST": "dev.example:8080"}, False),
        ({"HTTP_HOST": "DEV.example"}, False),
        ({"HTTP_HOST": "127.0.0.1"}, True),
        ({"HTTP_HOST": "dev.example.evil"}, True),
        ({"HTTP_HOST": ""}, True),
        ({"HTTP_X_FORWARDED_FOR": "10.0.0.1"}, True),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, True),
    ],
    ids=str,
)
def test_hosts_that_a_setting_names(given: dict[str, str], is_refused: bool) -> None:
    """They replace the checks of address and host, and no other."""
    hosts = frozenset({"localhost", "dev.example"})

    assert (refusal({**OWN, **given}, hosts) is not None) is is_refused


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_stranger_gets_nothing(client: FlaskClient, method: str, path: str) -> None:
    environ = {"REMOTE_ADDR": "192.168.1.2"}
    response = client.open(path, method=method, environ_base=environ)

    assert response.status_code == 403
    assert "index" not in response.text


@pytest.mark.parametrize("path", PATHS)
def test_with_debug_off_there_is_nothing(
    make_pages: MakePages, app: Flask, path: str
) -> None:
    app.debug = False  # It was on when the app was made.
    plain = make_pages({"index.html": PAGE})

    assert app.test_client().get(path).status_code == 404
    assert plain.test_client().get(path).status_code == 404
    assert "wsgi_app" not in vars(plain)
    assert "script" not in app.test_client().get("/").text


def test_a_catch_all_route_gets_the_path_with_debug_off(make_pages: MakePages) -> None:
    files = {"[...path].py": "def GET(context): return context.json(1)\n"}
    app = make_pages(files, DEBUG=True)

    assert "Routes" in app.test_client().get("/_filepages").text
    app.debug = False
    assert app.test_client().get("/_filepages").get_json() == 1


def test_proxy_fix_does_not_change_who_has_asked(app: Flask) -> None:
    fixed = t.cast(t.Any, app)
    fixed.wsgi_app = ProxyFix(app.wsgi_app)
    headers = {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Host": "localhost"}
    response = app.test_client().get(
        "/_filepages", headers=headers, environ_base={"REMOTE_ADDR": "192.168.1.2"}
    )

    assert response.status_code == 403


def test_the_address_is_that_of_the_socket() -> None:
    original = {"werkzeug.proxy_fix.orig": {"REMOTE_ADDR": "192.168.1.2"}}

    assert refusal({**OWN, **original}, None) is not None


@pytest.mark.parametrize("path", PATHS)
def test_the_tools_cannot_be_framed_or_kept(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_the_tools_are_only_read(client: FlaskClient, method: str) -> None:
    response = client.open("/_filepages", method=method)

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "/_filepages/",
        "/_filepages/map.html",
        "/_filepages/failure.html",
        "/_filepages/../tools.py",
        "/_filepages/%2e%2e/tools.py",
        "/_filepages//live.js",
        "/_filepages/live.js/",
        "/_filepages/x.js",
        "/_filepages/\x00.js",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_hooks_of_the_app_do_not_run_for_the_tools(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        app.before_request(lambda: Response("no", 401))

    client = make_pages(FILES, setup, DEBUG=True).test_client()

    assert client.get("/").status_code == 401
    assert client.get("/_filepages/state").status_code == 200


# -- the script ---------------------------------------------------------------------

SCRIPT = b'<script src="/_filepages/live.js" data-version="'


def test_a_page_gets_the_script_at_its_end(client: FlaskClient) -> None:
    response = client.get("/")
    before, _, after = response.data.partition(SCRIPT)

    assert before == PAGE.encode()
    assert after.endswith(b'" async></script>')
    assert response.content_length == len(response.data)


def test_the_path_of_the_script_begins_with_the_root(client: FlaskClient) -> None:
    response = client.get("/", environ_overrides={"SCRIPT_NAME": "/shop"})

    assert b'src="/shop/_filepages/live.js"' in response.data


@pytest.mark.parametrize(
    ("path", "headers", "change"),
    [
        ("/old", {}, {}),
        ("/html?text=", {}, {}),
        ("/", {"Sec-Fetch-Dest": "empty"}, {}),
        ("/", {"Host": "evil.example"}, {}),
        ("/", {"X-Forwarded-For": "10.0.0.1"}, {}),
        ("/html", {}, {"testing": True}),
        ("/html", {}, {"debug": False}),
    ],
    ids=str,
)
def test_other_responses_do_not_get_it(
    app: Flask, path: str, headers: dict[str, str], change: dict[str, bool]
) -> None:
    for name, value in change.items():
        setattr(app, name, value)

    assert SCRIPT not in app.test_client().get(path, headers=headers).data


@pytest.mark.parametrize(
    "response",
    [
        "Response(iter(['<p>a']))",
        "Response('<p>a', headers={'Content-Encoding': 'gzip'})",
        "Response('<p>a', mimetype='text/plain')",
        "Response('<p>a', mimetype='application/xhtml+xml')",
        "flask.send_file(__file__, mimetype='text/html')",
        "Response(status=304)",
    ],
)
def test_responses_that_cannot_have_it(make_pages: MakePages, response: str) -> None:
    code = f"import flask\nfrom flask import Response\ndef GET(c): return {response}\n"
    app = make_pages({"a.py": code}, DEBUG=True)
    app.testing = False

    with app.test_client().get("/a") as sent:
        assert SCRIPT not in sent.data


def test_a_view_of_the_app_does_not_get_it(app: Flask) -> None:
    app.add_url_rule("/view", view_func=lambda: PAGE)

    assert app.test_client().get("/view").text == PAGE


@pytest.mark.parametrize(
    ("policy", "works"),
    [
        ("default-src 'self'", True),
        ("default-src 'none'; script-src 'self'; connect-src 'self'", True),
        ("img-src 'none'", True),
        ("script-src *", True),
        ("default-src 'none'", False),
        ("script-src 'nonce-abc'", False),
        ("script-src 'self' 'strict-dynamic'", False),
        ("default-src 'self'; connect-src https://api.example", False),
    ],
)
def test_a_policy_that_forbids_the_script_is_named(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture, policy: str, works: bool
) -> None:
    def setup(app: Flask) -> None:
        @app.after_request
        def protect(response: Response) -> Response:
            response.headers["Content-Security-Policy"] = policy
            return response

    app = make_pages(FILES, setup, DEBUG=True)
    app.testing = False
    client = app.test_client()
    data = client.get("/").data + client.get("/").data

    assert data.count(SCRIPT) == (2 if works else 0)
    assert caplog.text.count(policy) == (0 if works else 1)


def test_a_build_stores_no_script(make_pages: MakePages, tmp_path: Path) -> None:
    app = make_pages({"index.html": PAGE}, DEBUG=True, FILEPAGES_OUTPUT="hybrid")
    app.testing = False
    folder = tmp_path / "build"
    for _ in Build(app, Options(out=str(folder))):
        pass

    assert (folder / "current" / "site" / "index.html").read_text() == PAGE


# -- what they show -----------------------------------------------------------------


def test_the_map_has_what_is_known_about_a_route(client: FlaskClient) -> None:
    client.get("/posts/1")
    found = client.get("/_filepages.json").get_json()
    routes = {route["route"]: route for route in found["routes"]}
    post = routes["/posts/[id]"]

    assert post["urls"] == ["/posts/<id>"]
    assert post["file"] == "posts/[id].py"
    assert post["methods"] == ["GET", "HEAD", "OPTIONS"]
    assert post["validates"] == ["GET query: Query (page)"]
    assert post["responds"] == ["GET 200: Post (id)"]
    assert post["middleware"][0].endswith("posts/_middleware.py:1), on every response")
    assert post["last"]["status"] == 200
    assert routes["/old"]["prerender"] is True
    assert routes["/old"]["sent"] == "inside Flask"
    assert "nothing_of_this_name" in routes["/broken"]["errors"][0]


def test_the_map_is_a_list_without_a_script(client: FlaskClient) -> None:
    client.get("/fails")
    page = client.get("/_filepages").text

    assert '<a class="url" href="/old">/old</a>' in page
    assert '<span class="url">/posts/&lt;id&gt;</span>' in page
    assert "pages/posts</summary>" in page
    assert "ZeroDivisionError: division by zero" in page
    assert [one for one in ("<style", " style=", " onclick=") if one in page] == []


def test_an_exception_is_kept_with_its_request(client: FlaskClient) -> None:
    client.get("/fails?secret=1")
    (error,) = client.get("/_filepages.json").get_json()["errors"]

    assert error["request"] == "GET /fails?secret=1"
    assert error["title"] == "ZeroDivisionError: division by zero"
    assert error["place"].endswith("pages/fails.py:2")
    assert [2, "    return context.json(1 / 0)", True] in error["source"]
    assert client.get("/_filepages/state").get_json()["error"] == error


def test_text_of_the_app_cannot_be_markup(make_pages: MakePages) -> None:
    files = {
        "a&b.py": "def GET(c): raise ValueError('<img src=x onerror=alert(1)>')\n",
        "<.py": "",
    }
    app = make_pages(
        {"a&b.py": files["a&b.py"]}, DEBUG=True, PROPAGATE_EXCEPTIONS=False
    )
    client = app.test_client()
    client.get("/a&b?<script>alert(1)</script>")
    page = client.get("/_filepages").text

    assert [one for one in ("<img", "<script>alert") if one in page] == []


def test_a_broken_file_shows_its_line_and_its_fix(client: FlaskClient) -> None:
    response = client.get("/broken")

    assert response.status_code == 500
    assert "pages/broken.py:3" in response.text
    assert "<mark>   3  import nothing_of_this_name</mark>" in response.text
    assert "Install it, or check the name." in response.text
    assert response.data.count(SCRIPT) == 1
    assert client.get("/").status_code == 200


def test_the_chain_of_an_error_leads_to_its_cause(make_pages: MakePages) -> None:
    files = {
        "_lib.py": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError from e\n",
        "a.py": "from ._lib import x\n",
    }
    app = make_pages(files, DEBUG=True)
    text = app.test_client().get("/a").text

    assert "pages/a.py:1, in &lt;module&gt;: from ._lib import x" in text
    assert "pages/_lib.py:4, in &lt;module&gt;: raise ValueError from e" in text
    assert "Caused by KeyError: &#39;a&#39;" in text
    assert "pages/_lib.py:2" in text


def test_a_failure_cannot_be_framed(client: FlaskClient) -> None:
    headers = client.get("/broken").headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("mode", "dest", "is_shown"),
    [
        ("navigate", "document", True),  # A link on another site.
        ("navigate", "iframe", False),
        ("cors", "empty", False),
        ("no-cors", "script", False),
    ],
)
def test_what_another_site_gets_of_a_failure(
    client: FlaskClient, mode: str, dest: str, is_shown: bool
) -> None:
    fields = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode}
    text = client.get("/broken", headers={**fields, "Sec-Fetch-Dest": dest}).text

    assert ("x = 1" in text) is is_shown


@pytest.mark.parametrize(
    "error",
    ["ValueError('x' * 10**7)", "ValueError('\\ud800')", "Mute()", "KeyError()"],
)
def test_an_error_with_an_odd_message(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    code = f"""\
class Mute(Exception):
    def __str__(self): raise RuntimeError

def GET(context):
    raise {error}
"""
    app = make_pages({"a.py": code}, DEBUG=True, PROPAGATE_EXCEPTIONS=False)
    monkeypatch.setattr(app.logger, "disabled", True)  # xdist cannot send such a text.
    client = app.test_client()

    assert client.get("/a").status_code == 500
    assert client.get("/_filepages").status_code == 200
    assert len(client.get("/_filepages/state").data) < 20_000


def test_a_response_that_is_sent_again_has_one_script(make_pages: MakePages) -> None:
    code = (
        "from flask import Response\nSENT = Response('<p>')\ndef GET(c): return SENT\n"
    )
    app = make_pages({"a.py": code}, DEBUG=True)
    app.testing = False
    client = app.test_client()

    assert [client.get("/a").data.count(SCRIPT) for _ in range(3)] == [1, 1, 1]


def test_the_validators_of_a_page_with_the_script_are_left_out(
    make_pages: MakePages,
) -> None:
    """They are those of other bytes: the browser would keep an old version."""
    code = "from flask import Response\ndef GET(c):\n    r = Response('<p>')\n"
    code += "    r.add_etag()\n    return r\n"
    app = make_pages({"a.py": code}, DEBUG=True)
    app.testing = False

    assert "ETag" not in app.test_client().get("/a").headers


def test_a_page_that_no_route_has_gets_the_script(client: FlaskClient) -> None:
    """It appears when its file is written."""
    response = client.get("/nothing")

    assert response.status_code == 404
    assert response.data.count(SCRIPT) == 1


def test_a_stranger_sees_no_source(client: FlaskClient) -> None:
    text = client.get("/broken", environ_base={"REMOTE_ADDR": "192.168.1.2"}).text

    assert text == "A file of this page cannot be loaded. The log says why.\n"


def test_the_server_does_not_log_the_polls(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    log = logging.getLogger("werkzeug")
    log.error('"GET /_filepages/state HTTP/1.1" 200 -')
    log.error('"GET /posts/1 HTTP/1.1" 200 -')

    assert [record.message for record in caplog.records] == [
        '"GET /posts/1 HTTP/1.1" 200 -'
    ]


def test_several_filepages_share_the_tools(make_pages: MakePages) -> None:
    app = make_pages({"a.html": PAGE, "../shop/cart.html": PAGE}, DEBUG=True)
    FilePages(app, folder="shop", name="shop", url_prefix="/shop")
    app.testing = False
    page = app.test_client().get("/_filepages").text

    assert '<a class="url" href="/shop/cart">' in page
    assert app.test_client().get("/shop/cart").data.count(SCRIPT) == 1


def test_the_front_works_in_debug_mode_too(make_pages: MakePages) -> None:
    app = make_pages(
        {"a.py": "prerender = True\ndef GET(c): return c.json(1)\n"},
        DEBUG=True,
        FILEPAGES_FRONT=True,
    )

    assert app.test_client().get("/a").get_json() == 1
    assert app.test_client().get("/_filepages").status_code == 200
