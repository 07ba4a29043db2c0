"""The app that the attacks are sent to: ``gunicorn tests.attacks.app:app``."""

from __future__ import annotations

from typing import NoReturn

from flask import Flask
from werkzeug.routing import BaseConverter

from flask_filepages import FilePages
from flask_filepages.testing import load_endpoint


class Slug(BaseConverter):
    regex = "[a-z0-9]+(?:-[a-z0-9]+)*"


app = Flask(__name__)
app.config.update(
    MAX_CONTENT_LENGTH=1 << 20,
    FILEPAGES_SITE="https://www.example",
    FILEPAGES_REDIRECTS={"/old/[...rest]": "/new/[...rest]"},
)
app.url_map.converters["slug"] = Slug
pages = FilePages(app)
pages.load()


@app.errorhandler(
    load_endpoint("pages/boom-errorhandler.py", beside=__file__).HandledBadly
)
def fail(error: Exception) -> NoReturn:
    raise RuntimeError("SECRET-TOKEN-abc") from error
