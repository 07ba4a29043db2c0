"""A ``sitemap.xml`` of the pages of a site."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable
from xml.sax.saxutils import escape

from flask import Response
from flask import current_app

from .errors import SettingsError
from .site import ListedPath
from .site import sites_of

if t.TYPE_CHECKING:
    from .extension import FilePages

#: The limit of the protocol (sitemaps.org).
_MOST_URLS = 50_000
_START = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
)


def _is_page(path: ListedPath) -> bool:
    return path.is_page


def sitemap(
    pages: FilePages,
    *,
    include: Callable[[ListedPath], bool] = _is_page,
    lastmod: Callable[[ListedPath], datetime.date | None] | None = None,
) -> Response:
    """Return a response with the sitemap of *pages* (sitemaps.org).

    ::

        def GET(context):
            return sitemap(context.pages)

    It lists the paths of :meth:`FilePages.paths` that have a template. Guarded paths
    are never included.

    :param include: ``include(path)`` returns True for each path to include. Without a
        template, an endpoint is included only if you say so:
        ``include=lambda path: path.is_page or path.url == "/about"``.
    :param lastmod: ``lastmod(path)`` returns the date on which the path was last
        modified, or ``None``. A ``datetime`` needs a time zone.
    :raises SettingsError: if ``FILEPAGES_SITE`` is not set. The URLs in a sitemap are
        absolute.
    :raises ValueError: if there are more than 50,000 URLs, or a ``datetime`` has no
        time zone.
    """
    site = sites_of(current_app)[pages.name]
    base = site.settings.base_url
    if base is None:
        raise SettingsError(
            "sitemap() needs FILEPAGES_SITE, such as 'https://example.com': the URLs of"
            " a sitemap are absolute."
        )
    items = [
        _item(path, lastmod(path) if lastmod is not None else None)
        for path in site.listed_paths(base)
        if not path.is_guarded and include(path)
    ]
    if len(items) > _MOST_URLS:
        raise ValueError(
            f"A sitemap has at most {_MOST_URLS:,} URLs. Write several files, each with"
            " a part of them: sitemap(pages, include=lambda path:"
            " path.route_id.startswith('/posts'))."
        )
    xml = f"{_START}{''.join(items)}</urlset>\n"
    return current_app.response_class(xml, mimetype="application/xml")


def _item(path: ListedPath, changed: datetime.date | None) -> str:
    date = f"<lastmod>{_w3c(changed)}</lastmod>" if changed is not None else ""
    return f"<url><loc>{escape(path.url)}</loc>{date}</url>\n"


def _w3c(value: datetime.date) -> str:
    """Return a date as the sitemap protocol wants it (W3C Datetime)."""
    if not isinstance(value, datetime.datetime):
        return value.isoformat()
    if value.tzinfo is None:
        raise ValueError(
            f"lastmod returned {value!r}, which has no time zone. Return"
            " value.replace(tzinfo=datetime.timezone.utc), or value.date()."
        )
    return value.isoformat(timespec="seconds")
