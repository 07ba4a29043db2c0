"""The handlers of a module: which function answers which method."""

from __future__ import annotations

import difflib
import inspect
import types
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

from flask import Response
from werkzeug.exceptions import MethodNotAllowed

from ..context import Context
from ..errors import Fault
from ..functions import unfit
from ..routing.files import Source

#: The only names of a module that requests can reach. Never looked up by the
#: method of a request.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ALL = "ALL"

Handler = Callable[..., t.Any]
_FIX = "Write `def GET(context): ...`; a param is context.params[name]."
_STREAM_FIX = "Return flask.Response(generator()) to stream, instead of `yield`."


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

    def behind(self, bound: Callable[[Handler], Handler]) -> Handlers:
        """Return the table with *bound* around every handler, and around the answer
        to a missing method: what is behind a guard shows nothing."""

        table = {method: bound(handler) for method, handler in self.table.items()}
        other = bound(self.other or _refusal(self.allow))
        return Handlers(table, other, self.allow)

    def find(self, method: str) -> Handler:
        """Return the handler of *method*.

        :raises MethodNotAllowed: there is none; ``Allow`` lists those there are.
        """
        handler = self.table.get(method, self.other)
        if handler is None:
            raise MethodNotAllowed(valid_methods=list(self.allow))
        return handler


def _refusal(allow: tuple[str, ...]) -> Handler:
    def refuse(context: Context) -> t.NoReturn:
        raise MethodNotAllowed(valid_methods=list(allow))

    return refuse


def _options(allow: tuple[str, ...]) -> Handler:
    def OPTIONS(context: Context) -> Response:
        return context.app.response_class(
            status=204, headers=[("Allow", ", ".join(allow))]
        )

    return OPTIONS


def read_handlers(
    module: types.ModuleType, source: Source, *, has_page: bool
) -> tuple[dict[str, Handler], list[Fault], list[Fault]]:
    """Return the handlers of *module*, what is wrong with it, and warnings."""
    names = vars(module)
    own: dict[str, Handler] = {}
    faults: list[Fault] = []
    for method in (*METHODS, ALL):
        if method not in names:
            continue
        problem = unfit(names[method], "context")
        if problem is None:
            own[method] = names[method]
        else:
            problem, line = f"{method} {problem}", source.line_of(method)
            fix = _STREAM_FIX if problem.endswith("generator") else _FIX
            faults.append(Fault("handler", source.relative, problem, fix, line))
    near = [
        Fault(
            "near-miss",
            source.relative,
            f"{name} answers no method",
            f"Did you mean `{meant}`?",
            source.line_of(name),
        )
        for name, meant in _near_misses(module, own).items()
    ]
    if any(is_cross_origin(handler) for handler in own.values()):
        problem = "its @cross_origin never sees OPTIONS, so no preflight is answered"
        fix = "Write `middleware = cors([...])`, from flask_filepages."
        near.append(Fault("cross-origin", source.relative, problem, fix))
    if own or faults or has_page:
        return own, faults, near
    if near:
        return {}, [replace(fault, kind="no-handler") for fault in near], []
    fix = "Write `def GET(context): ...`."
    return {}, [Fault("no-handler", source.relative, "it has no handler", fix)], []


def is_cross_origin(handler: Handler) -> bool:
    """Whether it is decorated by Flask-CORS, which wants ``OPTIONS`` for itself."""
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
        if upper in METHODS or upper == ALL:
            close = [upper]
        elif name.isupper():
            close = difflib.get_close_matches(name, (*METHODS, ALL), n=1, cutoff=0.6)
        else:
            continue
        if close and close[0] not in own:
            misses[name] = close[0]
    return misses
