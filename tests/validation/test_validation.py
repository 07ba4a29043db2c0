"""Schemas at the boundary: what a handler gets, and what never reaches it."""

from __future__ import annotations

import io
import json
import typing as t

import pytest
from flask.testing import FlaskClient
from marshmallow import Schema
from marshmallow import fields

from flask_filepages import InvalidContentError
from flask_filepages import LoadError
from flask_filepages import ResponseMismatchError
from flask_filepages import responds
from flask_filepages import validate
from flask_filepages.testing import make_context
from flask_filepages.validation.locations import MAX_JSON

from ..conftest import MakePages
from ..conftest import visitor

HEAD = """\
from decimal import Decimal
from flask import Response
from marshmallow import EXCLUDE, RAISE, Schema, fields, post_dump, post_load
from marshmallow.validate import Length, Range
from flask_filepages import responds, validate

class Author(Schema):
    name = fields.String(required=True)
    tags = fields.List(fields.String())

class Body(Schema):
    title = fields.String(required=True, validate=Length(1, 20))
    pages = fields.Integer(strict=True, validate=Range(0, 9999))
    price = fields.Decimal(as_string=True)
    author = fields.Nested(Author)

"""


def client_of(make_pages: MakePages, code: str, **config: t.Any) -> FlaskClient:
    files = {"p/[n].py": HEAD + code}
    if "params=" not in code:
        files["a.py"] = HEAD + code
    return visitor(make_pages(files, **config))


def errors_of(response: t.Any) -> list[dict[str, str]]:
    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    found: list[dict[str, str]] = response.get_json()["errors"]
    return found


# -- locations --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("json", {"json": {"x": "1", "many": ["a", "b"]}}),
        ("form", {"data": {"x": "1", "many": ["a", "b"]}}),
        ("query", {"query_string": "x=1&many=a&many=b&unknown=1"}),
        ("headers", {"headers": [("X", "1"), ("Many", "a"), ("Many", "b")]}),
    ],
)
def test_repeated_values_are_lists(
    make_pages: MakePages, location: str, sent: dict[str, t.Any]
) -> None:
    code = (
        f"@validate({location}={{'x': fields.Integer(), 'many': fields.List(fields.String())}})\n"
        f"def POST(context, {location}):\n    return context.json({location})\n"
    )
    answer = client_of(make_pages, code).post("/a", **sent)
    many = ["a", "b"]

    assert answer.get_json() == {"x": 1, "many": many}


def test_cookies_and_params(make_pages: MakePages) -> None:
    code = (
        "@validate(cookies={'c': fields.Integer()}, params={'n': fields.Integer()})\n"
        "def GET(context, cookies, params):\n"
        "    return context.json([cookies, params])\n"
    )
    client = client_of(make_pages, code)
    client.set_cookie("c", "7")
    client.set_cookie("other", "x")

    assert client.get("/p/5").get_json() == [{"c": 7}, {"n": 5}]
    assert client.get("/p/five").status_code == 404


def test_files_and_form_of_one_body(make_pages: MakePages) -> None:
    code = (
        "@validate(files={'f': fields.Raw(required=True)}, form={'t': fields.String()})\n"
        "def POST(context, files, form):\n"
        "    return context.json([files['f'].filename, files['f'].read().decode(), form])\n"
    )
    client = client_of(make_pages, code)
    sent = {"f": (io.BytesIO(b"bytes"), "../x.txt"), "t": "text"}

    assert client.post("/a", data=sent).get_json() == [
        "../x.txt",
        "bytes",
        {"t": "text"},
    ]
    missing = client.post("/a", data={"t": "x"}, content_type="multipart/form-data")
    assert [e["parameter"] for e in errors_of(missing)] == ["f"]


