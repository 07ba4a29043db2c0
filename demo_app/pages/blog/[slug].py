from flask import Response
from werkzeug.exceptions import NotFound

from demo_app.lib import posts
from demo_app.lib.text import to_html
from flask_filepages import Context
from flask_filepages import StaticPath

# Posts that were written since the last build run on each request.
prerender = "auto"


def get_static_paths() -> list[StaticPath]:
    return [StaticPath({"slug": slug}) for slug in posts.slugs()]


def GET(context: Context) -> Response:
    post = posts.find(context.params["slug"])
    if post is None:
        raise NotFound
    return context.render(post=post, text=to_html(post.body))
