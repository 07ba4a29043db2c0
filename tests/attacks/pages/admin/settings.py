from flask import Response

from flask_filepages import Context


def GET(context: Context) -> Response:
    return Response("SECRET-ADMIN settings", mimetype="text/plain")
