"""Describe the project, which the promise of a ``version`` covers.

``StaticPath(..., version=v)`` promises that a response depends only on its params, its
props, *v* and the project. The project is recorded after each build, in a file that
only its owner can read. The next build compares the record with the project as it is
then.
"""

from __future__ import annotations

import contextlib
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
from flask.templating import DispatchingJinjaLoader
from jinja2 import BaseLoader
from jinja2 import ChoiceLoader
from jinja2 import FileSystemLoader
from jinja2 import PrefixLoader
from jinja2 import TemplateNotFound

from .. import __version__
from ..routing.urls import digest_of_rules

#: Digests or versions by name: ``{"app.py": digest, "the package flask": "3.1"}``
Project = dict[str, str]

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
    config = {
        f"app.config[{key!r}]": _digest(_stable_repr(value))
        for key, value in app.config.items()
        if key != "SECRET_KEY"
    }
    return {
        **dict(_digests(app, build_folder)),
        **config,
        **dict(_packages()),
        "Python": sys.version,
        "Flask-Filepages": __version__,
        "the routes": digest_of_rules(app.url_map),
    }


def differences(before: Project, now: Project) -> list[str]:
    """Return readable names of the files, config keys and packages that differ."""
    names = [name for name in {**now, **before} if now.get(name) != before.get(name)]
    return [_printable(name) for name in names]


def read_record(folder: str, release: str) -> Project | None:
    """Return the project that rendered *release*, or ``None`` if it is not recorded."""
    try:
        with open(os.path.join(folder, _FILE), encoding="utf-8") as file:
            record = json.load(file)
        project = record["project"] if record["release"] == release else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return project if isinstance(project, dict) else None


def record_project(
    app: Flask, folder: str, release: str, project: Project, created: float
) -> None:
    """Record that *project* renders *release*, unless this process may run older code:
    a file changed after the app was created.

    Only the owner can read the record, because digests of config values might be
    guessed.

    :param folder: the build folder.
    :param created: when the app was created, in seconds since the epoch.
    """
    for changed in _files(app, folder):
        found = os.stat(changed)
        if max(found.st_mtime, found.st_ctime) > created:
            app.logger.warning(
                "%s changed after the app was created, so the next build uses no"
                " version. Build in a new process.",
                _name(changed, project_folder(app)),
            )
            return
    path = os.path.join(folder, _FILE)
    temporary = f"{path}.{secrets.token_hex(4)}"
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        json.dump({"release": release, "project": project}, out)
    os.replace(temporary, path)


def _digests(app: Flask, build_folder: str) -> Iterator[tuple[str, str]]:
    """Yield name and digest of each file of the project, and of each template that is
    not a file."""
    root = project_folder(app)
    for path in sorted(_files(app, build_folder)):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:32]
        yield _name(path, root), digest
    for loader in _loaders(app, app.jinja_env.loader):
        if not isinstance(loader, FileSystemLoader):
            yield from _listed_templates(app, loader)


def _files(app: Flask, build_folder: str) -> Iterator[str]:
    """Yield the Python files and templates of the project."""
    root, build_folder = project_folder(app), os.path.realpath(build_folder)
    for path in _walk(root, build_folder, {*_SKIPPED, "tests"}):
        if _is_code(path):
            yield path
    for one in app.extensions["filepages"].values():
        suffixes = {*_TEMPLATES, *one.renderers} - {".md"}
        for path in _walk(one.folder, build_folder):
            if path.endswith(tuple(suffixes)) or _is_code(path):
                yield path
    for loader in _loaders(app, app.jinja_env.loader):
        for folder in loader.searchpath if isinstance(loader, FileSystemLoader) else ():
            yield from _walk(os.path.realpath(folder), build_folder)


def _is_code(path: str) -> bool:
    return path.endswith(".py") and not _tests_re.fullmatch(os.path.basename(path))


def _name(path: str, root: str) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")


def _loaders(app: Flask, loader: BaseLoader | None) -> Iterator[BaseLoader]:
    """Yield the loaders that *loader* combines."""
    parts: t.Iterable[BaseLoader | None]
    if isinstance(loader, DispatchingJinjaLoader):
        parts = [owner.jinja_loader for owner in (app, *app.blueprints.values())]
    elif isinstance(loader, ChoiceLoader):
        parts = loader.loaders
    elif isinstance(loader, PrefixLoader):
        parts = loader.mapping.values()
    else:
        if loader is not None:
            yield loader
        return
    for part in parts:
        yield from _loaders(app, part)


def _listed_templates(app: Flask, loader: BaseLoader) -> Iterator[tuple[str, str]]:
    try:
        names = loader.list_templates()
    except TypeError:
        # Its templates are unknown, so no build may take them for unchanged.
        yield f"the templates of {type(loader).__name__}", secrets.token_hex()
        return
    for name in names:
        with contextlib.suppress(TemplateNotFound, UnicodeDecodeError):
            source, _, _ = loader.get_source(app.jinja_env, name)
            yield f"the template {name}", _digest(source)


def _walk(
    root: str, build_folder: str, skipped: t.Collection[str] = _SKIPPED
) -> Iterator[str]:
    """Yield the files below *root*, through links to folders too. Hidden files and
    folders are skipped, and the backup files of editors."""
    seen = {build_folder}
    for parent, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [
            name
            for name in folders
            if name not in skipped
            and (name[0] != "." or name == ".well-known")
            and not os.path.exists(os.path.join(parent, name, "pyvenv.cfg"))
        ]
        for name in files:
            path = os.path.join(parent, name)
            if name[0] not in ".#" and name[-1] != "~" and os.path.isfile(path):
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
        for name in sorted(names):
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
