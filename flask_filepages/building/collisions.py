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


def file_collisions(manifest: Manifest, names: t.Mapping[str, str]) -> list[Fault]:
    """Return a fault for each file whose name is also the name of another file, or of a
    folder. Case does not count.

    :param names: the names of the routes in errors, by endpoint name.
    """
    # All names are known only now: the name of an endpoint's file depends on what the
    # endpoint returned. SQLite sorts more of them than fit into memory.
    db = manifest.connection
    db.execute("CREATE TEMP TABLE files (key TEXT, name TEXT, path TEXT, endpoint)")
    db.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", _files_of(manifest))
    faults: list[Fault] = []
    before: _File | None = None
    for row in db.execute("SELECT * FROM files ORDER BY key, path"):
        file = _File(*row)
        if before is not None and file.key.startswith(f"{before.key}{_SEPARATOR}"):
            faults.append(_folder_fault(before, file, names))
        elif before is not None and file.key == before.key:
            faults.append(_name_fault(before, file, names))
        else:
            before = file
    db.execute("DROP TABLE files")
    return list(dict.fromkeys(faults))


def _files_of(manifest: Manifest) -> Iterator[_File]:
    for entry in manifest.entries():
        for name, _ in entry.files():
            yield _File(_key(name), name, entry.path, entry.endpoint)
    for static in manifest.static_files().values():
        for name, _ in static.files():
            yield _File(_key(name), name, None, None)


def _key(name: str) -> str:
    return folded(name).replace("/", _SEPARATOR)


def _name_fault(one: _File, other: _File, names: t.Mapping[str, str]) -> Fault:
    if one.path is None or other.path is None:
        return _static_fault(one, other, names, "a page has the same file name")
    name = other.name.partition("/")[2]
    first = names.get(one.endpoint or "", one.path)
    problem = (
        f"GET {other.path}: another path has its file {name}: {one.path} of {first}"
    )
    route = names.get(other.endpoint or "", other.path)
    return Fault("collision", route, problem, "Rename one of them.")


def _folder_fault(file: _File, below: _File, names: t.Mapping[str, str]) -> Fault:
    if file.path is None or below.path is None:
        problem = "a page needs a folder where this is a file, or the other way round"
        return _static_fault(file, below, names, problem)
    name = file.name.partition("/")[2]
    problem = (
        f"its path {file.path} is a file, but other paths begin with {file.path}/,"
        f" such as {below.path}"
    )
    fix = f"Give it an extension, such as {name}.json.py, or return HTML."
    return Fault("collision", names.get(file.endpoint or "", file.path), problem, fix)


def _static_fault(
    one: _File, other: _File, names: t.Mapping[str, str], problem: str
) -> Fault:
    static, page = (one, other) if one.path is None else (other, one)
    name = static.name.partition("/")[2]
    if page.path is not None:
        problem += f": {page.path} of {names.get(page.endpoint or '', 'the app')}"
    fix = "Rename one of the two, or build with --no-static."
    return Fault("collision", name, problem, fix)
