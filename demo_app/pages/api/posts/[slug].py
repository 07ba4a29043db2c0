from flask import Response
from werkzeug.exceptions import NotFound

from demo_app.lib import posts
from demo_app.lib.database import Post
from flask_filepages import Context


def GET(context: Context) -> Response:
    return context.json(posts.as_json(_post(context)))


def PUT(context: Context) -> Response:
    post = _post(context)
    try:
        posts.update(post, context.request.get_json())
    except posts.InvalidPost as error:
        return context.json({"error": str(error)}, 422)
    return context.json(posts.as_json(post))


def DELETE(context: Context) -> Response:
    posts.delete(_post(context))
    return Response(status=204)


def _post(context: Context) -> Post:
    post = posts.find(context.params["slug"])
    if post is None:
        raise NotFound("There is no such post.")
    return post
