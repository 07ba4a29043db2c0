from flask import Response

from flask_filepages import Context
from flask_filepages import StaticPath
from tests.blogs.images import picture
from tests.blogs.paper.posts import blog


def get_static_paths() -> list[StaticPath]:
    return [
        StaticPath({"slug": post.slug}, {"title": post.title}, version="1")
        for post in blog().posts
    ]


def GET(context: Context) -> Response:
    response = Response(picture(context.props["title"]), mimetype="image/png")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
