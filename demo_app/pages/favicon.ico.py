from flask import Response

from demo_app.lib.images import icon
from flask_filepages import Context


def GET(context: Context) -> Response:
    return Response(icon("flask_filepages"), mimetype="image/x-icon")
