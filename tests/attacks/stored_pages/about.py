import os

from flask import Response

from flask_filepages import Context


def GET(context: Context) -> Response:
    return context.render(made=os.environ.get("STORED_MADE"))
