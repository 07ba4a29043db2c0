from flask import Response

from demo_app.lib import posts
from flask_filepages import Context
from flask_filepages import StaticPath
from flask_filepages import paginate


def get_static_paths() -> list[StaticPath]:
    return paginate(posts.slugs(), page_size=posts.PAGE_SIZE)


def GET(context: Context) -> Response:
    return context.render(posts=map(posts.find, context.props["page"].data))
