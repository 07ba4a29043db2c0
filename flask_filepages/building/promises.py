"""Describe the project, which the promise of a ``version`` covers.

``StaticPath(..., version=v)`` promises that a response depends only on its params, its
props, *v* and the project. The project is recorded after each build, in a file that
only its owner can read. The next build compares the record with the project as it is
then.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import site
import sys
import typing as t
from collections.abc import Iterator

from flask import Flask

from .. import __version__
from ..routing.urls import digest_of_rules

#: ``{"files": {"app.py": digest}, "config": {...}, "packages": {...}, "others":
#: {...}}``
Project = dict[str, dict[str, str]]

_FILE = "project.json"
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})
_TEMPLATES = (".html", ".txt", ".xml", ".svg", ".jinja", ".jinja2", ".j2")
_tests_re = re.compile(r"test_.*\.py|.*_test\.py|conftest\.py")
_address_re = re.compile(r" at 0x[0-9a-f]+", re.IGNORECASE)


def project_folder(app: Flask) -> str:
    """Return the folder of the app's module, or of the outermost package around it."""
    folder = os.path.realpath(app.root_path)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        parent = os.path.dirname(folder)
        if os.path.basename(parent) in {*_SKIPPED, "tests"}:
            return folder
        folder = parent
    return folder


def describe_project(app: Flask, build_folder: str) -> Project:
    """Return digests of everything that the promise of a version covers.

    Modification times and tests do not matter, so that a new checkout or installation
    changes nothing.

    :param build_folder: not part of the project, even if it lies inside.
    """
    return {
        "files": dict(_files(app, os.path.realpath(build_folder))),
        "config": {
            key: _digest(_stable_repr(app.config[key]))
            for key in app.config
            if key != "SECRET_KEY"
        },
        "packages": dict(_packages()),
        "others": {
            "Python": sys.version,
            "Flask-Filepages": __version__,
            "the routes": digest_of_rules(app.url_map),
        },
    }


def differences(before: Project, now: Project) -> list[str]:
    """Return readable names of the files, config keys and packages that differ."""
    found = []
    for section, name in (
        ("files", "{}"),
        ("config", "app.config[{!r}]"),
        ("packages", "{}"),
        ("others", "{}"),
    ):
        old, new = before.get(section, {}), now.get(section, {})
        changed = sorted(k for k in {*old, *new} if old.get(k) != new.get(k))
        found += [_printable(name.format(key)) for key in changed]
    return found


def read_record(folder: str, release: str) -> Project | None:
    """Return the project that rendered *release*, or ``None`` if it is not recorded."""
    try:
        with open(os.path.join(folder, _FILE), encoding="utf-8") as file:
            record = json.load(file)
        project = record["project"] if record["release"] == release else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(project, dict):
        return None
    is_whole = all(isinstance(section, dict) for section in project.values())
    return project if is_whole else None


def write_record(folder: str, release: str, project: Project) -> None:
    """Record that *project* renders *release*. Only the owner can read the record,
    because digests of config values might be guessed."""
    path = os.path.join(folder, _FILE)
    temporary = f"{path}.{secrets.token_hex(4)}"
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        json.dump({"release": release, "project": project}, out)
    os.replace(temporary, path)


def _files(app: Flask, build_folder: str) -> Iterator[tuple[str, str]]:
    """Yield name and digest of the Python files and templates of the project."""
    root = project_folder(app)
    for path in _walk(root, build_folder, {*_SKIPPED, "tests"}):
        if _is_code(path):
            yield _named(path, root)
    for one in app.extensions["filepages"].values():
        suffixes = {*_TEMPLATES, *one.renderers} - {".md"}
        for path in _walk(one.folder, build_folder):
            if path.endswith(tuple(suffixes)) or _is_code(path):
                yield _named(path, root)
    for folder in _template_folders(app):
        for path in _walk(os.path.realpath(folder), build_folder):
            yield _named(path, root)


def _is_code(path: str) -> bool:
    return path.endswith(".py") and not _tests_re.fullmatch(os.path.basename(path))


def _named(path: str, root: str) -> tuple[str, str]:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
    return os.path.relpath(path, root).replace(os.sep, "/"), digest


def _template_folders(app: Flask) -> Iterator[str]:
    for owner in (app, *app.blueprints.values()):
        yield from getattr(owner.jinja_loader, "searchpath", ())


def _walk(
    root: str, build_folder: str, skipped: t.Collection[str] = _SKIPPED
) -> Iterator[str]:
    """Yield the files below *root*. Hidden files and folders are skipped."""
    for parent, folders, files in os.walk(root):
        folders[:] = [
            name
            for name in folders
            if name not in skipped
            and (name[0] != "." or name == ".well-known")
            and os.path.join(parent, name) != build_folder
            and not os.path.exists(os.path.join(parent, name, "pyvenv.cfg"))
        ]
        for name in files:
            path = os.path.join(parent, name)
            if name[0] != "." and os.path.isfile(path):
                yield path


def _packages() -> Iterator[tuple[str, str]]:
    """Yield names and versions of the installed packages, from the names of their
    metadata folders: ``importlib.metadata`` takes a hundred times as long."""
    folders = {*site.getsitepackages(), site.getusersitepackages(), *sys.path}
    for folder in sorted(folders):
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                package, _, version = name.rpartition(".")[0].partition("-")
                yield f"the package {package}", version


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _stable_repr(value: t.Any) -> str:
    """Return a text of *value* that is the same in each process: sets are sorted, and
    objects have no address."""
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(_stable_repr, value)))}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_stable_repr, value))}]"
    if isinstance(value, t.Mapping):
        pairs = (f"{_stable_repr(k)}: {_stable_repr(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    return _address_re.sub("", repr(value))


def _printable(text: str) -> str:
    return os.fsencode(text).decode("utf-8", "backslashreplace")
