"""A blog with the layout of satnaing/astro-paper: posts, tags, archives, a search."""

from __future__ import annotations

import typing as t

from flask import Flask

from flask_filepages import FilePages
from flask_filepages.markdown import render_markdown
from tests.blogs.paper.posts import Blog


def create_app(
    count: int = 30, *, instance_path: str | None = None, **config: t.Any
) -> Flask:
    """Return the app with *count* posts, which are in ``app.extensions["blog"]``."""
    app = Flask(__name__, instance_path=instance_path)
    app.config.from_mapping(
        FILEPAGES_OUTPUT="static",
        FILEPAGES_SITE="https://blog.example",
        FILEPAGES_REDIRECTS={"/blog": "/posts", "/feed.xml": ("/rss.xml", 302)},
    )
    app.config.from_mapping(config)
    app.extensions["blog"] = Blog(count)
    FilePages(app, renderers={".md": render_markdown})
    return app
