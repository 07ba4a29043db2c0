"""What the OpenAPI document says about a file."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from flask import Flask
from marshmallow.exceptions import RegistryError

from flask_filepages import FilePages
from flask_filepages import SettingsError
from flask_filepages.openapi.document import describe
from flask_filepages.pytest_plugin import write_files

from ..conftest import MakePages
from .shelter import create_app

GET = "def GET(context): ...\n"
IMPORTS = """\
from marshmallow import Schema, fields, validate as checks
from flask_filepages import responds, validate
"""


PROBLEM = {
    "application/problem+json": {
        "schema": {"$ref": "#/components/schemas/ProblemDocument"}
    }
}


def document_of(
    make_pages: MakePages, files: t.Mapping[str, str], **config: t.Any
) -> dict[str, t.Any]:
    """Return the document of *files*, each with the usual imports before its text."""
    written = {name: f"{IMPORTS}{text}" for name, text in files.items()}
    return describe(make_pages(written, **config))[0]


def operation_of(make_pages: MakePages, text: str, **config: t.Any) -> dict[str, t.Any]:
    """Return the only operation of ``a.py``."""
    (methods,) = document_of(make_pages, {"a.py": text}, **config)["paths"].values()
    (operation,) = methods.values()
    return t.cast("dict[str, t.Any]", operation)


def schema_of(make_pages: MakePages, field: str, **config: t.Any) -> t.Any:
    """Return the JSON schema of a field of a JSON body."""
    text = f"@validate(json={{'x': {field}}})\ndef POST(context, json): ...\n"
    body = operation_of(make_pages, text, **config)["requestBody"]
    return body["content"]["application/json"]["schema"]["properties"]["x"]


# -- paths ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "paths"),
    {
        "index.py": ["/"],
        "about.py": ["/about"],
        "posts/index.py": ["/posts"],
        "posts/[id].py": ["/posts/{id}"],
        "posts/[id=int]/notes.py": ["/posts/{id}/notes"],
        "[name].json.py": ["/{name}.json"],
        "[a]-[b].py": ["/{a}-{b}"],
        "[[lang]]/about.py": ["/about", "/{lang}/about"],
        "docs/[...path].py": ["/docs", "/docs/{path}"],
        "(group)/a.py": ["/a"],
        "ü/{id}.py": ["/%C3%BC/%7Bid%7D"],
    }.items(),
    ids=str,
)
def test_a_path_for_each_form_of_the_url(
    make_pages: MakePages, file: str, paths: list[str]
) -> None:
    assert list(document_of(make_pages, {file: GET})["paths"]) == paths


@pytest.mark.parametrize(
    ("files", "config"),
    [
        ({"a.html": "a"}, {}),
        ({"a.html": "a", "a.py": GET}, {}),
        ({"404.py": GET}, {}),
        ({"_a.py": GET}, {}),
        ({}, {"FILEPAGES_REDIRECTS": {"/a": "/b"}}),
    ],
    ids=str,
)
def test_not_in_the_document(
    make_pages: MakePages, files: dict[str, str], config: dict[str, t.Any]
) -> None:
    assert describe(make_pages(files, **config))[0]["paths"] == {}


def test_pages_are_in_it_if_asked_for(make_pages: MakePages) -> None:
    app = make_pages({"a.html": "a"}, FILEPAGES_OPENAPI_PAGES=True)

    assert describe(app)[0]["paths"]["/a"]["get"]["summary"] == "Show the page."


def test_prerendered_endpoints_are_in_it(make_pages: MakePages) -> None:
    files = {"feed.xml.py": f"prerender = True\n{GET}"}

    assert list(document_of(make_pages, files)["paths"]) == ["/feed.xml"]


@pytest.mark.parametrize(
    ("slash", "path"),
    [("ignore", "/a"), ("never", "/a"), ("always", "/a/")],
)
def test_trailing_slash(make_pages: MakePages, slash: str, path: str) -> None:
    made = document_of(make_pages, {"a.py": GET}, FILEPAGES_TRAILING_SLASH=slash)

    assert list(made["paths"]) == [path]


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (
            {"[id=int].py": GET, "[name].py": GET},
            "[name].py: OpenAPI cannot tell /{name} from the path of [id=int].py.",
        ),
        (
            {"[id=int].py": GET, "[a$].py": GET},
            "[a$].py: OpenAPI cannot tell /{a$} from the path of [id=int].py.",
        ),
        (
            {"[a]/[a].py": GET},
            "[a]/[a].py: OpenAPI does not have /{a}/{a}, with a param",
        ),
        ({"a.py": "def QUERY(context): ..."}, "a.py: OpenAPI 3.1 does not have QUERY."),
    ],
    ids=str,
)
def test_what_the_document_cannot_have_is_named(
    make_pages: MakePages, files: dict[str, str], line: str
) -> None:
    made, (left_out,) = describe(make_pages(files))

    assert left_out.startswith(line)
    assert len(made["paths"]) == len(files) - 1


@pytest.mark.parametrize(
    ("name", "schema"),
    {
        "x": {"type": "string"},
        "x=int": {"type": "integer"},
        "x=float": {"type": "number"},
        "x=uuid": {"type": "string", "format": "uuid"},
        "x=hex": {"type": "string", "pattern": "^(?:[0-9a-f]{2,8})$"},
    }.items(),
    ids=str,
)
def test_a_matcher_gives_the_type(
    make_pages: MakePages, name: str, schema: dict[str, t.Any]
) -> None:
    from .shelter import HexConverter

    def add_hex(app: Flask) -> None:
        app.url_map.converters["hex"] = HexConverter

    made, _ = describe(make_pages({f"[{name}].py": GET}, add_hex))

    assert made["paths"]["/{x}"]["get"]["parameters"] == [
        {"name": "x", "in": "path", "required": True, "schema": schema}
    ]


def test_a_params_schema_goes_before_the_matcher(make_pages: MakePages) -> None:
    text = """\
