"""Turn the return value of a handler or middleware into the response to send."""

from __future__ import annotations

import inspect
import re
import types
import typing as t
from collections.abc import Callable

from flask import current_app
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response as BaseResponse

from ..errors import NotAResponseError
from ..functions import name_of
from ..functions import with_line

if t.TYPE_CHECKING:
    from ..context import Context

_token_re = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_value_re = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
#: Names of header fields that were checked before. An app uses few.
_known_names: set[str] = set()
_MOST_NAMES = 1000
DEFAULT_CACHE_CONTROL = "public, max-age=0, must-revalidate"
GUARDED_CACHE_CONTROL = "private, max-age=0, must-revalidate"


def to_response(
    context: Context,
    function: Callable[..., t.Any],
    value: t.Any,
    *,
    file: str,
    strict: bool | None = None,
) -> BaseResponse:
    """Return *value*, which *function* returned, as a response.

    :param file: the name of the function's file in errors.
    :param strict: raise for values that are not responses, instead of converting them.
        ``None`` is for middleware, which FILEPAGES_STRICT_RESPONSE does not affect.
    :raises NotAResponseError: *value* is not a response.
    """
    if isinstance(value, BaseResponse):
        return value
    environ = context.request.environ
    if isinstance(value, HTTPException):
        response = value.get_response(environ)
        response.headers.setdefault("Cache-Control", "no-store")
        return response
    # A response of another library is a WSGI app with status and headers.
    if callable(value) and hasattr(value, "status") and hasattr(value, "headers"):
        return current_app.response_class.force_type(t.cast(t.Any, value), environ)
    if strict is False:
        return current_app.make_response(t.cast(t.Any, value))
    kind = "nothing (None)" if value is None else type(value).__name__
    where = with_line(file, function)
    fix = _fix(value) if strict else _fix(value).removesuffix(f" {_NOT_STRICT}")
    raise NotAResponseError(where, name_of(function), kind, fix)


def finish(context: Context, response: BaseResponse) -> BaseResponse:
    """Return *response* with the cookies that were set, its header fields checked.

    :raises ValueError: it has a header field that no server can send.
    """
    cookies = vars(context).get("cookies")
    if cookies is not None:
        cookies.write(response)
    for name, value in response.headers:
        # Most fields pass these quick checks.
        if name in _known_names and value.isascii() and value.isprintable():
            continue
        check_field(name, value)
        if len(_known_names) < _MOST_NAMES:
            _known_names.add(name)
    return response


def check_field(name: str, value: str) -> None:
    """Check the name (a token: RFC 9110, section 5.6.2) and the value (5.5) of a field.

    :raises ValueError: one of them is invalid.
    """
    if not _token_re.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a header field.")
    if name.lower() in ("location", "content-location"):
        value = iri_to_uri(value)  # Werkzeug sends it like this.
    if not _value_re.fullmatch(value):
        raise ValueError(
            f"The value of {name!r} contains a control character or a character that"
            f" is not Latin-1: {value!r}. Encode it, as with urllib.parse.quote()."
        )


def add_default_cache_control(response: BaseResponse, *, is_guarded: bool) -> None:
    """Give a prerendered response its ``Cache-Control``, unless it has one.

    :param is_guarded: middleware decides who gets it, so shared caches may not keep it.
    """
    # Werkzeug's own look-up raises an exception where the field is missing.
    has_own = any(name.lower() == "cache-control" for name, _ in response.headers)
    if response.status_code < 400 and not has_own:
        default = GUARDED_CACHE_CONTROL if is_guarded else DEFAULT_CACHE_CONTROL
        response.headers.add("Cache-Control", default)


_NOT_STRICT = (
    "With FILEPAGES_STRICT_RESPONSE = False, handlers may return what Flask views may."
)


def _fix(value: t.Any) -> str:
    """Return what to write instead of returning *value*."""
    if inspect.iscoroutine(value):
        value.close()
        return (
            "Write `async def` and `return await ...`. A decorator of an async"
            " function must be async too."
        )
    if value is None:
        return "Is a `return` missing? For no content: `return Response(status=204)`."
    if inspect.isfunction(value):
        return (
            f"Call {name_of(value)}(). A decorator that takes arguments is called too:"
            " @role(...)."
        )
    if type(value) is int and value in HTTP_STATUS_CODES:
        code = f"abort({value})" if value >= 400 else f"return Response(status={value})"
        return f"If it is a status, write `{code}`, from flask."
    if isinstance(value, types.GeneratorType):
        return "Write `return Response(generator)` to stream it."
    if isinstance(value, (dict, list)):
        return f"Write `return context.json(...)`. {_NOT_STRICT}"
    if isinstance(value, (str, bytes)):
        return (
            "Write `return context.render(...)` for a template, `return Response(text,"
            ' mimetype="text/plain")` for a text, or `return make_response(html)`, from'
            f" flask. {_NOT_STRICT}"
        )
    if isinstance(value, tuple) and value and isinstance(value[0], (dict, list)):
        return f"Write `return context.json(data, status, headers)`. {_NOT_STRICT}"
    if isinstance(value, tuple):
        return (
            "Write `return make_response(body, status)`, from flask, or `return"
            f" Response(body, status=..., headers=...)`. {_NOT_STRICT}"
        )
    return "Write `return Response(...)` or `return context.json(...)`."
