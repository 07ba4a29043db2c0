from flask import Response

from flask_filepages import Context


def GET(context: Context) -> Response:
    return Response("a form", mimetype="text/plain")


def POST(context: Context) -> Response:
    return Response("EXECUTED", mimetype="text/plain")


PUT = PATCH = DELETE = POST
