from collections.abc import Iterator

from flask_filepages import StaticPath
from tests.blogs.wind.posts import blog


def get_static_paths() -> Iterator[StaticPath]:
    found = blog()
    for post in found.posts:
        related = [other.as_json() for other in found.related(post)]
        # The props are all that the page shows, so they need no other version.
        yield StaticPath(
            {"blog": post.permalink},
            {"post": post.as_json(), "related": related},
            version="1",
        )
