from flask import Response
from flask import url_for

from flask_filepages import Context


def GET(context: Context) -> Response:
    relative, absolute = url_for("/about"), url_for("/about", _external=True)
    return Response(f"<a href='{relative}'>r</a> {absolute}", mimetype="text/html")
