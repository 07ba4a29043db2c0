from flask import Response
from marshmallow import fields

from flask_filepages import Context
from flask_filepages import responds


@responds({"lang": fields.String(required=True)})
def GET(context: Context) -> Response:
    """Return the language."""
    return context.json({"lang": context.params["lang"] or "en"})
