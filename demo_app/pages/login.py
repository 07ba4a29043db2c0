import hmac
import typing as t

from flask import Response
from flask import url_for

from demo_app.lib.schemas import LoginForm
from demo_app.lib.settings import DEMO_PASSWORD
from flask_filepages import Context
from flask_filepages import validate

prerender = False


def GET(context: Context) -> Response:
    return _form(context)


@validate(form=LoginForm)
def POST(context: Context, form: dict[str, str], errors: dict[str, t.Any]) -> Response:
    expected: str = context.app.config["ADMIN_PASSWORD"]
    given = form.get("password", "")
    if errors or not hmac.compare_digest(expected.encode(), given.encode()):
        return _form(context, 400, password=["That is not the password."])
    context.session["is_admin"] = True
    # Any visitor can write ?next=; redirect() accepts only targets on this site.
    return context.redirect(context.request.args.get("next", url_for("/admin")), 303)


def _form(context: Context, status: int = 200, **errors: list[str]) -> Response:
    password = context.app.config["ADMIN_PASSWORD"]
    hint = DEMO_PASSWORD if password == DEMO_PASSWORD else None
    return context.render(status=status, errors=errors, hint=hint)
