"""The posts of the blog, made by plain code: always the same for a count."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from flask import current_app
from markdown_it import MarkdownIt
from markupsafe import Markup

PAGE_SIZE = 4
_TAGS = ("python", "flask", "web-dev", "notes", "åland", "css")
_FIRST_SLUGS = ("hello", "2024/hello", "grüße-aus-köln", "flask-3.1", "2024/05/spring")
_TOPICS = ("routes", "templates", "headers", "caches", "links", "builds", "feeds")
_FIRST_DAY = datetime.date(2024, 1, 1)


@dataclass(slots=True)
class Post:
    """One post. ``body`` is Markdown."""

    id: int
    slug: str
    title: str
    date: datetime.date
    tags: tuple[str, ...]
    body: str
    description: str

    @property
    def html(self) -> Markup:
        return Markup(MarkdownIt().render(self.body))


class Blog:
    """All posts, the newest first."""

    def __init__(self, count: int) -> None:
        self.posts = [_post(number) for number in reversed(range(count))]

    def tags(self) -> dict[str, list[Post]]:
        """Return the posts of each tag."""
        found: dict[str, list[Post]] = {}
        for post in self.posts:
            for tag in post.tags:
                found.setdefault(tag, []).append(post)
        return dict(sorted(found.items()))

    def years(self) -> dict[int, list[Post]]:
        """Return the posts of each year, the last year first."""
        found: dict[int, list[Post]] = {}
        for post in self.posts:
            found.setdefault(post.date.year, []).append(post)
        return found


def blog() -> Blog:
    """Return the blog of the current app."""
    return t.cast(Blog, current_app.extensions["blog"])


def _post(number: int) -> Post:
    topic = _TOPICS[number % len(_TOPICS)]
    is_first = number < len(_FIRST_SLUGS)
    slug = _FIRST_SLUGS[number] if is_first else f"{topic}-{number}"
    tags = {_TAGS[number % len(_TAGS)], _TAGS[number * 5 % 4]}
    return Post(
        id=number,
        slug=slug,
        title=f"On {topic} & more, part {number}",
        date=_FIRST_DAY + datetime.timedelta(days=20 * number),
        tags=tuple(sorted(tags)),
        body=f"## About {topic}\n\nText *number* {number}.\n\n- one\n- two\n",
        description=f"Some words about {topic}.",
    )
