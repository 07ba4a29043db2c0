from flask import Response
from marshmallow import fields

from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate


@validate(params={"name": fields.String(metadata={"description": "Any name."})})
@responds({"name": fields.String(required=True), "size": fields.Integer(required=True)})
def GET(context: Context, params: dict[str, str]) -> Response:
    """Return both parts of a segment."""
    return context.json({"name": params["name"], "size": context.params["size"]})
