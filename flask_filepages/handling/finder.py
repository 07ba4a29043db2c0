"""Modules of a pages folder: their names, and the finder that imports them.

A name is an *anchor* and, below it, one component for each folder and file. The
anchor is the package by which Python finds exactly this folder, or else
``flask_filepages.tree.<path>`` with ``/`` as ``∕`` (U+2215) and ``.`` as ``·``
(U+00B7), which any process can read back. Below it every dot of a name becomes
``·``, and one more ``·`` at the end marks whichever of ``blog.py`` and ``blog/``
Python itself would not import, so that both can be imported side by side.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import threading
import types
import typing as t
from contextlib import contextmanager

from ..errors import SettingsError

_PRIVATE = "flask_filepages.tree"
_DOT = "·"
_SLASH = "∕"


def anchor_for(folder: str, package: t.Sequence[str], root_path: str) -> str:
    """Return the package name under which the modules of *folder* stand.

    :param folder: the real path of the folder.
    :param package: the names of the package that lies in *root_path*, if it is one.
    :raises SettingsError: the path cannot be spelled as a name.
    """
    if _DOT in folder or _SLASH in folder:
        raise SettingsError(
            f"The path of {folder} holds {_DOT!r} or {_SLASH!r}, by which modules are"
            " named here. Move or rename the folder."
        )
    relative = os.path.relpath(folder, os.path.realpath(root_path))
    parts = relative.split(os.sep)
    if all(part.isidentifier() for part in parts):
        name = ".".join([*package, *parts])
        if _search_path(name) == {folder}:
            return name
    return f"{_PRIVATE}.{folder.replace('.', _DOT).replace(os.sep, _SLASH)}"


def package_of(import_name: str) -> list[str]:
    """Return the names of the package that an app's module is or lies in.

    :param import_name: of the app, ``"__main__"`` included.
    """
    if import_name == "__main__":
        package = getattr(sys.modules["__main__"], "__package__", None)
        return package.split(".") if package else []
    module = sys.modules.get(import_name)
    parts = import_name.split(".")
    return parts if module is None or hasattr(module, "__path__") else parts[:-1]


def _search_path(name: str) -> set[str]:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return set()
    locations = spec.submodule_search_locations if spec is not None else None
    return {os.path.realpath(path) for path in locations or ()}


def module_name(anchor: str, folder: str, relative: str) -> str:
    """Return the name of the module in the file *relative* to *folder*."""
    *folders, file = relative[: -len(".py")].split("/")
    names = [anchor]
    path = folder
    for name in folders:
        path = f"{path}/{name}"
        shadowed = os.path.exists(f"{path}.py") and not _is_package(path)
        names.append(_encode(name, shadowed))
    path = f"{path}/{file}"
    names.append(_encode(file, _is_package(path)))
    return ".".join(names)


def _encode(name: str, shadowed: bool) -> str:
    return name.replace(".", _DOT) + (_DOT if shadowed else "")


def _is_package(path: str) -> bool:
    return os.path.exists(f"{path}/__init__.py")


class _FileLoader(importlib.machinery.SourceFileLoader):
    """Reads bytecode that is still valid, and never writes any."""

    def set_data(self, path: str, data: t.Any, *, _mode: int = 0o666) -> None:
        pass


class _FreshLoader(_FileLoader):
    """Compiles from the source each time: bytecode goes by whole seconds, and an
    edit can be quicker than that."""

    def get_code(self, fullname: str) -> types.CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class SecondMainError(ImportError):
    """A page imports the script that is running, by its other name."""


class PagesFinder(importlib.abc.MetaPathFinder):
    """Finds the modules of all pages folders of this process."""

    def __init__(self) -> None:
        self._anchors: dict[str, tuple[str, bool]] = {}
        self._loading = threading.local()

    def register(self, anchor: str, folder: str, *, fresh: bool) -> None:
        """Take the modules below *anchor*; *fresh* ones are never from bytecode."""
        # A new dict, so that imports in other threads can go on reading the old one.
        self._anchors = {**self._anchors, anchor: (folder, fresh)}

    def name_of(self, file: str) -> str | None:
        """Return the name of the module in *file*, if its folder is registered."""
        for anchor, (folder, _) in self._anchors.items():
            if file.startswith(folder + os.sep):
                relative = os.path.relpath(file, folder).replace(os.sep, "/")
                return module_name(anchor, folder, relative)
        return None

    def find_spec(
        self,
        fullname: str,
        path: t.Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if path is None:
            self._refuse_second_main(fullname)
            return None
        if fullname == _PRIVATE:
            return _folder_spec(fullname, [])
        parent, _, tail = fullname.rpartition(".")
        if parent == _PRIVATE:
            return _folder_spec(
                fullname, [tail.replace(_SLASH, os.sep).replace(_DOT, ".")]
            )
        anchor = self._anchor_of(fullname)
        if not anchor and _DOT not in tail and not fullname.startswith(f"{_PRIVATE}."):
            return None
        folder, fresh = self._anchors.get(anchor, ("", False))
        loader = _FreshLoader if fresh else _FileLoader
        # The path of a package without __init__.py grows with sys.path.
        below = [folder] if anchor == parent else list(path)
        return _find(fullname, tail, below, loader)

    def _anchor_of(self, fullname: str) -> str:
        name = fullname.rpartition(".")[0]
        while name and name not in self._anchors:
            name = name.rpartition(".")[0]
        return name

    @contextmanager
    def loading(self) -> t.Iterator[None]:
        """While pages are imported, importing the running script again is refused."""
        before = getattr(self._loading, "active", False)
        self._loading.active = True
        try:
            yield
        finally:
            self._loading.active = before

    def _refuse_second_main(self, fullname: str) -> None:
        if not getattr(self._loading, "active", False):
            return
        main = sys.modules["__main__"]
        spec = getattr(main, "__spec__", None)  # of `python -m name`
        file = os.path.basename(getattr(main, "__file__", None) or "")
        if fullname == (spec.name if spec else os.path.splitext(file)[0]):
            raise SecondMainError(
                f"{fullname!r} is the running script, which Python knows as"
                " '__main__'; importing it would run it a second time",
                name=fullname,
            )


def _folder_spec(fullname: str, path: list[str]) -> importlib.machinery.ModuleSpec:
    spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
    spec.submodule_search_locations = path
    return spec


def _find(
    fullname: str, tail: str, path: list[str], loader: type[_FileLoader]
) -> importlib.machinery.ModuleSpec | None:
    marked = tail.endswith(_DOT)
    name = tail.removesuffix(_DOT).replace(_DOT, ".")
    for parent in path:
        base = f"{parent}/{name}"
        package = f"{base}/__init__.py"
        file = f"{base}.py"
        has_package = os.path.isfile(package)
        # Python's own order is package, file, plain folder; the mark takes the other.
        as_file = os.path.isfile(file) and (has_package if marked else not has_package)
        if as_file:
            return importlib.util.spec_from_file_location(
                fullname, file, loader=loader(fullname, file)
            )
        if has_package:
            return importlib.util.spec_from_file_location(
                fullname,
                package,
                loader=loader(fullname, package),
                submodule_search_locations=[base],
            )
        if os.path.isdir(base):
            return _folder_spec(fullname, [base])
    return None


def _install() -> PagesFinder:
    found = next((f for f in sys.meta_path if isinstance(f, PagesFinder)), None)
    if found is None:
        found = PagesFinder()
        sys.meta_path.insert(0, found)
    return found


finder = _install()
