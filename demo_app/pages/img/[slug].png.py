from flask import Response

from demo_app.lib import posts
from demo_app.lib.images import identicon
from flask_filepages import Context
from flask_filepages import StaticPath
from flask_filepages import responds


def get_static_paths() -> list[StaticPath]:
    return [StaticPath({"slug": slug}) for slug in posts.slugs()]


@responds(mimetype="image/png")
def GET(context: Context) -> Response:
    """Draw a picture for a post."""
    response = Response(identicon(context.params["slug"]), mimetype="image/png")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