size = fields.Integer(validate=checks.Range(1, 9), metadata={"description": "Its size."})
@validate(params={"size": size})
def GET(context, params): ...
"""
    made = document_of(make_pages, {"[[lang]]/[size=int]-[b].py": text})
    parameters = made["paths"]["/{size}-{b}"]["get"]["parameters"]

    assert parameters[0]["description"] == "Its size."
    assert parameters[0]["schema"] == {"type": "integer", "minimum": 1, "maximum": 9}
    assert [(one["name"], one["required"]) for one in parameters] == [
        ("size", True),
        ("b", True),
    ]
    assert len(made["paths"]["/{lang}/{size}-{b}"]["get"]["parameters"]) == 3


# -- names --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "name"),
    {
        "index.py": "get_index",
        "posts/[id].py": "get_posts_by_id",
        "[name].json.py": "get_by_name_json",
        "sign-up.py": "get_sign_up",
        "feed.xml.py": "get_feed_xml",
    }.items(),
    ids=str,
)
def test_operation_id(make_pages: MakePages, file: str, name: str) -> None:
    (methods,) = document_of(make_pages, {file: GET})["paths"].values()

    assert methods["get"]["operationId"] == name


def test_operation_ids_stay_apart(make_pages: MakePages) -> None:
    made = document_of(make_pages, {"sign-up.py": GET, "sign/up.py": GET})
    names = {path: each["get"]["operationId"] for path, each in made["paths"].items()}

    assert names == {"/sign-up": "get_sign_up_2", "/sign/up": "get_sign_up"}


@pytest.mark.parametrize(
    ("file", "tag"),
    {
        "a.py": "pages",
        "api/a.py": "api",
        "api/posts/index.py": "api-posts",
        "api/posts/[id]/notes.py": "api-posts",
        "(group)/api/a.py": "api",
        "(group)/a.py": "pages",
        "[lang]/a.py": "pages",
    }.items(),
    ids=str,
)
def test_the_folder_is_the_tag(make_pages: MakePages, file: str, tag: str) -> None:
    made = document_of(make_pages, {file: GET})
    (methods,) = made["paths"].values()

    assert methods["get"]["tags"] == [tag]
    assert made["tags"] == [{"name": tag}]


def test_all_stands_for_five_methods(make_pages: MakePages) -> None:
    text = "def ALL(context): 'Any.'\ndef PUT(context): 'Put.'\n"
    (methods,) = document_of(make_pages, {"a.py": text})["paths"].values()

    assert {name: one["summary"] for name, one in methods.items()} == {
        "get": "Any.",
        "post": "Any.",
        "put": "Put.",
        "patch": "Any.",
        "delete": "Any.",
    }


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_only_own_handlers_of_other_methods(make_pages: MakePages, method: str) -> None:
    text = f"{GET}def {method}(context): ...\n"
    (methods,) = document_of(make_pages, {"a.py": text})["paths"].values()

    assert list(methods) == ["get", method.lower()]


@pytest.mark.parametrize(
    ("docstring", "texts"),
    [
        ('"""Show it."""', ("Show it.", None)),
        (
            '"""Show\n    it.\n\n    And\n    more.\n\n      - a\n    """',
            ("Show it.", "And\nmore.\n\n  - a"),
        ),
        ("...", ("Get a", None)),
    ],
    ids=str,
)
def test_the_docstring_is_summary_and_description(
    make_pages: MakePages, docstring: str, texts: tuple[str, str | None]
) -> None:
    found = operation_of(make_pages, f"def GET(context):\n    {docstring}\n")

    assert (found["summary"], found.get("description")) == texts


def test_deprecated(make_pages: MakePages) -> None:
    text = """\
