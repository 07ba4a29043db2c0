"""The return values of ``get_static_paths``: paths, and pages of a list."""

from __future__ import annotations

import math
import typing as t
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

#: The name of the param and of the prop that ``paginate`` fills.
PAGE = "page"


@dataclass(frozen=True, slots=True)
class StaticPath:
    """One path of a dynamic route: its params, and props for its handler.

    :param params: a ``str`` for each param, or ``None`` for an absent optional or rest
        param.
    :param props: becomes ``context.props``.
    :param version: a promise that the response depends only on the params, the props,
        this text and the project. While all of them stay the same, a build keeps the
        stored response without rendering it. Use a row's last-modified time, or a
        digest of a data file. This requires props that are JSON.
    """

    params: Mapping[str, t.Any]
    props: Mapping[str, t.Any] = field(default_factory=dict)
    version: str | None = None


@dataclass(frozen=True, slots=True)
class PageUrls:
    """The URLs of one page of a list and of its neighbors.

    :param current: the URL of this page.
    :param first: the URL of the first page, or ``None`` on the first page.
    :param prev: the URL of the page before this one, or ``None``.
    :param next: the URL of the page after this one, or ``None``.
    :param last: the URL of the last page, or ``None`` on the last page.
    """

    current: str = ""
    first: str | None = None
    prev: str | None = None
    next: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    :param data: the items of this page.
    :param start: the index of its first item.
    :param end: the index of its last item; -1 for an empty list.
    :param size: the number of items on a full page.
    :param total: the number of all items.
    :param current: the number of this page, from 1.
    :param last: the number of the last page.
    :param urls: the URLs of this page and of its neighbors.
    """

    data: list[t.Any]
    start: int
    end: int
    size: int
    total: int
    current: int
    last: int
    urls: PageUrls = PageUrls()


def paginate(
    items: Iterable[t.Any],
    page_size: float = 10,
    params: Mapping[str, t.Any] | None = None,
    props: Mapping[str, t.Any] | None = None,
) -> list[StaticPath]:
    """Return a path for each page of *items*, for a ``[page]`` or ``[...page]`` file.

    Each path has its :class:`Page` in ``props["page"]``. With ``[...page]``, the first
    page has no number in its path. As in Astro, an empty list yields one empty page.

    :param page_size: the number of items on a page, or ``math.inf`` for all.
    :param params: the other params of the paths.
    :raises ValueError: if *page_size* is less than 1.
    """
    listed = list(items)
    total = len(listed)
    if not page_size >= 1:
        raise ValueError(f"page_size is {page_size!r}; it must be 1 or more.")
    size = max(1, total) if math.isinf(page_size) else int(page_size)
    last = max(1, -(-total // size))
    paths = []
    for number in range(1, last + 1):
        start = (number - 1) * size
        data = listed[start : start + size]
        page = Page(data, start, start + len(data) - 1, size, total, number, last)
        paths.append(
            StaticPath(
                {**(params or {}), PAGE: str(number)}, {**(props or {}), PAGE: page}
            )
        )
    return paths
