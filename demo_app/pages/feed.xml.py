from feedgen.feed import FeedGenerator
from flask import Response
from flask import url_for

from demo_app.lib import posts
from flask_filepages import Context


def GET(context: Context) -> Response:
    site = context.site or context.request.host_url.rstrip("/")
    feed = FeedGenerator()
    feed.title("The demo blog")
    feed.description("What flask_filepages looks like in a small real app.")
    feed.link(href=site, rel="alternate")
    feed.link(href=site + url_for("/feed.xml"), rel="self")
    for post in reversed(posts.newest(20)):
        # Not the clock: the same posts are the same feed.
        feed.lastBuildDate(f"{post.published.isoformat()}Z")
        entry = feed.add_entry()
        address = site + url_for("/blog/[slug]", slug=post.slug)
        entry.id(address)
        entry.link(href=address)
        entry.title(post.title)
        entry.description(post.body)
        entry.published(f"{post.published.isoformat()}Z")
    return Response(feed.rss_str(), mimetype="application/rss+xml")
