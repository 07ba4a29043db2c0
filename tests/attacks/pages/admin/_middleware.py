from flask import abort
from werkzeug.wrappers import Response

from flask_filepages import Context
from flask_filepages.middleware import CallNext


def middleware(context: Context, call_next: CallNext) -> Response:
    if context.request.headers.get("X-Admin") != "1":
        abort(403)
    return call_next()
