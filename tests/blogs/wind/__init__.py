"""A site with the layout of onwidget/astrowind: a blog at the root, landing pages."""

from __future__ import annotations

import typing as t
from collections import Counter

from flask import Flask

from flask_filepages import FilePages
from tests.blogs.wind.posts import Blog


def create_app(
    count: int = 30, *, instance_path: str | None = None, **config: t.Any
) -> Flask:
    """Return the app with *count* posts, which are in ``app.extensions["blog"]``.

    The likes of each post are in ``app.extensions["likes"]``.
    """
    app = Flask(__name__, instance_path=instance_path)
    app.config.from_mapping(
        FILEPAGES_OUTPUT="hybrid",
        FILEPAGES_SITE="https://blog.example",
        FILEPAGES_REDIRECTS={
            "/posts": "/blog",
            "/posts/[...blog]": "/[...blog]",
            "/prices": ("/pricing", 302),
        },
    )
    app.config.from_mapping(config)
    app.extensions["blog"] = Blog(count)
    app.extensions["likes"] = Counter[str]()
    FilePages(app)
    return app
