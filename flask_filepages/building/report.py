"""The options of a build, and its results: for each page, and as a whole."""

from __future__ import annotations

import typing as t
from concurrent.futures import Executor
from dataclasses import dataclass
from dataclasses import field


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a build.

    :param out: the build folder, instead of ``FILEPAGES_BUILD_DIR``.
    :param app_import: the import string of the app (``--app``), for workers.
    :param make_executor: returns the executor that renders; by default this process
        renders.
    :param jobs: the number of workers of the executor.
    :param force: compare with no earlier release.
    :param verify: render everything, and check the promises of all versions.
    :param static: copy the static folders.
    :param keep: how many releases to keep.
    :param wait: wait for another build that uses the folder.
    """

    out: str | None = None
    app_import: str | None = None
    make_executor: t.Callable[[], Executor] | None = None
    jobs: int = 1
    force: bool = False
    verify: bool = False
    static: bool = True
    keep: int = 3
    wait: bool = False


@dataclass(slots=True)
class PageResult:
    """The result for one path.

    :attr:`source` is the file of its route, such as ``posts/[id].py``.
    :attr:`action` is ``"rendered"``, ``"unchanged"`` (rendered, and equal to the last
    release) or ``"kept"`` (not rendered, because its ``version`` promises that nothing
    changed). :attr:`seconds` is the rendering time.
    """

    path: str
    route_id: str
    source: str
    file: str | None
    action: t.Literal["rendered", "unchanged", "kept"]
    status: int
    size: int
    seconds: float = 0.0


@dataclass(slots=True)
class Report:
    """The result of a build.

    :attr:`release` is the folder of the new release, or ``None`` if nothing changed,
    and :attr:`current` the current release of the folder. The app serves it if
    :attr:`is_served`: the folder is the one of the settings. :attr:`site_files` and
    :attr:`guarded_files` count its files, without their compressed variants.
    :attr:`empty_routes` are the files whose ``get_static_paths`` lists no path.
    :attr:`unchanged` counts the rendered pages that are equal to the last release.
    :attr:`own_views` are the rules of the app that no static host serves.
    :attr:`named_as_pages` are the endpoints that return HTML, with the name of a file:
    it is the name that a page would have.
    :attr:`changed` lists the files, config keys and packages because of which no
    ``version`` was used. :attr:`verified` counts the promises that ``--verify``
    checked, and :attr:`broken_promises` are the paths where one was wrong.
    """

    folder: str
    release: str | None = None
    current: str | None = None
    is_served: bool = True
    site_files: int = 0
    guarded_files: int = 0
    total: int | None = None
    rendered: int = 0
    unchanged: int = 0
    kept: int = 0
    removed: int = 0
    copied: int = 0
    empty_routes: list[str] = field(default_factory=list)
    own_views: list[str] = field(default_factory=list)
    named_as_pages: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    seconds: float = 0.0
    verified: int = 0
    broken_promises: list[str] = field(default_factory=list)