@pytest.mark.parametrize(
    ("schema", "sent", "status"),
    [
        ("Body", {"title": "x", "other": 1}, 400),
        ("Body(unknown=EXCLUDE)", {"title": "x", "other": 1}, 200),
        ("Body(partial=True)", {}, 200),
        ("Body(partial=('title',))", {}, 200),
        ("Body(many=True)", [{"title": "x"}, {"title": "y"}], 200),
        ("Body(many=True)", {"title": "x"}, 400),
        ("Body(only=['pages'])", {"pages": 1}, 200),
        ("Schema.from_dict({'a': fields.Integer()})", {"a": 1}, 200),
    ],
)
def test_schemas(make_pages: MakePages, schema: str, sent: t.Any, status: int) -> None:
    code = f"@validate(json={schema})\ndef POST(context, json):\n    return context.json(json)\n"

    assert client_of(make_pages, code).post("/a", json=sent).status_code == status


@pytest.mark.parametrize(
    ("schema", "status"),
    [
        ("{'a': fields.Integer()}", 200),
        ("Schema.from_dict({'a': fields.Integer()})(unknown=RAISE)", 200),
        ("type('Q', (Schema,), {'Meta': type('Meta', (), {'unknown': RAISE})})", 400),
    ],
)
def test_unknown_fields_of_a_query(
    make_pages: MakePages, schema: str, status: int
) -> None:
    code = f"@validate(query={schema})\ndef GET(context, query):\n    return context.json(query)\n"

    assert client_of(make_pages, code).get("/a?a=1&b=2").status_code == status


def test_many_marks_hooks_and_async(make_pages: MakePages) -> None:
    code = (
        "class Made(Schema):\n    n = fields.Integer()\n"
        "    @post_load\n    def make(self, data, **kwargs):\n        return ('made', data['n'])\n"
        "@validate(json=Made, query={'q': fields.Integer()})\n"
        "async def POST(context, json, query):\n    return context.json([json, query])\n"
    )
    answer = client_of(make_pages, code).post("/a?q=2", json={"n": 1})

    assert answer.get_json() == [["made", 1], {"q": 2}]


# -- what is told -----------------------------------------------------------------------


def test_errors_point_into_the_body(make_pages: MakePages) -> None:
    code = "@validate(json=Body, query={'q': fields.Integer()})\ndef POST(context, json, query): ...\n"
    body = {"title": "", "author": {"tags": [1, "x"]}, "a/b~c": 1}
    found = errors_of(client_of(make_pages, code).post("/a?q=x", json=body))

    assert {e.get("pointer") or e.get("parameter"): e["in"] for e in found} == {
        "#/title": "json",
        "#/author/name": "json",
        "#/author/tags/0": "json",
        "#/a~1b~0c": "json",
        "q": "query",
    }
    assert {"in": "query", "parameter": "q", "detail": "Not a valid integer."} in found


def test_the_problem_document_is_whole(make_pages: MakePages) -> None:
    code = "@validate(json=Body)\ndef POST(context, json): ...\n"
    answer = client_of(make_pages, code).post(
        "/a", data="null", content_type="application/json"
    )
    document = answer.get_json()

    assert document["type"] == "about:blank"
    assert (document["status"], document["title"]) == (400, "Bad Request")
    assert document["errors"] == [
        {"in": "json", "pointer": "#", "detail": "Invalid input type."}
    ]
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_status_of_invalid_content_may_be_422(make_pages: MakePages) -> None:
    code = "@validate(json=Body)\ndef POST(context, json): ...\n"
    client = client_of(make_pages, code, FILEPAGES_INVALID_STATUS=422)
    answer = client.post("/a", json={})

    assert (answer.status_code, answer.get_json()["status"]) == (422, 422)
    assert client.post("/a", data="{").status_code == 415
    malformed = client.post("/a", data="{", content_type="application/json")
    assert malformed.status_code == 400


def test_errors_are_not_without_end(make_pages: MakePages) -> None:
    code = "@validate(json=Body(many=True))\ndef POST(context, json): ...\n"
    found = errors_of(client_of(make_pages, code).post("/a", json=[1] * 5000))

    assert len(found) == 100


