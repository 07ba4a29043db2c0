from flask import Response
from flask import url_for

from flask_filepages import Context
from tests.blogs.paper.posts import PAGE_SIZE
from tests.blogs.paper.posts import blog


def GET(context: Context) -> Response:
    style = url_for("static", filename="style.css")
    headers = {"Link": f"<{style}>; rel=preload; as=style"}
    return context.render(posts=blog().posts[:PAGE_SIZE], headers=headers)
