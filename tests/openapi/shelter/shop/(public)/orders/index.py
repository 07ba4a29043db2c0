import typing as t

from flask import Response
from marshmallow import Schema
from marshmallow import fields

from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate
from tests.openapi.shelter.schemas import Owner


class Body(Schema):
    """What somebody orders."""

    pets = fields.List(fields.Integer(strict=True), required=True)
    buyer = fields.Nested(Owner(only=("name",)), required=True)


@validate(json=Body(many=True))
@responds({"pets": fields.Integer(required=True)})
def POST(context: Context, json: list[dict[str, t.Any]]) -> Response:
    """Order pets."""
    return context.json({"pets": sum(len(order["pets"]) for order in json)})
