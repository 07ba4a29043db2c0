from flask import Response
from marshmallow import Schema
from marshmallow import fields

from flask_filepages import Context
from flask_filepages import responds


class Body(Schema):
    names = fields.List(fields.String(), required=True)


@responds(Body)
def GET(context: Context) -> Response:
    """List the staff."""
    return context.json({"names": ["Ann"]})
