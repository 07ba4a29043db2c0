"""What all pages are made from: code, configuration, packages, routes.

Where any of it changes, nothing of the last build is kept.
"""

from __future__ import annotations

import hashlib
import os
import re
import site
import sys
import typing as t
from collections.abc import Iterator

from flask import Flask

from .reads import ABSENT
from .version import __version__

_PRIVATE = frozenset({"__pycache__", "node_modules", "site-packages"})
_address_re = re.compile(r" at 0x[0-9a-f]+|0x[0-9a-f]{6,}", re.IGNORECASE)


def epoch_of(app: Flask, states: t.Iterable[t.Any], skip: str) -> dict[str, str]:
    """Return digests of what all pages are made from, by what they are of.

    :param skip: the build folder, which may hold code, too.
    """
    return {
        "the version of flask_filepages": __version__,
        "the Python version": sys.version,
        "the installed packages": _digest(_packages()),
        "the source files": _digest(_sources(project_of(app), os.path.realpath(skip))),
        "app.config": _digest(
            f"{k}={_shown(v)}" for k, v in sorted(app.config.items())
        ),
        "the routes": _digest(_routes(app, states)),
    }


def project_of(app: Flask) -> str:
    """Return the folder of the project: where the app's module, or the outermost
    package that it lies in, is."""
    folder = os.path.realpath(app.root_path)
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        parent = os.path.dirname(folder)
        if os.path.basename(parent) in _PRIVATE:
            return folder
        folder = parent
    return folder


def _digest(texts: t.Iterable[str]) -> str:
    made = hashlib.sha256()
    for text in texts:
        made.update(text.encode("utf-8", "surrogateescape") + b"\0")
    return made.hexdigest()[:32]


def _packages() -> Iterator[str]:
    """Yield names and versions, as the names of the metadata folders have them."""
    folders = {*site.getsitepackages(), site.getusersitepackages(), *sys.path}
    for folder in sorted(folders):
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        yield from (name for name in names if name.endswith(("-info", ".egg-link")))


def _sources(folder: str, skip: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _PRIVATE
            and (name[0] != "." or name == ".well-known")
            and os.path.join(parent, name) != skip
            and not os.path.exists(os.path.join(parent, name, "pyvenv.cfg"))
        )
        for name in sorted(files):
            if name.endswith(".py"):
                path = os.path.join(parent, name)
                yield path
                yield _content(path)


def _content(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ABSENT


def _shown(value: t.Any) -> str:
    """Return a value without the addresses of objects, which differ each time."""
    return _address_re.sub("", repr(value))


def _routes(app: Flask, states: t.Iterable[t.Any]) -> Iterator[str]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        yield f"{rule.rule} {rule.endpoint}"
    for state in states:
        yield f"{state.name} {state.url_prefix} {state.settings}"
        for live in state.routes.values():
            route = live.route
            files = [source.relative for source in route.middleware]
            yield f"{route.id} {route.name} {route.page} {route.prerender} {files}"
