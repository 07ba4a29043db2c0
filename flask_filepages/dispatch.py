"""A route to the Flask view that answers it."""

from __future__ import annotations

import inspect
import types
import typing as t
from collections.abc import Callable

from flask import Flask
from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.wrappers import Response as BaseResponse

from .bodies import make_rereadable
from .context import Binding
from .context import Context
from .context import current_request
from .errors import NotAResponseError
from .handlers import Handler
from .handlers import Handlers
from .routing import FileRule

View = Callable[..., t.Any]
Finish = Callable[[Context, Handler, t.Any], BaseResponse]
#: Runs before a handler is looked for; what it gives is the answer.
Check = Callable[[Request], "BaseResponse | None"]
Checks = list[Check]
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


def make_view(
    binding: Binding,
    handlers: Handlers,
    checks: Checks,
    prepare: Callable[[], None],
    finish: Finish,
) -> View:
    """Return the view of a route.

    :param handlers: the table of the route, empty until its file is loaded.
    :param checks: what may answer instead; it may grow shorter.
    :param prepare: loads the file and fills the table in place.
    :param finish: see :func:`make_finish`.

    The view is a function of its own for each route; other extensions exempt and
    limit views by their module and name, which the caller sets.
    """
    table = handlers.table
    new = Context.__new__

    def view(**params: t.Any) -> BaseResponse:
        req: Request = current_request()
        if checks:
            early = first_answer(checks, req)
            if early is not None:
                return early
        # As it was sent: methods are case-sensitive (RFC 9110, 9.1), Flask's are not.
        method = req.environ["REQUEST_METHOD"]
        handler = table.get(method)
        if handler is None:
            prepare()
            handler = handlers.find(method)
        if method not in _WITHOUT_BODY:
            make_rereadable(req)
        # Context(req, params, binding), without the cost of a call.
        context = new(Context)
        context.request = req
        context._params = params
        context._binding = binding
        context._written_cookies = None
        response = handler(context)
        if isinstance(response, BaseResponse) and context._written_cookies is None:
            return response
        return finish(context, handler, response)

    return view


def first_answer(checks: Checks, req: Request) -> BaseResponse | None:
    """Return the first answer that one of *checks* gives, in their order."""
    answers = (check(req) for check in tuple(checks))
    return next((answer for answer in answers if answer is not None), None)


def make_finish(app: Flask, *, file: str, strict: bool) -> Finish:
    """Return the function that makes what a handler returned the response to send.

    :param file: what an error calls the handler's file.
    :param strict: refuse whatever is not a response, instead of converting it.
    """

    def finish(context: Context, handler: Handler, value: t.Any) -> BaseResponse:
        if not isinstance(value, BaseResponse):
            value = _to_response(app, context.request, handler, value, file, strict)
        if context._written_cookies is not None:
            context._written_cookies.write(value)
        return t.cast(BaseResponse, value)

    return finish


def _to_response(
    app: Flask, req: Request, handler: Handler, value: t.Any, file: str, strict: bool
) -> BaseResponse:
    if isinstance(value, HTTPException):
        return value.get_response(req.environ)
    if _is_wsgi_response(value):
        return app.response_class.force_type(t.cast(t.Any, value), req.environ)
    if not strict:
        return app.make_response(value)
    name = getattr(handler, "__name__", type(handler).__name__)
    code = getattr(inspect.unwrap(handler), "__code__", None)
    where = file if code is None else f"{file}:{code.co_firstlineno}"
    kind = "nothing (None)" if value is None else type(value).__name__
    raise NotAResponseError(where, name, kind, _fix(value))


def _is_wsgi_response(value: t.Any) -> bool:
    """Whether *value* is a response object of another library: a WSGI app with a
    status and headers, not just any callable."""
    return callable(value) and hasattr(value, "status") and hasattr(value, "headers")


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


def refuse_shadowed(req: Request, shadow: tuple[Map, Map]) -> None:
    """Raise what the app itself answers where one of its rules goes before ours.

    :param shadow: the app's overlapping rules for any method, with the rules of
        the matched route; and the same rules of the app as they are.
    """
    any_method, as_they_are = shadow
    subdomain = req.url_rule.subdomain if req.url_rule is not None else None
    where = ("localhost", "/", subdomain, "http", req.method, req.path)
    try:
        rule, _ = any_method.bind(*where).match(return_rule=True)
    except HTTPException:
        return
    if not isinstance(rule, FileRule):
        as_they_are.bind(*where).match()
