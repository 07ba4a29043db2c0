from flask import Response
from werkzeug.exceptions import NotFound

from demo_app.lib import posts
from demo_app.lib.database import Post
from demo_app.lib.schemas import PostBody
from demo_app.lib.schemas import PostData
from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate

prerender = False


@responds(PostData)
def GET(context: Context) -> Response:
    """Read a post."""
    return context.json(posts.as_json(_post(context)))


@validate(json=PostBody)
@responds(PostData)
def PUT(context: Context, json: dict[str, str]) -> Response:
    """Change a post."""
    post = _post(context)
    posts.update(post, json["title"], json["body"])
    return context.json(posts.as_json(post))


@responds(status=204)
def DELETE(context: Context) -> Response:
    """Delete a post."""
    posts.delete(_post(context))
    return Response(status=204)


def _post(context: Context) -> Post:
    post = posts.find(context.params["slug"])
    if post is None:
        raise NotFound("There is no such post.")
    return post
