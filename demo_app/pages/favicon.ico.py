from flask import Response

from demo_app.lib.images import icon
from flask_filepages import Context
from flask_filepages import responds


@responds(mimetype="image/x-icon")
def GET(context: Context) -> Response:
    """Return the icon of the site."""
    return Response(icon("flask_filepages"), mimetype="image/x-icon")
