"""Posts: find, list, write."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy import select

from demo_app.lib.database import Comment
from demo_app.lib.database import Post
from demo_app.lib.database import db

PAGE_SIZE = 5


@dataclass(frozen=True)
class PostPage:
    """One page of the list of posts, newest first."""

    items: list[Post]
    number: int
    last: int
    total: int


def find(slug: str) -> Post | None:
    return db.session.scalar(select(Post).where(Post.slug == slug))


def page(number: int) -> PostPage | None:
    """Return page *number*, from 1, or ``None`` if there is no such page."""
    total = db.session.scalar(select(func.count(Post.id))) or 0
    last = max(1, -(-total // PAGE_SIZE))
    if not 1 <= number <= last:
        return None
    newest = select(Post).order_by(Post.published.desc(), Post.id.desc())
    chosen = newest.offset((number - 1) * PAGE_SIZE).limit(PAGE_SIZE)
    return PostPage(list(db.session.scalars(chosen)), number, last, total)


def slugs() -> list[str]:
    """Return the slugs of all posts, newest first."""
    query = select(Post.slug).order_by(Post.published.desc(), Post.id.desc())
    return list(db.session.scalars(query))


def newest(count: int) -> list[Post]:
    query = select(Post).order_by(Post.published.desc(), Post.id.desc()).limit(count)
    return list(db.session.scalars(query))


def slug_of(title: str) -> str:
    """Return the title in the form that it has in a URL."""
    words = title.lower().replace("_", "underscore")
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-") or "post"


def create(title: str, body: str) -> Post:
    """Return a new post, with a slug that no other has."""
    slug = slug_of(title)
    taken = set(db.session.scalars(select(Post.slug).where(Post.slug.startswith(slug))))
    free = slug
    number = 2
    while free in taken:
        free = f"{slug}-{number}"
        number += 1
    post = Post(slug=free, title=title, body=body)
    db.session.add(post)
    db.session.commit()
    return post


def update(post: Post, title: str, body: str) -> None:
    post.title, post.body = title, body
    db.session.commit()


def comment(post: Post, author: str, text: str) -> None:
    post.comments.append(Comment(author=author, text=text))
    db.session.commit()


def delete(post: Post) -> None:
    db.session.delete(post)
    db.session.commit()


def as_json(post: Post) -> dict[str, t.Any]:
    return {
        "slug": post.slug,
        "title": post.title,
        "body": post.body,
        "published": post.published.isoformat() + "Z",
    }
