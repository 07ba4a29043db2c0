from flask import Response
from flask import url_for

from flask_filepages import Context

prerender = False


def POST(context: Context) -> Response:
    """Let in everybody who asks: this blog has nothing to hide."""
    context.cookies.set("member", "yes")
    return context.redirect(url_for("/members"), 303)