from typing_extensions import deprecated
@deprecated("Use /b.", category=None)
@validate(query={"x": fields.String()})
def GET(context, query):
    \"\"\"Show it.\"\"\"
"""
    found = operation_of(make_pages, text)

    assert found["deprecated"] is True
    assert found["description"] == "Deprecated: Use /b."


# -- schemas ------------------------------------------------------------------------


def test_components_of_one_name_stay_apart(make_pages: MakePages) -> None:
    text = """\
class Body(Schema):
    {0} = fields.String()
@validate(json=Body)
def POST(context, json): ...
"""
    files = {"a.py": text.format("a"), "api/[id].py": text.format("b")}
    schemas = document_of(make_pages, files)["components"]["schemas"]

    assert list(schemas["ABody"]["properties"]) == ["a"]
    assert list(schemas["ApiByIdBody"]["properties"]) == ["b"]


@pytest.mark.parametrize(
    ("schema", "name"),
    {
        "Post": "APost",
        "PostSchema": "APost",
        "Post(partial=True)": "APostPartial",
        "Post(partial=('title',))": "APostPartialTitle",
        "Post(only=('title', 'id'))": "APostOnlyIdTitle",
        "Post(exclude=('sub_title',))": "APostExcludeSubTitle",
        "Post(dump_only=('id',))": "APostDumpOnlyIdRequest",
        "Post(many=True)": "APost",
    }.items(),
    ids=str,
)
def test_a_component_is_called_after_its_schema(
    make_pages: MakePages, schema: str, name: str
) -> None:
    text = f"""\
class Post(Schema):
    id = fields.Integer()
    title = fields.String()
    sub_title = fields.String()
class PostSchema(Post):
    pass
@validate(json={schema})
def POST(context, json): ...
"""
    schemas = document_of(make_pages, {"a.py": text})["components"]["schemas"]

    assert set(schemas) - {"ProblemDocument"} == {name}


def test_the_component_of_the_app_keeps_off_ours(make_pages: MakePages) -> None:
    lib = "class ProblemDocument(Schema):\n    x = fields.String()\n"
    files = {
        "../problem_lib.py": f"{IMPORTS}{lib}",
        "a.py": """\
