from flask import Response
from werkzeug.exceptions import Unauthorized

from demo_app.lib import messages
from demo_app.lib.schemas import EventHeaders
from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate

prerender = False


@validate(headers=EventHeaders)
@responds(status=204)
def POST(context: Context, headers: dict[str, str]) -> Response:
    """Take an event whose sender signed the body with the shared secret."""
    body = context.request.get_data()
    secret = context.app.config["WEBHOOK_SECRET"]
    if not messages.is_signed(secret, body, headers["signature"]):
        raise Unauthorized("The signature is wrong.")
    messages.record(headers["kind"], body.decode("utf-8", "replace"))
    return Response(status=204)
