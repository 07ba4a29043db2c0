from flask import Response
from flask import url_for

from flask_filepages import Context
from tests.blogs.paper.posts import blog


def GET(context: Context) -> Response:
    posts = blog().posts
    if not posts:
        return context.redirect(url_for("/posts/[...page]"))
    return context.redirect(url_for("/posts/[...slug]", slug=posts[0].slug))
