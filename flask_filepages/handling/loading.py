"""Import the files of a pages folder as modules, and report what goes wrong.

A module name is an *anchor*, followed by one component for each folder and file. The
anchor is the package by which Python itself finds the folder, such as ``myapp.pages``,
or else ``flask_filepages.tree.<path>`` with ``/`` written as ``∕`` (U+2215) and ``.``
as ``·`` (U+00B7), which any process can read back. Below the anchor, every dot of a
name becomes ``·``. Where ``blog.py`` lies next to ``blog/``, Python would import only
one of the two, so a ``·`` at the end marks the other: ``blog·``.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import linecache
import os
import sys
import traceback
import types
import typing as t
from contextvars import Context
from contextvars import ContextVar
from importlib import import_module

from ..errors import Fault
from ..errors import SettingsError
from ..errors import closest
from ..functions import argument_hint
from ..functions import chain_of
from ..functions import last_place
from ..functions import summary_of
from ..routing.files import Source

_TREE_PACKAGE = "flask_filepages.tree"
SETUP_FIX = (
    "A page has handlers, such as `def GET(context)`. Move views and hooks of the app"
    " to the module of the app."
)
_DOT = "·"
_SLASH = "∕"
#: True while a page is imported. It must not import the running script again.
_is_loading: ContextVar[bool] = ContextVar("is_loading", default=False)


def anchor_for(folder: str, package: t.Sequence[str], root_path: str) -> str:
    """Return the package name of *folder*, the prefix of its module names.

    :param folder: the real path of the folder.
    :param package: the package in *root_path*, as a list of names.
    :raises SettingsError: the path contains a character that module names use.
    """
    if _DOT in folder or _SLASH in folder:
        raise SettingsError(
            f"The path {folder} contains {_DOT!r} or {_SLASH!r}, which the names of"
            " page modules use. Move or rename the folder."
        )
    parts = os.path.relpath(folder, os.path.realpath(root_path)).split(os.sep)
    if all(part.isidentifier() for part in parts):
        name = ".".join([*package, *parts])
        if _search_path(name) == {folder}:
            return name
    return f"{_TREE_PACKAGE}.{folder.replace('.', _DOT).replace(os.sep, _SLASH)}"


def package_of(import_name: str) -> list[str]:
    """Return the package of an app's module, as a list of names.

    :param import_name: ``app.import_name``, which may be ``"__main__"``.
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


def replaced_name(anchor: str, value: t.Any) -> t.Iterator[Fault]:
    """Yield a warning if importing the package *anchor* replaces the variable that has
    *value*: after ``import myapp.pages``, the name ``pages`` in ``myapp`` is the
    package.
    """
    parent, _, name = anchor.rpartition(".")
    module = sys.modules.get(parent)
    if getattr(module, name, None) is value:
        file = os.path.relpath(getattr(module, "__file__", None) or parent)
        problem = f"importing the package {anchor} will replace its variable {name!r}"
        fix = "Give the variable another name: filepages = FilePages(...)."
        yield Fault("name", file, problem, fix)


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
    """Reads valid bytecode, and never writes any."""

    def set_data(self, path: str, data: t.Any, *, _mode: int = 0o666) -> None:
        pass


class _FreshLoader(_FileLoader):
    """Compiles from source each time. Bytecode is checked by whole seconds, and two
    edits can be closer together."""

    def get_code(self, fullname: str) -> types.CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class SecondMainError(ImportError):
    """A page imported the running script by its module name."""


class PagesFinder(importlib.abc.MetaPathFinder):
    """Finds the modules of all pages folders in this process.

    Python splits ``myapp.pages.feed.xml`` at each dot, so it cannot find
    ``feed.xml.py`` by itself. Standing on ``sys.meta_path``, the finder makes imports,
    pickling, tracebacks and coverage work for such files, in worker processes too.
    """

    def __init__(self) -> None:
        self._anchors: dict[str, tuple[str, bool]] = {}

    def register(self, anchor: str, folder: str, *, fresh: bool) -> None:
        """Find the modules below *anchor* in *folder*.

        :param fresh: always compile them from source.
        """
        # A new dict, because other threads may be reading the old one.
        self._anchors = {**self._anchors, anchor: (folder, fresh)}

    def name_of(self, file: str) -> str | None:
        """Return the module name of *file*, or None if its folder is not registered."""
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
            if _is_loading.get():
                _refuse_second_main(fullname)
            return None
        if fullname == _TREE_PACKAGE:
            return _folder_spec(fullname, [])
        parent, _, tail = fullname.rpartition(".")
        if parent == _TREE_PACKAGE:
            return _folder_spec(
                fullname, [tail.replace(_SLASH, os.sep).replace(_DOT, ".")]
            )
        known = [*self._anchors]  # Another thread may register one.
        anchors = [one for one in known if fullname.startswith(f"{one}.")]
        anchor = max(anchors, key=len, default="")
        if (
            not anchor
            and _DOT not in tail
            and not fullname.startswith(f"{_TREE_PACKAGE}.")
        ):
            return None
        folder, fresh = self._anchors.get(anchor, ("", False))
        loader = _FreshLoader if fresh else _FileLoader
        # Do not use *path*: the path of a namespace package changes with sys.path.
        below = [folder] if anchor == parent else list(path)
        return _find(fullname, tail, below, loader)


def _refuse_second_main(fullname: str) -> None:
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)  # of `python -m name`
    file = os.path.basename(getattr(main, "__file__", None) or "")
    if fullname == (spec.name if spec else os.path.splitext(file)[0]):
        raise SecondMainError(
            f"{fullname!r} is the running script, which Python calls '__main__'."
            " Importing it would run it a second time",
            name=fullname,
        )


