import os

from flask import Response

from flask_filepages import Context

prerender = False


def GET(context: Context) -> Response:
    return context.json({"made": os.environ.get("STORED_MADE")})
