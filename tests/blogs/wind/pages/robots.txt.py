from flask import Response
from flask import url_for

from flask_filepages import Context


def GET(context: Context) -> Response:
    rss = url_for("/rss.xml", _external=True)
    text = f"User-agent: *\nDisallow: /members\n\n# {rss}\n"
    return Response(text, mimetype="text/plain")
