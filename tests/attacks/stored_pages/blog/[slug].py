import os

from flask import Response

from flask_filepages import Context
from flask_filepages import StaticPath


def get_static_paths() -> list[StaticPath]:
    return [StaticPath({"slug": "a"}), StaticPath({"slug": "é"})]


def GET(context: Context) -> Response:
    made, slug = os.environ.get("STORED_MADE"), context.params["slug"]
    return context.json({"made": made, "slug": slug})
