"""Posts that were written since the last build: what it did not store comes here."""

from flask import Response
from werkzeug.exceptions import NotFound

from demo_app.lib import posts
from flask_filepages import Context

prerender = False


def GET(context: Context) -> Response:
    post = posts.find(context.params["fresh"])
    if post is None:
        raise NotFound
    return context.render("filepages:/blog/[slug].html", post=post)
