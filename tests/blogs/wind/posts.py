"""The posts of the blog, made by plain code: always the same for a count."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import asdict
from dataclasses import dataclass

from flask import current_app

PAGE_SIZE = 4
CATEGORIES = ("guides", "news", "lösungen")
TAGS = ("astro", "flask", "tips", "v1.0", "größe")
_FIRST_SLUGS = ("hello", "2024/hello", "früher-anfang", "flask-3.1", "2024/05/spring")
_TOPICS = ("brands", "colours", "pages", "prices", "forms", "fonts", "widgets")
_FIRST_DAY = datetime.date(2024, 1, 1)


@dataclass(slots=True)
class Post:
    """One post. ``body`` is HTML."""

    id: int
    slug: str
    title: str
    date: str
    category: str
    tags: list[str]
    body: str

    @property
    def permalink(self) -> str:
        """Return the path of the post, without a slash in front."""
        return f"{self.category}/{self.slug}"

    def as_json(self) -> dict[str, t.Any]:
        return asdict(self)


class Blog:
    """All posts, the newest first."""

    def __init__(self, count: int) -> None:
        self.posts = [_post(number) for number in reversed(range(count))]

    def by_category(self) -> dict[str, list[Post]]:
        """Return the posts of each category that has some."""
        found: dict[str, list[Post]] = {}
        for post in self.posts:
            found.setdefault(post.category, []).append(post)
        return dict(sorted(found.items()))

    def by_tag(self) -> dict[str, list[Post]]:
        """Return the posts of each tag that has some."""
        found: dict[str, list[Post]] = {}
        for post in self.posts:
            for tag in post.tags:
                found.setdefault(tag, []).append(post)
        return dict(sorted(found.items()))

    def related(self, post: Post) -> list[Post]:
        """Return the next older posts of the same category, up to three."""
        posts = self.by_category()[post.category]
        start = posts.index(post) + 1
        return posts[start : start + 3]


def blog() -> Blog:
    """Return the blog of the current app."""
    return t.cast(Blog, current_app.extensions["blog"])


def _post(number: int) -> Post:
    topic = _TOPICS[number % len(_TOPICS)]
    is_first = number < len(_FIRST_SLUGS)
    tags = {TAGS[number % len(TAGS)], TAGS[number * 7 % 3]}
    day = _FIRST_DAY + datetime.timedelta(days=9 * number)
    return Post(
        id=number,
        slug=_FIRST_SLUGS[number] if is_first else f"{topic}-{number}",
        title=f"All about {topic} & <i>more</i>, {number}",
        date=day.isoformat(),
        category=CATEGORIES[number % len(CATEGORIES)],
        tags=sorted(tags),
        body=f"<h2>{topic.title()}</h2><p>Text <b>number</b> {number}.</p>",
    )
