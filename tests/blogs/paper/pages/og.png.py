from flask import Response

from flask_filepages import Context
from tests.blogs.images import picture


def GET(context: Context) -> Response:
    return Response(picture("Paper"), mimetype="image/png")
