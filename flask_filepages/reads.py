"""What this process reads, in order: files, listings, the environment, templates.

A page depends on everything that was read before its end, because whatever was read may
have been kept in a cache; so there is one log for the process, and a page keeps its
position in it. Templates, and files read through ``pages.read_text``, are exact: they
belong to the page that used them.

Only a build process installs this. What cannot be seen is the clock, randomness, and
what goes through descriptors that were open before.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import site
import stat
import sys
import sysconfig
import threading
import typing as t
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from dataclasses import field

#: Kind and name of something that was read.
Read = tuple[str, str]
#: Kind, name, and a digest of what was found: ``None`` for what never stays the same.
Found = tuple[str, str, str | None]

ABSENT = "absent"
# Drivers that talk to servers from C: no Python code opens their sockets.
_DRIVERS = frozenset(
    {
        *("psycopg", "psycopg2", "MySQLdb", "asyncpg", "oracledb", "cx_Oracle"),
        *("pyodbc", "pymssql", "duckdb", "grpc", "pycurl", "lmdb", "plyvel", "ibm_db"),
    }
)
_TAINTS = {
    "socket.connect": "a socket",
    "socket.sendto": "a socket",
    "socket.getaddrinfo": "a host name",
    "socket.gethostbyname": "a host name",
    "subprocess.Popen": "a program",
    "os.system": "a program",
    "os.posix_spawn": "a program",
    "os.exec": "a program",
    "os.fork": "a process",
    "os.forkpty": "a process",
}
_LISTS = frozenset({"os.listdir", "os.scandir"})
_WRITE_ONLY = os.O_WRONLY
_BYTECODE = f".{sys.implementation.cache_tag}.pyc"
_IMPORTER = "<frozen importlib._bootstrap_external>"
_real_stat = os.stat
_idle = threading.local()


@dataclass(slots=True)
class Uses:
    """What one page used: exactly, and what else was read while it was rendered."""

    templates: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    others: dict[Read, None] = field(default_factory=dict)


_page: ContextVar[Uses | None] = ContextVar("filepages_uses", default=None)


class Log:
    """What the process read, each thing once, in the order of the first time."""

    def __init__(self) -> None:
        self.entries: list[Read] = []
        self._guards: dict[Read, t.Any] = {}
        self._lock = threading.Lock()
        current = threading.get_ident()
        #: Threads of whoever runs the build, not of the app.
        self._foreign = {
            thread.ident for thread in threading.enumerate() if thread.ident != current
        }
        self._skipped = _skipped()
        self.templates: dict[str, str] = {}

    def skip(self, folder: str) -> None:
        """Pass over what is read below *folder*: it is written by the build."""
        with self._lock:
            self._skipped = (*self._skipped, folder + os.sep)
            self.entries = [r for r in self.entries if not self._is_skipped(r[1])]

    def _is_skipped(self, name: str) -> bool:
        return f"{name}{os.sep}".startswith(self._skipped)

    def adopt_thread(self) -> None:
        """Take the current thread for one that renders."""
        self._foreign.discard(threading.get_ident())

    def is_off(self) -> bool:
        return getattr(_idle, "depth", 0) > 0 or threading.get_ident() in self._foreign

    def note(self, kind: str, name: str) -> None:
        if kind in ("file", "stat", "list", "sqlite"):
            name = os.path.abspath(name)
            if self._is_skipped(name):
                return
        read = (kind, name)
        page = _page.get()
        if page is not None:
            page.others[read] = None
        with self._lock:
            if read not in self._guards:
                self._guards[read] = _guard(kind, name)
                self.entries.append(read)

    def found(self, start: int, end: int) -> list[Found]:
        """Return what the entries from *start* to *end* hold now; what changed since it
        was read is never found again."""
        with self._lock:
            reads = self.entries[start:end]
        return [(kind, name, self.found_one((kind, name))) for kind, name in reads]

    def found_one(self, read: Read) -> str | None:
        guard = self._guards.get(read)
        if read in self._guards and _guard(*read) != guard:
            return None
        return digest_of(*read)

    def look_for_drivers(self) -> None:
        """Note database drivers that no audit event tells of."""
        for name in _DRIVERS & sys.modules.keys():
            self.note("taint", f"the driver {name}")


log: Log | None = None
#: Whether everything since the app began to be imported is in the log.
is_whole = False


def install() -> Log:
    """Begin the log of this process; it cannot be ended. Later calls return it."""
    global log
    if log is None:
        log = Log()
        sys.addaudithook(_hook)
        _wrap_calls()
        _wrap_environ()
        _wrap_templates()
    return log


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


def begin_page() -> Uses:
    """Return what collects the uses of the page that this context renders."""
    uses = Uses()
    _page.set(uses)
    return uses


def note_file(path: str, data: bytes) -> None:
    """Note a file that one page read, with what it held."""
    uses = _page.get()
    if uses is not None:
        uses.files[os.path.abspath(path)] = _hash(data)
    elif log is not None:
        log.note("file", path)


def note_template(environment: t.Any, name: str) -> None:
    """Note a template that the current page used, or looked for in vain."""
    if log is None or log.is_off():
        return
    uses = _page.get()
    if uses is None:
        log.note("template", name)
        return
    if name not in log.templates:
        log.templates[name] = template_digest(environment, name)
    uses.templates[name] = log.templates[name]


def template_digest(environment: t.Any, name: str) -> str:
    """Return a digest of the source that the loader gives for *name*."""
    with paused():
        try:
            source = environment.loader.get_source(environment, name)[0]
        except Exception:
            return ABSENT
    return _hash(source.encode("utf-8", "surrogatepass"))


def digest_of(kind: str, name: str) -> str | None:
    """Return a digest of what *name* holds now, by its kind; ``None`` for what cannot
    be looked at."""
    if kind in ("env", "environ"):
        with paused():
            return _environment(name)
    reader = _READERS.get(kind)
    if reader is None:
        return None
    try:
        return reader(name)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return ABSENT
    except IsADirectoryError:
        return "folder"
    except OSError as error:
        return f"error {error.errno}"


def _environment(name: str) -> str:
    """Return the digest of a variable, of all of them without a name."""
    if name:
        value = os.environ.get(name)
        return ABSENT if value is None else _hash(value)
    pairs = sorted(pair for pair in os.environ.items() if pair[0] not in _VOLATILE)
    return _hash(repr(pairs))


def _file(name: str) -> str:
    with open(name, "rb") as file:
        return _hash(file.read())


def _sqlite(name: str) -> str:
    parts = [digest_of("file", f"{name}{end}") or "" for end in ("", "-wal")]
    return " ".join(parts)


def _list(name: str) -> str:
    with os.scandir(name) as found:
        names = sorted((entry.name, entry.is_dir()) for entry in found)
    return _hash(repr(names).encode("utf-8", "surrogateescape"))


def _stat(name: str) -> str:
    return _shown(_real_stat(name))


def _shown(found: os.stat_result) -> str:
    if stat.S_ISREG(found.st_mode):
        return f"{found.st_size}-{found.st_mtime_ns}-{found.st_mode}"
    return f"other-{found.st_mode}"


_READERS = {"file": _file, "sqlite": _sqlite, "list": _list, "stat": _stat}
_VOLATILE = frozenset({"_", "SHLVL", "OLDPWD"})


def _hash(data: bytes | str) -> str:
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    return hashlib.sha256(data).hexdigest()[:32]


def _guard(kind: str, name: str) -> t.Any:
    """Return what tells whether a file changes while the build runs."""
    if kind not in _READERS:
        return None
    try:
        found = _real_stat(name)
    except (OSError, ValueError):
        return ABSENT
    if kind == "stat":
        return _shown(found)
    return found.st_mtime_ns, found.st_size, found.st_ino


def _skipped() -> tuple[str, ...]:
    """Return the folders whose content package versions vouch for."""
    paths = sysconfig.get_paths()
    folders = {paths["stdlib"], paths["platstdlib"], *site.getsitepackages()}
    folders |= {paths["purelib"], paths["platlib"], site.getusersitepackages()}
    folders.add(os.path.dirname(__file__))
    both = folders | {os.path.realpath(folder) for folder in folders}
    return (
        *(f"{folder}{os.sep}" for folder in sorted(both)),
        "/proc/",
        "/dev/",
        "/sys/",
    )


# -- what is listened to --------------------------------------------------------------


def _hook(event: str, args: tuple[t.Any, ...]) -> None:
    if event == "open":
        _note_open(*args)
    elif event in _LISTS:
        _note_list(args[0])
    elif event == "sqlite3.connect":
        _note_sqlite(args[0])
    elif event in _TAINTS:
        target = log
        if target is not None and not target.is_off():
            target.note("taint", _TAINTS[event])


def _note_open(path: t.Any, mode: t.Any, flags: t.Any) -> None:
    target = log
    if target is None or isinstance(path, int) or path is None or target.is_off():
        return
    if isinstance(flags, int) and flags & _WRITE_ONLY:
        return
    name = os.fsdecode(path)
    if name.endswith(_BYTECODE):
        folder, file = os.path.split(name.removesuffix(_BYTECODE))
        name = os.path.join(os.path.dirname(folder), f"{file}.py")
    target.note("file", name)


def _note_list(path: t.Any) -> None:
    target = log
    if target is None or isinstance(path, int) or target.is_off():
        return
    # The importer lists the folders of sys.path; what it finds there is read, then.
    if sys._getframe(2).f_code.co_filename == _IMPORTER:
        return
    target.note("list", os.fsdecode("." if path is None else path))


def _note_sqlite(database: t.Any) -> None:
    target = log
    if target is None or target.is_off():
        return
    name = os.fsdecode(database)
    if name.startswith("file:"):
        name = name.removeprefix("file:").partition("?")[0]
    if name and ":memory:" not in name:
        target.note("sqlite", name)


def _wrap_calls() -> None:
    """``os.stat`` and what is built on it raise no audit event."""
    for name in ("stat", "lstat", "access", "readlink"):
        real = getattr(os, name)
        wrapped = _noting(real)
        for group in ("dir_fd", "fd", "follow_symlinks", "effective_ids"):
            members: set[t.Any] = getattr(os, f"supports_{group}", set())
            if real in members:
                members.add(wrapped)
        setattr(os, name, wrapped)


def _noting(real: t.Any) -> t.Any:
    def call(path: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        target = log
        if target is not None and not isinstance(path, int) and not target.is_off():
            target.note("stat", os.fsdecode(path))
        return real(path, *args, **kwargs)

    call.__name__ = call.__qualname__ = real.__name__
    return call


def _wrap_environ() -> None:
    environ: t.Any = type(os.environ)
    get_one, get_all = environ.__getitem__, environ.__iter__

    def getitem(self: t.Any, key: t.Any) -> t.Any:
        target = log
        if target is not None and not target.is_off() and isinstance(key, str):
            target.note("env", key)
        return get_one(self, key)

    def iterate(self: t.Any) -> t.Any:
        target = log
        if target is not None and not target.is_off():
            target.note("environ", "")
        return get_all(self)

    environ.__getitem__, environ.__iter__ = getitem, iterate


def _wrap_templates() -> None:
    """A template that is cached is used, too, so the loader alone tells too little."""
    from jinja2 import Environment

    real = Environment._load_template

    def load(self: t.Any, name: str, globals: t.Any) -> t.Any:
        if not hasattr(self, "app"):  # not Flask's: its files are read like others
            return real(self, name, globals)
        try:
            with paused():
                return real(self, name, globals)
        finally:
            note_template(self, name)

    Environment._load_template = load  # type: ignore[method-assign]
