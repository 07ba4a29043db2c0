from flask import Response
from flask import flash
from flask import url_for

from demo_app.lib import messages
from flask_filepages import Context


def GET(context: Context) -> Response:
    return context.render(form={}, errors={})


def POST(context: Context) -> Response:
    form = context.request.form
    errors = messages.check(form)
    if errors:
        return context.render(form=form, errors=errors, status=422)
    messages.receive(form["email"], form["text"])
    flash("Thank you, we have your message.")
    return context.redirect(url_for("/contact"), 303)