def test_a_browser_gets_a_page_with_the_errors_escaped(make_pages: MakePages) -> None:
    code = "@validate(form={'<b>': fields.Integer()})\ndef POST(context, form): ...\n"
    answer = client_of(make_pages, code).post(
        "/a", data={"<b>": "x"}, headers={"Accept": "text/html,*/*;q=0.8"}
    )

    assert (answer.status_code, answer.mimetype) == (400, "text/html")
    assert "&lt;b&gt;: Not a valid integer." in answer.text


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("kind", ["InvalidContentError", "status", "HTTPException"])
def test_error_handlers_of_the_app_go_first(
    make_pages: MakePages, kind: str, status: int
) -> None:
    code = "@validate(json=Body)\ndef POST(context, json): ...\n"
    client = client_of(make_pages, code, FILEPAGES_INVALID_STATUS=status)
    from werkzeug.exceptions import HTTPException

    which: t.Any = {"status": status, "HTTPException": HTTPException}.get(
        kind, InvalidContentError
    )

    @client.application.errorhandler(which)
    def own(error: InvalidContentError) -> tuple[dict[str, t.Any], int]:
        return error.data["messages"], 418

    answer = client.post("/a", json={})

    assert answer.status_code == 418
    assert answer.get_json() == {
        "json": {"title": ["Missing data for required field."]}
    }


# -- showing a form again ---------------------------------------------------------------

AGAIN = (
    "@validate(form=Body, query={'q': fields.Integer(load_default=1)})\n"
    "def POST(context, form, query, errors):\n"
    "    return context.json({'title': form.get('title'), 'query': query, 'errors': errors})\n"
)


def test_a_handler_may_ask_for_the_errors(make_pages: MakePages) -> None:
    client = client_of(make_pages, AGAIN)
    good = client.post("/a", data={"title": "x"}).get_json()
    bad = client.post("/a?q=z", data={"title": "", "pages": "x"}).get_json()

    assert good == {"title": "x", "query": {"q": 1}, "errors": {}}
    assert bad["title"] == ""
    assert bad["query"] == {"q": "z"}
    assert bad["errors"] == {
        "form": {
            "title": ["Length must be between 1 and 20."],
            "pages": ["Not a valid integer."],
        },
        "query": {"q": ["Not a valid integer."]},
    }


def test_a_location_without_errors_has_none(make_pages: MakePages) -> None:
    code = (
        "@validate(form={'a': fields.String()}, query={'q': fields.Integer(required=True)})\n"
        "def POST(context, form, query, errors):\n"
        "    return context.json([bool(errors), errors['form'], list(errors)])\n"
    )
    client = client_of(make_pages, code)

    assert client.post("/a", data={"a": "x"}).get_json() == [True, {}, ["query"]]
    assert client.post("/a?q=1", data={"a": "x"}).get_json() == [False, {}, []]


def test_a_plain_call_has_no_errors() -> None:
    @validate(form=Body)
    def POST(context: t.Any, form: t.Any, errors: t.Any = None) -> t.Any:
        return errors

    assert POST(make_context("POST"), form={"title": "x"}) == {}


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"title": "x"}}, 415),
        ({"data": b"title=x"}, 415),
        ({"data": "title=x", "content_type": "text/plain"}, 415),
        ({"data": b"x", "content_type": "multipart/form-data"}, 400),
        ({"data": {"title": "x"}, "headers": {"Content-Encoding": "gzip"}}, 415),
        ({"data": "a=1&" * 1001, "content_type": "application/x-www-form-urlencoded"}, 413),
        ({"data": {"title": "x" * 2000}}, 413),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_is_no_form_never_reaches_it(
    make_pages: MakePages, sent: dict[str, t.Any], status: int
) -> None:
    limit = {} if "a=1" in str(sent) else {"MAX_CONTENT_LENGTH": 1000}

    assert (
        client_of(make_pages, AGAIN, **limit).post("/a", **sent).status_code == status
    )


