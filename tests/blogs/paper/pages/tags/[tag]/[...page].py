from collections.abc import Iterator

from flask_filepages import StaticPath
from flask_filepages import paginate
from tests.blogs.paper.posts import PAGE_SIZE
from tests.blogs.paper.posts import blog


def get_static_paths() -> Iterator[StaticPath]:
    for tag, posts in blog().tags().items():
        yield from paginate(posts, PAGE_SIZE, {"tag": tag})
