from flask import Response
from flask import abort

from flask_filepages import CallNext
from flask_filepages import Context


def middleware(context: Context, call_next: CallNext) -> Response:
    if context.request.headers.get("X-Admin") != "1":
        abort(403)
    return call_next()
