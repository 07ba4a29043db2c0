"""The first posts of the blog: the files in ``content/posts/``."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func
from sqlalchemy import select

from demo_app.lib.content import documents
from demo_app.lib.database import Post
from demo_app.lib.database import db
from demo_app.lib.posts import slug_of


def seed() -> None:
    """Write the first posts, unless there are any."""
    if db.session.scalar(select(func.count(Post.id))):
        return
    for document in documents("posts"):
        title = document.front["title"]
        published = dt.datetime.combine(document.front["published"], dt.time(9))
        db.session.add(
            Post(
                slug=slug_of(title),
                title=title,
                body=document.text,
                published=published,
            )
        )
    db.session.commit()
