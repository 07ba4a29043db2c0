"""What attackers found once stays shut."""

from __future__ import annotations

import io
import os
import re
import typing as t
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

import flask_filepages
from flask_filepages import FilePages
from flask_filepages import LoadError
from flask_filepages import TreeError
from flask_filepages.handling.templates import render_jinja
from flask_filepages.pytest_plugin import write_files

from ..conftest import MakePages
from ..conftest import visitor

OK = "from flask import Response\ndef GET(context):\n    return Response('SECRET')\n"
GUARD = "from flask import abort\ndef middleware(context, call_next):\n    abort(403)\n"
MULTIPART = "multipart/form-data; boundary=b"
URLENCODED = "application/x-www-form-urlencoded"


# -- guards that only look like some -----------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "_Middleware.py",
        "_middelware.py",
        "_middlewares.py",
        "_middleware.PY",
        "_middleware/__init__.py",
        "_middleware.py/x.py",
        "_MIDDLEWARE.py",
        "_middelwares.py",
        ".middleware.py",
    ],
)
def test_a_name_that_looks_like_middleware_is_a_fault(
    tmp_path: Path, name: str
) -> None:
    write_files(tmp_path / "pages", {"admin/index.py": OK, f"admin/{name}": GUARD})
    with pytest.raises(TreeError) as caught:
        FilePages(Flask("looks_like", root_path=str(tmp_path)))

    assert [f.file for f in caught.value.faults] == [f"admin/{name.partition('/')[0]}"]


@pytest.mark.parametrize("target", ["guard.py", "nowhere.py"])
def test_a_link_that_is_not_followed_is_a_fault(tmp_path: Path, target: str) -> None:
    write_files(tmp_path, {"pages/admin/index.py": OK, "lib/guard.py": GUARD})
    os.symlink(tmp_path / "lib" / target, tmp_path / "pages/admin/_middleware.py")
    with pytest.raises(TreeError, match="so it protects no route"):
        FilePages(Flask("linked", root_path=str(tmp_path)))


def test_an_empty_chain_of_a_folder_is_a_fault(make_pages: MakePages) -> None:
    app = make_pages({"_middleware.py": "middleware = []\n", "a.py": OK})
    with pytest.raises(LoadError, match="its middleware is an empty list"):
        app.extensions["filepages"]["filepages"].load()


def test_helpers_beside_the_real_one_are_fine(make_pages: MakePages) -> None:
    files = {
        "_middleware.py": GUARD,
        "_middlewares.py": "x = 1\n",
        "_mid.py": "",
        "a.py": OK,
    }

    assert make_pages(files).test_client().get("/a").status_code == 403


# -- forms --------------------------------------------------------------------------------

FORM = (
    "from marshmallow import fields\nfrom flask_filepages import validate\n"
    "@validate(form={'role': fields.String(load_default='admin'), 's': fields.String()})\n"
    "def POST(context, form, errors):\n    return context.json(form)\n"
)
PART = b'--b\r\nContent-Disposition: form-data; name="role"\r\n\r\nuser\r\n'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"role=user&s=\xff", URLENCODED),
        (b"garbage", MULTIPART),
        (PART, MULTIPART),
        (PART + b"--b\r\nno header\r\n\r\nx\r\n--b--\r\n", MULTIPART),
    ],
)
def test_a_malformed_form_is_not_an_empty_one(
    make_pages: MakePages, body: bytes, kind: str
) -> None:
    client = make_pages({"a.py": FORM}).test_client()

    assert client.post("/a", data=body, content_type=kind).status_code == 400


@pytest.mark.parametrize(
    ("body", "status"), [(PART, 400), (PART + b"--b--\r\n", 200), (b"garbage", 400)]
)
def test_a_malformed_form_is_none_after_middleware_has_read_it(
    make_pages: MakePages, body: bytes, status: int
) -> None:
    reading = "def middleware(context, call_next):\n    context.request.form\n    return call_next()\n"
    client = make_pages({"_middleware.py": reading, "a.py": FORM}).test_client()
    answer = client.post("/a", data=body, content_type=MULTIPART)

    assert answer.status_code == status
    if status == 200:
        assert answer.get_json() == {"role": "user"}


