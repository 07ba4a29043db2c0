"""What a handler gets."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from flask import Flask
from flask import Response
from flask.testing import FlaskClient

from flask_filepages import Context
from flask_filepages import UnsafeRedirectError
from flask_filepages.testing import make_context

ClientOf = t.Callable[..., FlaskClient]


def told(expression: str) -> str:
    return f"def GET(context):\n    return context.json({expression})\n"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("context.request.path", "/a/b c"),
        ("dict(context.params)", {"id": "b c"}),
        ("dict(context.props)", {}),
        ("str(context.url)", "http://localhost/a/b c?x=%20y"),
        ("tuple(context.url)", ["http", "localhost", "/a/b c", "x=%20y", ""]),
        ("dict(context.cookies)", {"k": "v"}),
        ("vars(context.locals)", {}),
        ("list(context.session)", []),
        ("context.app.name", "filepages_test"),
        ("context.site", "https://example.com"),
        ("context.route_id", "/a/[id]"),
        ("context.is_prerendered", False),
        ("context.params is context.params", True),
    ],
)
def test_attributes(client_of: ClientOf, expression: str, value: t.Any) -> None:
    client = client_of(
        {"a/[id].py": told(expression)}, FILEPAGES_SITE="https://example.com"
    )
    client.set_cookie("k", "v")

    assert client.get("/a/b%20c?x=%20y").get_json() == value


def test_unknown_attributes_suggest_the_likely_one() -> None:
    with pytest.raises(AttributeError, match=r"Did you mean context\.params\?"):
        _ = make_context().parms
    with pytest.raises(AttributeError, match="no 'zzz'.$"):
        _ = make_context().zzz


def test_params_are_read_only() -> None:
    with pytest.raises(TypeError):
        t.cast(t.Any, make_context(params={"id": "1"}).params)["id"] = "2"


def test_locals_are_of_one_request(client_of: ClientOf) -> None:
    client = client_of(
        {
            "a.py": "def GET(context):\n    context.locals.seen = True\n"
            "    return context.json(vars(context.locals))\n",
            "b.py": told("vars(context.locals)"),
        }
    )

    assert client.get("/a").get_json() == {"seen": True}
    assert client.get("/b").get_json() == {}


def test_session_is_flasks(client_of: ClientOf) -> None:
    client = client_of(
        {
            "a.py": "def GET(context):\n"
            "    context.session['n'] = context.session.get('n', 0) + 1\n"
            "    return context.json(context.session['n'])\n"
        },
        SECRET_KEY="x",
    )

    assert [client.get("/a").get_json() for _ in range(3)] == [1, 2, 3]


def test_json_goes_through_the_provider_of_the_app() -> None:
    response = make_context().json({"b": 1, "a": "é"}, 201, {"X-A": "1"})

    assert (response.status_code, response.mimetype) == (201, "application/json")
    assert response.headers["X-A"] == "1"
    assert response.get_json() == {"b": 1, "a": "é"}
    with pytest.raises(TypeError):
        make_context().json(object())


def test_json_takes_headers_as_pairs_and_a_type_of_its_own() -> None:
    response = make_context().json(1, headers=[("Content-Type", "application/x+json")])

    assert response.headers.getlist("Content-Type") == ["application/x+json"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect(status: int) -> None:
    response = make_context().redirect("/é?x=1", status)

    assert (response.status_code, response.headers["Location"]) == (
        status,
        "/%C3%A9?x=1",
    )


def test_redirects_elsewhere_are_meant() -> None:
    context = make_context()

    with pytest.raises(UnsafeRedirectError):
        context.redirect("https://example.com")
    with pytest.raises(ValueError, match="200"):
        context.redirect("/", 200)
    assert context.redirect("https://example.com", external=True).location == (
        "https://example.com"
    )


def test_an_unsafe_redirect_is_400_and_says_so_only_in_the_log(
    client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    source = (
        "def GET(context):\n    return context.redirect(context.request.args['to'])\n"
    )
    response = client_of({"a.py": source}).get("/a?to=//evil.example")

    assert response.status_code == 400
    assert "evil" not in response.text
    assert "/a: refused to redirect to '//evil.example'" in caplog.text
    assert "external=True" in caplog.text


def test_cookies_are_written_to_the_answer(client_of: ClientOf) -> None:
    client = client_of(
        {
            "a.py": "from flask import Response\n"
            "def GET(context):\n    context.cookies.set('n', '1')\n"
            "    return Response(headers={'Set-Cookie': 'own=1'})\n"
            "def POST(context):\n    context.cookies.set('n', '1')\n"
            "    raise RuntimeError\n"
            "def PUT(context):\n    context.cookies.set('n', '1')\n"
            "    return context.redirect('/')\n",
        },
        PROPAGATE_EXCEPTIONS=False,
    )
    names = [
        c.partition("=")[0] for c in client.get("/a").headers.getlist("Set-Cookie")
    ]

    assert names == ["own", "n"]
    assert "Set-Cookie" in client.put("/a").headers
    assert "Set-Cookie" not in client.post("/a").headers
    secure = client.get("/a", base_url="https://localhost").headers
    assert "; Secure;" in secure.getlist("Set-Cookie")[1]


# -- pages ----------------------------------------------------------------------------


def test_a_page_alone(client_of: ClientOf) -> None:
    client = client_of(
        {
            "a/[id].html": "<p>{{ context.params.id }} {{ request.path }}"
            " {{ url_for('/a/[id]', id=2) }}</p>"
        }
    )
    response = client.get("/a/<b>")

    assert response.text == "<p>&lt;b&gt; /a/&lt;b&gt; /a/2</p>"
    assert response.mimetype == "text/html"
    assert client.head("/a/1").data == b""
    assert client.post("/a/1").status_code == 405


def test_a_page_and_its_endpoint(client_of: ClientOf) -> None:
    client = client_of(
        {
            "a.html": "{{ name }} {{ error }}",
            "a.py": "def GET(context):\n    return context.render(name='x')\n"
            "def POST(context):\n"
            "    return context.render(error='bad', status=422, headers={'X-A': '1'})\n",
            "b.html": "{{ context.route_id }}",
            "b.py": "def POST(context): ...\n",
        }
    )
    refused = client.post("/a")

    assert client.get("/a").text == "x "
    assert (refused.text, refused.status_code, refused.headers["X-A"]) == (
        " bad",
        422,
        "1",
    )
    assert client.get("/b").text == "/b"


def test_pages_extend_templates_of_the_app_and_are_not_replaced_by_them(
    make_pages: t.Callable[..., Flask],
) -> None:
    app = make_pages(
        {
            "../templates/base.html": "<{% block x %}{% endblock %}>",
            "../templates/about.html": "the app's",
            "about.html": "{% extends 'base.html' %}{% block x %}page{% endblock %}",
            "part.html": "{% include 'filepages:/_part.html' %}",
            "_part.html": "private",
            "other.py": "def GET(context):\n    return context.render('about.html')\n",
            "none.py": "def GET(context):\n    return context.render()\n",
        }
    )
    client = app.test_client()

    assert client.get("/about").text == "<page>"
    assert client.get("/part").text == "private"
    assert client.get("/other").text == "the app's"
    with pytest.raises(
        FileNotFoundError, match=r"none\.py has no page of the same name"
    ):
        client.get("/none")


def test_templates_of_another_folder_are_not_reachable(
    make_pages: t.Callable[..., Flask],
) -> None:
    app = make_pages(
        {
            "../secret.html": "secret",
            "a.html": "{% include 'filepages:/../secret.html' %}",
        }
    )
    from jinja2 import TemplateNotFound

    with pytest.raises(TemplateNotFound):
        app.test_client().get("/a")


def test_links_out_of_the_folder_are_no_templates(
    make_pages: t.Callable[..., Flask],
) -> None:
    from jinja2 import TemplateNotFound

    app = make_pages(
        {"../secret.html": "x", "a.html": "{% include 'filepages:/b.html' %}"}
    )
    (Path(app.root_path) / "pages" / "b.html").symlink_to(
        Path(app.root_path) / "secret.html"
    )
    with pytest.raises(TemplateNotFound):
        app.test_client().get("/a")
    assert app.jinja_env.list_templates() == []


def test_renderers_are_one_line(make_pages: t.Callable[..., Flask]) -> None:
    from flask_filepages import FilePages
    from flask_filepages.pytest_plugin import write_files

    app = Flask("with_renderer")
    root = Path(make_pages({}).root_path)
    write_files(root / "texts", {"a.txt": "", "b.html": "html"})
    app.root_path = str(root)

    def shout(context: Context, template: str, data: dict[str, t.Any]) -> str:
        return f"{template}!"

    FilePages(app, folder="texts", renderers={".txt": shout})
    client = app.test_client()

    assert client.get("/a").text == "filepages:/a.txt!"
    assert client.get("/b").text == "html"


# -- without a server -----------------------------------------------------------------


def test_a_handler_is_a_plain_function() -> None:
    def GET(context: Context) -> Response:
        context.cookies.set("a", "1")
        context.session["b"] = context.request.args["q"]
        context.locals.c = context.props["p"]
        return context.json(context.params["id"])

    context = make_context(
        params={"id": "7"}, props={"p": 1}, query={"q": "x"}, cookies={"z": "0"}
    )

    assert GET(context).get_json() == "7"
    assert dict(context.cookies) == {"z": "0", "a": "1"}
    assert (context.session["b"], context.locals.c) == ("x", 1)


def test_a_request_of_any_kind_can_be_made() -> None:
    app = Flask("x")
    json = make_context("POST", "/a", json={"a": 1}, headers={"X-A": "1"})
    form = make_context(
        "POST", form={"a": "1"}, session={"u": 1}, locals={"l": 2}, app=app
    )

    raw = make_context("POST", data=b"\xe9")

    assert raw.request.get_data() == b"\xe9"
    assert (json.request.get_json(), json.request.headers["X-A"]) == ({"a": 1}, "1")
    assert json.url.path == "/a"
    assert form.request.form["a"] == "1"
    assert (form.session["u"], form.locals.l, form.app) == (1, 2, app)


def test_rendering_needs_a_named_template(make_pages: t.Callable[..., Flask]) -> None:
    app = make_pages({"../templates/x.html": "{{ a }} {{ context.params.id }}"})
    context = make_context(params={"id": 5}, app=app)

    assert context.render("x.html", a=1).get_data(as_text=True) == "1 5"
    with pytest.raises(RuntimeError, match="Name the template"):
        context.render()
