"""Discover the routes of a pages folder from its file names, without running a file.

The result does not depend on the order of the directory, the locale or the hash seed:
directory entries are sorted by code point, and routes by their patterns.
"""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from pathlib import Path

from .. import targets
from ..errors import Fault
from ..errors import PatternError
from ..errors import TreeError
from ..errors import closest
from ..settings import Output
from ..settings import Prerender
from ..settings import Redirect
from .files import ENDPOINT_SUFFIX
from .files import MIDDLEWARE_FILE
from .files import Source
from .files import read_prerender
from .files import walk
from .patterns import Part
from .patterns import Pattern
from .patterns import Segment
from .patterns import expand
from .patterns import parse_segment

ERROR_CODES = ("404", "500")
_file_type_re = re.compile(r".\.[a-z]\w*\Z", re.ASCII | re.IGNORECASE)


@dataclass(slots=True)
class Route:
    """A route: its URL patterns, and the files or the redirect that serve them.

    :param id: the path below the folder without suffix, ``index`` and groups, such as
        ``/blog/[slug]``.
    :param patterns: the forms of its URL: two for an optional segment, otherwise one.
    :param endpoint: the ``.py`` file, or ``None``.
    :param page: the template file, or ``None``.
    :param redirect: the target, for a route of ``FILEPAGES_REDIRECTS``.
    :param prerender: True, False or ``"auto"``.
    :param middleware: the ``_middleware.py`` files around the route, outermost first.
    :param warnings: what ``flask filepages check`` reports about its files.
    :param folder: the folder of the same name next to the file, if it has routes and
        no middleware of its own.
    """

    id: str
    patterns: list[Pattern]
    endpoint: Source | None = None
    page: Source | None = None
    redirect: Redirect | None = None
    prerender: Prerender | None = None
    middleware: list[Source] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    folder: str | None = None

    @property
    def source(self) -> Source | None:
        """The file that handles the URL: the endpoint, or the page if there is none."""
        return self.endpoint or self.page

    @property
    def name(self) -> str:
        """The name of the route in errors: its file, or the setting."""
        source = self.source
        return source.relative if source else f"FILEPAGES_REDIRECTS[{self.id!r}]"

    @property
    def is_static(self) -> bool:
        """True if no pattern has a param."""
        return all(s.is_static for p in self.patterns for s in p.segments)

    @property
    def lists_paths(self) -> bool:
        """True for a prerendered route with params, which serves only the paths it
        lists. (With ``"auto"``, it serves any path.)"""
        return self.prerender is True and not self.is_static

    @property
    def params(self) -> dict[str, Part]:
        """The params of all patterns, by name."""
        return {part.text: part for p in self.patterns for part in p.params}

    @property
    def optional_params(self) -> list[str]:
        """The names of the params that a URL may lack, sorted."""
        always = set.intersection(
            *({p.text for p in q.params if p.kind == "param"} for q in self.patterns)
        )
        return sorted(self.params.keys() - always)

    @property
    def has_extension(self) -> bool:
        """True for an endpoint whose URL ends in a file extension."""
        return self.endpoint is not None and self.patterns[-1].has_extension

    @property
    def has_file_type(self) -> bool:
        """True for an endpoint whose file name ends in the type of its response, such
        as ``feed.xml.py``, but not ``v1.2.py`` or ``[file].py``."""
        stem = os.path.basename(self.endpoint.stem) if self.endpoint else ""
        return _file_type_re.search(stem) is not None

    @property
    def sort_key(self) -> t.Any:
        # A path that a prerendered route does not list falls through to the next route,
        # so the one that takes every path comes last.
        return (
            self.patterns[0].key,
            not self.lists_paths,
            self.endpoint is None,
            self.name,
        )


@dataclass(slots=True)
class Tree:
    """All routes of a folder, the most specific first, and its error pages by code."""

    routes: list[Route]
    error_routes: dict[int, Route]


