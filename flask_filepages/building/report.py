"""The results of a build: for each page, and as a whole."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from dataclasses import field


@dataclass(slots=True)
class PageResult:
    """The result for one path.

    :attr:`action` is ``"rendered"``, ``"unchanged"`` (rendered, and equal to the last
    release) or ``"kept"`` (not rendered, because its ``version`` promises that nothing
    changed). :attr:`seconds` is the rendering time.
    """

    path: str
    route_id: str
    file: str | None
    action: t.Literal["rendered", "unchanged", "kept"]
    status: int
    size: int
    seconds: float = 0.0


@dataclass(slots=True)
class Report:
    """The result of a build.

    :attr:`release` is the folder of the new release, or ``None`` if nothing changed.
    :attr:`empty_routes` are the files whose ``get_static_paths`` lists no path.
    :attr:`unchanged` counts the rendered pages that are equal to the last release.
    :attr:`changed` lists the files, config keys and packages because of which no
    ``version`` was used. :attr:`verified` counts the promises that ``--verify``
    checked, and :attr:`broken_promises` are the paths where one was wrong.
    """

    folder: str
    release: str | None = None
    total: int | None = None
    rendered: int = 0
    unchanged: int = 0
    kept: int = 0
    removed: int = 0
    copied: int = 0
    empty_routes: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    verified: int = 0
    broken_promises: list[str] = field(default_factory=list)