# -- JSON bodies ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"title": "x"}', "application/json", 200),
        (b'{"title": "x"}', "APPLICATION/JSON; charset=UTF-8", 200),
        (b'{"title": "x"}', "application/vnd.api+json", 200),
        (b'{"title": "x"}', "application/json; charset=latin-1", 415),
        (b'{"title": "x"}', "application/jsonp", 415),
        (b'{"title": "x"}', "text/json", 415),
        (b'{"title": "x"}', "application/json, text/plain", 415),
        (b'{"title": "x"}', "text/plain", 415),
        (b'{"title": "x"}', None, 415),
        (b"", "application/json", 400),
        (b'{"title": "x", "title": "y"}', "application/json", 400),
        (b'{"title": "x"', "application/json", 400),
        (b'{"title": NaN}', "application/json", 400),
        ('{"title": "x"}'.encode("utf-16"), "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"title": "x", "price": "1e999999999"}', "application/json", 400),
        (b'{"title": "x", "price": "-1E-999999999"}', "application/json", 400),
        (b'{"title": "x", "price": "1e30"}', "application/json", 200),
        (b'{"title": "x", "pages": 1.5}', "application/json", 400),
        (b'{"title": "x", "pages": true}', "application/json", 400),
        (b'{"title": "x", "pages": ' + b"9" * 4000 + b"}", "application/json", 400),
        (b'{"title": "x", "pages": ' + b"9" * 300 + b"}", "application/json", 400),
    ],
    ids=lambda value: str(value)[:40],
)
def test_json(
    make_pages: MakePages, body: bytes, kind: str | None, status: int
) -> None:
    code = (
        "@validate(json=Body)\ndef POST(context, json):\n"
        "    return Response(f\"{json['price']:f}\" if 'price' in json else '')\n"
    )
    answer = client_of(make_pages, code).post("/a", data=body, content_type=kind)

    assert answer.status_code == status
    if status != 200:
        assert answer.mimetype == "application/problem+json"


def test_a_decimal_deep_inside_is_pointed_at(make_pages: MakePages) -> None:
    code = (
        "class Row(Schema):\n    price = fields.Decimal()\n"
        "@validate(json={'rows': fields.List(fields.Nested(Row))})\ndef POST(context, json): ...\n"
    )
    body = {"rows": [{"price": "1"}, {"price": "1e9999"}]}
    found = errors_of(client_of(make_pages, code).post("/a", json=body))

    assert found == [
        {"in": "json", "pointer": "#/rows/1/price", "detail": "Number too large."}
    ]


def test_a_nested_schema_may_be_named_before_it_is_there(
    make_pages: MakePages,
) -> None:
    code = (
        "class Outer(Schema):\n    inner = fields.Nested('LaterInner')\n"
        "    other = fields.Nested(lambda: LaterInner())\n"
        "@validate(json=Outer)\ndef POST(context, json):\n    return context.json(json)\n"
        "class LaterInner(Schema):\n    price = fields.Decimal(as_string=True)\n"
    )
    app = make_pages({"a.py": HEAD + code})
    client = app.test_client()

    assert client.post("/a", json={"inner": {"price": "1e9999"}}).status_code == 400


def test_schemas_that_hold_themselves_end(make_pages: MakePages) -> None:
    code = (
        "class Tree(Schema):\n    below = fields.Nested(lambda: Tree())\n"
        "@validate(json=Tree)\ndef POST(context, json):\n    return context.json(1)\n"
    )
    client = client_of(make_pages, code)
    deep = "{}"
    for _ in range(62):
        deep = f'{{"below": {deep}}}'

    assert (
        client.post("/a", data=deep, content_type="application/json").status_code == 200
    )
    deeper = f'{{"below": {{"below": {deep}}}}}'
    assert (
        client.post("/a", data=deeper, content_type="application/json").status_code
        == 400
    )