def discover(
    folder: str | Path,
    *,
    page_suffixes: t.Collection[str] = (".html",),
    matchers: t.Collection[str] = (),
    redirects: t.Mapping[str, Redirect] | None = None,
    output: Output = "server",
) -> Tree:
    """Return the routes of *folder*.

    :param page_suffixes: the suffixes of page templates.
    :param matchers: the names allowed in ``[param=matcher]``.
    :param redirects: routes that only redirect. Each replaces a file with the same
        pattern.
    :param output: decides if files without ``prerender`` are prerendered.
    :raises TreeError: with the errors of all names at once.
    """
    folder = os.path.realpath(folder)
    faults: list[Fault] = []
    segments = SegmentCache(matchers)
    routes: dict[str, Route] = {}
    middleware: dict[str, Source] = {}
    folders: set[str] = set()
    for source in walk(folder, {ENDPOINT_SUFFIX, *page_suffixes}, faults):
        if source.is_middleware:
            middleware[source.folders[-1]] = source
            continue
        folders.update(source.folders)
        try:
            found = segments_of(source, segments)
        except PatternError as error:
            faults.append(Fault("name", source.relative, error.problem, error.fix))
            continue
        _add(routes, source, found, faults)
    for path, target in (redirects or {}).items():
        _add_redirect(routes, path, target, segments, faults)
    for route in routes.values():
        if route.endpoint is not None:
            route.prerender = read_prerender(route.endpoint, faults, route.warnings)
            if route.prerender in (False, "auto") and output == "static":
                faults.append(_on_demand_fault(route.endpoint, route.prerender))
        if route.source is not None:
            if route.prerender is None and output != "server":
                route.prerender = True
            around = (middleware.get(below) for below in route.source.folders)
            route.middleware = [source for source in around if source is not None]
            route.warnings += _outside_of_middleware(route.source, middleware)
            beside = f"{route.source.stem}/"
            route.folder = beside if beside in folders - middleware.keys() else None
    table = sorted(routes.values(), key=lambda route: route.sort_key)
    faults += find_collisions(table)
    if faults:
        raise TreeError(folder, sorted(faults, key=lambda f: (f.file, f.problem)))
    errors = {int(code): routes[code] for code in ERROR_CODES if code in routes}
    return Tree(table, errors)


def _on_demand_fault(source: Source, prerender: object) -> Fault:
    problem = f"it says prerender = {prerender!r}, but FILEPAGES_OUTPUT is 'static'"
    fix = "Set FILEPAGES_OUTPUT = 'hybrid', or remove the line."
    line = source.line_of("prerender")
    return Fault("prerender", source.relative, problem, fix, line)


class SegmentCache(dict[str, Segment]):
    """Parses each segment text once, and checks its matchers."""

    def __init__(self, matchers: t.Collection[str]) -> None:
        super().__init__()
        self._matchers = matchers

    def __missing__(self, text: str) -> Segment:
        segment = parse_segment(text)
        for part in segment.parts:
            if part.matcher is not None and part.matcher not in self._matchers:
                close = closest(part.matcher, self._matchers)
                hint = f"Did you mean {close!r}? Otherwise add" if close else "Add"
                fix = f"{hint} a converter to app.url_map.converters before"
                fix += " FilePages(app)."
                if part.matcher == "path":
                    fix = f"For several segments write [...{part.text}]."
                raise PatternError(f"there is no matcher {part.matcher!r}", fix)
        self[text] = segment
        return segment


def segments_of(source: Source, cache: SegmentCache) -> tuple[Segment, ...]:
    """Return the segments of the URL of a file, without groups and ``index``.

    :raises PatternError: its name is not a route.
    """
    *folders, name = source.stem.split("/")
    texts = [f for f in folders if not (f.startswith("(") and f.endswith(")"))]
    if name != "index":
        texts.append(name)
    segments = tuple(cache[text] for text in texts)
    for segment in segments:
        if segment.has_rest and not segment.is_rest and not source.is_endpoint:
            raise PatternError(
                "in a page a rest param must be a whole segment",
                "Name the folder or file just [...name], or make it an endpoint (.py).",
            )
    return segments


