from collections.abc import Iterator

from flask_filepages import StaticPath
from flask_filepages import paginate
from tests.blogs.wind.posts import PAGE_SIZE
from tests.blogs.wind.posts import blog


def get_static_paths() -> Iterator[StaticPath]:
    for category, posts in blog().by_category().items():
        yield from paginate(
            posts, PAGE_SIZE, {"blog": "category", "category": category}
        )
