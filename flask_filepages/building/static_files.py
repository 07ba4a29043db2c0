"""Find the static files of an app and its blueprints, with the names of their URLs."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import unquote

from flask import Flask

from ..releases.names import name_problem


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """The static files of an app: their paths, by their names in a release."""

    paths: t.Mapping[str, str]
    #: Why files are not copied, by name.
    skipped: t.Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, app: Flask) -> StaticFiles:
        """Return the files of all static folders.

        Dot files and links that lead out of their folder are skipped.
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
                skipped[prefix] = (
                    f"the before_request functions of {scope} may guard it"
                )
                continue
            if folder is not None and os.path.isdir(folder):
                for relative, path in _walk(os.path.realpath(folder)):
                    name = f"{prefix}/{relative}" if prefix else relative
                    problem = name_problem(name)
                    if problem is None:
                        paths.setdefault(name, path)
                    else:
                        skipped[name] = problem
        return cls(paths, skipped)

    def digests(self) -> Iterator[tuple[str, str]]:
        """Yield name and digest of each file, sorted."""
        for name in sorted(self.paths):
            yield name, hashlib.sha256(self.read(name)).hexdigest()

    def type_of(self, name: str) -> str:
        """Return the content type of a file, or an empty text."""
        return mimetypes.guess_type(name)[0] or ""

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        with open(self.paths[name], "rb") as file:
            return file.read()


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
