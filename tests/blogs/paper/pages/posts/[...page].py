from flask_filepages import StaticPath
from flask_filepages import paginate
from tests.blogs.paper.posts import PAGE_SIZE
from tests.blogs.paper.posts import blog


def get_static_paths() -> list[StaticPath]:
    return paginate(blog().posts, page_size=PAGE_SIZE)
