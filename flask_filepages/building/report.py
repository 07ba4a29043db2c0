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
    :param make_executor: a callable that returns the executor used for rendering; by
        default, the current process renders.
    :param jobs: the number of workers of the executor.
    :param force: render everything, without comparing it with the previous release.
    :param verify: render everything, and check that no version was wrong.
    :param static: copy the static folders.
    :param keep: how many releases to keep.
    :param links: ``"error"`` to publish nothing if a link in the stored HTML leads
        nowhere, ``"warn"`` to log such links.
    :param wait: if another build is using the folder, wait for it to finish.
    """

    out: str | None = None
    app_import: str | None = None
    make_executor: t.Callable[[], Executor] | None = None
    jobs: int = 1
    force: bool = False
    verify: bool = False
    static: bool = True
    keep: int = 3
    links: t.Literal["error", "warn", "off"] = "off"
    wait: bool = False


@dataclass(slots=True)
class PageResult:
    """The result for one path.

    :param path: the path, such as ``/posts/1``.
    :param route_id: the id of its route, such as ``/posts/[id]``.
    :param source: the file of its route, such as ``posts/[id].py``.
    :param file: the name of the stored file, or ``None`` if the response has no file.
    :param action: ``"rendered"``, ``"unchanged"`` (rendered, and identical to the
        response in the previous release) or ``"kept"`` (not rendered, because its
        ``version`` promises that nothing changed).
    :param status: the status of the response.
    :param size: the size of the body in bytes.
    :param seconds: the rendering time.
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

    :param folder: the build folder.
    :param release: the folder of the new release, or ``None`` if nothing changed.
    :param current: the folder of the current release.
    :param is_served: True if this is the build folder of the app's settings, which the
        app serves.
    :param site_files: the number of files in ``site/``, not counting compressed
        variants.
    :param guarded_files: the number of files in ``guarded/``, counted the same way.
    :param total: the number of paths, known before the first result.
    :param rendered: how many paths were rendered.
    :param unchanged: how many of these are identical to the previous release.
    :param kept: how many paths were not rendered, because of their version.
    :param removed: how many paths of the previous release are gone.
    :param copied: how many static files were copied.
    :param empty_routes: the files whose ``get_static_paths`` lists no paths.
    :param own_views: the URL rules of the app's own views, which a static host cannot
        serve.
    :param named_as_pages: endpoints whose HTML is stored under the file name of a page,
        each with an example.
    :param changed: the files, config keys and packages whose changes invalidated all
        versions.
    :param seconds: how long the build took.
    :param verified: how many versions ``--verify`` checked.
    :param broken_promises: the paths whose version was wrong.
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
