import typing as t

from flask import Response
from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate as checks

from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate


class Adoption(Schema):
    name = fields.String(required=True, validate=checks.Length(1, 40))
    pets = fields.List(fields.Integer(), required=True)
    agreed = fields.Boolean(load_default=False)


@validate(form=Adoption)
@responds({"name": fields.String(required=True), "pets": fields.Integer(required=True)})
def POST(context: Context, form: dict[str, t.Any]) -> Response:
    """Ask for pets."""
    return context.json({"name": form["name"], "pets": len(form["pets"])})
