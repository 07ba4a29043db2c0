"""Digests of what was read: files, listings, the environment, by kind.

====================  ==========================================================
``file``              the content
``list``              the names in a folder, and which of them are folders
``scan``              the same, with sizes and times of change
``stat``              size, time of change, mode, owner; of a link, where it leads, too
``exists``            whether it is a file, a folder or neither; where a link leads
``modules``           the names in a folder that an import could find
``sqlite``            a database, with what is not merged into it yet
``env``, ``environ``  a variable; the names of all
====================  ==========================================================
"""

from __future__ import annotations

import hashlib
import os
import stat
import typing as t

from .releases.names import BUILD_MARKER

ABSENT = "absent"
#: What never stays the same.
NEVER = None
_real_stat, _real_lstat, _real_readlink = os.stat, os.lstat, os.readlink
_VOLATILE = frozenset({"_", "SHLVL", "OLDPWD"})
# Of SQLite; without content it says nothing.
_LOG = "-wal"
_IMPORTED = (".py", ".so", ".pyd", ".pyc")
#: As the process was given it: what the app sets itself follows from that.
_environ: dict[str, str] = {}


def remember_environment() -> None:
    """Keep the environment as it is now."""
    _environ.clear()
    _environ.update(os.environ)


def environment() -> dict[str, str]:
    """Return the environment as it was kept."""
    return dict(_environ)


def of_bytes(data: bytes | str) -> str:
    """Return the digest of *data*."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:32]


def digest_of(kind: str, name: str) -> str | None:
    """Return a digest of what *name* holds now; :data:`NEVER` for what cannot be
    compared."""
    reader = _READERS.get(kind)
    if reader is None:
        return NEVER
    try:
        return reader(name)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return ABSENT
    except OSError as error:
        return f"error {error.errno}"


def guard_of(kind: str, name: str) -> t.Any:
    """Return what tells whether something changes while the build runs."""
    if kind not in PATHS:
        return None
    if kind in _CHEAP:
        return digest_of(kind, name)
    if kind == "file" and os.path.isdir(name):
        return "no file"
    ends = ("", _LOG) if kind == "sqlite" else ("",)
    return [_stamp(f"{name}{end}") for end in ends]


def _stamp(name: str) -> t.Any:
    try:
        found = _real_stat(name)
    except (OSError, ValueError):
        return ABSENT
    if name.endswith(_LOG) and not found.st_size:
        return ABSENT
    return found.st_mtime_ns, found.st_size, found.st_ino


def _env(name: str) -> str:
    value = _environ.get(name)
    return ABSENT if value is None else of_bytes(value)


def _names_of_environ(name: str) -> str:
    return of_bytes("\0".join(sorted(_environ.keys() - _VOLATILE)))


def _file(name: str) -> str:
    if not stat.S_ISREG(_real_stat(name).st_mode):
        return "no file"
    with open(name, "rb") as file:
        return of_bytes(file.read())


def _sqlite(name: str) -> str:
    log = f"{name}{_LOG}"
    logged = ABSENT if _stamp(log) == ABSENT else digest_of("file", log)
    return f"{digest_of('file', name)} {logged}"


def _list(name: str) -> str:
    with os.scandir(name) as found:
        return of_bytes(
            repr(sorted((e.name, e.is_dir(), e.is_symlink()) for e in found))
        )


def _scan(name: str) -> str:
    with os.scandir(name) as found:
        return of_bytes(repr(sorted((e.name, _of_entry(e)) for e in found)))


def _of_entry(entry: os.DirEntry[str]) -> str:
    link = _shown(entry.stat(follow_symlinks=False))
    try:
        return f"{link} {_shown(entry.stat())}"
    except OSError:
        return link


def _modules(name: str) -> str:
    with os.scandir(name) as found:
        names = {
            entry.name
            for entry in found
            if entry.name.endswith(_IMPORTED) or (entry.is_dir() and _is_package(entry))
        }
    return of_bytes("\0".join(sorted(names - {"__pycache__"})))


def _is_package(entry: os.DirEntry[str]) -> bool:
    """Whether an import may find a folder. The build itself makes one of its own."""
    marker = os.path.join(entry.path, BUILD_MARKER)
    return entry.name.isidentifier() and not os.path.exists(marker)


def _stat(name: str) -> str:
    return _followed(name, _shown)


def _exists(name: str) -> str:
    return _followed(name, lambda found: str(stat.S_IFMT(found.st_mode)))


def _followed(name: str, show: t.Callable[[os.stat_result], str]) -> str:
    """Return what there is at *name*; of a link, where it leads, and what is there."""
    link = _real_lstat(name)
    if not stat.S_ISLNK(link.st_mode):
        return show(link)
    target = _real_readlink(name)
    try:
        return f"{target} {show(_real_stat(name))}"
    except OSError:
        return f"{target} {ABSENT}"


def _shown(found: os.stat_result) -> str:
    owner = f"{found.st_uid}-{found.st_gid}"
    return f"{found.st_size}-{found.st_mtime_ns}-{found.st_mode}-{owner}"


_READERS: dict[str, t.Callable[[str], str]] = {
    "env": _env,
    "environ": _names_of_environ,
    "exists": _exists,
    "file": _file,
    "list": _list,
    "modules": _modules,
    "scan": _scan,
    "sqlite": _sqlite,
    "stat": _stat,
}
# They are no dearer than their stamps; and a folder's stamp changes with each file.
_CHEAP = frozenset({"exists", "modules"})
#: The kinds whose name is a path.
PATHS = _READERS.keys() - {"env", "environ"}
