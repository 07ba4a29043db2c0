from flask import Response

from flask_filepages import Context


def GET(context: Context) -> Response:
    response = Response("ok", mimetype="text/plain")
    response.headers["X-V"] = context.request.args["v"]
    return response
