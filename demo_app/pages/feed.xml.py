from feedgen.feed import FeedGenerator
from flask import Response
from flask import url_for

from demo_app.lib import posts
from demo_app.lib.text import to_html
from flask_filepages import Context
from flask_filepages import responds


@responds(mimetype="application/rss+xml")
def GET(context: Context) -> Response:
    """Return the feed of the newest posts."""
    site = context.site or context.request.host_url.rstrip("/")
    feed = FeedGenerator()
    feed.title("The file blog")
    feed.description("A blog about file-based routing in Flask, built with it.")
    feed.link(href=site + url_for("/feed.xml"), rel="self")
    feed.link(href=site + url_for("/"), rel="alternate")  # The last one is <link>.
    for post in reversed(posts.newest(20)):
        # Not the time of the build: the same posts make the same feed.
        feed.lastBuildDate(f"{post.published.isoformat()}Z")
        entry = feed.add_entry()
        address = site + url_for("/blog/[slug]", slug=post.slug)
        entry.id(address)
        entry.link(href=address)
        entry.title(post.title)
        entry.description(post.summary)
        entry.content(str(to_html(post.body)), type="CDATA")
        entry.published(f"{post.published.isoformat()}Z")
    return Response(feed.rss_str(), mimetype="application/rss+xml")
