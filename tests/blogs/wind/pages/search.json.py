from flask import Response
from flask import url_for

from flask_filepages import Context
from tests.blogs.wind.posts import blog


def GET(context: Context) -> Response:
    index = [
        {"title": post.title, "url": url_for("/[...blog]", blog=post.permalink)}
        for post in blog().posts
    ]
    return context.json(index, headers={"X-Robots-Tag": "noindex"})
