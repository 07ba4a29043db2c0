"""Inspect the functions that users write: handlers, middleware and hooks."""

from __future__ import annotations

import inspect
import os
import re
import sys
import sysconfig
import traceback
import typing as t

if t.TYPE_CHECKING:
    from flask import Flask

_PATHS = sysconfig.get_paths()
_LIBRARIES = tuple(
    f"{_PATHS[name]}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_LONGEST_CHAIN = 50
_LONGEST_TEXT = 2000
_PACKAGE = os.path.dirname(__file__) + os.sep
_unknown_argument_re = re.compile(
    r"(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument"
)


def name_of(function: t.Any) -> str:
    """Return the name of *function* for an error message."""
    return getattr(function, "__name__", type(function).__name__)


def location_of(function: t.Any) -> tuple[str, int] | None:
    """Return file and line of *function*, or ``None`` for a built-in one."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return None if code is None else (code.co_filename, code.co_firstlineno)


def with_line(file: str, function: t.Any) -> str:
    """Return *file* with the line of *function* in it, such as ``pages/a.py:3``."""
    location = location_of(function)
    if location is None:
        return file
    # A decorator may have put a function of another file in its place.
    where = file if location[0].endswith(file) else location[0]
    return f"{where}:{location[1]}"


def described(function: t.Any, root: str) -> str:
    """Return name and place of *function*, such as ``hook() (app.py:3)``.

    :param root: the folder to which the file is relative.
    """
    location = location_of(function)
    name = f"{name_of(function)}()"
    if location is None:
        return name
    return f"{name} ({os.path.relpath(location[0], root)}:{location[1]})"


def last_place(error: BaseException) -> tuple[str, int] | None:
    """Return the last file and line of the user's code that *error* went through, or
    ``None``. Installed packages are skipped."""
    frames = _own_frames(error)
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else None


def _own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    return [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<", _PACKAGE, *_LIBRARIES))
    ]


def summary_of(error: BaseException) -> str:
    """Return the type and the message of *error*, shortened, as printable text."""
    try:
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
    except Exception:  # An error may refuse even str().
        text = type(error).__name__
    return text[:_LONGEST_TEXT].encode("utf-8", "backslashreplace").decode()


def chain_of(error: BaseException) -> tuple[str, ...]:
    """Return how *error* came about: the lines of the user's code that it went through,
    and the errors that caused it."""
    lines: list[str] = []
    current: BaseException | None = error
    while current is not None and len(lines) < _LONGEST_CHAIN:
        if lines:
            lines.append(f"Caused by {summary_of(current)}")
        for frame in _own_frames(current):
            where = f"{os.path.relpath(frame.filename)}:{frame.lineno}"
            lines.append(f"{where}, in {frame.name}: {frame.line}")
        is_hidden = current.__suppress_context__
        current = current.__cause__ or (None if is_hidden else current.__context__)
    return tuple(lines)


def argument_hint(error: BaseException) -> str | None:
    """Return the arguments of a function of this package that was called with an
    unknown one, as a sentence, or ``None`` if *error* is another error."""
    if type(error) is not TypeError:
        return None
    found = _unknown_argument_re.match(str(error))
    function = (
        getattr(sys.modules["flask_filepages"], found[1], None) if found else None
    )
    if function is None:
        return None
    names = [n for n in inspect.signature(function).parameters if n != "function"]
    return f"The arguments of {name_of(function)} are: {', '.join(names)}."


def is_async(function: t.Any) -> bool:
    """Return True for an ``async`` function, or an object that is called as one."""
    call = getattr(type(function), "__call__", None)  # noqa: B004 - the method itself
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def first_argument(function: t.Any, *, unwrap: bool = True) -> str | None:
    """Return the name of the first positional argument that *function* takes. It is
    ``""`` for ``*args``, and ``None`` if it takes none.

    :param unwrap: take the function below all decorators.
    """
    try:
        signature = inspect.signature(function, follow_wrapped=unwrap)
    except (TypeError, ValueError):
        return ""  # Built-in functions have no signature.
    first = next(iter(signature.parameters.values()), None)
    if first is None or first.kind in (first.KEYWORD_ONLY, first.VAR_KEYWORD):
        return None
    return "" if first.kind is first.VAR_POSITIONAL else first.name


def call_problem(value: t.Any, *arguments: str) -> str | None:
    """Return why *value* cannot be called with *arguments*, or ``None`` if it can.

    Decorators may pass on arguments of their own, so only the outermost signature
    counts.
    """
    if not callable(value) or isinstance(value, type):
        kind = "a class" if isinstance(value, type) else type(value).__name__
        return f"is {kind}, not a function"
    if inspect.isgeneratorfunction(value) or inspect.isasyncgenfunction(value):
        return "is a generator"
    try:
        inspect.signature(value, follow_wrapped=False).bind(*arguments)
    except TypeError:
        return f"does not take ({', '.join(arguments)})"
    except ValueError:
        pass  # Built-in functions have no signature.
    return None


def count_setup(app: Flask) -> list[int]:
    """Count the functions that are registered with *app*, such as its views."""
    hooks = (
        *(app.before_request_funcs, app.after_request_funcs),
        *(app.teardown_request_funcs, app.url_value_preprocessors),
        app.template_context_processors,
    )
    handlers = (c for scope in app.error_handler_spec.values() for c in scope.values())
    counts = [sum(map(len, kind.values())) for kind in hooks]
    return [len(app.view_functions), *counts, sum(map(len, handlers))]
