from flask import Response
from werkzeug.exceptions import NotFound

from demo_app.lib import posts
from flask_filepages import Context


def GET(context: Context) -> Response:
    post = posts.find(context.params["slug"])
    if post is None:
        raise NotFound
    return context.render(post=post)
