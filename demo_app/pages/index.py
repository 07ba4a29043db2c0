from flask import Response

from demo_app.lib import posts
from flask_filepages import Context


def GET(context: Context) -> Response:
    return context.render(posts=posts.newest(3))
