from flask import Response

from flask_filepages import Context
from flask_filepages import sitemap


def GET(context: Context) -> Response:
    return sitemap(context.pages)
