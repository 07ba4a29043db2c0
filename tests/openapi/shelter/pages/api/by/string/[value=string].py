from flask import Response
from marshmallow import fields

from flask_filepages import Context
from flask_filepages import responds


@responds({"value": fields.String(required=True)})
def GET(context: Context) -> Response:
    """Return a param of the matcher string."""
    return context.json({"value": str(context.params["value"])})