@pytest.mark.parametrize(("extra", "status"), [(0, 400), (1, 413)])
def test_json_has_a_limit_where_the_app_has_none(
    make_pages: MakePages, extra: int, status: int
) -> None:
    code = "@validate(json=Body)\ndef POST(context, json): ...\n"
    body = json.dumps("x" * (MAX_JSON - 2 + extra))
    answer = client_of(make_pages, code).post(
        "/a", data=body, content_type="application/json"
    )

    assert answer.status_code == status


# -- at the start -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("@validate(json=Body)\ndef POST(context): ...\n", "write `def POST(context, json)"),
        ("@validate(json=Body)\ndef POST(context, body): ...\n", "lacks a parameter for json"),
        ("@validate()\ndef POST(context): ...\n", "the locations are params, json"),
        ("@validate\ndef POST(context): ...\n", "Write @validate(json=Schema)"),
        ("@responds\ndef POST(context): ...\n", "Write @responds(Schema)"),
        ("@responds()\ndef POST(context): ...\n", "or @responds(status=204)"),
        ("@responds(status=600)\ndef POST(context): ...\n", "Write a number"),
        ("@responds({}, status=204)\ndef POST(context): ...\n", "A 204 response has no body"),
        ("@responds({})\n@responds({})\ndef POST(context): ...\n", "POST() has two @responds for 200"),
        ("@responds(mimetype='text/csv; charset=utf-8')\ndef POST(context): ...\n", "such as 'image/png'"),
        ("@responds(mimetype='png')\ndef POST(context): ...\n", "such as 'image/png'"),
        ("@validate(json=Body, files={})\ndef POST(context, json, files): ...\n", "not both"),
        ("@validate(params={'other': fields.Integer(required=True)})\ndef POST(context, params): ...\n", "it validates a param 'other'"),
        ("POST = validate(json=Body)(None)\n", "write @validate above a function"),
        ("@validate(json=1)\ndef POST(context, json): ...\n", "1 is not a marshmallow schema"),
        ("@validate(json=Body)\n@validate(json=Body)\ndef POST(context, json): ...\n", "name all locations in one"),
        ("@validate(body=Body)\ndef POST(context, json): ...\n", "unexpected keyword argument 'body'"),
    ],
)  # fmt: skip
def test_faults(make_pages: MakePages, code: str, says: str) -> None:
    app = make_pages({"a.py": HEAD + code})
    with pytest.raises(LoadError) as caught:
        app.extensions["filepages"]["filepages"].load()

    assert says.lower() in str(caught.value).lower()
    assert "a.py:" in str(caught.value)


# -- other decorators -------------------------------------------------------------------

DECORATED = """\
import functools
from flask import abort

def guard(f):
    @functools.wraps(f)
    def guarded(*args, **kwargs):
        abort(401)
    return guarded

def with_user(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        return f("ann", *args, **kwargs)
    return inner

def with_keyword(f):
    @functools.wraps(f)
    def inner(context, **kwargs):
        return f(context, user="ann", **kwargs)
    return inner

"""


def test_a_guard_above_runs_before_anything_is_read(make_pages: MakePages) -> None:
    code = "@guard\n@validate(json=Body)\ndef POST(context, json): ...\n"
    client = client_of(make_pages, DECORATED + code)

    assert client.post("/a", data="{", content_type="x/y").status_code == 401


@pytest.mark.parametrize(
    "code",
    [
        "@with_user\n@validate(json=Body)\ndef POST(user, context, json):",
        "@with_keyword\n@validate(json=Body)\ndef POST(context, json, user):",
        "@validate(json=Body)\n@with_keyword\ndef POST(context, json, user):",
    ],
)
def test_decorators_may_pass_on_arguments(make_pages: MakePages, code: str) -> None:
    code += "\n    return context.json([user, json['title']])\n"
    answer = client_of(make_pages, DECORATED + code).post("/a", json={"title": "x"})

    assert answer.get_json() == ["ann", "x"]