@pytest.mark.parametrize(("length", "status"), [(400_000, 200), (600_000, 413)])
def test_a_chunked_form_has_a_limit(
    make_pages: MakePages, length: int, status: int
) -> None:
    client = make_pages({"a.py": FORM}).test_client()
    body = io.BytesIO(b"s=" + b"x" * length)
    asked = EnvironBuilder(
        "/a", method="POST", input_stream=body, content_type=URLENCODED
    )
    environ = asked.get_environ() | {"wsgi.input_terminated": True}
    environ.pop("CONTENT_LENGTH", None)
    answer = client.open(environ)

    assert answer.status_code == status


def test_unknown_files_are_refused_if_the_schema_says_so(make_pages: MakePages) -> None:
    code = (
        "from marshmallow import Schema, fields\nfrom flask_filepages import validate\n"
        "class Files(Schema):\n    class Meta:\n        unknown = 'raise'\n"
        "    a = fields.Raw()\n"
        "@validate(files=Files)\ndef POST(context, files): ...\n"
    )
    client = make_pages({"a.py": code}).test_client()
    answer = client.post("/a", data={"b": (io.BytesIO(b"x"), "b.txt")})

    assert answer.get_json()["errors"][0]["parameter"] == "b"


# -- values ---------------------------------------------------------------------------------

VALUES = """\
from marshmallow import Schema, fields, post_load
from flask_filepages import validate

class Money:
    def __init__(self, amount):
        self.amount = amount

class Made(Schema):
    amount = fields.Decimal()
    @post_load
    def make(self, data, **kwargs):
        return Money(**data)

class Deep(Schema):
    p = fields.Pluck(lambda: Deep(), "p")

@validate(json=Made)
def POST(context, json): ...

@validate(json={"by": fields.Dict(keys=fields.Decimal()), "at": fields.DateTime(format="timestamp"),
                "ms": fields.DateTime(format="timestamp_ms"), "d": fields.TimeDelta(), "deep": fields.Nested(Deep)})
def PUT(context, json): ...
"""


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("POST", '{"amount": "1e300000000"}', 400),
        ("PUT", '{"by": {"1e300000000": 1}}', 400),
        ("PUT", '{"at": %s}' % ("1" * 4300), 400),
        ("PUT", '{"at": %s}' % ("9" * 300), 400),
        ("PUT", '{"ms": %s}' % ("9" * 300), 400),
        ("PUT", '{"d": %s}' % ("9" * 300), 400),
        ("PUT", '{"deep":' + '{"p":' * 62 + "null" + "}" * 63, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_values_out_of_bounds(
    make_pages: MakePages, method: str, body: str, status: int | None
) -> None:
    client = visitor(make_pages({"a.py": VALUES}))
    answer = client.open(
        "/a", method=method, data=body, content_type="application/json"
    )

    assert answer.status_code in ([status] if status else [400, 422])


def test_values_that_were_not_parsed_are_refused(make_pages: MakePages) -> None:
    code = (
        "import functools\nfrom marshmallow import fields\nfrom flask_filepages import validate\n"
        "def spread(f):\n    @functools.wraps(f)\n    def inner(context):\n"
        "        return f(context, **context.params)\n    return inner\n"
        "@spread\n@validate(query={'page': fields.Integer()})\n"
        "def GET(context, query): return context.json(query)\n"
    )
    client = visitor(make_pages({"s/[query].py": code}))

    assert client.get("/s/evil").status_code == 500


def test_a_handler_may_call_another_with_what_was_parsed(make_pages: MakePages) -> None:
    code = (
        "from marshmallow import fields\nfrom flask_filepages import validate\n"
        "body = {'a': fields.Integer()}\n"
        "@validate(json=body)\ndef PUT(context, json):\n    return context.json(json)\n"
        "@validate(json=body)\ndef POST(context, json):\n    return PUT(context, json={'b': json})\n"
    )
    client = make_pages({"a.py": code}).test_client()

    assert client.post("/a", json={"a": 1}).get_json() == {"b": {"a": 1}}


@pytest.mark.parametrize(
    "host", ["my_app:5000", "xn--bcher-kva.example", "a.example:80"]
)
def test_the_own_origin_is_the_host_as_it_was_sent(
    make_pages: MakePages, host: str
) -> None:
    code = "from flask import Response\ndef POST(context):\n    return Response('x')\n"
    headers = {"Host": host, "Origin": f"http://{host.removesuffix(':80')}"}
    client = make_pages({"a.py": code}).test_client()

    assert client.post("/a", headers=headers).status_code == 200


# -- headers and cookies --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "fine"),
    [
        ("X-A", "a\x01b", False),
        ("X-A", "a\x7f", False),
        ("X-A", "€", False),
        ("X-A", "\x00", False),
        ("X A", "x", False),
        ("X-A\0", "x", False),
        ("", "x", False),
        ("Ä", "x", False),
        ("X-A", "é\t x", True),
        ("Location", "/suche?q=日本", True),
        ("X_a.b!", "x", True),
    ],
)
def test_header_fields_that_no_server_can_send(
    make_pages: MakePages,
    caplog: pytest.LogCaptureFixture,
    name: str,
    value: str,
    fine: bool,
) -> None:
    code = f"from flask import Response\ndef GET(context):\n    return Response('x', headers=[({name!r}, {value!r})])\n"
    answer = visitor(make_pages({"a.py": code})).get("/a")

    assert answer.status_code == (200 if fine else 500)
    if not fine:
        assert answer.mimetype == "application/problem+json"
        assert "header field" in caplog.text or "The value of" in caplog.text


