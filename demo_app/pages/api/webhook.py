from flask import Response

from demo_app.lib import messages
from flask_filepages import Context

prerender = False


def POST(context: Context) -> Response:
    """Take an event whose sender signed the body with the shared secret."""
    body = context.request.get_data()
    given = context.request.headers.get("X-Signature", "")
    if not messages.is_signed(context.app.config["WEBHOOK_SECRET"], body, given):
        return context.json({"error": "The signature is wrong."}, 401)
    kind = context.request.headers.get("X-Event", "unknown")
    messages.record(kind, body.decode("utf-8", "replace"))
    return Response(status=204)
