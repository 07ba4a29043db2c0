"""What handlers and middleware return, as the response to send."""

from __future__ import annotations

import inspect
import re
import types
import typing as t
from collections.abc import Callable

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response as BaseResponse

from ..context import Context
from ..errors import NotAResponseError

_token_re = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_value_re = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
#: Names of header fields that were found to be tokens; an app uses few.
known_names: set[str] = set()
_MOST_NAMES = 1000
DEFAULT_CACHE_CONTROL = "public, max-age=0, must-revalidate"
#: Makes a response of what a function returned: ``(context, function, value)``.
Respond = Callable[[Context, Callable[..., t.Any], t.Any], BaseResponse]


def make_respond(app: Flask, *, file: str, strict: bool) -> Respond:
    """Return the function that makes what a handler returned the response to send.

    :param file: what an error calls the handler's file.
    :param strict: refuse whatever is not a response, instead of converting it.
    """

    def respond(
        context: Context, function: Callable[..., t.Any], value: t.Any
    ) -> BaseResponse:
        if isinstance(value, BaseResponse):
            return value
        environ = context.request.environ
        if isinstance(value, HTTPException):
            answer = value.get_response(environ)
            answer.headers.setdefault("Cache-Control", "no-store")
            return answer
        if _is_wsgi_response(value):
            return app.response_class.force_type(t.cast(t.Any, value), environ)
        if not strict:
            return app.make_response(value)
        raise _not_a_response(file, function, value)

    return respond


def finish(context: Context, response: BaseResponse) -> BaseResponse:
    """Return *response* as it leaves the middleware: with the cookies that were set.

    :raises ValueError: it has a header field that no server can send.
    """
    if context._written_cookies is not None:
        context._written_cookies.write(response)
    for name, value in response.headers:
        # What nearly all header fields are, seen without a call.
        if name in known_names and value.isascii() and value.isprintable():
            continue
        _check_field(name, value)
        if len(known_names) < _MOST_NAMES:
            known_names.add(name)
    return response


def _check_field(name: str, value: str) -> None:
    """Refuse what is no name (a token: RFC 9110, section 5.6.2) or value (5.5)."""
    if not _token_re.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header field.")
    if name.lower() in ("location", "content-location"):
        value = iri_to_uri(value)  # as Werkzeug will send it
    if not _value_re.fullmatch(value):
        raise ValueError(
            f"The value of {name!r} holds a control character, or one that is not"
            f" Latin-1: {value!r}. Encode it, as with urllib.parse.quote()."
        )


def with_default_cache_control(
    handler: Callable[[Context], t.Any], respond: Respond
) -> Callable[[Context], BaseResponse]:
    """Return *handler* with the ``Cache-Control`` of stored answers, unless it has its
    own."""

    def answering(context: Context) -> BaseResponse:
        response = respond(context, handler, handler(context))
        if response.status_code < 400 and not _has_cache_control(response):
            response.headers.add("Cache-Control", DEFAULT_CACHE_CONTROL)
        return response

    return answering


def _has_cache_control(response: BaseResponse) -> bool:
    # Werkzeug's own look-up raises where there is none, as there mostly is.
    return any(name.lower() == "cache-control" for name, _ in response.headers)


def name_of(function: t.Any) -> str:
    """Return what an error calls *function*."""
    return getattr(function, "__name__", type(function).__name__)


def place_of(file: str, function: t.Any) -> str:
    """Return *file* with the line of *function*, where it has one."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return file if code is None else f"{file}:{code.co_firstlineno}"


def _is_wsgi_response(value: t.Any) -> bool:
    """Whether *value* is a response object of another library: a WSGI app with a
    status and headers, not just any callable."""
    return callable(value) and hasattr(value, "status") and hasattr(value, "headers")


def _not_a_response(
    file: str, function: Callable[..., t.Any], value: t.Any
) -> NotAResponseError:
    kind = "nothing (None)" if value is None else type(value).__name__
    where = place_of(file, function)
    return NotAResponseError(where, name_of(function), kind, _fix(value))


def _fix(value: t.Any) -> str:
    if inspect.iscoroutine(value):
        value.close()
        return (
            "Write `async def`, and `return await ...`; a decorator of an async"
            " function must be async too."
        )
    if value is None:
        return "Is a `return` missing? For no content: `return Response(status=204)`."
    if isinstance(value, (dict, list, int, float)):
        return "Write `return context.json(...)`."
    if isinstance(value, tuple):
        return "Write `return Response(body, status=..., headers=...)`."
    if isinstance(value, (str, bytes)):
        return (
            'Write `return Response(text, mimetype="text/plain")`, or'
            " `return context.render()` for a page."
        )
    if isinstance(value, types.GeneratorType):
        return "Write `return Response(generator)` to stream it."
    return "Write `return Response(...)` or `return context.json(...)`."