def test_cookies_are_secure_where_the_site_is(make_pages: MakePages) -> None:
    code = (
        "from flask import Response\ndef GET(context):\n"
        "    context.cookies.set('a', '1')\n    return Response('x')\n"
    )
    app = make_pages({"a.py": code}, FILEPAGES_SITE="https://www.example")

    assert "Secure" in app.test_client().get("/a").headers["Set-Cookie"]


def test_absolute_urls_are_of_the_site(make_pages: MakePages) -> None:
    code = (
        "from flask import Response, url_for\ndef GET(context):\n"
        "    return Response(url_for('/a', _external=True, q=1))\n"
    )
    app = make_pages({"a.py": code}, FILEPAGES_SITE="https://www.example")
    answer = app.test_client().get("/a", headers={"Host": "evil.example"})

    assert answer.text == "https://www.example/a?q=1"


@pytest.mark.parametrize("base_url", ["http://localhost", "http://localhost/base"])
@pytest.mark.parametrize("site", ["https://www.example/base", "https://www.example"])
def test_absolute_urls_have_the_path_of_the_site(
    make_pages: MakePages, site: str, base_url: str
) -> None:
    code = (
        "from flask import Response, url_for\ndef GET(context):\n"
        "    return Response(url_for('/a', _external=True, q=1))\n"
    )
    app = make_pages({"a.py": code}, FILEPAGES_SITE=site, APPLICATION_ROOT="/base")
    answer = app.test_client().get("/a", base_url=base_url)

    assert answer.text == "https://www.example/base/a?q=1"


# -- errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    ["context.request.form['x']", "context.rewrite('/a')", "abort(405)", "1 / 0"],
)
def test_a_failing_error_page_does_not_change_the_error(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture, page: str
) -> None:
    own = f"from flask import abort\ndef GET(context):\n    return {page}\n"
    boom = "def POST(context):\n    raise RuntimeError\n"
    client = visitor(make_pages({"500.py": own, "a.py": boom}))

    assert client.post("/a").status_code == 500
    assert "The 500 page raised an error" in caplog.text