def test_one_function_may_have_different_schemas(make_pages: MakePages) -> None:
    code = (
        "def save(context, **values):\n    return context.json(values)\n"
        "POST = validate(json={'a': fields.Integer()})(save)\n"
        "PUT = validate(query={'q': fields.Integer()})(save)\n"
    )
    client = client_of(make_pages, code)

    assert client.post("/a", json={"a": 1}).get_json() == {"json": {"a": 1}}
    assert client.put("/a?q=2").get_json() == {"query": {"q": 2}}


def test_params_that_are_absent_and_params_that_fail(make_pages: MakePages) -> None:
    code = (
        "@validate(params={%s}, json=Body)\n"
        "def POST(context, params, json):\n    return context.json(params)\n"
    )
    app = make_pages(
        {
            "[[lang]]/x.py": HEAD + code % "'lang': fields.String()",
            "[n]/y.py": HEAD + code % "'n': fields.UUID()",
        }
    )
    client = app.test_client()
    body = {"title": "x"}

    assert client.post("/x", json=body).get_json() == {}
    assert client.post("/en/x", json=body).get_json() == {"lang": "en"}
    assert client.post("/none/y", data="{").status_code == 404


def test_the_limits_are_those_of_the_app(make_pages: MakePages) -> None:
    code = (
        "@validate(form={'a': fields.List(fields.String())})\n"
        "def POST(context, form):\n    return context.json(len(form['a']))\n"
    )
    client = client_of(make_pages, code, MAX_FORM_PARTS=5000)

    assert client.post("/a", data={"a": ["x"] * 3000}).get_json() == 3000


def test_a_token_of_flask_wtf_is_not_an_unknown_field(make_pages: MakePages) -> None:
    code = (
        "@validate(form={'a': fields.String()})\n"
        "def POST(context, form):\n    return context.json(form)\n"
    )
    client = client_of(make_pages, code, WTF_CSRF_FIELD_NAME="csrf_token")
    answer = client.post("/a", data={"a": "x", "csrf_token": "token"})

    assert answer.get_json() == {"a": "x"}


# -- plain functions, and answers -------------------------------------------------------


class Body(Schema):
    title = fields.String(required=True)


def test_a_marked_handler_is_a_plain_function() -> None:
    @validate(json=Body)
    @responds(Body)
    def PUT(context: t.Any, json: dict[str, str]) -> str:
        return json["title"]

    assert PUT(make_context("PUT"), json={"title": "x"}) == "x"


ANSWER = """\
class Inner(Schema):
    id = fields.Integer(dump_only=True, required=True)
class Answer(Schema):
    id = fields.Integer(dump_only=True, required=True, validate=Range(0, 10))
    secret = fields.String(load_only=True, required=True)
    inner = fields.Nested(Inner)
    rows = fields.List(fields.Nested(Inner))
    by_name = fields.Dict(values=fields.Nested(Inner))
    day = fields.Date(data_key="on")
class Wrapped(Schema):
    id = fields.Integer()
    @post_dump
    def wrap(self, data, **kwargs):
        return {"data": data}
@responds(Answer)
@responds(Answer(many=True), status=201)
@responds(Wrapped, status=203)
@responds(Answer(only=["inner.id"]), status=206)
def POST(context):
    return context.json(context.request.get_json(), int(context.request.args["s"]))
@responds(Answer)
def GET(context):
    return Response(iter(["not looked at"]), mimetype="application/json")
"""


