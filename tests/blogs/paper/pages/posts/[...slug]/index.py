from collections.abc import Iterator

from flask_filepages import StaticPath
from tests.blogs.paper.posts import blog


def get_static_paths() -> Iterator[StaticPath]:
    posts = blog().posts
    for number, post in enumerate(posts):
        newer = posts[number - 1] if number else None
        older = posts[number + 1] if number + 1 < len(posts) else None
        props = {"post": post, "newer": newer, "older": older}
        yield StaticPath({"slug": post.slug}, props)
