"""A route to the Flask view that answers it."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.wrappers import Response as BaseResponse

from ..context import Binding
from ..context import Context
from ..context import current_request
from ..routing.rules import FileRule
from ..validation.bodies import make_rereadable
from .failures import remember
from .handlers import Handlers
from .origins import SAFE_METHODS
from .responses import Respond
from .responses import finish
from .responses import known_names

View = Callable[..., t.Any]
#: Runs before a handler is looked for; what it gives is the answer.
Check = Callable[[Request], "BaseResponse | None"]
Checks = list[Check]
#: Raises if the request may change nothing.
Guard = Callable[[Request], None]


def make_view(
    binding: Binding,
    handlers: Handlers,
    checks: Checks,
    prepare: Callable[[], None],
    guard: Guard,
    respond: Respond,
) -> View:
    """Return the view of a route.

    :param handlers: the table of the route, empty until its file is loaded.
    :param checks: what may answer instead; it may grow shorter.
    :param prepare: loads the file and fills the table in place.
    :param guard: runs before methods that are not safe.
    :param respond: see :func:`~flask_filepages.responses.make_respond`.

    The view is a function of its own for each route; other extensions exempt and
    limit views by their module and name, which the caller sets.
    """
    table = handlers.table
    new = Context.__new__
    known = known_names

    def view(**params: t.Any) -> BaseResponse:
        req: Request = current_request()
        if checks:
            early = first_answer(checks, req)
            if early is not None:
                return early
        # Context(req, params, binding), without the cost of a call.
        context = new(Context)
        context.request = req
        context._params = params
        context._binding = binding
        context._written_cookies = None
        # As it was sent: methods are case-sensitive (RFC 9110, 9.1), Flask's are not.
        environ = req.environ
        method = environ["REQUEST_METHOD"]
        try:
            handler = table.get(method)
            if handler is None:
                prepare()
            if method not in SAFE_METHODS:
                guard(req)
                make_rereadable(req)
            elif "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
                make_rereadable(req)
            if handler is None:
                handler = handlers.find(method)
            response = handler(context)
            if not isinstance(response, BaseResponse):
                response = respond(context, handler, response)
            if context._written_cookies is None:
                # What nearly all header fields are, seen without a call.
                for name, value in response.headers:
                    if not (name in known and value.isascii() and value.isprintable()):
                        break
                else:
                    return response
            return finish(context, response)
        except BaseException as error:
            remember(context, error)
            raise

    return view


def enter(
    context: Context, handlers: Handlers, guard: Guard, respond: Respond
) -> BaseResponse:
    """Return what a route answers to *context*, which another route led here."""
    method = context.request.environ["REQUEST_METHOD"]
    if method not in SAFE_METHODS:
        guard(context.request)
    handler = handlers.find(method)
    return respond(context, handler, handler(context))


def first_answer(checks: Checks, req: Request) -> BaseResponse | None:
    """Return the first answer that one of *checks* gives, in their order."""
    answers = (check(req) for check in tuple(checks))
    return next((answer for answer in answers if answer is not None), None)


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
