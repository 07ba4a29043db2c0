from flask import Response

from flask_filepages import Context


def GET(context: Context) -> Response:
    user = context.cookies.get("u", "-")
    return Response(f"user={user}", mimetype="text/plain")
