"""Check that handlers can be called with a context, also through their decorators."""

from __future__ import annotations

import inspect
import os
import typing as t
from collections.abc import Iterator

from ..functions import call_problem
from ..functions import first_argument

_FIX = "Write `def {}(context): ...`; a param is context.params[name]."
_STREAM_FIX = "Return flask.Response(generator()) to stream, instead of `yield`."
_LOCATIONS = ("json", "form", "query", "params", "headers", "cookies", "files")


def argument_problems(
    method: str, handler: t.Any, params: t.Container[str]
) -> Iterator[tuple[str, str, bool]]:
    """Yield what is wrong with the arguments of a handler or of its decorators: the
    problem, its fix, and True if it is an error. A handler without an error can be
    called with a context.

    :param params: the params of the route. Unlike a view, a handler does not get them.
    """
    problem = call_problem(handler, "context")
    decorators = list(_decorators(handler))
    for decorator in decorators:
        # Below the first, functions may be called with more than the context.
        is_first = decorator is handler and problem is not None
        if is_first or first_argument(decorator, unwrap=False) is None:
            yield *_explain_decorator(method, decorator), True
    if problem is not None and not decorators:
        yield f"{method} {problem}", _fix(method, handler), True
        return
    first = first_argument(handler)
    # A decorator may call its function with other arguments, so this only warns.
    is_error, fix = not decorators, _FIX.format(method)
    if first is None:
        yield f"{method} takes no context", fix, is_error
    elif first in params and first != "context":
        told = f"{method} takes {first!r}, but it is called with the context"
        yield told, fix, is_error
    elif first in ("request", "req"):
        fix = f"Write `def {method}(context)`, and context.request."
        yield f"the first argument of {method} is the context", fix, False


def _decorators(handler: t.Any) -> Iterator[t.Any]:
    """Yield the functions that decorators put around a handler, the last first."""
    while inspect.isfunction(handler):
        wrapped = getattr(handler, "__wrapped__", None)
        if wrapped is None and "<locals>" not in handler.__code__.co_qualname:
            return
        yield handler
        handler = wrapped


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
