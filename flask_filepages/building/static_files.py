"""The static folders of an app and its blueprints, copied under their URLs."""

from __future__ import annotations

import hashlib
import os
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from flask import Flask

from ..releases.files import Tree
from ..releases.manifest import Manifest
from ..releases.names import name_problem


@dataclass(frozen=True, slots=True)
class Copies:
    """Static files: paths by the names they get."""

    files: t.Mapping[str, str]

    @classmethod
    def of(cls, app: Flask) -> Copies:
        """Return the files of all static folders; dot files and links that lead out of
        their folder are left."""
        files: dict[str, str] = {}
        for rule in app.url_map.iter_rules():
            scope, _, name = rule.endpoint.rpartition(".")
            if name != "static" or rule.arguments != {"filename"}:
                continue
            owner = app.blueprints.get(scope) if scope else app
            folder = owner.static_folder if owner is not None else None
            if folder is not None and os.path.isdir(folder):
                prefix = unquote(rule.rule.partition("<")[0]).strip("/")
                for relative, path in _walk(os.path.realpath(folder)):
                    name = f"{prefix}/{relative}" if prefix else relative
                    if name_problem(name) is None:
                        files.setdefault(name, path)
        return cls(files)

    def digests(self) -> Iterator[tuple[str, str]]:
        """Yield name and digest of each file, sorted."""
        for name in sorted(self.files):
            yield name, hashlib.sha256(self.read(name)).hexdigest()

    def read(self, name: str) -> bytes:
        with open(self.files[name], "rb") as file:
            return file.read()

    def are_in(self, manifest: Manifest, tree: Tree) -> bool:
        """Whether a release has just these copies, whole."""
        if manifest.copies() != dict(self.digests()):
            return False
        return all(self.is_in(tree, name) for name in self.files)

    def is_in(self, tree: Tree, name: str) -> bool:
        return tree.has(name, os.path.getsize(self.files[name]))


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
