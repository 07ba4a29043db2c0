"""What all pages are made from: code, configuration, packages, routes.

Where any of it changes, nothing of the last build is kept.
"""

from __future__ import annotations

import hashlib
import os
import re
import site
import sys
import time
import typing as t
from collections.abc import Iterator

from flask import Flask

from . import digests
from . import installed
from . import reads
from .version import __version__

_PRIVATE = frozenset({"__pycache__", "node_modules", "site-packages"})
_CODE = (".py", ".so", ".pyd")
_address_re = re.compile(r" at 0x[0-9a-f]+", re.IGNORECASE)


def epoch_of(
    app: Flask, states: t.Iterable[t.Any], skip: str, app_import: str | None
) -> dict[str, str]:
    """Return digests of what all pages are made from, by what they are of.

    :param skip: the build folder, which may hold code, too.
    :param app_import: by which name the app was imported.
    """
    return {
        "the version of flask_filepages": __version__,
        "the Python version": f"{sys.version} {sys.flags}",
        "the installed packages": _digest(_packages()),
        "the source files": sources_of(app, skip),
        "app.config": _digest(
            f"{k}={_shown(app.config[k])}" for k in sorted(app.config)
        ),
        "the routes": _digest(_routes(app, states)),
        "the way the app is started": _digest(_surroundings(app_import)),
    }


def sources_of(app: Flask, skip: str) -> str:
    """Return a digest of all sources of the project: of all files, where it lies among
    the installed packages, whose files are not noted when they are read."""
    folder = project_of(app)
    suffixes = ("",) if installed.is_installed(folder) else _CODE
    with reads.paused():
        return _digest(_sources(folder, os.path.realpath(skip), suffixes))


def _surroundings(app_import: str | None) -> Iterator[str]:
    yield str(app_import)
    yield os.getcwd()
    yield from (f"{folder} {os.path.exists(folder)}" for folder in sys.path)
    yield from map(str, time.tzname)
    for name, value in sorted(os.environ.items()):
        if name in ("LANG", "LANGUAGE", "TZ") or name.startswith("LC_"):
            yield f"{name}={value}"


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
    """Yield names and versions, as the names of the metadata folders have them, and
    what tells whether the same version was installed again."""
    folders = {*site.getsitepackages(), site.getusersitepackages(), *sys.path}
    for folder in sorted(folders):
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if name.endswith(("-info", ".egg-link")):
                record = os.path.join(folder, name, "RECORD")
                yield f"{name} {digests.digest_of('stat', record)}"


def _sources(folder: str, skip: str, suffixes: tuple[str, ...]) -> Iterator[str]:
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
            if name.endswith(suffixes):
                path = os.path.join(parent, name)
                yield path
                yield str(digests.digest_of("file", path))


def _shown(value: t.Any) -> str:
    """Return a text of a value that is the same in each process: sets in order, and
    objects without their address."""
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(_shown, value)))}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, t.Mapping):
        return f"{{{', '.join(f'{_shown(k)}: {_shown(v)}' for k, v in value.items())}}}"
    if isinstance(value, (str, bytes, int, float, type(None))):
        return repr(value)
    return _address_re.sub("", repr(value))


def _routes(app: Flask, states: t.Iterable[t.Any]) -> Iterator[str]:
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        yield f"{rule.rule} {rule.endpoint}"
    for state in states:
        yield f"{state.name} {state.url_prefix}"
        for name in state.settings.__slots__:
            yield f"{name}={_shown(getattr(state.settings, name))}"
        for live in state.routes.values():
            route = live.route
            files = [source.relative for source in route.middleware]
            yield f"{route.id} {route.name} {route.page} {route.prerender} {files}"
