"""The feed is RSS that a reader takes."""

from __future__ import annotations

import feedparser
from flask.testing import FlaskClient


def test_feed_is_valid_and_lists_the_newest_post_first(
    filepages_client: FlaskClient,
) -> None:
    response = filepages_client.get("/feed.xml")
    feed = feedparser.parse(response.data)

    assert response.mimetype == "application/rss+xml"
    assert not feed.bozo
    assert feed.feed.link == "http://127.0.0.1:5000/"
    assert feed.entries[0].title == "Nothing else changes"
    assert len(feed.entries) == 7
