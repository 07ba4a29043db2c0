from flask import Response
from flask import url_for

from flask_filepages import CallNext
from flask_filepages import Context


def middleware(context: Context, call_next: CallNext) -> Response:
    """Let only members pass."""
    if context.cookies.get("member") != "yes":
        return context.redirect(url_for("/login"), 303)
    return call_next()