import sys; sys.path.insert(0, __file__.rpartition("/pages")[0])
from problem_lib import ProblemDocument
@responds(ProblemDocument)
def GET(context): ...
""",
    }
    schemas = document_of(make_pages, files)["components"]["schemas"]

    assert set(schemas) == {"ProblemDocument", "ProblemDocument2"}


def test_docstring_of_a_schema(make_pages: MakePages) -> None:
    text = '''\
class Body(Schema):
    """What is sent."""
class Outer(Schema):
    x = fields.Nested(Body)
@validate(json=Outer)
def POST(context, json): ...
'''
    schemas = document_of(make_pages, {"a.py": text})["components"]["schemas"]

    assert schemas["ABody"] == {
        "type": "object",
        "properties": {},
        "description": "What is sent.",
        "additionalProperties": False,
    }
    assert "description" not in schemas["AOuter"]


@pytest.mark.parametrize(
    ("field", "schema"),
    {
        "fields.Url()": {"type": "string", "format": "uri"},
        "fields.String(validate=checks.Regexp('a+'))": {
            "type": "string",
            "pattern": "^(?:a+)",
        },
        "fields.String(validate=checks.Regexp('^a|b'))": {
            "type": "string",
            "pattern": "^(?:^a|b)",
        },
        r"fields.String(validate=checks.Regexp(r'\Aa\Z'))": {
            "type": "string",
            "pattern": "^(?:a$)",
        },
        "fields.String(validate=checks.Regexp('(?P<a>x)'))": {"type": "string"},
        "fields.String(validate=checks.Regexp('a', flags=2))": {"type": "string"},
        "fields.Integer(validate=checks.Range(0, 5, max_inclusive=False))": {
            "type": "integer",
            "minimum": 0,
            "exclusiveMaximum": 5,
        },
        "fields.Float(validate=checks.Range(max=float('inf')))": {"type": "number"},
        "fields.String(validate=checks.OneOf({'b', 'c', 'a'}))": {
            "type": "string",
            "enum": ["a", "b", "c"],
        },
        "fields.String(validate=checks.OneOf([__import__('uuid').UUID(int=0)]))": {
            "type": "string",
            "enum": ["00000000-0000-0000-0000-000000000000"],
        },
        r"fields.String(validate=checks.Regexp(r'\d{,3}'))": {"type": "string"},
        r"fields.String(validate=checks.Regexp(r'[\#]'))": {"type": "string"},
        "fields.Url(relative=True)": {"type": "string", "format": "uri-reference"},
        "fields.DateTime('timestamp')": {"type": "number", "format": "float"},
        "fields.DateTime('%Y')": {"type": "string"},
        "fields.Decimal(validate=checks.Range(1), allow_none=True)": {
            "type": ["number", "string", "null"],
            "minimum": 1.0,
            "pattern": r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([Ee][+-]?[0-9]{1,3})?$",
        },
        "fields.List(fields.String(), validate=checks.ContainsOnly(['a', 'b']))": {
            "type": "array",
            "items": {"type": "string", "enum": ["a", "b"]},
        },
        "fields.Date(load_default=__import__('datetime').date(2024, 1, 2))": {
            "type": "string",
            "format": "date",
            "default": "2024-01-02",
        },
        "fields.Raw(load_default=None)": {"default": None},
        "fields.String(metadata={'deprecated': True, 'description': 'Old.'})": {
            "type": "string",
            "deprecated": True,
            "description": "Old.",
        },
    }.items(),
    ids=str,
)
def test_schema_of_a_field(
    make_pages: MakePages, field: str, schema: dict[str, t.Any]
) -> None:
    assert schema_of(make_pages, field) == schema


def test_a_partial_schema_is_partial_inside(make_pages: MakePages) -> None:
    text = """\
class Inner(Schema):
    x = fields.String(required=True)
class Outer(Schema):
    inner = fields.Nested(Inner)
    inners = fields.List(fields.Nested(Inner))
@validate(json=Outer(partial=True))
def PATCH(context, json): ...
"""
    schemas = document_of(make_pages, {"a.py": text})["components"]["schemas"]

    assert schemas["AOuterPartial"]["properties"] == {
        "inner": {"$ref": "#/components/schemas/AInnerPartial"},
        "inners": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/AInnerPartial"},
        },
    }
    assert "required" not in schemas["AInnerPartial"]


ONE_WAY = """\
class Inner(Schema):
    made = fields.Date(dump_only=True, required=True)
class Note(Schema):
    id = fields.Integer(dump_only=True, required=True)
    password = fields.String(load_only=True, required=True)
    text = fields.String(required=True)
    inners = fields.List(fields.Nested(Inner))
