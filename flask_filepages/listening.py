"""Listening to what a build process reads: audit events, and wraps around what raises
none."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import typing as t
from urllib.parse import unquote
from urllib.parse import urlsplit

from . import digests
from . import reads
from . import template_reads

_TAINTS = {
    "socket.connect": "a socket",
    "socket.sendto": "a socket",
    "socket.sendmsg": "a socket",
    "socket.getaddrinfo": "a host name",
    "socket.gethostbyname": "a host name",
    "subprocess.Popen": "a program",
    "os.system": "a program",
    "os.posix_spawn": "a program",
    "os.exec": "a program",
    "os.fork": "a process",
    "os.forkpty": "a process",
}
_readlink = os.readlink
_BYTECODE = ".pyc"
_TAG = re.compile(rf"\.{sys.implementation.cache_tag}(?:\.opt-\w+)?\.pyc\Z")
_IMPORTERS = frozenset({"_frozen_importlib_external", "importlib._bootstrap_external"})
#: They look for packages, which each build compares.
_PACKAGES = frozenset({"importlib.metadata", "importlib_metadata"})
#: Modules that list folders for others.
_LISTERS = frozenset({"os", "glob", "pathlib", "pathlib._local", "shutil"})

_PATH_MODULES = frozenset({"genericpath", "posixpath", "ntpath", "pathlib"})
# Asks of theirs that want more than whether something is there.
_WANT_MORE = frozenset(
    {
        *("getmtime", "getatime", "getctime", "getsize", "samefile", "sameopenfile"),
        *("stat", "lstat", "owner", "group"),
    }
)


def install() -> reads.Log:
    """Begin the log of this process; it cannot be ended. Later calls return it."""
    if reads.log is None:
        digests.remember_environment()
        reads.log = reads.Log()
        # What the importer has listed before, it lists again.
        importlib.invalidate_caches()
        sys.addaudithook(_hook)
        _wrap_calls()
        _wrap_environ()
        _wrap_sqlite()
        template_reads.wrap()
        _wrap_spawn()
    return reads.log


# -- audit events -------------------------------------------------------------------


def _hook(event: str, args: tuple[t.Any, ...]) -> None:
    if event == "open":
        _note_open(*args)
    elif event == "os.listdir" or event == "os.scandir":
        _note_list(args[0], sys._getframe(1), event)
    elif event == "sqlite3.connect":
        _note_sqlite(args[0])
    elif event in _TAINTS:
        log = reads.listener()
        if log is not None:
            log.note("taint", _TAINTS[event])


def _note_open(path: t.Any, mode: t.Any, flags: t.Any) -> None:
    log = reads.listener()
    if log is None or isinstance(path, int) or path is None:
        return
    # Nothing is read of what is only written, or new, or emptied first.
    if isinstance(flags, int) and flags & (os.O_WRONLY | os.O_EXCL | os.O_TRUNC):
        return
    name = os.fsdecode(path)
    log.note("file", _source_of(name) if name.endswith(_BYTECODE) else name)


def _source_of(bytecode: str) -> str:
    """Return the source of a file of bytecode, also of a name with dots in it."""
    try:
        source = importlib.util.source_from_cache(bytecode)
    except (ValueError, NotImplementedError):
        folder, file = os.path.split(_TAG.sub("", bytecode))
        source = os.path.join(os.path.dirname(folder), f"{file}.py")
    with reads.paused():
        return source if os.path.exists(source) else bytecode


def _note_list(path: t.Any, frame: t.Any, event: str) -> None:
    module = frame.f_globals.get("__name__", "")
    if module in _IMPORTERS and reads.log is not None:
        # Once for a folder, for whoever imports first.
        reads.log.note("modules", os.fsdecode("." if path is None else path))
        return
    log = reads.listener()
    if log is None or module in _PACKAGES:
        return
    kind = "list"
    if event == "os.scandir" and module not in _LISTERS:
        kind = "scan"  # its entries tell sizes and times
    if isinstance(path, int):
        _note_below(log, kind, path, "")
    else:
        log.note(kind, os.fsdecode("." if path is None else path))


def _note_below(log: reads.Log, kind: str, descriptor: int, name: t.Any) -> None:
    """Note what is read through the descriptor of a folder, where it can be told."""
    try:
        folder = _readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        log.note("taint", "the descriptor of a folder")
    else:
        log.note(kind, os.path.join(folder, os.fsdecode(name)))


def _note_sqlite(database: t.Any) -> None:
    log = reads.listener()
    if log is None:
        return
    name = os.fsdecode(database)
    if name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    if name and name != ":memory:":
        log.note("sqlite", name)


# -- what raises no event -----------------------------------------------------------


def _wrap_calls() -> None:
    os.open = _noting_descriptors(os.open)
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
        log = reads.listener()
        if log is not None and kwargs.get("dir_fd") is not None:
            _note_below(log, "stat", kwargs["dir_fd"], path)
        elif log is not None and not isinstance(path, int):
            kind = _kind_of_ask(sys._getframe(1))
            if kind is not None:
                log.note(kind, os.fsdecode(path))
        return real(path, *args, **kwargs)

    call.__name__ = call.__qualname__ = real.__name__
    return call


def _noting_descriptors(real: t.Any) -> t.Any:
    """The event of ``os.open`` does not tell below which descriptor."""

    def open(path: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        log = reads.listener()
        if log is not None and kwargs.get("dir_fd") is not None:
            _note_below(log, "file", kwargs["dir_fd"], path)
        return real(path, *args, **kwargs)

    os.supports_dir_fd.add(open)
    return open


def _kind_of_ask(frame: t.Any) -> str | None:
    """Return ``exists`` where only that is asked, as by ``os.path.exists``."""
    module = frame.f_globals.get("__name__", "").partition("._")[0]
    name = frame.f_code.co_name
    if module in _PACKAGES or module == "logging.handlers":
        return None
    if module == "pathlib" and name in ("stat", "lstat") and frame.f_back is not None:
        outer = frame.f_back
        if outer.f_globals.get("__name__", "").partition("._")[0] == "pathlib":
            name = outer.f_code.co_name
    if module in _PATH_MODULES and name not in _WANT_MORE:
        return "exists"
    return "stat"


def _wrap_sqlite() -> None:
    """Let a connection tell what it attaches, unless it gets another authorizer."""
    import sqlite3
    import sqlite3.dbapi2

    real = sqlite3.connect

    def authorize(action: int, name: str | None, *more: t.Any) -> int:
        log = reads.listener()
        if action == sqlite3.SQLITE_ATTACH and log is not None:
            if name is None:  # it is known only when the statement runs
                log.note("taint", "an attached database")
            else:
                _note_sqlite(name)
        return sqlite3.SQLITE_OK

    def connect(*args: t.Any, **kwargs: t.Any) -> t.Any:
        connection = real(*args, **kwargs)
        if reads.listener() is not None:
            connection.set_authorizer(authorize)
        return connection

    for module in (sqlite3, sqlite3.dbapi2):
        t.cast(t.Any, module).connect = connect


def _wrap_environ() -> None:
    environ: t.Any = type(os.environ)
    get_one = environ.__getitem__

    def getitem(self: t.Any, key: t.Any) -> t.Any:
        log = reads.listener()
        if log is not None and isinstance(key, (str, bytes)):
            log.note("env", os.fsdecode(key))
        return get_one(self, key)

    environ.__getitem__ = getitem
    for name in ("__iter__", "__len__", "__repr__"):
        setattr(environ, name, _noting_all(getattr(environ, name)))


def _noting_all(real: t.Any) -> t.Any:
    def call(self: t.Any) -> t.Any:
        log = reads.listener()
        if log is not None:
            log.note("environ", "")
        return real(self)

    return call


def _wrap_spawn() -> None:
    """``multiprocessing`` starts its processes by this, without an event."""
    try:
        import _posixsubprocess as spawner
    except ImportError:
        return
    real = spawner.fork_exec

    def fork_exec(*args: t.Any) -> t.Any:
        log = reads.listener()
        if log is not None:
            log.note("taint", "a process")
        return real(*args)

    t.cast(t.Any, spawner).fork_exec = fork_exec
