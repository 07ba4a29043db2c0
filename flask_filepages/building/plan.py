"""Plan a build: list the paths of all prerendered routes, and check them."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import tempfile
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import unquote

from .. import targets
from ..errors import BuildError
from ..errors import Fault
from ..errors import ParamError
from ..handling.route import BoundRoute
from ..prerendering.get_static_paths import decode
from ..prerendering.get_static_paths import encode
from ..prerendering.static_paths import StaticPath
from ..prerendering.stored import PrerenderedRoute
from ..releases.manifest import GUARDED
from ..releases.manifest import Entry
from ..releases.names import file_name
from ..releases.names import folded
from ..releases.names import name_problem
from ..routing.files import STATIC_PATHS
from ..routing.files import Source
from ..site import Site
from .rendered import RenderedResponse

_IN_MEMORY = 8 * 1024 * 1024  # Bytes of a listing, before it goes to a file.


@dataclass(slots=True)
class Listing:
    """The paths of one route, each as a line of canonical JSON in a temporary file.

    A path whose props cannot be written as JSON has an empty line, and is kept in
    :attr:`objects`. :attr:`digest` is ``None`` unless every path has a ``version`` and
    JSON props.
    """

    route: PrerenderedRoute
    lines: t.Any
    digest: str | None = None
    objects: dict[int, StaticPath] = field(default_factory=dict)
    has_versions: bool = False
    is_empty: bool = True

    def read(self) -> list[Fault]:
        """Call the ``get_static_paths`` of the route; return faults of its entries.

        :raises BuildError: it failed.
        """
        digest = hashlib.sha256()
        is_promised = True
        faults: list[Fault] = []
        for index, path in enumerate(self.route.paths(faults)):
            self.is_empty = False
            line = encode(path)
            if line is None:
                self.objects[index] = path
            if path.version is not None:
                self.has_versions = True
            is_promised = is_promised and None not in (line, path.version)
            text = f"{line or ''}\n"
            digest.update(text.encode())
            self.lines.write(text)
        self.digest = digest.hexdigest() if is_promised else None
        return faults

    def entries(self) -> Iterator[tuple[str | None, StaticPath]]:
        """Yield each path, with its line of JSON if it has one."""
        self.lines.seek(0)
        for index, text in enumerate(self.lines):
            line = text[:-1]
            yield (line, decode(line)) if line else (None, self.objects[index])


def read_listings(
    routes: t.Iterable[PrerenderedRoute],
    opened: contextlib.ExitStack,
    faults: list[Fault],
) -> list[Listing]:
    """Return the listings of *routes*; *opened* closes their files.

    :param faults: gets the faults of every ``get_static_paths`` that failed.
    """
    listings: list[Listing] = []
    for route in routes:
        lines = opened.enter_context(
            tempfile.SpooledTemporaryFile(  # noqa: SIM115 - *opened* closes it
                _IN_MEMORY, "w+", encoding="utf-8", newline="\n"
            )
        )
        listing = Listing(route, lines)
        try:
            faults += listing.read()
            listings.append(listing)
        except BuildError as error:
            faults += error.faults
    return listings


def plan_faults(routes: t.Collection[PrerenderedRoute]) -> list[Fault]:
    """Return what is wrong with the paths that a build would render."""
    faults: list[Fault] = []
    with contextlib.ExitStack() as opened:
        plan = Plan({route.endpoint: route.route.name for route in routes})
        opened.callback(plan.close)
        for listing in read_listings(routes, opened, faults):
            for entry, line in plan.entries_of(listing):
                plan.add(entry, line)
    return [*faults, *plan.faults]


class Plan:
    """All paths of a build, in a temporary SQLite database, and what is wrong with
    them.

    :param names: the names of the routes in errors, by endpoint name.
    """

    def __init__(self, names: t.Mapping[str, str]) -> None:
        self.faults: list[Fault] = []
        #: The paths whose props cannot be written as JSON, by URL path.
        self._objects: dict[str, StaticPath] = {}
        self._names = names
        self._db = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute(
            "CREATE TABLE paths (folded TEXT PRIMARY KEY, path TEXT, endpoint TEXT,"
            " file TEXT, served_at TEXT, is_guarded INTEGER, key BLOB, line TEXT,"
            " is_done INTEGER)"
            " WITHOUT ROWID"
        )
        self._db.execute("BEGIN")

    def close(self) -> None:
        self._db.close()

    def entries_of(self, listing: Listing) -> Iterator[tuple[Entry, str | None]]:
        """Yield an entry for each path of a listing, with its line of JSON.

        Paths that cannot be stored are added to :attr:`faults` instead.
        """
        bound = listing.route
        source = t.cast(Source, bound.route.source)
        names = bound.file_names
        for line, path in listing.entries():
            try:
                url = unquote(bound.url_of(path.params), errors="strict")
            except (ParamError, ValueError, KeyError) as error:
                self._refuse(source, path, str(error))
                continue
            name = names.name(url)
            # HTML gets another name, which is as good as this one.
            problem = name_problem(f"{GUARDED}/{name}") if name else None
            if problem is not None:
                self._refuse(source, path, problem)
                continue
            entry = Entry(url, bound.endpoint, "", [], name, 0, "")
            entry.is_guarded = bool(bound.guards)
            if bound.is_error_page:
                entry.served_at = "nowhere"
            elif names.has_both_forms and url != "/":
                entry.served_at = "both-slashes"
            if line is None:
                self._objects[url] = path
            elif path.version is not None:
                # Another route may list the same params and props.
                text = f"{bound.endpoint} {line}"
                entry.key = hashlib.sha256(text.encode()).digest()[:16]
            yield entry, line

    def add(self, entry: Entry, line: str | None, *, is_done: bool = False) -> bool:
        """Add a path. Return False, and add a fault, if the path is taken.

        :param is_done: the response is there already, and need not be rendered.
        """
        what = (entry.path, entry.endpoint, entry.file, entry.served_at)
        row = (folded(entry.path), *what, entry.is_guarded, entry.key, line, is_done)
        values = ", ".join("?" * len(row))
        try:
            self._db.execute(f"INSERT INTO paths VALUES ({values})", row)
        except sqlite3.IntegrityError:
            self._collide(entry)
            return False
        return True

    def _collide(self, entry: Entry) -> None:
        find = "SELECT path, endpoint FROM paths WHERE folded = ?"
        path, endpoint = self._db.execute(find, (folded(entry.path),)).fetchone()
        problem = f"it lists the path {path} twice"
        if path != entry.path:
            problem = f"its path {entry.path} differs from {path} only by case"
        elif endpoint != entry.endpoint:
            problem = f"its path {path} is also a path of {self._names[endpoint]}"
        name, fix = self._names[entry.endpoint], "Remove one of them."
        self.faults.append(Fault("collision", name, problem, fix))

    def waiting(self, *, is_json: bool) -> Iterator[tuple[Entry, str | StaticPath]]:
        """Yield the paths to render, as JSON if possible.

        :param is_json: those whose props are JSON, or the others.
        """
        query = (
            "SELECT line, path, endpoint, '', '', file, 0, '', '', served_at, key,"
            " is_guarded FROM paths"
            f" WHERE NOT is_done AND line IS {'NOT' if is_json else ''} NULL"
        )
        for line, *row in self._db.execute(query):
            entry = Entry(*row)
            entry.headers, entry.variants = [], {}
            entry.is_guarded = bool(entry.is_guarded)
            yield entry, line or self._objects[entry.path]

    def count(self) -> int:
        """Return the number of paths."""
        return int(self._db.execute("SELECT count(*) FROM paths").fetchone()[0])

    def _refuse(self, source: Source, path: StaticPath, problem: str) -> None:
        given = dict(path.params)
        where = f"get_static_paths lists {given!r:.200}: " if given else ""
        fix = (
            "Give another value, or leave the path out."
            if given
            else "Rename the file."
        )
        problem, line = f"{where}{problem}", source.line_of(STATIC_PATHS)
        fault = Fault("static-paths", source.relative, problem, fix, line)
        self.faults.append(fault)


# -- redirects ----------------------------------------------------------------------


def redirect_pages(
    sites: t.Iterable[Site],
    prerendered: t.Iterable[PrerenderedRoute],
    faults: list[Fault],
) -> list[tuple[Entry, RenderedResponse]]:
    """Return a page for each path of ``FILEPAGES_REDIRECTS``, for hosts that only know
    files. The app itself still redirects.

    :param faults: gets a fault for each redirect whose paths are unknown, if the output
        is static.
    """
    pages: list[tuple[Entry, RenderedResponse]] = []
    by_path = {f"{route.site.url_prefix}{route.id}": route for route in prerendered}
    for site in sites:
        if site.settings.output == "server":
            continue
        for route in site.routes.values():
            redirect = route.route.redirect
            if redirect is None:
                continue
            target = by_path.get(redirect.target)
            if route.is_static:
                pages += _redirect_pages_of(site, route, iter([StaticPath({})]))
            elif (
                target is not None
                and route.route.params.keys() == target.route.params.keys()
            ):
                pages += _redirect_pages_of(
                    site, route, target.paths(), is_guarded=bool(target.guards)
                )
            elif site.settings.output == "static":
                problem = "its paths are unknown, and the output is static"
                fix = "Redirect to a prerendered route with the same params."
                faults.append(Fault("prerender", route.route.name, problem, fix))
    return pages


def _redirect_pages_of(
    site: Site,
    route: BoundRoute,
    paths: Iterator[StaticPath],
    *,
    is_guarded: bool = False,
) -> Iterator[tuple[Entry, RenderedResponse]]:
    redirect = t.cast(t.Any, route.route.redirect)
    for static_path in paths:
        path = route.path_of(static_path.params)
        location = targets.fill_params(redirect.target, static_path.params)
        if location.startswith("/"):
            location = site.settings.root + location
        code = redirect.status or 301
        response = RenderedResponse(path, f"{code} REDIRECT", code)
        response.headers = [("Location", targets.encode(location))]
        response.complete(site.settings)
        response.compress()
        name = file_name(path, site.settings.build_format, is_page=True)
        entry = Entry(path, route.endpoint, "", [], name, 0, "", served_at="nowhere")
        entry.is_guarded = is_guarded  # Its path is a secret, too.
        yield entry, response