class Plain(Schema):
    text = fields.String()
class Around(Schema):
    note = fields.Nested(Note)
    plain = fields.Nested(Plain)
@validate(json=Around)
@responds(Around)
def POST(context, json): ...
"""


def test_the_request_and_the_response_have_their_own_fields(
    make_pages: MakePages,
) -> None:
    made = document_of(make_pages, {"a.py": ONE_WAY})
    schemas = made["components"]["schemas"]
    fields = {
        name: (sorted(schema["properties"]), schema.get("required", []))
        for name, schema in schemas.items()
        if name != "ProblemDocument"
    }
    operation = made["paths"]["/a"]["post"]
    sent = operation["requestBody"]["content"]["application/json"]["schema"]
    got = operation["responses"]["200"]["content"]["application/json"]["schema"]

    assert sent == {"$ref": "#/components/schemas/AAroundRequest"}
    assert got == {"$ref": "#/components/schemas/AAround"}
    assert fields == {
        "AAround": (["note", "plain"], []),
        "AAroundRequest": (["note", "plain"], []),
        "ANote": (["id", "inners", "text"], ["id", "text"]),
        "ANoteRequest": (["inners", "password", "text"], ["password", "text"]),
        "AInner": (["made"], ["made"]),
        "AInnerRequest": ([], []),
        "APlain": (["text"], []),
    }


@pytest.mark.parametrize(
    ("partial", "with_default"),
    [("True", ["b"]), ("('a',)", ["b", "c"]), ("None", ["a", "b", "c"])],
)
def test_a_partial_schema_has_no_defaults(
    make_pages: MakePages, partial: str, with_default: list[str]
) -> None:
    text = f"""\
class Body(Schema):
    a = fields.String(load_default="x")
    b = fields.String(metadata={{"default": "x"}}, data_key="b")
    c = fields.String(load_default="x")
@validate(json=Body(partial={partial}))
def POST(context, json): ...
"""
    schemas = document_of(make_pages, {"a.py": text})["components"]["schemas"]
    (body,) = (schemas[name] for name in schemas if name != "ProblemDocument")
    found = [name for name, one in body["properties"].items() if "default" in one]

    assert found == (with_default if partial != "True" else [])


def test_unknown_fields_tell_components_apart(make_pages: MakePages) -> None:
    text = """\
from marshmallow import EXCLUDE
class Body(Schema):
    a = fields.String()
@validate(json=Body)
def POST(context, json): ...
@validate(json=Body(unknown=EXCLUDE))
def PUT(context, json): ...
"""
    schemas = document_of(make_pages, {"a.py": text})["components"]["schemas"]

    assert schemas["ABody"]["additionalProperties"] is False
    assert "additionalProperties" not in schemas["ABody2"]


def test_a_schema_may_contain_itself(make_pages: MakePages) -> None:
    text = """\
class Node(Schema):
    children = fields.List(fields.Nested(lambda: Node()))
@responds(Node)
def GET(context): ...
"""
    schemas = document_of(make_pages, {"a.py": text})["components"]["schemas"]

    assert schemas["ANode"]["properties"]["children"]["items"] == {
        "$ref": "#/components/schemas/ANode"
    }


def test_names_of_components_are_ascii(make_pages: MakePages) -> None:
    text = "class Straße(Schema): ...\n@responds(Straße)\ndef GET(context): ...\n"
    schemas = document_of(make_pages, {"a.py": text})["components"]["schemas"]

    assert set(schemas) == {"ProblemDocument", "AStraE"}


def test_what_a_form_takes_is_read_from_its_own_schema(make_pages: MakePages) -> None:
    text = """\
class Form(Schema):
    x = fields.Method(deserialize="load_x")
    y = fields.String(required=True)
    def load_x(self, value): return value
