"""A blog with a JSON API: what flask_filepages looks like in a small real app."""

from __future__ import annotations

import os

from flask import Flask

from demo_app.lib.api import API_DOCUMENT
from demo_app.lib.database import db
from demo_app.lib.seed import seed
from demo_app.lib.settings import DEMO_PASSWORD
from flask_filepages import FilePages
from flask_filepages.markdown import render_markdown

filepages = FilePages(renderers={".md": render_markdown})


def create_app(config: dict[str, object] | None = None) -> Flask:
    """Return the app. The database is made and filled when it is new."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=os.environ.get("DEMO_SECRET_KEY", "only for the demo"),
        DATABASE=os.environ.get(
            "DEMO_DATABASE", os.path.join(app.instance_path, "demo.sqlite")
        ),
        ADMIN_PASSWORD=os.environ.get("DEMO_ADMIN_PASSWORD", DEMO_PASSWORD),
        MAX_CONTENT_LENGTH=1_000_000,
        WEBHOOK_SECRET=os.environ.get("DEMO_WEBHOOK_SECRET", "demo"),
        # An export to a host of files has no links to what needs the app.
        ONLY_FILES=os.environ.get("DEMO_ONLY_FILES") == "1",
        APPLICATION_ROOT=os.environ.get("DEMO_ROOT", "/"),
        FILEPAGES_SITE=os.environ.get("DEMO_SITE", "http://127.0.0.1:5000"),
        FILEPAGES_REDIRECTS={"/posts/[slug]": "/blog/[slug]"},
        FILEPAGES_OUTPUT="hybrid",
        # The hooks here close database sessions; a stored page has none.
        FILEPAGES_FRONT=True,
        FILEPAGES_OPENAPI="/openapi.json",
        FILEPAGES_OPENAPI_DOCUMENT=API_DOCUMENT,
    )
    app.config.update(config or {})
    db.init_app(app)
    with app.app_context():
        seed()
    filepages.init_app(app)
    filepages.load(app)
    return app
