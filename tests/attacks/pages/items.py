import typing as t

from flask import Response
from marshmallow import Schema
from marshmallow import fields
from marshmallow.validate import Length
from marshmallow.validate import Range

from flask_filepages import Context
from flask_filepages import validate

OS = "never a method"


class Item(Schema):
    name = fields.String(required=True, validate=Length(1, 50))
    price = fields.Float(required=True, validate=Range(0))
    qty = fields.Integer(strict=True, validate=Range(0, 2**31))


def get_static_paths() -> list[str]:
    return []


def GET(context: Context) -> Response:
    return context.json([])


@validate(json=Item)
def POST(context: Context, json: dict[str, t.Any]) -> Response:
    return context.json(json, 201)
