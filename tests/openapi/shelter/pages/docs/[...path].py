from flask import Response
from marshmallow import fields

from flask_filepages import Context
from flask_filepages import responds


@responds({"path": fields.String(required=True, allow_none=True)})
def GET(context: Context) -> Response:
    """Return the rest of the path, if there is one."""
    return context.json({"path": context.params["path"]})
