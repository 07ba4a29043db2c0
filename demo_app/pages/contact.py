import typing as t

from flask import Response
from flask import flash
from flask import url_for

from demo_app.lib import messages
from demo_app.lib.schemas import ContactForm
from flask_filepages import Context
from flask_filepages import validate

prerender = False


def GET(context: Context) -> Response:
    return context.render(form={}, errors={})


@validate(form=ContactForm)
def POST(context: Context, form: dict[str, str], errors: dict[str, t.Any]) -> Response:
    if errors:
        return context.render(form=form, errors=errors["form"], status=400)
    messages.receive(form["email"], form["text"])
    flash("Thank you, we have your message.")
    return context.redirect(url_for("/contact"), 303)
