import typing as t

from flask import Response
from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate as checks
from werkzeug.exceptions import NotFound

from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate

PNG = b"\x89PNG\r\n\x1a\n"


class Caption(Schema):
    text = fields.String(required=True, validate=checks.Length(max=100))
    stars = fields.Integer(validate=checks.Range(1, 5))


class Result(Schema):
    bytes = fields.Integer(required=True)
    others = fields.Integer(required=True)
    text = fields.String(required=True)


@responds(mimetype="image/png")
def GET(context: Context) -> Response:
    """Show the photo of a pet."""
    _check(context)
    return Response(PNG, mimetype="image/png")


@validate(
    form=Caption,
    files={"photo": fields.Raw(required=True), "others": fields.List(fields.Raw())},
)
@responds(Result, status=201)
def POST(context: Context, form: dict[str, t.Any], files: dict[str, t.Any]) -> Response:
    """Add a photo, and others."""
    _check(context)
    size = len(files["photo"].read())
    others = len(files.get("others", ()))
    return context.json({"bytes": size, "others": others, "text": form["text"]}, 201)


def _check(context: Context) -> None:
    if context.params["id"] not in context.app.extensions["pets"]:
        raise NotFound("There is no such pet.")
