from flask import Response
from flask import render_template

from flask_filepages import Context
from tests.blogs.paper.posts import blog


def GET(context: Context) -> Response:
    xml = render_template("rss.xml", site=context.site, posts=blog().posts)
    return Response(xml, mimetype="application/rss+xml")
