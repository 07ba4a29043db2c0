from flask import Response
from flask import url_for

from flask_filepages import Context
from tests.blogs.wind.posts import PAGE_SIZE
from tests.blogs.wind.posts import blog


def GET(context: Context) -> Response:
    found = blog()
    style = url_for("static", filename="style.css")
    return context.render(
        posts=found.posts[:PAGE_SIZE],
        categories=list(found.by_category()),
        tags=list(found.by_tag()),
        headers={"Link": f"<{style}>; rel=preload; as=style"},
    )
