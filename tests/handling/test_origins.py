"""Who may ask from another site."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from flask_filepages import SettingsError
from flask_filepages import check_origin
from flask_filepages.testing import make_context

from ..conftest import MakePages
from ..conftest import visitor

WRITE = """\
from flask import Response
def GET(context):
    return Response("read")
def ALL(context):
    return Response("EXECUTED")
"""
OTHER = "https://evil.example"
FRIEND = "https://friend.example"


@pytest.fixture
def client(make_pages: MakePages) -> FlaskClient:
    return make_pages({"a.py": WRITE}, FILEPAGES_TRUSTED_ORIGINS=[FRIEND]).test_client()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW", "post"])
@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"Origin": "http://localhost"}, True),
        ({"Origin": OTHER}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "https://localhost"}, False),
        ({"Origin": "http://localhost:8080"}, False),
        ({"Origin": "http://localhost.evil.example"}, False),
        ({"Origin": f"http://localhost, {OTHER}"}, False),
        ({"Origin": "HTTP://localhost"}, False),
        ({"Origin": FRIEND}, True),
        ({"Origin": f"{FRIEND}.evil.example"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": ""}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": OTHER}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": FRIEND}, True),
        ({"Origin": OTHER, "X-HTTP-Method-Override": "GET"}, False),
        ({"Origin": OTHER, "Content-Type": "application/json"}, False),
        ({"Origin": OTHER, "Content-Type": ""}, False),
    ],
    ids=str,
)
def test_unsafe_methods(
    client: FlaskClient, headers: dict[str, str], passes: bool, method: str
) -> None:
    answer = client.open("/a", method=method, headers=headers)

    assert (answer.status_code, answer.text == "EXECUTED") == (
        (200, True) if passes else (403, False)
    )


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_safe_methods_pass(client: FlaskClient, method: str) -> None:
    headers = {"Origin": OTHER, "Sec-Fetch-Site": "cross-site"}

    assert client.open("/a", method=method, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"), [("https://www.example", 200), ("http://localhost", 403)]
)
def test_site_counts_instead_of_host(
    make_pages: MakePages, origin: str, status: int
) -> None:
    app = make_pages(
        {"a.py": WRITE},
        FILEPAGES_SITE="https://www.example/base",
        APPLICATION_ROOT="/base",
    )
    answer = app.test_client().post("/a", headers={"Origin": origin})

    assert answer.status_code == status


def test_what_is_refused_is_logged_with_the_way_out(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.post("/a", headers={"Origin": OTHER})

    assert "FILEPAGES_SITE" in caplog.text
    assert OTHER in caplog.text


def test_it_can_be_off_and_on_for_a_folder(make_pages: MakePages) -> None:
    folder = "from flask_filepages import check_origin\nmiddleware = check_origin\n"
    files = {"a.py": WRITE, "b/_middleware.py": folder, "b/c.py": WRITE}
    client = make_pages(files, FILEPAGES_CHECK_ORIGIN=False).test_client()
    headers = {"Origin": OTHER}

    assert client.post("/a", headers=headers).status_code == 200
    assert client.post("/b/c", headers=headers).status_code == 403
    assert client.post("/b/c").status_code == 200


def test_it_is_a_plain_function() -> None:
    from flask import Response

    for method, origin in (("POST", "http://localhost"), ("GET", OTHER)):
        context = make_context(method, headers={"Origin": origin})
        assert check_origin(context, lambda: Response("inner")).get_data() == b"inner"


@pytest.mark.parametrize(
    "origins", ["https://a.example", ["a.example"], ["https://a.example/"], 1, ["*"]]
)
def test_settings(make_pages: MakePages, origins: object) -> None:
    with pytest.raises(SettingsError, match="FILEPAGES_TRUSTED_ORIGINS"):
        make_pages({"a.py": WRITE}, FILEPAGES_TRUSTED_ORIGINS=origins)


# -- CORS -------------------------------------------------------------------------------

APP = "https://app.example"
ALLOWED = "Access-Control-Allow-Origin"


def cors_client(make_pages: MakePages, arguments: str, **files: str) -> FlaskClient:
    own = f"from flask_filepages import cors\nmiddleware = cors({arguments})\n"
    api = (
        "from flask import Response, abort\n"
        "def GET(context):\n    return Response('data', headers={'Vary': 'Accept'})\n"
        "def POST(context):\n    abort(422)\n"
        "def DELETE(context):\n    raise RuntimeError('SECRET')\n"
    )
    app = make_pages({"api.py": own + api, "open.py": api, **files})
    return visitor(app)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (APP, APP),
        ("https://b.example:8443", "https://b.example:8443"),
        ("https://b.example", None),
        (f"{APP}.evil.example", None),
        ("https://appXexample", None),
        ("null", None),
        ("*", None),
        (None, None),
    ],
)
def test_only_named_origins_may_read(
    make_pages: MakePages, origin: str | None, allowed: str | None
) -> None:
    client = cors_client(
        make_pages,
        f"['{APP}', 'https://b.example:8443'], credentials=True, expose=['X-Total']",
    )
    answer = client.get("/api", headers={"Origin": origin} if origin else {})

    assert answer.headers.get(ALLOWED) == allowed
    assert answer.headers["Vary"] == "Accept, Origin"
    credentials = answer.headers.get("Access-Control-Allow-Credentials")
    assert credentials == ("true" if allowed else None)
    exposed = answer.headers.get("Access-Control-Expose-Headers")
    assert exposed == ("X-Total" if allowed else None)


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
def test_errors_can_be_read_too(make_pages: MakePages, method: str) -> None:
    client = cors_client(make_pages, f"'{APP}'")
    answer = client.open("/api", method=method, headers={"Origin": APP})

    assert answer.status_code in (405, 422, 500)
    assert answer.headers[ALLOWED] == APP
    assert answer.headers["Vary"] == "Origin"


def test_preflight_tells_the_real_methods_and_runs_nothing(
    make_pages: MakePages,
) -> None:
    guard = "def middleware(context, call_next):\n    raise RuntimeError('guard')\n"
    client = cors_client(
        make_pages,
        f"'{APP}', headers=['X-A', 'X-B'], max_age=5",
        **{"_middleware.py": guard},
    )
    asked = {"Origin": APP, "Access-Control-Request-Method": "DELETE"}
    answer = client.options("/api", headers=asked)
    foreign = client.options("/api", headers={**asked, "Origin": OTHER})

    assert answer.status_code == 204
    assert (
        answer.headers["Access-Control-Allow-Methods"]
        == "DELETE, GET, HEAD, OPTIONS, POST"
    )
    assert answer.headers["Access-Control-Allow-Headers"] == "X-A, X-B"
    assert answer.headers["Access-Control-Max-Age"] == "5"
    assert answer.headers["Vary"] == foreign.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Private-Network" not in answer.headers
    assert [name for name, _ in foreign.headers if name.startswith("Access")] == []
    plain = cors_client(make_pages, f"'{APP}'").options("/api", headers=asked)
    assert "Access-Control-Allow-Headers" not in plain.headers


def test_other_routes_have_none(make_pages: MakePages) -> None:
    client = cors_client(make_pages, f"'{APP}'")

    assert ALLOWED not in client.get("/open", headers={"Origin": APP}).headers


def test_the_one_nearest_to_the_handler_counts(make_pages: MakePages) -> None:
    folder = f"from flask_filepages import cors\nmiddleware = cors('{OTHER}')\n"
    client = cors_client(make_pages, f"'{APP}'", **{"_middleware.py": folder})

    assert client.get("/api", headers={"Origin": APP}).headers[ALLOWED] == APP
    assert ALLOWED not in client.get("/api", headers={"Origin": OTHER}).headers
    assert client.get("/open", headers={"Origin": OTHER}).headers[ALLOWED] == OTHER


@pytest.mark.parametrize(
    ("more", "cookie", "status"),
    [
        ({"Sec-Fetch-Mode": "cors"}, "", 422),
        ({"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site"}, "", 422),
        ({"Authorization": "Bearer x"}, "", 422),
        ({}, "", 403),
        ({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"}, "", 403),
        ({"Sec-Fetch-Mode": "no-cors"}, "", 403),
        ({"Sec-Fetch-Mode": "cors"}, "session", 403),
        ({"Sec-Fetch-Mode": "cors", "Authorization": "Basic eDp5"}, "", 403),
        ({"Authorization": "Bearer x"}, "session", 403),
        ({"Authorization": "Basic eDp5"}, "", 403),
        ({"Authorization": "negotiate x"}, "", 403),
        ({}, "session", 403),
    ],
)
def test_every_origin_may_read_but_not_act_for_a_visitor(
    make_pages: MakePages, more: dict[str, str], cookie: str, status: int
) -> None:
    client = cors_client(make_pages, "'*'")
    headers = {"Origin": OTHER, **more}
    if cookie:
        client.set_cookie(cookie, "1")

    assert client.get("/api", headers=headers).headers[ALLOWED] == "*"
    assert client.post("/api", headers=headers).status_code == status


def test_the_preflight_of_an_open_policy_is_for_everybody(
    make_pages: MakePages,
) -> None:
    headers = {"Origin": OTHER, "Access-Control-Request-Method": "POST"}
    answer = cors_client(make_pages, "'*'").options("/api", headers=headers)

    assert (answer.status_code, answer.headers[ALLOWED]) == (204, "*")
    assert "Vary" not in answer.headers


def test_a_decorator_that_sees_no_options_is_warned_of(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    api = (
        "from flask import Response\nfrom flask_cors import cross_origin\n"
        "@cross_origin()\ndef GET(context):\n    return Response('x')\n"
    )
    make_pages({"a.py": api}).test_client().get("/a")

    assert "never sees OPTIONS" in caplog.text
