from flask import Response
from flask import flash
from flask import url_for
from marshmallow import fields

from demo_app.lib import messages
from demo_app.lib import posts
from flask_filepages import Context
from flask_filepages import validate

prerender = False


def GET(context: Context) -> Response:
    return context.render(posts=posts.newest(50), messages=messages.newest(20))


@validate(form={"slug": fields.String(required=True)})
def POST(context: Context, form: dict[str, str]) -> Response:
    """Delete a post."""
    post = posts.find(form["slug"])
    if post is not None:
        posts.delete(post)
        flash(f"{post.title} is gone.")
    return context.redirect(url_for("/admin"), 303)
