from flask import Response
from markupsafe import escape

from flask_filepages import Context

_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"


def GET(context: Context) -> Response:
    urls = [path.url for path in context.pages.paths() if path.is_page]
    items = "".join(f"<url><loc>{context.site}{escape(u)}</loc></url>" for u in urls)
    xml = f'<?xml version="1.0"?><urlset xmlns="{_SCHEMA}">{items}</urlset>'
    return Response(xml, mimetype="application/xml")
