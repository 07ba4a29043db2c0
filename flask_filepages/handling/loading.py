"""Importing a file of the folder, and saying what went wrong."""

from __future__ import annotations

import linecache
import os
import sys
import traceback
import types
from importlib import import_module

from ..errors import Fault
from ..routing.files import Source
from .finder import SecondMainError
from .finder import finder


def import_source(
    name: str, source: Source, folder: str
) -> tuple[types.ModuleType | None, list[Fault]]:
    """Import the module *name*; return it, or what is wrong with it.

    Whatever the import raises is a fault, ``SystemExit`` included.
    """
    try:
        with finder.loading():
            return import_module(name), []
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not _raises_itself(error):
            raise
        return None, [_import_fault(error, source, folder)]


def _import_fault(error: BaseException, source: Source, folder: str) -> Fault:
    kind = type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        file = _shown(error.filename, folder)
        return Fault(
            "syntax", file, f"{kind}: {error.msg}", "Mend the line.", error.lineno
        )
    file, line = source.relative, None
    for frame, number in traceback.walk_tb(error.__traceback__):
        filename = frame.f_code.co_filename
        if os.path.realpath(filename).startswith(folder + os.sep):
            file, line = _shown(filename, folder), number
    try:
        text = f"{kind}: {error}".removesuffix(": ")
    except Exception:
        text = kind
    return Fault("import", file, text, _import_fix(error), line)


def _raises_itself(error: BaseException) -> bool:
    """Whether the file raised it, not somebody at the keyboard."""
    frame, line = list(traceback.walk_tb(error.__traceback__))[-1]
    return type(error).__name__ in linecache.getline(frame.f_code.co_filename, line)


def _shown(filename: str, folder: str) -> str:
    relative = os.path.relpath(os.path.realpath(filename), folder)
    return filename if relative.startswith("..") else relative.replace(os.sep, "/")


def _import_fix(error: BaseException) -> str:
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        return "A page must not end the process while it is imported."
    if isinstance(error, SecondMainError):
        return (
            "Use flask.current_app or context.app, or move what is shared into a"
            " module of its own; call FilePages(app) and pages.load() last."
        )
    if not isinstance(error, ImportError):
        return "The file raised while it was imported; mend that line."
    module = sys.modules.get(error.name or "")
    spec = getattr(module, "__spec__", None)
    if getattr(spec, "_initializing", False):
        return (
            f"{error.name} is still being imported. Call FilePages(app) and"
            f" pages.load() last in it, or import inside the handler."
        )
    if isinstance(error, ModuleNotFoundError):
        return (
            "Install it, or check the name; inside pages/ write `from .._lib import x`."
        )
    return "Check the name and what the module offers."