@pytest.mark.parametrize(
    ("status", "answer", "fits"),
    [
        (200, {"id": 1}, True),
        (200, {"id": 99}, True),
        (200, {"id": 1, "inner": {"id": 2}, "rows": [{"id": 3}]}, True),
        (200, {"id": 1, "inner": None, "on": None, "by_name": {"x": {"id": 1}}}, True),
        (200, {"id": 1, "on": "2026-01-01"}, True),
        (200, {"id": 1, "on": "yesterday"}, False),
        (200, {"id": 1, "day": "2026-01-01"}, False),
        (200, {}, False),
        (200, {"id": 1, "inner": {}}, False),
        (200, {"id": 1, "rows": [{"id": 1}, {}]}, False),
        (200, {"id": 1, "rows": {}}, False),
        (200, {"id": 1, "by_name": []}, False),
        (200, {"id": 1, "secret": "x"}, False),
        (200, {"id": "x"}, False),
        (200, [], False),
        (201, [{"id": 1}], True),
        (201, [{"id": 1}, {}], False),
        (201, {"id": 1}, False),
        (202, "anything", True),
        (203, {"data": {"id": 1}}, True),
        (206, {"inner": {"id": 1}}, True),
        (206, {"id": 1}, False),
    ],
    ids=str,
)
def test_answers_are_held_against_their_schema_in_tests(
    make_pages: MakePages, status: int, answer: t.Any, fits: bool
) -> None:
    client = make_pages({"a.py": HEAD + ANSWER}).test_client()
    if fits:
        assert client.post(f"/a?s={status}", json=answer).get_json() == answer
    else:
        with pytest.raises(
            ResponseMismatchError,
            match=r"a\.py:\d+: the 20\d response of POST\(\) does not match",
        ):
            client.post(f"/a?s={status}", json=answer)


def test_streams_are_not_looked_at(make_pages: MakePages) -> None:
    client = make_pages({"a.py": HEAD + ANSWER}).test_client()

    assert client.get("/a").text == "not looked at"


@pytest.mark.parametrize(
    ("declared", "returned", "problem"),
    [
        ("status=204", "status=204", None),
        ("status=204", "status=200", None),
        ("mimetype='image/png'", "mimetype='image/png'", None),
        (
            "mimetype='image/png'",
            "mimetype='text/css'",
            "text/css, not image/png.",
        ),
        (
            "{}",
            "'{}', mimetype='application/x+json'",
            r"application/x\+json, not application/json\.",
        ),
        (
            "{}, mimetype='application/x+json'",
            "'{}', mimetype='application/x+json'",
            None,
        ),
    ],
    ids=str,
)
def test_the_media_type_is_compared(
    make_pages: MakePages, declared: str, returned: str, problem: str | None
) -> None:
    code = f"@responds({declared})\ndef GET(context): return Response({returned})\n"
    client = make_pages({"a.py": HEAD + code}).test_client()
    if problem is None:
        client.get("/a")
    else:
        with pytest.raises(ResponseMismatchError, match=problem):
            client.get("/a")


@pytest.mark.parametrize(
    ("answer", "fits"),
    [
        ({"type": "cat", "lives": 9}, True),
        ({"type": "dog", "tricks": ["sit"]}, True),
        ({"type": "cat", "tricks": []}, False),
        ({"type": "cow"}, False),
        ({"lives": 9}, False),
    ],
    ids=str,
)
def test_an_answer_of_several_types(
    make_pages: MakePages, answer: dict[str, t.Any], fits: bool
) -> None:
    code = """\
from tests.openapi.shelter.schemas import Animal
@responds(Animal)
def POST(context): return context.json(context.request.get_json())
"""
    client = make_pages({"a.py": HEAD + code}).test_client()
    if fits:
        assert client.post("/a", json=answer).get_json() == answer
    else:
        with pytest.raises(ResponseMismatchError):
            client.post("/a", json=answer)


@pytest.mark.parametrize(
    ("field", "headers", "loaded"),
    [
        ("fields.List(fields.Integer())", [("X", "1, 2"), ("X", "3")], [1, 2, 3]),
        ("fields.List(fields.String())", [("X", 'a, "b, c"')], ["a", "b, c"]),
        ("fields.List(fields.String())", [("X", '"a, b')], ['"a, b']),
        ("fields.String()", [("X", "a, b")], "a, b"),
    ],
    ids=str,
)
def test_a_header_may_be_a_list(
    make_pages: MakePages, field: str, headers: list[tuple[str, str]], loaded: object
) -> None:
    """RFC 9110, section 5.6.1."""
    code = (
        f"@validate(headers={{'X': {field}}})\n"
        "def GET(context, headers): return context.json(headers['X'])\n"
    )
    client = make_pages({"a.py": HEAD + code}).test_client()

    assert client.get("/a", headers=headers).get_json() == loaded


