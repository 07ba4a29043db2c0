"""The handlers of a module: which function answers which method."""

from __future__ import annotations

import difflib
import inspect
import linecache
import os
import re
import sys
import traceback
import types
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from importlib import import_module

from flask import Response
from werkzeug.exceptions import MethodNotAllowed

from .context import Context
from .errors import Fault
from .modules import SecondMainError
from .modules import finder
from .sources import Source

#: The only names of a module that requests can reach. Never looked up by the
#: method of a request.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ALL = "ALL"

Handler = Callable[..., t.Any]


@dataclass(slots=True)
class Handlers:
    """What one route answers with, by method."""

    table: dict[str, Handler] = field(default_factory=dict)
    other: Handler | None = None
    allow: tuple[str, ...] = ()

    @classmethod
    def of(cls, own: t.Mapping[str, Handler]) -> Handlers:
        """Return the table that *own* handlers make.

        ``HEAD`` is answered by its own handler, else ``ALL``, else ``GET``;
        ``OPTIONS`` by its own, else ``ALL``, else 204 with ``Allow``
        (RFC 9110, sections 9.3.2 and 9.3.7).
        """
        table = {method: own[method] for method in METHODS if method in own}
        other = own.get(ALL)
        if other is not None:
            table = {method: table.get(method, other) for method in METHODS}
        elif "GET" in table:
            table.setdefault("HEAD", table["GET"])
        allow = tuple(sorted({*table, "OPTIONS"}))
        table.setdefault("OPTIONS", _options(allow))
        return cls(table, other, allow)

    def find(self, method: str) -> Handler:
        """Return the handler of *method*.

        :raises MethodNotAllowed: there is none; ``Allow`` lists those there are.
        """
        handler = self.table.get(method, self.other)
        if handler is None:
            raise MethodNotAllowed(valid_methods=list(self.allow))
        return handler


def _options(allow: tuple[str, ...]) -> Handler:
    def OPTIONS(context: Context) -> Response:
        return context.app.response_class(
            status=204, headers=[("Allow", ", ".join(allow))]
        )

    return OPTIONS


def load_handlers(
    name: str, source: Source, folder: str, *, has_page: bool
) -> tuple[dict[str, Handler], list[Fault], list[Fault]]:
    """Import the module *name* and return its own handlers, its faults and warnings.

    Whatever the import raises is a fault, ``SystemExit`` included.
    """
    try:
        with finder.loading():
            module = import_module(name)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not _raises_itself(error):
            raise
        return {}, [_import_fault(error, source, folder)], []
    return _own_handlers(module, source, has_page=has_page)


def _own_handlers(
    module: types.ModuleType, source: Source, *, has_page: bool
) -> tuple[dict[str, Handler], list[Fault], list[Fault]]:
    names = vars(module)
    own: dict[str, Handler] = {}
    faults: list[Fault] = []
    for method in (*METHODS, ALL):
        if method not in names:
            continue
        problem, fix = _unfit(names[method])
        if problem is None:
            own[method] = names[method]
        else:
            problem = f"{method} {problem}"
            line = _line_of(source, method)
            faults.append(Fault("handler", source.relative, problem, fix, line))
    near = [
        Fault(
            "near-miss",
            source.relative,
            f"{name} answers no method",
            f"Did you mean `{meant}`?",
            _line_of(source, name),
        )
        for name, meant in _near_misses(module, own).items()
    ]
    if own or faults or has_page:
        return own, faults, near
    if near:
        return {}, [replace(fault, kind="no-handler") for fault in near], []
    fix = "Write `def GET(context): ...`."
    return {}, [Fault("no-handler", source.relative, "it has no handler", fix)], []


def _unfit(value: t.Any) -> tuple[str | None, str]:
    """Return why *value* is no handler, if so, and what to write instead."""
    write = "Write `def GET(context): ...`; a param is context.params[name]."
    if not callable(value) or isinstance(value, type):
        kind = "a class" if isinstance(value, type) else type(value).__name__
        return f"is {kind}, not a function", write
    if inspect.isgeneratorfunction(value) or inspect.isasyncgenfunction(value):
        fix = "Return flask.Response(generator()) to stream, instead of `yield`."
        return "is a generator", fix
    try:
        inspect.signature(value).bind(object())
    except TypeError:
        return "does not take one argument, the context", write
    except ValueError:
        pass  # a built-in function does not say what it takes
    return None, ""


def _line_of(source: Source, name: str) -> int | None:
    """Return the number of the line that defines *name*, as far as the text tells."""
    pattern = re.compile(rf"(?:(?:async\s+)?def|class)\s+{name}\b|{name}\s*[:=]")
    with open(source.path, encoding="utf-8", errors="replace") as lines:
        return next((n for n, line in enumerate(lines, 1) if pattern.match(line)), None)


def _near_misses(
    module: types.ModuleType, own: t.Mapping[str, Handler]
) -> dict[str, str]:
    misses: dict[str, str] = {}
    for name, value in vars(module).items():
        if name in METHODS or name == ALL or not inspect.isfunction(value):
            continue
        if value.__module__ != module.__name__ or name.startswith("_"):
            continue
        upper = name.upper()
        if upper in METHODS or upper == ALL:
            close = [upper]
        elif name.isupper():
            close = difflib.get_close_matches(name, (*METHODS, ALL), n=1, cutoff=0.6)
        else:
            continue
        if close and close[0] not in own:
            misses[name] = close[0]
    return misses


# -- what went wrong while importing --------------------------------------------


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
            "Install it, or check the name; inside pages/ write `from ._lib import x`."
        )
    return "Check the name and what the module offers."
