"""The app that the attacks are sent to: ``gunicorn tests.attacks.app:app``."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter

from flask_filepages import FilePages


class Slug(BaseConverter):
    regex = "[a-z0-9]+(?:-[a-z0-9]+)*"


app = Flask(__name__)
app.config.update(
    MAX_CONTENT_LENGTH=1 << 20,
    FILEPAGES_REDIRECTS={"/old/[...rest]": "/new/[...rest]"},
)
app.url_map.converters["slug"] = Slug
pages = FilePages(app)
pages.load()
