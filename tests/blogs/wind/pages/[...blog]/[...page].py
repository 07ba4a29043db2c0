from flask_filepages import StaticPath
from flask_filepages import paginate
from tests.blogs.wind.posts import PAGE_SIZE
from tests.blogs.wind.posts import blog


def get_static_paths() -> list[StaticPath]:
    return paginate(blog().posts, PAGE_SIZE, {"blog": "blog"})