def test_in_production_answers_are_not_looked_at(make_pages: MakePages) -> None:
    app = make_pages({"a.py": HEAD + ANSWER}, TESTING=False)

    assert app.test_client().post("/a?s=200", json={}).status_code == 200


# -- forms as browsers send them --------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "sent", "loaded"),
    [
        ("fields.Integer(load_default=None)", {"a": ""}, {"a": None}),
        ("fields.Email()", {"a": ""}, {}),
        ("fields.URL(load_default='x')", {"a": ""}, {"a": "x"}),
        ("fields.String()", {"a": ""}, {"a": ""}),
        ("fields.Raw()", {"a": ""}, {"a": ""}),
        ("fields.Integer(data_key='b')", {"b": ""}, {}),
        ("fields.List(fields.Integer())", {"a": ["1", "", "2"]}, {"a": [1, 2]}),
        ("fields.List(fields.String())", {"a": ["x", ""]}, {"a": ["x", ""]}),
        ("fields.List(fields.Integer())", {"a": ""}, {}),
        ("fields.List(fields.Integer(), load_default=None)", {"a": ""}, {"a": None}),
        ("fields.Tuple((fields.Integer(), fields.Integer()))", {"a": ""}, {}),
        ("fields.Integer()", {"a": "1", "submit": "Save"}, {"a": 1}),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
@pytest.mark.parametrize("location", ["form", "query"])
def test_what_browsers_send_for_empty_fields(
    make_pages: MakePages,
    location: str,
    field: str,
    sent: dict[str, t.Any],
    loaded: dict[str, t.Any],
) -> None:
    code = (
        f"@validate({location}={{'a': {field}}})\n"
        f"def POST(context, {location}):\n    return context.json({location})\n"
    )
    client = client_of(make_pages, code)
    where = {"form": "data", "query": "query_string"}[location]

    assert client.post("/a", **{where: sent}).get_json() == loaded


def test_an_empty_text_of_a_required_field_is_missing(make_pages: MakePages) -> None:
    code = (
        "@validate(form={'a': fields.Integer(required=True)})\n"
        "def POST(context, form): ...\n"
    )
    (error,) = errors_of(client_of(make_pages, code).post("/a", data={"a": ""}))

    assert error["detail"] == "Missing data for required field."


def test_what_was_refused_is_in_the_debug_log(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    code = "@validate(json=Body)\ndef POST(context, json): ...\n"
    client = client_of(make_pages, code)
    client.application.logger.setLevel("DEBUG")
    client.post("/a", json={"pages": "SECRET"})

    assert "/a refused POST: {'json': {'title': " in caplog.text
    assert "SECRET" not in caplog.text


@pytest.mark.parametrize("value", ["str", "'text'", "fields", "[fields.String()]"])
def test_a_dict_of_anything_but_fields_is_an_error_at_import(
    make_pages: MakePages, value: str
) -> None:
    code = f"@validate(json={{'a': {value}}})\ndef POST(context, json): ...\n"

    with pytest.raises(LoadError, match="'a' is .*, not a marshmallow field"):
        make_pages({"a.py": HEAD + code}).test_client().get("/a")


def test_an_optional_param_that_the_route_lacks_is_an_error(
    make_pages: MakePages,
) -> None:
    code = (
        "@validate(params={'slug': fields.String()})\ndef GET(context, params): ...\n"
    )
    with pytest.raises(LoadError, match="it validates a param 'slug'"):
        make_pages({"[id].py": HEAD + code}).test_client().get("/1")
