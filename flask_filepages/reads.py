"""What this process reads, in order: files, listings, the environment, templates.

A page depends on everything that was read before its end, because whatever was read may
have been kept in a cache; so there is one log for the process, and a page keeps its
position in it. Templates, and files read through ``pages.read_text``, are exact: they
belong to the page that used them.

Only a build process listens (see :mod:`~flask_filepages.listening`). What cannot be
seen is the clock, randomness, and what goes through descriptors that were open before.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import typing as t
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from dataclasses import field

from . import digests
from . import installed
from .digests import ABSENT

#: Kind and name of something that was read.
Read = tuple[str, str]
#: Kind, name, and a digest of what was found: ``None`` for what never stays the same.
Found = tuple[str, str, str | None]

# A connection that one page opened is as good as another's own.
_HELD = frozenset({"sqlite", "taint"})
# Drivers that talk to servers, or read files, from C: nothing tells of it.
_DRIVERS = frozenset(
    {
        *("psycopg", "psycopg2", "MySQLdb", "asyncpg", "oracledb", "cx_Oracle"),
        *("pyodbc", "pymssql", "duckdb", "grpc", "pycurl", "lmdb", "plyvel", "ibm_db"),
        *("mariadb", "_mysql_connector", "apsw", "pysqlite3", "sqlcipher3", "zmq"),
    }
)


@dataclass(slots=True)
class Uses:
    """What one page used: exactly, and what else was read while it was rendered."""

    templates: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    others: dict[Read, None] = field(default_factory=dict)
    #: Responses that were rendered, with their templates.
    rendered: list[tuple[object, dict[str, str]]] = field(default_factory=list)


current_page: ContextVar[Uses | None] = ContextVar("filepages_uses", default=None)
_idle = threading.local()


class Log:
    """What the process read, each thing once, in the order of the first time."""

    def __init__(self) -> None:
        self.entries: list[Read] = []
        self.templates: dict[str, str] = {}
        #: What was read while a template was compiled.
        self.compiled: dict[str, dict[Read, None]] = {}
        #: Whether pages are rendered by now.
        self.is_rendering = False
        #: What counts for all pages: connections, and what threads of no page read.
        self.shared: dict[Read, None] = {}
        self._guards: dict[Read, t.Any] = {}
        self._links: dict[str, bool] = {}
        # A collection of garbage may read while something is noted.
        self._lock = threading.RLock()
        #: Threads of whoever runs the build, not of the app.
        self._foreign = set(threading.enumerate()) - {threading.current_thread()}
        self._skipped = ("/proc/", "/dev/", "/sys/", *installed.folders())
        #: A module that was imported before: what it read is not known.
        self.unseen = installed.imported_before(self._skipped)

    def skip(self, folder: str) -> None:
        """Pass over what is read below *folder*: it is written by the build."""
        with self._lock:
            self._skipped = (*self._skipped, folder + os.sep)
            self.entries = [r for r in self.entries if not self.is_skipped(r[1])]

    def is_skipped(self, name: str) -> bool:
        below = f"{name}{os.sep}"
        # What lies behind a folder that is left again may be anywhere.
        if name.startswith("/dev/shm/") or f"{os.sep}..{os.sep}" in below:
            return False
        return below.startswith(self._skipped) and not self._leads_out(name)

    def _leads_out(self, name: str) -> bool:
        """Whether *name* lies in a package that is a link to another place."""
        entry = installed.entry_of(name)
        if entry is None:
            return False
        known = self._links.get(entry)
        if known is None:
            self._links[entry] = False  # also while it is looked at
            with paused():
                real = os.path.realpath(entry) if os.path.islink(entry) else entry
            known = self._links[entry] = not installed.is_installed(real)
        return known

    def adopt_thread(self) -> None:
        """Take the current thread for one that renders."""
        self._foreign.discard(threading.current_thread())

    def is_off(self) -> bool:
        if getattr(_idle, "depth", 0) > 0:
            return True
        return threading.current_thread() in self._foreign

    def note(self, kind: str, name: str) -> None:
        """Note that *name* was read. A path is kept as it was given, below the working
        directory: to collapse ``link/..`` would be another path."""
        if kind in digests.PATHS:
            if not os.path.isabs(name):
                name = os.path.join(os.getcwd(), name)
            if self.is_skipped(name) or _is_of_template(name):
                return
        read = (kind, name)
        for template in getattr(_idle, "templates", ()):
            self.compiled.setdefault(template, {})[read] = None
        page = current_page.get()
        if page is not None:
            page.others[read] = None
        if kind in _HELD or (page is None and self.is_rendering):
            self.shared[read] = None
        with self._lock:
            if read not in self._guards:
                with paused():
                    self._guards[read] = digests.guard_of(kind, name)
                self.entries.append(read)
            elif kind in digests.PATHS and ("changed", name) not in self._guards:
                # It may be as it was at first when the build ends, and is not now.
                with paused():
                    is_same = digests.guard_of(kind, name) == self._guards[read]
                if not is_same:
                    self._guards["changed", name] = None
                    self.entries.append(("changed", name))

    def found(self, start: int, end: int) -> list[Found]:
        """Return what the entries from *start* to *end* hold now; what changed since it
        was read is never found again."""
        with self._lock:
            reads = self.entries[start:end]
        return [(kind, name, self.found_one((kind, name))) for kind, name in reads]

    def found_one(self, read: Read) -> str | None:
        if read[0] == "template":
            return self.templates.get(read[1])
        if read in self._guards and digests.guard_of(*read) != self._guards[read]:
            return digests.NEVER
        return digests.digest_of(*read)

    def outdated(self, environment: t.Any) -> str | None:
        """Return what of all that was read may not be so any more, if anything may.

        :param environment: loads the templates.
        """
        with self._lock:
            reads = list(self._guards)
        for kind, name in reads:
            if kind == "taint":
                return f"{name} was in use"
            if kind in digests.PATHS and self.found_one((kind, name)) is digests.NEVER:
                return f"{name} changed"
        for name, digest in self.templates.items():
            if template_digest(environment, name) != digest:
                return f"the template {name} changed"
        return None

    def look_for_drivers(self) -> None:
        """Note database drivers that nothing else tells of."""
        for name in _DRIVERS & sys.modules.keys():
            self.note("taint", f"the driver {name}")


#: The log of this process, if it listens.
log: Log | None = None


def listener() -> Log | None:
    """Return the log, if this thread is listened to now."""
    return None if log is None or log.is_off() else log


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """Read without being noted, in this thread."""
    _idle.depth = getattr(_idle, "depth", 0) + 1
    try:
        yield
    finally:
        _idle.depth -= 1


@contextlib.contextmanager
def resumed() -> Iterator[None]:
    """Let what the app reads be noted, inside of :func:`paused`."""
    before, _idle.depth = getattr(_idle, "depth", 0), 0
    try:
        yield
    finally:
        _idle.depth = before


# -- templates --------------------------------------------------------------------


def template_digest(environment: t.Any, name: str) -> str:
    """Return a digest of the source that the loader gives for *name*."""
    with paused():
        try:
            source = environment.loader.get_source(environment, name)[0]
        except Exception:
            return ABSENT
    return digests.of_bytes(source)


@contextlib.contextmanager
def loading(name: str) -> Iterator[None]:
    """Pass over the file of a template that is loaded; whatever else its loader reads,
    or a filter while it is compiled, is noted."""
    names: list[str] = getattr(_idle, "templates", [])
    _idle.templates = [*names, name]
    try:
        yield
    finally:
        _idle.templates = names


@contextlib.contextmanager
def compiling() -> Iterator[None]:
    """Note whatever is read: the loader is done with the file of the template."""
    before, _idle.is_compiling = getattr(_idle, "is_compiling", False), True
    try:
        yield
    finally:
        _idle.is_compiling = before


def _is_of_template(path: str) -> bool:
    if getattr(_idle, "is_compiling", False):
        return False
    names: list[str] = getattr(_idle, "templates", [])
    return any(path.endswith(f"/{name.rpartition(':/')[2]}") for name in names)