@validate(form=Form(partial=True), params=Form(only=("x",)))
def POST(context, form, params): ...
"""
    made = document_of(make_pages, {"[x].py": text})["paths"]["/{x}"]["post"]

    assert made["requestBody"]["content"] == {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "properties": {"x": {"writeOnly": True}, "y": {"type": "string"}},
                "required": [],
            }
        }
    }


def test_a_list_in_a_path(make_pages: MakePages) -> None:
    text = "@validate(params={'x': fields.List(fields.String())})\n"
    text += "def GET(context, params): ...\n"
    made = document_of(make_pages, {"[...x].py": text})
    (parameter,) = made["paths"]["/{x}"]["get"]["parameters"]

    assert (parameter["style"], parameter["required"]) == ("simple", True)


def test_an_error_names_the_file(make_pages: MakePages) -> None:
    text = "@responds({'x': fields.Nested('Nope')})\ndef GET(context): ...\n"
    with pytest.raises(RegistryError) as caught:
        document_of(make_pages, {"a.py": text})

    assert caught.value.__notes__ == ["while a.py was described for OpenAPI"]


def test_a_union_says_which_type_it_is(make_pages: MakePages) -> None:
    schemas = describe(create_app())[0]["components"]["schemas"]

    assert schemas["Animal"]["discriminator"]["mapping"] == {
        "cat": "#/components/schemas/AnimalCat",
        "dog": "#/components/schemas/AnimalDog",
    }
    assert schemas["AnimalCat"]["required"] == ["lives", "type"]
    assert schemas["AnimalCat"]["properties"]["type"]["enum"] == ["cat"]


# -- locations ------------------------------------------------------------------------


def test_parameters_of_each_location(make_pages: MakePages) -> None:
    text = """\
@validate(
    query={"tag": fields.List(fields.String()), "page": fields.Integer(required=True)},
    headers={"ids": fields.List(fields.Integer(), data_key="X-Ids")},
    cookies={"theme": fields.String(load_default="dark")},
)
def GET(context, query, headers, cookies): ...
"""
    parameters = operation_of(make_pages, text)["parameters"]
    integers = {"type": "array", "items": {"type": "integer"}}

    assert parameters == [
        {
            "in": "query",
            "name": "tag",
            "required": False,
            "schema": {"type": "array", "items": {"type": "string"}},
            "explode": True,
            "style": "form",
        },
        {
            "in": "query",
            "name": "page",
            "required": True,
            "schema": {"type": "integer"},
        },
        {
            "in": "header",
            "name": "X-Ids",
            "required": False,
            "schema": integers,
            "explode": True,
            "style": "simple",
        },
        {
            "in": "cookie",
            "name": "theme",
            "required": False,
            "schema": {"type": "string", "default": "dark"},
        },
    ]


def test_a_list_in_one_text(make_pages: MakePages) -> None:
    text = """\
class Delimited(fields.List):
    is_multiple = False
@validate(query={"x": Delimited(fields.String())})
def GET(context, query): ...
"""
    (parameter,) = operation_of(make_pages, text)["parameters"]

    assert (parameter["style"], parameter["explode"]) == ("form", False)


def test_a_form(make_pages: MakePages) -> None:
    text = """\
form = {"x": fields.List(fields.String(), required=True), "y": fields.Integer()}
@validate(form=form)
def POST(context, form): ...
"""
    body = operation_of(make_pages, text)["requestBody"]

    assert body == {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "x": {
                            "type": "array",
                            "minItems": 1,
                            "items": {"type": "string"},
                        },
                        "y": {"type": "integer"},
                    },
                    "required": ["x"],
                }
            }
        },
    }


def test_files(make_pages: MakePages) -> None:
    text = """\
