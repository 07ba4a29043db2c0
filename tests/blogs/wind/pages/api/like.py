from collections import Counter

from flask import Response
from flask import abort
from marshmallow import fields

from flask_filepages import Context
from flask_filepages import validate
from tests.blogs.wind.posts import blog

prerender = False


@validate(form={"permalink": fields.String(required=True)})
def POST(context: Context, form: dict[str, str]) -> Response:
    """Count a like of a post."""
    permalink = form["permalink"]
    if permalink not in {post.permalink for post in blog().posts}:
        abort(404, "There is no such post.")
    likes: Counter[str] = context.app.extensions["likes"]
    likes[permalink] += 1
    return context.json({"permalink": permalink, "likes": likes[permalink]})
