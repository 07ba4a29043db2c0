import typing as t

from flask import Response
from flask import url_for
from werkzeug.exceptions import NotFound

from demo_app.lib import posts
from demo_app.lib.database import Post
from demo_app.lib.schemas import CommentForm
from flask_filepages import Context
from flask_filepages import validate

prerender = False


def GET(context: Context) -> Response:
    return context.render(post=_post(context), form={}, errors={})


@validate(form=CommentForm)
def POST(context: Context, form: dict[str, str], errors: dict[str, t.Any]) -> Response:
    """Take a comment, or show what was typed again with what is wrong with it."""
    post = _post(context)
    if errors:
        return context.render(post=post, form=form, errors=errors["form"], status=400)
    posts.comment(post, form["author"], form["text"])
    return context.redirect(url_for("/blog/[slug]/comments", slug=post.slug), 303)


def _post(context: Context) -> Post:
    post = posts.find(context.params["slug"])
    if post is None:
        raise NotFound
    return post
