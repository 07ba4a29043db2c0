from flask import Response
from flask import url_for

from demo_app.lib import posts
from flask_filepages import Context


def GET(context: Context) -> Response:
    page = posts.page(context.request.args.get("page", 1, type=int))
    if page is None:
        return context.json({"error": "There is no such page."}, 404)
    return context.json(
        {
            "items": [posts.as_json(post) for post in page.items],
            "page": page.number,
            "last": page.last,
            "total": page.total,
        }
    )


def POST(context: Context) -> Response:
    try:
        post = posts.create(context.request.get_json())
    except posts.InvalidPost as error:
        return context.json({"error": str(error)}, 422)
    location = url_for("/api/posts/[slug]", slug=post.slug)
    return context.json(posts.as_json(post), 201, {"Location": location})