@validate(
    form={"title": fields.String(required=True)},
    files={
        "photo": fields.Raw(required=True, data_key="Photo"),
        "more": fields.List(fields.Raw(), metadata={"description": "Others."}),
    },
)
def POST(context, form, files): ...
"""
    content = operation_of(make_pages, text)["requestBody"]["content"]
    file = {"type": "string", "format": "binary"}

    assert content == {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "Photo": file,
                    "more": {
                        "type": "array",
                        "items": file,
                        "description": "Others.",
                    },
                },
                "required": ["Photo", "title"],
            }
        }
    }


# -- responses --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "statuses"),
    {
        "def GET(context): ...": "2XX 405 500 default",
        "@responds(status=204)\ndef GET(context): ...": "204 405 500 default",
        "@responds(status=409)\ndef GET(context): ...": "2XX 409 405 500 default",
        "@responds(status=303)\n@responds(status=201)\ndef POST(context): ...": (
            "201 303 405 500 default"
        ),
        "@validate(query={})\ndef GET(context, query): ...": "2XX 400 405 500 default",
        "@validate(json={})\ndef POST(context, json): ...": (
            "2XX 400 405 413 415 500 default"
        ),
        "@validate(params={})\ndef GET(context, params): ...": "2XX 405 500 default",
    }.items(),
    ids=str,
)
def test_statuses(make_pages: MakePages, text: str, statuses: str) -> None:
    found = operation_of(make_pages, text)["responses"]

    assert " ".join(found) == statuses


@pytest.mark.parametrize(
    ("text", "statuses"),
    {
        "@validate(query={})\ndef GET(context, query): ...": "2XX 422 405 500 default",
        "@validate(json={})\ndef POST(context, json): ...": (
            "2XX 422 405 400 413 415 500 default"
        ),
    }.items(),
    ids=str,
)
def test_the_status_of_invalid_content_is_the_setting(
    make_pages: MakePages, text: str, statuses: str
) -> None:
    found = operation_of(make_pages, text, FILEPAGES_INVALID_STATUS=422)["responses"]

    assert " ".join(found) == statuses


def test_a_param_may_be_wrong(make_pages: MakePages) -> None:
    made = document_of(make_pages, {"[[a]]/b.py": GET})

    assert "404" in made["paths"]["/{a}/b"]["get"]["responses"]
    assert "404" not in made["paths"]["/b"]["get"]["responses"]


def test_a_path_that_is_not_listed_may_show_the_404_page(make_pages: MakePages) -> None:
    text = f"prerender = True\ndef get_static_paths(): return []\n{GET}"
    made = document_of(make_pages, {"[a].py": text})
    missing = made["paths"]["/{a}"]["get"]["responses"]["404"]

    assert missing["description"] == "Not Found"
    assert list(missing["content"]) == ["application/problem+json", "text/html"]


def test_errors_are_problem_documents(make_pages: MakePages) -> None:
    responses = operation_of(make_pages, GET)["responses"]

    assert responses["default"] == {
        "description": "Error",
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/ProblemDocument"}
            }
        },
    }
    assert responses["500"]["content"] == responses["default"]["content"]


@pytest.mark.parametrize(
    ("given", "response"),
    {
        "status=204": {"description": "No Content"},
        "status=299": {"description": "Status 299"},
        "status=409": {"description": "Conflict", "content": PROBLEM},
        "status=409, mimetype='application/problem+json'": {
            "description": "Conflict",
            "content": PROBLEM,
        },
        "status=409, mimetype='text/plain'": {
            "description": "Conflict",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        "mimetype='text/csv'": {
            "description": "OK",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
        "mimetype='image/png'": {
            "description": "OK",
            "content": {
                "image/png": {"schema": {"type": "string", "format": "binary"}}
            },
        },
        "{'x': fields.String()}, mimetype='application/geo+json'": {
            "description": "OK",
            "content": {
                "application/geo+json": {
                    "schema": {
                        "type": "object",
                        "properties": {"x": {"type": "string"}},
                        "additionalProperties": False,
                    }
                }
            },
        },
    }.items(),
    ids=str,
)
def test_declared_response(
    make_pages: MakePages, given: str, response: dict[str, t.Any]
) -> None:
    text = f"@responds({given})\ndef GET(context): ...\n"
    found = operation_of(make_pages, text)["responses"]

    assert response in found.values()


# -- the document as a whole ------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ({}, "/"),
        ({"APPLICATION_ROOT": "/app"}, "/app"),
        ({"FILEPAGES_SITE": "https://a.example"}, "https://a.example"),
        (
            {"FILEPAGES_SITE": "https://a.example/b", "APPLICATION_ROOT": "/b"},
            "https://a.example/b",
        ),
        ({"FILEPAGES_OPENAPI_DOCUMENT": {"servers": [{"url": "/x"}]}}, "/x"),
    ],
    ids=str,
)
def test_servers(make_pages: MakePages, config: dict[str, t.Any], url: str) -> None:
    made = document_of(make_pages, {"a.py": GET}, **config)

    assert made["servers"] == [{"url": url}]


def test_parts_of_the_document_are_a_setting(make_pages: MakePages) -> None:
    keys = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}
    given = {
        "info": {"title": "Shop", "version": "2"},
        "tags": [{"name": "pages", "description": "All."}, {"name": "other"}],
        "security": [{"key": []}],
        "components": {"securitySchemes": keys},
        "paths": {"/a": {"get": {"externalDocs": {"url": "https://a.example"}}}},
        "x-own": 1,
    }
    before = json.dumps(given)
    made = document_of(make_pages, {"a.py": GET}, FILEPAGES_OPENAPI_DOCUMENT=given)

    assert made["info"] == {"title": "Shop", "version": "2"}
    assert made["tags"] == given["tags"]
    assert made["security"] == [{"key": []}]
    assert set(made["components"]) == {"schemas", "securitySchemes"}
    assert made["paths"]["/a"]["get"]["operationId"] == "get_a"
    assert made["paths"]["/a"]["get"]["externalDocs"] == {"url": "https://a.example"}
    assert made["x-own"] == 1
    assert json.dumps(given) == before


def test_title_and_version_by_default(make_pages: MakePages) -> None:
    app = make_pages({"a.py": GET})

    assert describe(app)[0]["info"] == {"title": app.name, "version": "0.1.0"}


def rename(document: dict[str, t.Any]) -> None:
    document["info"]["title"] = "Changed"


def renamed(document: dict[str, t.Any]) -> dict[str, t.Any]:
    return {**document, "info": {"title": "Changed"}}


@pytest.mark.parametrize("returned", ["x", False, []])
def test_the_changed_document_must_be_a_dict(
    make_pages: MakePages, returned: object
) -> None:
    with pytest.raises(SettingsError, match="must return a dict, or None"):
        document_of(
            make_pages, {"a.py": GET}, FILEPAGES_OPENAPI_CHANGE=lambda _: returned
        )


def test_a_change_of_one_response_leaves_the_others(make_pages: MakePages) -> None:
    def change(document: dict[str, t.Any]) -> None:
        document["paths"]["/a"]["get"]["responses"]["500"]["content"]["x/y"] = {}

    files = {"a.py": GET, "b.py": GET}
    made = document_of(make_pages, files, FILEPAGES_OPENAPI_CHANGE=change)

    assert "x/y" not in made["paths"]["/b"]["get"]["responses"]["500"]["content"]
    assert (
        "x/y"
        not in document_of(make_pages, files)["paths"]["/a"]["get"]["responses"]["500"][
            "content"
        ]
    )


@pytest.mark.parametrize("change", [rename, renamed])
def test_a_function_may_change_the_document(
    make_pages: MakePages, change: t.Callable[[t.Any], t.Any]
) -> None:
    made = document_of(make_pages, {"a.py": GET}, FILEPAGES_OPENAPI_CHANGE=change)

    assert made["info"]["title"] == "Changed"
    assert made["paths"]


def test_all_filepages_of_the_app(make_pages: MakePages) -> None:
    app = make_pages({"a.py": GET})
    write_files(Path(app.root_path) / "shop", {"b.py": GET, "c/d.py": GET})
    FilePages(app, folder="shop", name="shop", url_prefix="/shop")
    made = describe(app)[0]

    assert list(made["paths"]) == ["/a", "/shop/b", "/shop/c/d"]
    assert made["paths"]["/shop/b"]["get"]["operationId"] == "get_shop_b"
    assert made["tags"] == [{"name": "pages"}, {"name": "shop"}, {"name": "shop-c"}]


def test_middleware_changes_nothing(make_pages: MakePages) -> None:
    files = {"a.py": GET, "_middleware.py": "def middleware(c, call_next): ...\n"}

    assert list(document_of(make_pages, files)["paths"]) == ["/a"]


def test_the_document_is_always_the_same() -> None:
    one, other = (json.dumps(describe(create_app())[0]) for _ in range(2))

    assert one == other
