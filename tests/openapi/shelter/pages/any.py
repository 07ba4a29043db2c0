from flask import Response

from flask_filepages import Context
from flask_filepages import responds


@responds(mimetype="text/plain")
def ALL(context: Context) -> Response:
    """Return the method."""
    return Response(context.request.method, mimetype="text/plain")
