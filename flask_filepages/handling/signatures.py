"""Check that handlers can be called with a context, also through their decorators."""

from __future__ import annotations

import inspect
import os
import typing as t
from collections.abc import Iterator

from ..errors import Fault
from ..functions import call_problem
from ..functions import first_argument
from ..routing.files import Source

_FIX = "Write `def {}(context): ...`; a param is context.params[name]."
_STREAM_FIX = "Return flask.Response(generator()) to stream, instead of `yield`."
_LOCATIONS = ("json", "form", "query", "params", "headers", "cookies", "files")


def handler_faults(
    method: str, handler: t.Any, source: Source, params: t.Container[str]
) -> Iterator[Fault]:
    """Yield a fault if a handler cannot be called with a context, or if one of its
    decorators cannot.

    :param params: the params of the route. Unlike a view, a handler does not get them.
    """
    line = source.line_of(method)
    problem = call_problem(handler, "context")
    decorators = list(_decorators(handler))
    if not decorators:
        wrong, fix = _argument_problem(method, handler, params), _FIX.format(method)
        if problem is not None:
            wrong, fix = f"{method} {problem}", _fix(method, handler)
        if wrong is not None:
            yield Fault("handler", source.relative, wrong, fix, line)
    for decorator in decorators:
        # Below the first, functions may be called with more than the context.
        is_first = decorator is handler and problem is not None
        if is_first or first_argument(decorator, unwrap=False) is None:
            told, fix = _explain_decorator(method, decorator)
            yield Fault("handler", source.relative, told, fix, line)


def handler_warnings(
    method: str, handler: t.Any, source: Source, params: t.Container[str]
) -> Iterator[Fault]:
    """Yield warnings about the arguments of a handler that can be called."""
    line = source.line_of(method)
    if first_argument(handler) in ("request", "req"):
        problem = f"the first argument of {method} is the context"
        fix = f"Write `def {method}(context)`, and context.request."
        yield Fault("handler", source.relative, problem, fix, line)
    # A decorator may call its function with other arguments, so this only warns.
    wrong = _argument_problem(method, handler, params)
    if wrong is not None:
        yield Fault("handler", source.relative, wrong, _FIX.format(method), line)


def _decorators(handler: t.Any) -> Iterator[t.Any]:
    """Yield the functions that decorators put around a handler, the last first."""
    while inspect.isfunction(handler):
        wrapped = getattr(handler, "__wrapped__", None)
        if wrapped is None and "<locals>" not in handler.__code__.co_qualname:
            return
        yield handler
        handler = wrapped


def _argument_problem(
    method: str, handler: t.Any, params: t.Container[str]
) -> str | None:
    """Return the problem of a handler that takes nothing, or a param as Flask views
    do."""
    first = first_argument(handler)
    if first is None:
        return f"{method} takes no context"
    if first in params and first != "context":
        return f"{method} takes {first!r}, but it is called with the context"
    return None


def _fix(method: str, value: t.Any) -> str:
    """Return how to fix a handler that cannot be called with a context."""
    if inspect.isgeneratorfunction(value) or inspect.isasyncgenfunction(value):
        return _STREAM_FIX
    fix = _FIX.format(method)
    if not inspect.isfunction(value):
        return f"{fix} If it has a decorator, let that return a function."
    given = list(inspect.signature(value).parameters)
    names = [name for name in given[1:] if name in _LOCATIONS]
    if names and given[0] not in _LOCATIONS:
        schemas = ", ".join(f"{name}=Schema" for name in names)
        return f"Write @validate({schemas}) above it."
    return fix


def _explain_decorator(method: str, decorator: t.Any) -> tuple[str, str]:
    """Return problem and fix of a decorator that was written for Flask views, such as
    one whose function takes only ``**kwargs``."""
    problem = call_problem(decorator, "context")
    if problem is not None and not problem.startswith("does not take"):
        return f"{method} {problem}", _fix(method, decorator)
    code = decorator.__code__
    signature = inspect.signature(decorator, follow_wrapped=False)
    where = f"{os.path.relpath(code.co_filename)}:{code.co_firstlineno}"
    problem = (
        f"{method} has a decorator whose function {code.co_name}{signature} does not"
        f" take the context ({where})"
    )
    name = code.co_name if code.co_name.isidentifier() else "wrapped"
    fix = f"Let it pass on all arguments: `def {name}(*args, **kwargs)`."
    return problem, fix
