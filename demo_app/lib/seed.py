"""What stands in the blog when it is new."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func
from sqlalchemy import select

from demo_app.lib.database import Post
from demo_app.lib.database import db

_POSTS = [
    ("A file is a route", "pages/blog/[slug].html answers /blog/a-file-is-a-route."),
    ("A function is a method", "def GET(context) and def POST(context), in one file."),
    ("One file owns its URL", "What it does not answer is 405, with the right Allow."),
    ("Params are in the name", "[slug] is one segment, [...path] any number of them."),
    ("Helpers start with _", "A name with an underscore in front is never a route."),
    ("Tests live beside the code", "feed_test.py tests feed.xml.py, and is no route."),
    ("Nothing else changes", "Hooks, sessions, url_for and error handlers go on."),
]


def seed() -> None:
    """Write the first posts, unless there are any."""
    if db.session.scalar(select(func.count(Post.id))):
        return
    day = dt.datetime(2026, 1, 1, 9)
    for number, (title, body) in enumerate(_POSTS):
        slug = title.lower().replace(" ", "-").replace("_", "underscore")
        published = day + dt.timedelta(days=number)
        db.session.add(Post(slug=slug, title=title, body=body, published=published))
    db.session.commit()