def test_an_error_page_without_get_is_a_fault(make_pages: MakePages) -> None:
    app = make_pages({"404.py": "def POST(context): ...\n"})
    with pytest.raises(LoadError, match="an error page needs a GET or ALL handler"):
        app.extensions["filepages"]["filepages"].load()


@pytest.mark.parametrize("made", ["return Forbidden()", "raise Forbidden"])
def test_refusals_are_not_stored(make_pages: MakePages, made: str) -> None:
    code = f"from werkzeug.exceptions import Forbidden\ndef GET(context):\n    {made}\n"
    answer = make_pages({"a.py": code}).test_client().get("/a")

    assert (answer.status_code, answer.headers["Cache-Control"]) == (403, "no-store")


# -- CORS -----------------------------------------------------------------------------------

EVIL = {"Origin": "https://evil.example"}
CORS = "from flask_filepages import cors\nmiddleware = cors({}, credentials=True)\n"
ALLOWED = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials")


def allowed(answer: t.Any) -> list[str | None]:
    return [answer.headers.get(name) for name in ALLOWED]


def test_the_policy_of_a_rewritten_route_does_not_leak(make_pages: MakePages) -> None:
    evil = CORS.format("['https://evil.example']")
    client = make_pages(
        {
            "target.py": evil
            + "from flask import abort\ndef GET(context):\n    abort(404)\n",
            "there.py": evil + OK,
            "me.py": "from flask import Response\ndef GET(context):\n    try:\n"
            "        return context.rewrite('/target')\n    except Exception:\n"
            "        return Response('PRIVATE')\n",
            "open.py": "from flask_filepages import cors\nmiddleware = cors('*')\n"
            "def GET(context):\n    return context.rewrite('/there')\n",
        }
    ).test_client()

    assert allowed(client.get("/me", headers=EVIL)) == [None, None]
    assert allowed(client.get("/open", headers=EVIL)) == ["*", None]


def test_headers_of_a_rewritten_route_are_on_its_errors(make_pages: MakePages) -> None:
    own = "from flask_filepages import headers\nmiddleware = headers({'X-A': '1'})\n"
    abort = "from flask import abort\ndef GET(context):\n    abort(401)\n"
    alias = "def GET(context):\n    return context.rewrite('/target')\n"
    client = make_pages({"target.py": own + abort, "alias.py": alias}).test_client()

    assert client.get("/alias").headers["X-A"] == "1"


def test_the_policy_of_the_root_is_not_that_of_errors(make_pages: MakePages) -> None:
    boom = "def GET(context):\n    raise RuntimeError\n"
    client = visitor(
        make_pages(
            {
                "_middleware.py": CORS.format("['https://evil.example']"),
                "500.html": "page 500",
                "404.html": "page 404",
                "private.py": CORS.format("['https://app.example']") + boom,
            }
        )
    )
    html = {"Accept": "text/html"}
    friend = {"Origin": "https://app.example", **html}
    preflight = {**EVIL, "Access-Control-Request-Method": "PUT"}

    assert allowed(client.get("/private", headers={**EVIL, **html})) == [None, None]
    assert allowed(client.get("/private", headers=friend)) == [
        "https://app.example",
        "true",
    ]
    assert client.options("/nope", headers=preflight).status_code == 404


def test_a_refused_origin_varies_where_there_is_a_policy(make_pages: MakePages) -> None:
    code = CORS.format("['https://app.example']") + "def POST(context): ...\n"
    answer = make_pages({"a.py": code}).test_client().post("/a", headers=EVIL)

    assert (answer.status_code, answer.headers["Vary"]) == (403, "Origin")


