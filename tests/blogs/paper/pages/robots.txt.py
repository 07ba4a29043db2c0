from flask import Response
from flask import url_for

from flask_filepages import Context


def GET(context: Context) -> Response:
    sitemap = url_for("/sitemap.xml", _external=True)
    text = f"User-agent: *\nAllow: /\n\nSitemap: {sitemap}\n"
    return Response(text, mimetype="text/plain")
