"""What a build will store: the paths of all prerendered routes, checked, before any of
them is rendered."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import tempfile
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import unquote

from .. import reads
from ..errors import BuildError
from ..errors import Fault
from ..errors import ParamError
from ..handling.route import LiveRoute
from ..prerendering.listing import decode
from ..prerendering.listing import encode
from ..prerendering.static_paths import StaticPath
from ..prerendering.stored import StoredRoute
from ..releases.manifest import Entry
from ..releases.manifest import Manifest
from ..releases.names import file_name
from ..releases.names import name_problem
from ..settings import Settings

_MOMENT = 0.05  # seconds
_IN_MEMORY = 8 * 1024 * 1024  # bytes of a listing, before it goes to a file


@dataclass(slots=True)
class Listing:
    """What one route lists: an entry a line, as canonical JSON.

    An entry with other props is an empty line; the object is in :attr:`objects`.
    :attr:`digest` is ``None`` if some of it cannot be compared.
    """

    stored: StoredRoute
    digest: bytes | None = None
    lines: t.Any = None
    objects: dict[int, StaticPath] = field(default_factory=dict)

    @property
    def live(self) -> LiveRoute:
        return self.stored.live

    def read(self, opened: contextlib.ExitStack) -> None:
        """Ask the route for its paths; *opened* closes what keeps them.

        :raises BuildError: it cannot say.
        """
        digest = hashlib.sha256()
        is_comparable = True
        self.lines = opened.enter_context(_spooled())
        with reads.resumed():
            for index, path in enumerate(self.stored.paths()):
                line = encode(path)
                if line is None:
                    self.objects[index] = path
                    vouched = _vouched(path)
                    is_comparable = is_comparable and vouched is not None
                    digest.update(vouched or b"")
                else:
                    digest.update(line.encode())
                digest.update(b"\n")
                self.lines.write(f"{line or ''}\n")
        self.digest = digest.digest() if is_comparable else None

    def entries(self) -> Iterator[tuple[str | None, StaticPath, bytes | None]]:
        """Yield each entry as its line, as a path, and its digest."""
        self.lines.seek(0)
        for index, text in enumerate(self.lines):
            line = text[:-1]
            if line:
                digest: bytes | None = hashlib.sha256(line.encode()).digest()[:16]
                yield line, decode(line), digest
            else:
                path = self.objects[index]
                yield None, path, _vouched(path)


def _spooled() -> t.Any:
    return tempfile.SpooledTemporaryFile(
        _IN_MEMORY, "w+", encoding="utf-8", newline="\n"
    )


def _vouched(path: StaticPath) -> bytes | None:
    """Return the digest of a path that cannot be compared itself, by its version."""
    if path.version is None:
        return None
    told = repr([sorted(path.params.items()), path.version])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()[:16]


class Planner:
    """Puts the paths of routes into a manifest; collects what is wrong with them."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.faults: list[Fault] = []
        self.objects: dict[str, StaticPath] = {}
        #: What faults call the routes, by endpoint name.
        self._names: dict[str, str] = {}

    def add(
        self, listing: Listing, settings: Settings
    ) -> Iterator[tuple[Entry, str | None]]:
        """Yield an entry for each path of a listing, with its line."""
        live = listing.live
        route = live.route
        source = t.cast(t.Any, route.source)
        is_error = live.is_error_page
        is_page = is_error or (route.page is not None and not route.has_extension)
        is_index = os.path.basename(source.stem) == "index"
        build_format = "file" if is_error else settings.build_format
        either = settings.trailing_slash == "ignore" and not route.has_extension
        for line, path, digest in listing.entries():
            try:
                url = unquote(listing.stored.url_of(path.params), errors="strict")
            except (ParamError, ValueError, KeyError) as error:
                self._refuse(source.relative, path, str(error))
                continue
            name = file_name(url, build_format, is_page=is_page, is_index=is_index)
            problem = name_problem(name)
            if problem is not None:
                self._refuse(source.relative, path, problem)
                continue
            forms = 0 if is_error else 2 if either and url != "/" else 1
            entry = Entry(*(url, live.endpoint, "", [], name, 0, ""), forms=forms)
            entry.entry = digest
            entry.vouched = path.version is not None
            if line is None:
                self.objects[url] = path
            yield entry, line

    def insert(self, entry: Entry, route_name: str, text: str | None = None) -> bool:
        """Put an entry into the manifest; whether its path was free."""
        self._names[entry.endpoint] = route_name
        other = self.manifest.plan(entry, text)
        if other is None:
            return True
        path, endpoint = other
        problem = f"its path {entry.path} stands there twice"
        if path != entry.path:
            problem = f"its path {entry.path} is {path} where case does not count"
        elif endpoint != entry.endpoint:
            problem = f"its path {path} is one of {self._names[endpoint]}, too"
        fix = "Leave one of the two out."
        self.faults.append(Fault("collision", route_name, problem, fix))
        return False

    def check_folders(self) -> None:
        """Look for files of endpoints that would have to be folders, too."""
        for file, (path, endpoint) in self._files_that_are_folders().items():
            problem = f"its path {path} is a file, and others lie below {path}/"
            fix = f"Give it a suffix, such as {file}.json.py."
            name = self._names[endpoint]
            self.faults.append(Fault("collision", name, problem, fix))

    def _files_that_are_folders(self) -> dict[str, tuple[str, str]]:
        """Return path and endpoint of the planned files that would be folders of
        others, too, where case does not count."""
        dirname = "rtrim(folded, replace(folded, '/', ''))"
        fetch = self.manifest.connection.execute
        rows = fetch(f"SELECT DISTINCT {dirname} FROM planned")
        parents = {row[0].rstrip("/") for row in rows}
        parents |= {
            "/".join(parts[:n])
            for parts in [parent.split("/") for parent in parents]
            for n in range(2, len(parts))
        }
        find = "SELECT path, file, endpoint FROM planned WHERE folded = ?"
        files = {}
        for parent in sorted(parents - {""}):
            for path, file, endpoint in fetch(find, (parent,)):
                if file is not None and f"/{file}" == path:
                    files[file] = (path, endpoint)
        return files

    def _refuse(self, file: str, path: StaticPath, problem: str) -> None:
        given = dict(path.params)
        where = f"get_static_paths lists {given!r:.200}: " if given else ""
        fix = "Give another value, or leave the path out."
        fix = fix if given else "Rename the file."
        self.faults.append(Fault("static-paths", file, f"{where}{problem}", fix))


def listings(
    stored: t.Iterable[StoredRoute], opened: contextlib.ExitStack
) -> list[Listing]:
    """Return what the routes list; *opened* closes them.

    :raises BuildError: with the faults of all that cannot say.
    """
    made: list[Listing] = []
    faults: list[Fault] = []
    for one in stored:
        listing = Listing(one)
        try:
            listing.read(opened)
            made.append(listing)
        except BuildError as error:
            faults += error.faults
    if faults:
        raise BuildError("the tree", faults)
    return made


def for_a_while(items: Iterator[t.Any]) -> Iterator[t.Any]:
    """Yield *items*, at least one, until a moment has passed."""
    end = time.monotonic() + _MOMENT
    for item in items:
        yield item
        if time.monotonic() > end:
            return


def batches(
    items: t.Iterator[t.Any], size: t.Callable[[], int]
) -> Iterator[list[t.Any]]:
    """Yield *items* in lists, each as long as *size* says then."""
    while batch := list(itertools.islice(items, size())):
        yield batch