# -- templates --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.jinja", "a.HTML", "a.html.j2", "a.txt", "a.html"])
def test_pages_are_escaped_whatever_their_suffix(tmp_path: Path, name: str) -> None:
    text = "{% include 'part.j2' %}{{ context.request.args.n }}"
    write_files(tmp_path, {f"pages/{name}": text, "templates/part.j2": "{{ '<i>' }}"})
    app = Flask("escaped", root_path=str(tmp_path))
    FilePages(app, renderers={os.path.splitext(name)[1]: render_jinja})
    url = f"/{os.path.splitext(name)[0]}?n=<script>"
    answer = app.test_client().get(url)

    assert answer.text == "&lt;i&gt;&lt;script&gt;"
    assert app.test_client().get(url).text == answer.text


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd", "/etc/passwd", "C:\\x", "a\0", "filepages:/../x.html"],
)
def test_a_name_from_outside_finds_no_file(make_pages: MakePages, name: str) -> None:
    code = "def GET(context):\n    return context.render(context.request.args['t'])\n"
    client = visitor(make_pages({"a.py": code}))
    answer = client.get("/a", query_string={"t": name})

    assert answer.status_code == 500
    assert "passwd" not in answer.text


def test_a_text_template_of_the_app_is_text(tmp_path: Path) -> None:
    code = "def GET(context):\n    return context.render('mail.txt', name='<i>')\n"
    write_files(tmp_path, {"pages/a.py": code, "templates/mail.txt": "{{ name }}"})
    app = Flask("text", root_path=str(tmp_path))
    FilePages(app)

    assert app.test_client().get("/a").text == "<i>"


def test_front_matter_is_of_one_request(tmp_path: Path) -> None:
    from flask_filepages.markdown import render_markdown

    layout = "{% set _ = frontmatter.tags.append(context.request.args.n) %}{{ frontmatter.tags }}"
    write_files(
        tmp_path,
        {
            "pages/a.md": "---\nlayout: l.html\ntags: []\n---\n",
            "templates/l.html": layout,
        },
    )
    app = Flask("front", root_path=str(tmp_path))
    FilePages(app, renderers={".md": render_markdown})
    client = app.test_client()

    assert "alice" in client.get("/a?n=alice").text
    assert "alice" not in client.get("/a?n=bob").text


# -- what is read of a request --------------------------------------------------------------

#: Each header field that the package looks at by name, and what it may decide.
FIELDS = {
    "Accept-Encoding": "in which form a stored answer is sent",
    "Access-Control-Request-Method": "whether OPTIONS is a preflight",
    "Authorization": "whether a browser added credentials by itself",
    "Content-Encoding": "whether a body is refused",
    "Cookie": "whether a visitor is behind the request",
    "Forwarded": "whether the development tools are refused, in debug",
    "If-Match": "whether a stored answer is sent",
    "If-None-Match": "the same",
    "If-Range": "whether a part of a stored answer is sent",
    "Range": "the same",
    "Host": "what the own origin is, without FILEPAGES_SITE",
    "Origin": "whether the request comes from another site",
    "Sec-Fetch-Dest": "whether a page gets the script of live reload, in debug",
    "Sec-Fetch-Mode": "whether a script sent the request",
    "Sec-Fetch-Site": "whether the request comes from another site",
    "Transfer-Encoding": "whether there is a body",
    "X-Forwarded": "the same as Forwarded, also with more after it",
    **dict.fromkeys(
        ["Via", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip"],
        "the same as Forwarded",
    ),
}


def test_no_other_header_field_is_read() -> None:
    """A header that decides about routes or guards is how other frameworks fell."""
    package = Path(flask_filepages.__file__).parent
    text = "\n".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    by_name = re.findall(
        r'headers\.get\(\s*"([^"]+)"|"([^"]+)" (?:not )?in [\w.]*headers', text
    )
    by_key = re.findall(r'"HTTP_([A-Z_]+)"', text)
    read = {name for names in by_name for name in names if name}
    read |= {key.replace("_", "-").title() for key in by_key}

    assert read == set(FIELDS)
