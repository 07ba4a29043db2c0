from flask import Response
from markupsafe import escape

from flask_filepages import Context

_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"


def GET(context: Context) -> Response:
    paths = context.pages.paths()
    urls = [path.url for path in paths if path.is_page and path.is_prerendered]
    site = escape(context.site)
    items = "".join(f"<url><loc>{site}{url}</loc></url>" for url in urls)
    xml = f'<?xml version="1.0"?><urlset xmlns="{_SCHEMA}">{items}</urlset>'
    return Response(xml, mimetype="application/xml")
