from flask import Response
from flask import url_for

from flask_filepages import CallNext
from flask_filepages import Context


def middleware(context: Context, call_next: CallNext) -> Response:
    """Let only the admin pass, whatever the method and however the URL is spelled."""
    if not context.session.get("is_admin"):
        return context.redirect(url_for("/login", next=context.request.path), 303)
    response = call_next()
    response.headers["Cache-Control"] = "no-store"
    return response
