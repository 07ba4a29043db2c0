from flask import Response

from flask_filepages import Context


def GET(context: Context) -> Response:
    return context.json(1)
