from flask import Response

from flask_filepages import Context


def GET(context: Context) -> Response:
    return Response("SECRET-ADMIN", mimetype="text/plain")


POST = PUT = PATCH = DELETE = GET
