from flask import Response
from flask import url_for

from flask_filepages import Context
from tests.blogs.wind.posts import blog


def GET(context: Context) -> Response:
    posts = blog().posts
    if not posts:
        return context.redirect(url_for("/[...blog]/[...page]", blog="blog"))
    return context.redirect(url_for("/[...blog]", blog=posts[0].permalink), 307)
