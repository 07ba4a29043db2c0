"""Find the files of a release that cannot lie next to each other."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..errors import Fault
from ..releases.manifest import Manifest
from ..releases.names import folded

#: Sorts before all characters of a name, so that ``a/b`` comes right after ``a``.
_SEPARATOR = "\x01"


class _File(t.NamedTuple):
    """A file of a release. :attr:`key` is equal for names that some file system treats
    as equal. A static file has no path and no endpoint."""

    key: str
    name: str
    path: str | None
    endpoint: str | None
    is_variant: bool

    @property
    def shown(self) -> str:
        """Its name, without the folder of the release."""
        return self.name.partition("/")[2]


def file_collisions(manifest: Manifest, names: t.Mapping[str, str]) -> list[Fault]:
    """Return a fault for each file whose name is also the name of another file, or of a
    folder. Case does not count.

    :param names: the names of the routes in errors, by endpoint name.
    """
    # All names are known only now: the name of an endpoint's file depends on what the
    # endpoint returned. SQLite sorts more of them than fit into memory.
    db = manifest.connection
    db.execute("CREATE TEMP TABLE files (key TEXT, name TEXT, path, endpoint, variant)")
    db.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?)", _files_of(manifest))
    faults: list[Fault] = []
    #: The last file, and the files of which it is below.
    above: list[_File] = []
    reported: set[str] = set()
    for row in db.execute("SELECT * FROM files ORDER BY key, path"):
        file = _File(*row)
        while above and not f"{file.key}{_SEPARATOR}".startswith(
            f"{above[-1].key}{_SEPARATOR}"
        ):
            above.pop()
        if above and above[-1].key == file.key:
            faults.append(_same_name(above[-1], file, names))
            continue
        if above and above[-1].key not in reported:
            reported.add(above[-1].key)
            faults.append(_file_and_folder(above[-1], file, names))
        above.append(file)
    db.execute("DROP TABLE files")
    return faults


def _files_of(manifest: Manifest) -> Iterator[_File]:
    for entry in manifest.entries():
        for number, (name, _) in enumerate(entry.files()):
            what = (entry.path, entry.endpoint, number > 0)
            yield _File(_key(name), name, *what)
    for static in manifest.static_files().values():
        for number, (name, _) in enumerate(static.files()):
            yield _File(_key(name), name, None, None, number > 0)


def _key(name: str) -> str:
    return folded(name).replace("/", _SEPARATOR)


def _described(file: _File, names: t.Mapping[str, str]) -> str:
    """Return what a file is, for a message."""
    if file.path is None:
        what = f"the static file {file.shown}"
    else:
        route = names.get(file.endpoint or "", "the app")
        what = f"the response to {file.path} of {route}"
    return f"the compressed variant of {what}" if file.is_variant else what


def _same_name(one: _File, other: _File, names: t.Mapping[str, str]) -> Fault:
    owner = _owner(one, other)
    second = other if owner is one else one
    problem = f"another path has its file {owner.shown}: {_described(second, names)}"
    if owner.path is None:
        problem = f"a page has the same file name: {_described(second, names)}"
        if second.path is None:
            problem = f"it differs from {_described(second, names)} only by case"
    elif owner.shown != second.shown:
        problem += ", which differs only by case"
    if owner.path is not None:
        problem = f"GET {owner.path}: {problem}"
    return Fault("collision", _name(owner, names), problem, _rename(one, other))


def _file_and_folder(file: _File, below: _File, names: t.Mapping[str, str]) -> Fault:
    owner = _owner(file, below)
    if owner.path is None or file.path is None or file.is_variant:
        problem = (
            f"{_described(file, names)} is the file {file.shown}, but"
            f" {_described(below, names)} needs a folder of this name"
        )
        return Fault("collision", _name(owner, names), problem, _rename(file, below))
    problem = (
        f"its path {file.path} is a file, but other paths begin with {file.path}/,"
        f" such as {below.path}"
    )
    name = names.get(file.endpoint or "", "")
    fix = "Rename one of them."
    if name.endswith(".py") and not file.shown.endswith(".html"):
        typed = f"{name.removesuffix('.py')}.json.py"
        fix = f"Rename it to {typed}, which changes its URL, or return HTML."
    return Fault("collision", name, problem, fix)


def _owner(one: _File, other: _File) -> _File:
    """Return the file that a fault names: a static file, if there is one."""
    return one if one.path is None or other.path is not None else other


def _name(file: _File, names: t.Mapping[str, str]) -> str:
    if file.path is None:
        return file.shown
    return names.get(file.endpoint or "", file.path)


def _rename(one: _File, other: _File) -> str:
    if one.path is None and other.path is None:
        return "Rename one of the two."
    if one.path is None or other.path is None:
        return "Rename one of the two, or build with --no-static."
    return "Rename one of them."
