"""Views that become files: what docs/existing-app.rst says about the edits."""

from __future__ import annotations

import pytest
from flask import Blueprint
from flask import Flask
from flask import abort
from flask import g
from flask import url_for
from flask_wtf.csrf import CSRFProtect

from flask_filepages import FilePages
from flask_filepages import TreeError

from .conftest import ECHO
from .conftest import MakePages

LOGIN = """\
from flask import redirect, url_for


def view(context):
    if context.request.method == "POST":
        return redirect(url_for("auth.login"))
    return context.render(status=200)


GET = POST = view
"""


def test_an_old_endpoint_name_can_be_kept(make_pages: MakePages) -> None:
    app = make_pages({"auth/login.py": LOGIN, "auth/login.html": "form"})
    app.add_url_rule("/auth/login", endpoint="auth.login", build_only=True)
    client = app.test_client()

    assert client.get("/auth/login").text == "form"
    assert client.post("/auth/login").headers["Location"] == "/auth/login"
    with app.test_request_context():
        assert url_for("auth.login") == url_for("/auth/login") == "/auth/login"


def test_helpers_that_return_tuples_need_no_edit(make_pages: MakePages) -> None:
    code = (
        "def refuse():\n    return {'error': 'no'}, 401\n\n\n"
        "def GET(context):\n    return refuse()\n"
    )
    app = make_pages({"a.py": code}, FILEPAGES_STRICT_RESPONSE=False)
    response = app.test_client().get("/a")

    assert (response.status_code, response.json) == (401, {"error": "no"})


def test_all_methods_of_a_url_move_together(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        app.add_url_rule("/a", "update", lambda: "x", methods=["PUT"])

    with pytest.raises(TreeError, match="conflicts with the app's endpoint 'update'"):
        make_pages({"a.py": ECHO}, setup)


def test_functions_of_a_blueprint_do_not_run(make_pages: MakePages) -> None:
    api = Blueprint("api", __name__, url_prefix="/api")
    api.before_request(lambda: abort(401))
    guard = (
        "from flask import abort\n\n\ndef middleware(c, call_next):\n    abort(401)\n"
    )
    unguarded = make_pages({"api/a.py": ECHO})
    guarded = make_pages({"api/a.py": ECHO, "api/_middleware.py": guard})
    for app in (unguarded, guarded):
        app.register_blueprint(api)

    assert unguarded.test_client().get("/api/a").status_code == 200
    assert guarded.test_client().get("/api/a").status_code == 401


def test_functions_of_the_app_and_of_the_filepages_run(make_pages: MakePages) -> None:
    code = (
        "from flask import g, request\n\n\n"
        "def GET(context):\n    return context.json([g.names, request.blueprint])\n"
    )
    app = make_pages({"a.py": code})

    @app.before_request
    def of_the_app() -> None:
        g.names = ["app"]

    filepages = app.extensions["filepages"]["filepages"].pages
    app.before_request_funcs.setdefault("filepages", []).append(
        lambda: g.names.append("filepages")
    )

    assert isinstance(filepages, FilePages)
    assert app.test_client().get("/a").json == [["app", "filepages"], "filepages"]


def test_the_blueprint_of_the_filepages_can_be_exempt_from_csrf(
    make_pages: MakePages,
) -> None:
    app = make_pages({"hook.py": ECHO.replace("GET", "POST")})
    app.config.update(SECRET_KEY="x", FILEPAGES_CHECK_ORIGIN=False)
    csrf = CSRFProtect(app)
    refused = app.test_client().post("/hook").status_code
    csrf.exempt(app.extensions["filepages"]["filepages"].pages.blueprint)

    assert (refused, app.test_client().post("/hook").status_code) == (400, 200)
