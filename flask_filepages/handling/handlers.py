"""Find the handlers of a module: the function for each method."""

from __future__ import annotations

import inspect
import os
import types
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace

from flask import Response
from werkzeug.exceptions import MethodNotAllowed

from ..context import Context
from ..errors import Fault
from ..errors import closest
from ..functions import call_problem
from ..functions import first_argument
from ..routing.files import Source

#: The only names of a module that a request can call. The request method is never used
#: as an attribute name.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
ALL = "ALL"

Handler = Callable[..., t.Any]
_FIX = "Write `def {}(context): ...`; a param is context.params[name]."
#: Registered methods that are rarely used. ``ALL`` handles them.
_OTHER_METHODS = (
    *("TRACE", "CONNECT", "PROPFIND", "PROPPATCH", "REPORT", "SEARCH", "PURGE"),
    *("LINK", "UNLINK", "COPY", "MOVE", "LOCK", "UNLOCK", "MKCOL"),
)
_LOCATIONS = ("json", "form", "query", "params", "headers", "cookies", "files")
_STREAM_FIX = "Return flask.Response(generator()) to stream, instead of `yield`."


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
        problem = call_problem(names[method], "context")
        if problem is None:
            own[method] = names[method]
            if first_argument(names[method]) in ("request", "req"):
                problem = f"the first argument of {method} is the context"
                fix = f"Write `def {method}(context)`, and context.request."
                where = ("handler", source.relative)
                warnings.append(Fault(*where, problem, fix, source.line_of(method)))
            fault = _argument_fault(method, names[method], source, params)
            if fault is not None:
                # A decorator may call its function with other arguments.
                is_decorated = _is_decorated(method, names[method])
                (warnings if is_decorated else faults).append(fault)
            for decorator in _decorators(names[method]):
                if first_argument(decorator, unwrap=False) is None:
                    faults.append(_decorator_fault(method, decorator, source))
        elif problem.startswith("does not take") and _is_decorated(
            method, names[method]
        ):
            faults.append(_decorator_fault(method, names[method], source))
        else:
            problem, line = f"{method} {problem}", source.line_of(method)
            fix = _fix(method, names[method])
            faults.append(Fault("handler", source.relative, problem, fix, line))
    warnings += [
        Fault(
            "near-miss",
            source.relative,
            f"{name} handles no method",
            f"Did you mean `{meant}`?",
            source.line_of(name),
        )
        for name, meant in _near_misses(module, own).items()
    ]
    for name in _OTHER_METHODS:
        if inspect.isfunction(names.get(name)):
            problem, line = f"{name} is not called", source.line_of(name)
            fix = "Write `def ALL(context)` for methods without a handler."
            where = ("near-miss", source.relative)
            warnings.append(Fault(*where, problem, fix, line))
    if any(is_cross_origin(handler) for handler in own.values()):
        problem = "its @cross_origin never sees OPTIONS, so it handles no preflight"
        fix = "Write `middleware = cors([...])`, from flask_filepages."
        warnings.append(Fault("cross-origin", source.relative, problem, fix))
    if own or faults or has_page:
        return own, faults, warnings
    if warnings:
        return {}, [replace(fault, kind="no-handler") for fault in warnings], []
    name = os.path.basename(source.relative)
    fix = f"Write `def GET(context): ...`. If it is not a route, name it _{name}."
    problem = "the file defines no handler"
    return {}, [Fault("no-handler", source.relative, problem, fix)], []


def _is_decorated(method: str, handler: t.Any) -> bool:
    if not inspect.isfunction(handler):
        return False
    return hasattr(handler, "__wrapped__") or handler.__code__.co_name != method


def _decorators(handler: t.Any) -> t.Iterator[t.Any]:
    """Yield the functions that decorators put around a handler, the last first."""
    while inspect.isfunction(handler) and hasattr(handler, "__wrapped__"):
        yield handler
        handler = handler.__wrapped__


def _fix(method: str, value: t.Any) -> str:
    """Return how to fix a handler that cannot be called with a context."""
    if inspect.isgeneratorfunction(value) or inspect.isasyncgenfunction(value):
        return _STREAM_FIX
    fix = _FIX.format(method)
    if not inspect.isfunction(value):
        return f"{fix} If it has a decorator, let that return a function."
    names = [name for name in inspect.signature(value).parameters if name in _LOCATIONS]
    if names:
        schemas = ", ".join(f"{name}=Schema" for name in names)
        return f"Write @validate({schemas}) above it."
    return fix


def _argument_fault(
    method: str, handler: t.Any, source: Source, params: t.Container[str]
) -> Fault | None:
    """Return a fault for a handler that expects a param, as Flask views do, or
    nothing."""
    first = first_argument(handler)
    if first is None:
        problem = f"{method} takes no context"
    elif first in params:
        problem = f"{method} takes {first!r}, but it is called with the context"
    else:
        return None
    fix = _FIX.format(method)
    return Fault("handler", source.relative, problem, fix, source.line_of(method))


def _decorator_fault(method: str, handler: t.Any, source: Source) -> Fault:
    """Return a fault for a decorator that was written for Flask views, such as one
    whose function takes only ``**kwargs``."""
    code = handler.__code__
    signature = inspect.signature(handler, follow_wrapped=False)
    where = f"{os.path.relpath(code.co_filename)}:{code.co_firstlineno}"
    problem = (
        f"{method} has a decorator whose function {code.co_name}{signature} does not"
        f" take the context ({where})"
    )
    fix = f"Let it pass on all arguments: `def {code.co_name}(*args, **kwargs)`."
    return Fault("handler", source.relative, problem, fix, source.line_of(method))


def is_cross_origin(handler: Handler) -> bool:
    """Return True if *handler* has the decorator of Flask-CORS, which must handle
    ``OPTIONS`` itself."""
    return getattr(handler, "provide_automatic_options", None) is False


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
        close = None
        if upper in METHODS or upper == ALL:
            close = upper
        elif name.isupper():
            close = closest(name, (*METHODS, ALL))
        if close is not None and close not in own:
            misses[name] = close
    return misses
