from collections.abc import Iterator

from flask_filepages import StaticPath
from flask_filepages import paginate
from tests.blogs.wind.posts import PAGE_SIZE
from tests.blogs.wind.posts import blog


def get_static_paths() -> Iterator[StaticPath]:
    for tag, posts in blog().by_tag().items():
        yield from paginate(posts, PAGE_SIZE, {"blog": "tag", "tag": tag})
