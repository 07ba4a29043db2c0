"""Find the static files of an app and its blueprints, with the names of their URLs."""

from __future__ import annotations

import hashlib
import os
import typing as t
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from flask import Flask

from ..releases.names import name_problem


def static_files(app: Flask) -> dict[str, str]:
    """Return the paths of the files of all static folders, by their names in a release.

    Dot files and links that lead out of their folder are skipped. What else is not
    copied is logged.
    """
    paths: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for rule in app.url_map.iter_rules():
        scope, _, name = rule.endpoint.rpartition(".")
        if name != "static" or rule.arguments != {"filename"}:
            continue
        owner = app.blueprints.get(scope) if scope else app
        folder = owner.static_folder if owner is not None else None
        prefix = unquote(rule.rule.partition("<")[0]).strip("/")
        if scope and app.before_request_funcs.get(scope):
            skipped[prefix] = f"the before_request functions of {scope} may guard it"
        elif folder is not None and os.path.isdir(folder):
            for relative, path in _walk(os.path.realpath(folder)):
                name = f"{prefix}/{relative}" if prefix else relative
                problem = name_problem(name)
                if problem is None:
                    paths.setdefault(name, path)
                else:
                    skipped[name] = problem
    for name, problem in skipped.items():
        app.logger.warning("%s is not copied: %s", name, problem)
    return paths


def digests_of(paths: t.Mapping[str, str]) -> dict[str, str]:
    """Return the digests of files, sorted by name."""
    return {
        name: hashlib.sha256(Path(path).read_bytes()).hexdigest()
        for name, path in sorted(paths.items())
    }


def _raise(error: OSError) -> t.NoReturn:
    raise error


def _walk(root: str) -> Iterator[tuple[str, str]]:
    for parent, folders, names in os.walk(root, onerror=_raise):
        folders[:] = sorted(f for f in folders if f[0] != "." or f == ".well-known")
        for name in sorted(names):
            path = os.path.join(parent, name)
            real = os.path.realpath(path)
            if name[0] == "." or not real.startswith(root + os.sep):
                continue
            if os.path.isfile(real):
                yield os.path.relpath(path, root).replace(os.sep, "/"), path
