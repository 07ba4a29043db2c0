"""What a build tells: of each page, and at its end."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from dataclasses import field


@dataclass(slots=True)
class PageResult:
    """One path of a build. :attr:`action` is ``"rendered"`` or ``"kept"``;
    :attr:`seconds` is how long the render took."""

    path: str
    route_id: str
    file: str | None
    action: t.Literal["rendered", "kept"]
    status: int
    size: int
    seconds: float = 0.0


@dataclass(slots=True)
class Report:
    """What a build did. :attr:`release` is ``None`` if there was nothing to publish,
    :attr:`reason` says why nothing was kept, else :attr:`changed` lists what changed of
    what was read. :attr:`verified` is how many answers ``--verify`` compared with what
    would have been kept, :attr:`unsound` the paths of those that differ."""

    folder: str
    release: str | None = None
    total: int | None = None
    rendered: int = 0
    kept: int = 0
    removed: int = 0
    copied: int = 0
    reason: str | None = None
    changed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    verified: int = 0
    unsound: list[str] = field(default_factory=list)