def _folder_spec(fullname: str, path: list[str]) -> importlib.machinery.ModuleSpec:
    spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
    spec.submodule_search_locations = path
    return spec


def _find(
    fullname: str, tail: str, folders: list[str], loader: type[_FileLoader]
) -> importlib.machinery.ModuleSpec | None:
    marked = tail.endswith(_DOT)
    name = tail.removesuffix(_DOT).replace(_DOT, ".")
    for parent in folders:
        base = f"{parent}/{name}"
        file, package = f"{base}.py", f"{base}/__init__.py"
        has_package = os.path.isfile(package)
        # Python prefers package, file, plain folder. The mark means the other one.
        as_file = os.path.isfile(file) and marked == has_package
        if as_file or has_package:
            path = file if as_file else package
            return importlib.util.spec_from_file_location(
                fullname, path, loader=loader(fullname, path)
            )
        if os.path.isdir(base):
            return _folder_spec(fullname, [base])
    return None


finder = PagesFinder()
sys.meta_path.insert(0, finder)


# -- importing ----------------------------------------------------------------------


def import_source(
    name: str, source: Source, folder: str
) -> tuple[types.ModuleType | None, list[Fault]]:
    """Import the module *name*, and return it and its faults.

    Everything that the import raises becomes a fault, even ``SystemExit``.
    """
    try:
        # In an empty context: a module that is imported by the first request must not
        # keep anything of it.
        context = Context()
        context.run(_is_loading.set, True)
        return context.run(import_page, name), []
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not _raises_itself(error):
            raise
        return None, [_import_fault(error, source, folder)]


def import_page(name: str) -> types.ModuleType:
    """Import the module *name* of a file."""
    # pytest imports the folder posts/ by the name of posts.py.
    file = getattr(sys.modules.get(name), "__file__", None)
    if not str(file).endswith(".py"):
        sys.modules.pop(name, None)
    return import_module(name)


def _import_fault(error: BaseException, source: Source, folder: str) -> Fault:
    if isinstance(error, SyntaxError):
        kind = type(error).__name__
        file = _shown(error.filename or source.path, folder)
        fix = "Fix the syntax error on this line."
        if "null bytes" in str(error) or "codec can't decode" in str(error):
            fix = "Save it as UTF-8."
        text = f": {error.text.strip()}" if error.text else ""
        return Fault("syntax", file, f"{kind}: {error.msg}{text}", fix, error.lineno)
    file, line = source.relative, None
    for frame, number in traceback.walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        if os.path.realpath(filename).startswith(folder + os.sep):
            file, line = _shown(filename, folder), number
    # Flask explains in more paragraphs what does not apply to a page.
    text = summary_of(error).partition("\n")[0]
    place = last_place(error)
    if place is not None and not place[0].startswith(folder + os.sep):
        text += f" ({os.path.relpath(place[0])}:{place[1]})"
    chain = chain_of(error)
    return Fault("import", file, text, _import_fix(error, source), line, chain)


def _raises_itself(error: BaseException) -> bool:
    """Return True if the file itself raises *error*, as opposed to Ctrl-C."""
    frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
    return type(error).__name__ in linecache.getline(frame.f_code.co_filename, line)


def _shown(filename: str, folder: str) -> str:
    relative = os.path.relpath(os.path.realpath(filename), folder)
    return filename if relative.startswith("..") else relative.replace(os.sep, "/")


def _near_file(name: str, source: Source) -> str | None:
    """Return how to import the file that *name* may mean, which lies next to the page
    or in a folder above it."""
    folder, dots = os.path.dirname(source.path), "."
    for _ in source.folders:
        files = [n.removesuffix(".py") for n in os.listdir(folder) if n.endswith(".py")]
        close = closest(name, files, 0.7)
        if close:
            return f"For the file {close}.py write `from {dots}{close} import x`."
        folder, dots = os.path.dirname(folder), f"{dots}."
    return None


def _import_fix(error: BaseException, source: Source) -> str:
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        return "Remove the call; a page must not end the process when it is imported."
    if isinstance(error, SecondMainError):
        return (
            "Use flask.current_app or context.app, or move the shared code to a module"
            " of its own. Call FilePages(app) and filepages.load() last."
        )
    if isinstance(error, AssertionError) and "setup method" in str(error):
        return SETUP_FIX
    if isinstance(error, RuntimeError) and "outside of" in str(error):
        return (
            "The file is imported outside of any request. Use context.app,"
            " context.request, context.session and functions such as url_for inside a"
            " handler."
        )
    if not isinstance(error, ImportError):
        hint = argument_hint(error)
        return hint or "Importing the file raised this error. Fix this line."
    module = sys.modules.get(error.name or "")
    if getattr(getattr(module, "__spec__", None), "_initializing", False):
        return (
            f"{error.name} is still being imported. Call FilePages(app) and"
            " filepages.load() at its end, or import inside the handler."
        )
    if "beyond top-level package" in str(error):
        return "Use fewer dots, or write the name of the module."
    if "partially initialized" in str(error):
        return (
            "The two modules import each other. Move what both need to a third one, or"
            " import it inside the function that needs it."
        )
    if isinstance(error, ModuleNotFoundError):
        near = _near_file((error.name or "").rpartition(".")[2], source)
        if near:
            return near
        return (
            "Install it, or check the name. Inside pages/ write `from ._lib import x`."
        )
    return "Check the name; the module does not define it."
