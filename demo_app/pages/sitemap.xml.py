from flask import Response

from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import sitemap


@responds(mimetype="application/xml")
def GET(context: Context) -> Response:
    """Return the sitemap."""
    return sitemap(context.pages)
