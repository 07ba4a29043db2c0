from flask import Response
from flask import url_for

from flask_filepages import Context
from tests.blogs.paper.posts import blog


def GET(context: Context) -> Response:
    index = [
        {
            "title": post.title,
            "url": url_for("/posts/[...slug]", slug=post.slug),
            "tags": post.tags,
        }
        for post in blog().posts
    ]
    return context.json(index, headers={"X-Robots-Tag": "noindex"})
