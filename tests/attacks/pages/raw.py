from flask import Response

from flask_filepages import Context


def POST(context: Context) -> Response:
    length = len(context.request.get_data())
    return Response(str(length), mimetype="text/plain")
