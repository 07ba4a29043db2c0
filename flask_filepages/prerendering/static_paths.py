"""What ``get_static_paths`` lists: paths, and pages of lists."""

from __future__ import annotations

import math
import typing as t
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field

#: The param, and the prop, of a page of a list.
PAGE = "page"


@dataclass(frozen=True, slots=True)
class StaticPath:
    """One path of a dynamic route: its params, and props for its handler.

    :param params: a ``str`` for each param; ``None`` for an optional one, or a rest,
        that is left out.
    :param props: becomes ``context.props``.
    :param version: vouches for what a build cannot see, such as rows of a database
        server: as long as it stays the same, the page does.
    """

    params: Mapping[str, t.Any]
    props: Mapping[str, t.Any] = field(default_factory=dict)
    version: str | None = None


@dataclass(frozen=True, slots=True)
class PageUrls:
    """The URLs of a page of a list and of those around it; ``None`` where there is
    none."""

    current: str = ""
    first: str | None = None
    prev: str | None = None
    next: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: ``data`` are its items.

    ``start`` and ``end`` are the indexes of the first and the last item (``end`` is
    -1 for an empty list), ``size`` is the number of items a page takes, ``total`` that
    of all; ``current`` and ``last`` are page numbers, from 1.
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

    Each has its :class:`Page` in ``props["page"]``. With ``[...page]`` the first page
    is the path without a number. An empty list has one page (Astro, rule 117).

    :param page_size: how many items a page takes; ``math.inf`` for all.
    :param params: the other params of the path.
    :raises ValueError: *page_size* is below 1.
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
