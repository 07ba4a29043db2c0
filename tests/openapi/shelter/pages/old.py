from flask import Response
from typing_extensions import deprecated

from flask_filepages import Context
from flask_filepages import responds


@deprecated("Use /api/pets.", category=None)
@responds(mimetype="text/plain")
def GET(context: Context) -> Response:
    """Return a text."""
    return Response("old", mimetype="text/plain")
