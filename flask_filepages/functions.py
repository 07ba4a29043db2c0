"""Whether a value is a function that can be called as it will be."""

from __future__ import annotations

import inspect
import typing as t


def unfit(value: t.Any, *arguments: str) -> str | None:
    """Return why *value* cannot be called with *arguments*, if it cannot.

    A decorator may pass on arguments of its own, so what it wraps is not looked at.
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
        pass  # a built-in function does not say what it takes
    return None


def is_async(value: t.Any) -> bool:
    """Whether *value* is an ``async`` function, or an object that is called as one."""
    call = getattr(type(value), "__call__", None)  # noqa: B004 - the method itself
    return inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(call)
