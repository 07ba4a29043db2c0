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


_page: ContextVar[Uses | None] = ContextVar("filepages_uses", default=None)
#: The template whose render is the one of the page itself, and no render within it.
_announced: ContextVar[t.Any] = ContextVar("filepages_announced", default=None)
is_own_load: ContextVar[bool] = ContextVar("filepages_is_own_load", default=False)
_idle = threading.local()
T = t.TypeVar("T")


class Log:
    """What the process read, each thing once, in the order of the first time."""

    def __init__(self) -> None:
        self.entries: list[Read] = []
        self.templates: dict[str, str] = {}
        #: What was read while a template was compiled.
        self.compiled: dict[str, dict[Read, None]] = {}
        #: Whether pages are rendered by now, and what threads of no page read since.
        self.is_rendering = False
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
        page = _page.get()
        if page is not None:
            page.others[read] = None
        elif self.is_rendering:
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


# -- pages --------------------------------------------------------------------------


def begin_page() -> Uses:
    """Return what collects the uses of the page that this context renders."""
    uses = Uses()
    _page.set(uses)
    return uses


def announce_render(template: t.Any) -> None:
    """Say that the next render of *template* is that of the page itself.

    Whatever it loads within that is the page's own, and is loaded each time; what other
    code loads, or renders, may be kept by it.
    """
    if log is not None:
        _announced.set(template)


def load_own(load: t.Callable[[], T]) -> T:
    """Return what *load* gives; a template that it loads is the page's own."""
    if log is None:
        return load()
    token = is_own_load.set(True)
    try:
        return load()
    finally:
        is_own_load.reset(token)


def of_render(render: t.Callable[[], str]) -> tuple[str, dict[str, str]]:
    """Return what *render* gives, and the templates that are its own."""
    uses = _page.get()
    if log is None or uses is None:
        return render(), {}
    before, uses.templates = uses.templates, {}
    try:
        return render(), uses.templates
    except BaseException:
        remember_render(None, uses.templates)
        raise
    finally:
        uses.templates = before


def remember_render(response: object, templates: dict[str, str]) -> None:
    """Say that *response* was made of *templates*."""
    uses = _page.get()
    if templates and uses is not None:
        uses.rendered.append((response, templates))


def end_page(uses: Uses, response: object) -> None:
    """Say that *response* is what the page answers. Whatever else was rendered for it
    may have been kept by the app, so its templates are not this page's alone."""
    for other, templates in uses.rendered:
        if other is response:
            uses.templates.update(templates)
            continue
        for name in templates:
            t.cast(Log, log).note("template", name)
            uses.others.update(t.cast(Log, log).compiled.get(name, {}))
    uses.rendered.clear()


def of_all(compute: t.Callable[[], T]) -> tuple[T, Uses]:
    """Return what *compute* gives, which is kept for all pages, and what it read."""
    uses = Uses()
    token = _page.set(uses)
    try:
        return compute(), uses
    finally:
        _page.reset(token)


def use(uses: Uses) -> None:
    """Say that the current page uses what :func:`of_all` gave with *uses*."""
    page = _page.get()
    if page is not None:
        page.files.update(uses.files)
        page.templates.update(uses.templates)
        page.others.update(uses.others)


def is_page(template: t.Any) -> bool:
    """Return whether a render that begins was announced."""
    if _announced.get() is not template:
        return False
    _announced.set(None)
    return True


def note_file(path: str, data: bytes | None) -> None:
    """Note a file that one page read, with what it held; ``None``: it is not there."""
    uses = _page.get()
    log = listener()
    if log is None:
        return
    if uses is None or _is_importing(sys._getframe(1)):
        log.note("file", path)
    else:
        uses.files[path] = ABSENT if data is None else digests.of_bytes(data)


def _is_importing(frame: t.Any) -> bool:
    """Whether a module is executed, which is done once for all pages."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_back is not None:
            module = frame.f_back.f_globals.get("__name__")
            if module in ("importlib._bootstrap", "_frozen_importlib"):
                return True
        frame = frame.f_back
    return False


def note_template(environment: t.Any, name: str, *, is_own: bool) -> None:
    """Note a template that was used, or looked for in vain.

    :param is_own: whether it belongs to the current page alone.
    """
    log = listener()
    if log is None:
        return
    if name not in log.templates:
        log.templates[name] = template_digest(environment, name)
    uses = _page.get()
    if is_own and uses is not None:
        uses.templates[name] = log.templates[name]
        uses.others.update(log.compiled.get(name, {}))
    else:
        log.note("template", name)
        if uses is not None:
            uses.others.update(log.compiled.get(name, {}))


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
    names: list[str] = getattr(_idle, "templates", [])
    if getattr(_idle, "is_compiling", False):
        return False
    return any(path.endswith(f"/{name.rpartition(':/')[2]}") for name in names)
