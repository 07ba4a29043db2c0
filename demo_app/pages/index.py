from flask import Response
from werkzeug.exceptions import NotFound

from demo_app.lib import posts
from flask_filepages import Context


def GET(context: Context) -> Response:
    page = posts.page(context.request.args.get("page", 1, type=int))
    if page is None:
        raise NotFound
    return context.render(page=page)
