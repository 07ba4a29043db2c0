import hmac
import typing as t

from flask import Response
from flask import url_for

from demo_app.lib.schemas import LoginForm
from flask_filepages import Context
from flask_filepages import validate

prerender = False


def GET(context: Context) -> Response:
    return context.render(errors={})


@validate(form=LoginForm)
def POST(context: Context, form: dict[str, str], errors: dict[str, t.Any]) -> Response:
    known: str = context.app.config["ADMIN_PASSWORD"]
    given = form.get("password", "")
    if errors or not hmac.compare_digest(known.encode(), given.encode()):
        return context.render(errors={"password": "That is not it."}, status=400)
    context.session["is_admin"] = True
    # Any visitor can write ?next=; redirect() takes addresses of this site only.
    return context.redirect(context.request.args.get("next", url_for("/admin")), 303)
