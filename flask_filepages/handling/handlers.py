"""Find the handlers of a module: the function for each method."""

from __future__ import annotations

import inspect
import os
import re
import types
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace

from flask import Response
from werkzeug.exceptions import MethodNotAllowed

from ..context import Context
from ..errors import Fault
from ..errors import closest
from ..routing.files import Source
from .signatures import argument_problems

#: The only names of a module that a request can call. The request method is never used
#: as an attribute name.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
ALL = "ALL"

Handler = Callable[..., t.Any]
#: Registered methods that are rarely used. ``ALL`` handles them.
_OTHER_METHODS = (
    *("TRACE", "CONNECT", "PROPFIND", "PROPPATCH", "REPORT", "SEARCH", "PURGE"),
    *("LINK", "UNLINK", "COPY", "MOVE", "LOCK", "UNLOCK", "MKCOL"),
)


@dataclass(frozen=True, slots=True)
class Handlers:
    """The handlers of one route, by method.

    :attr:`other` handles methods that are not in :attr:`table`. :attr:`allow` has the
    methods for the ``Allow`` field.
    """

    table: t.Mapping[str, Handler]
    other: Handler | None
    allow: tuple[str, ...]

    @classmethod
    def of(cls, own: t.Mapping[str, Handler]) -> Handlers:
        """Complete the handlers of a file.

        ``HEAD`` falls back to ``ALL``, then ``GET``. ``OPTIONS`` falls back to ``ALL``,
        then 204 with ``Allow`` (RFC 9110, sections 9.3.2 and 9.3.7).
        """
        table = {method: own[method] for method in METHODS if method in own}
        other = own.get(ALL)
        if other is not None:
            table = {method: table.get(method, other) for method in METHODS}
        elif "GET" in table:
            table.setdefault("HEAD", table["GET"])
        allow = tuple(sorted({*table, "OPTIONS"}))
        table.setdefault("OPTIONS", _make_options(allow))
        return cls(table, other, allow)

    def wrapped(self, wrap: Callable[[Handler], Handler]) -> Handlers:
        """Return the handlers with *wrap* applied to each.

        The 405 of a missing method is wrapped too, so that a guarded route reveals
        nothing.
        """
        table = {method: wrap(handler) for method, handler in self.table.items()}
        return Handlers(table, wrap(self.other or self._refuse), self.allow)

    def find(self, method: str) -> Handler:
        """Return the handler of *method*.

        :raises MethodNotAllowed: the route does not handle it.
        """
        handler = self.table.get(method, self.other)
        return self._refuse if handler is None else handler

    def _refuse(self, context: Context) -> t.NoReturn:
        error = MethodNotAllowed(valid_methods=list(self.allow))
        method = context.request.environ["REQUEST_METHOD"]
        if context.app.debug and method in METHODS:
            source = t.cast(Source, context._route.route.source)
            error.description = (
                f"{source.relative} does not handle {method}. Write"
                f" `def {method}(context)` in {source.stem}.py."
            )
        raise error


def _make_options(allow: tuple[str, ...]) -> Handler:
    def OPTIONS(context: Context) -> Response:
        return context.app.response_class(
            status=204, headers=[("Allow", ", ".join(allow))]
        )

    return OPTIONS


def read_handlers(
    module: types.ModuleType,
    source: Source,
    *,
    has_page: bool,
    params: t.Container[str] = (),
) -> tuple[dict[str, Handler], list[Fault], list[Fault]]:
    """Return a tuple: the handlers of *module*, its faults, and its warnings.

    :param params: the params of the route.
    """
    names = vars(module)
    own: dict[str, Handler] = {}
    faults: list[Fault] = []
    warnings: list[Fault] = []
    for method in (*METHODS, ALL):
        if method not in names:
            continue
        if method == "QUERY" and isinstance(names[method], str):
            continue  # The text of an SQL query.
        errors: list[Fault] = []
        found: list[Fault] = []
        for problem, fix, is_error in argument_problems(method, names[method], params):
            line = source.line_of(method)
            fault = Fault("handler", source.relative, problem, fix, line)
            (errors if is_error else found).append(fault)
        faults += errors
        if not errors:
            own[method] = names[method]
            warnings += found
    warnings += _near_misses(module, source, own)
    # The decorator of Flask-CORS must handle OPTIONS itself.
    if any(
        getattr(handler, "provide_automatic_options", None) is False
        for handler in own.values()
    ):
        problem = "its @cross_origin never sees OPTIONS, so it handles no preflight"
        fix = "Write `middleware = cors([...])`, from flask_filepages."
        warnings.append(Fault("cross-origin", source.relative, problem, fix))
    if own or faults or has_page:
        return own, faults, warnings
    if warnings:
        return {}, [replace(fault, id="no-handler") for fault in warnings], []
    problem = "the file defines no handler"
    fix = _fix_without_handler(os.path.basename(source.relative))
    return {}, [Fault("no-handler", source.relative, problem, fix)], []


def _fix_without_handler(name: str) -> str:
    """Return how to fix a file called *name* that defines no handler."""
    test = re.sub(r"\.(?:test|spec)\.py$", "_test", name)
    if test != name:
        return f"If it is a test, name it {re.sub(r'[][=.]+', '', test)}.py."
    return f"Write `def GET(context): ...`. If it is not a route, name it _{name}."


def _near_misses(
    module: types.ModuleType, source: Source, own: t.Mapping[str, Handler]
) -> Iterator[Fault]:
    """Yield a warning for each function that seems to be a handler, but is not."""
    known = (*METHODS, ALL)
    for name, value in vars(module).items():
        if name in known or not inspect.isfunction(value):
            continue
        if name in _OTHER_METHODS:
            problem = f"{name} is not called"
            fix = "Write `def ALL(context)` for methods without a handler."
        elif value.__module__ != module.__name__ or name.startswith("_"):
            continue
        else:
            close = name.upper() if name.upper() in known else None
            if name.isupper():
                close = closest(name, known)
            if close is None or close in own:
                continue
            problem, fix = f"{name} handles no method", f"Did you mean `{close}`?"
        yield Fault("near-miss", source.relative, problem, fix, source.line_of(name))
