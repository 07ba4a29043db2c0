from flask import Response
from werkzeug.utils import secure_filename

from flask_filepages import Context


def GET(context: Context) -> Response:
    return Response("a form", mimetype="text/plain")


def POST(context: Context) -> Response:
    request = context.request
    names = [secure_filename(file.filename or "") for file in request.files.values()]
    return context.json({"n": len(request.form), "f": names})
