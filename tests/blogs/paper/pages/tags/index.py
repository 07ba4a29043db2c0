from flask import Response

from flask_filepages import Context
from tests.blogs.paper.posts import blog


def GET(context: Context) -> Response:
    return context.render(tags=blog().tags())
