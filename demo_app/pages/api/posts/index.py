import typing as t

from flask import Response
from flask import url_for
from werkzeug.exceptions import NotFound

from demo_app.lib import posts
from demo_app.lib.schemas import PageQuery
from demo_app.lib.schemas import PostBody
from demo_app.lib.schemas import PostData
from demo_app.lib.schemas import PostList
from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate

prerender = False


@validate(query=PageQuery)
@responds(PostList)
def GET(context: Context, query: dict[str, t.Any]) -> Response:
    """List the posts, newest first."""
    page = posts.page(query["page"])
    if page is None:
        raise NotFound("There is no such page.")
    return context.json(
        {
            "items": [posts.as_json(post) for post in page.items],
            "page": page.number,
            "last": page.last,
            "total": page.total,
        }
    )


@validate(json=PostBody)
@responds(PostData, status=201)
def POST(context: Context, json: dict[str, str]) -> Response:
    """Write a post.

    The slug in its address is made from the title.
    """
    post = posts.create(json["title"], json["body"])
    location = url_for("/api/posts/[slug]", slug=post.slug)
    return context.json(posts.as_json(post), 201, {"Location": location})