def make_route(
    segments: tuple[Segment, ...], redirect: Redirect | None = None
) -> Route:
    """Return a route whose path has *segments*, without files."""
    return Route(str(Pattern(segments)), expand(segments), redirect=redirect)


def _outside_of_middleware(
    source: Source, middleware: t.Mapping[str, Source]
) -> list[Fault]:
    """Warn about a file that seems to belong behind a middleware and does not.

    ``admin.py`` lies next to ``admin/_middleware.py``, which does not run for it.
    """
    beside = middleware.get(f"{source.stem}/")
    if beside is None:
        is_near = source.stem.rpartition("/")[2] in ("middleware", "middlewares")
        if not (source.is_endpoint and is_near) or source.folders[-1] in middleware:
            return []
        problem = "it is a route, not the middleware of its folder"
        fix = f"If it is meant as middleware, name it {MIDDLEWARE_FILE}."
        return [Fault("unguarded", source.relative, problem, fix)]
    suffix = os.path.splitext(source.relative)[1]
    problem = f"{beside.relative} does not run for it"
    fix = f"If it should, move it to {source.stem}/index{suffix}."
    return [Fault("unguarded", source.relative, problem, fix)]


def _add(
    routes: dict[str, Route],
    source: Source,
    segments: tuple[Segment, ...],
    faults: list[Fault],
) -> None:
    route = routes.setdefault(source.stem, make_route(segments))
    if source.is_endpoint:
        route.endpoint = source
    elif route.page is None:
        route.page = source
    else:
        faults.append(_collision(route.page.relative, source.relative, route.id))


def _add_redirect(
    routes: dict[str, Route],
    path: str,
    target: Redirect,
    segments: SegmentCache,
    faults: list[Fault],
) -> None:
    setting = f"FILEPAGES_REDIRECTS[{path!r}]"
    try:
        parsed = tuple(segments[text] for text in path.strip("/").split("/") if text)
    except PatternError as error:
        faults.append(Fault("name", setting, error.problem, error.fix))
        return
    params = {part.text for segment in parsed for part in segment.parts}
    for name in targets.params_in(target.target):
        if name not in params:
            close = closest(name, params)
            fix = f"Did you mean [{close}]?" if close else "Use a param of the path."
            problem = f"its target has the unknown param [{name}]"
            faults.append(Fault("name", setting, problem, fix))
    added = make_route(parsed, target)
    shapes = {pattern.shape for pattern in added.patterns}
    for stem, route in list(routes.items()):
        if shapes.issuperset(pattern.shape for pattern in route.patterns):
            fix = "Remove the file or the redirect."
            where = ("unreachable", route.name)
            added.warnings.append(Fault(*where, f"{setting} replaces it", fix))
            del routes[stem]
    routes[f"redirect:{path}"] = added


# -- collisions ---------------------------------------------------------------


def find_collisions(routes: t.Sequence[Route]) -> list[Fault]:
    """Return a fault for every two routes that match the same URLs.

    Names of params do not count. Patterns that differ only by case collide too, because
    some file systems cannot hold both. Any number of routes that list their paths may
    share a pattern, with each other and with one that takes every path.
    """
    faults: list[Fault] = []
    owners: dict[str, Route] = {}
    ids: dict[str, Route] = {}
    for route in routes:
        for pattern in route.patterns if not route.lists_paths else ():
            other = owners.setdefault(pattern.shape.lower(), route)
            if other is not route:
                fault = _collision(other.name, route.name, str(pattern))
                if "auto" in (other.prerender, route.prerender):
                    fix = "Write `prerender = True` in one of them, or rename it."
                    fault = replace(fault, fix=fix)
                faults.append(fault)
        other = ids.setdefault(route.id, route)
        if other is not route and not faults:
            faults.append(_collision(other.name, route.name, route.id))
    return faults


def _collision(first: str, second: str, pattern: str) -> Fault:
    return Fault(
        "collision",
        first,
        f"conflicts with {second}: both match {pattern}",
        "Remove or rename one of them.",
    )
