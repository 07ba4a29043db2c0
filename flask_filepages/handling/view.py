"""The Flask view of a route, and rewrites from one route to another."""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Callable

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound
from werkzeug.routing import Rule
from werkzeug.wrappers import Response as BaseResponse

from ..context import Context
from ..context import current_request
from ..errors import RewriteLoopError
from ..errors import closest
from ..routing.rules import FileRule
from ..routing.rules import matched_path
from ..validation.bodies import make_rereadable
from .failures import remember_failure
from .origins import SAFE_METHODS
from .origins import refuse_other_sites
from .redirects import redirect_slash
from .responses import finish

if t.TYPE_CHECKING:
    from .route import BoundRoute

View = Callable[..., t.Any]
#: Routes that one request may go through, as in Astro.
MAX_ROUTES = 4


def make_view(route: BoundRoute) -> View:
    """Return the view of *route*.

    Each route has a function of its own, because other extensions exempt and limit
    views by module and name.
    """
    has_one_slash_form = route.settings.trailing_slash != "ignore"

    def view(**params: t.Any) -> BaseResponse:
        request = current_request()
        if has_one_slash_form:
            redirect = redirect_slash(request)
            if redirect is not None:
                return redirect
        return route.respond(request, params)

    return view


def respond(context: Context, run: Callable[[Context], BaseResponse]) -> BaseResponse:
    """Return the response of *run* to *context*, with its cookies; remember a failure.

    An error gets ``no-store``, unless it has a ``Cache-Control``.
    """
    try:
        response = finish(context, run(context))
    except BaseException as error:
        remember_failure(context, error)
        raise
    if response.status_code >= 400:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def handle(context: Context) -> BaseResponse:
    """Call the middleware of the route, and its handler for the method of the request.

    :raises Forbidden: the origin check refuses the request.
    :raises MethodNotAllowed: the route does not handle the method.
    """
    route, request = context._route, context.request
    environ = request.environ
    # Methods are case-sensitive (RFC 9110, 9.1), but Flask's request.method is not.
    method = environ["REQUEST_METHOD"]
    handlers = route.handlers or route.prepare()
    if method not in SAFE_METHODS:
        if route.settings.check_origin:
            refuse_other_sites(request, route)
        make_rereadable(request)
    elif "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
        make_rereadable(request)
    handler = handlers.find(method)
    return route.to_response(context, handler, handler(context))


# -- rewrites -----------------------------------------------------------------------


def rewrite(context: Context, to: str) -> BaseResponse:
    """Return the response of the route at *to*; see :meth:`Context.rewrite`."""
    if not to.startswith("/") or to.startswith("//"):
        raise ValueError(
            f"{to!r} is not a path of these pages. Write it as '/about', without"
            " url_prefix. A rewrite cannot lead to another site."
        )
    if context._is_error:
        raise ValueError("An error page cannot rewrite.")
    site = context._route.site
    trail = (*context._trail, context.route_id)
    if len(trail) > MAX_ROUTES:
        error = RewriteLoopError(trail)
        site.app.logger.error("%s", error)
        raise error
    route = None
    params: dict[str, t.Any] = {}
    with contextlib.suppress(HTTPException):
        rule, params = match_path(site.app, f"{site.url_prefix}{to}")
        route = rule.bound if isinstance(rule, FileRule) else None
    if route is None or route.site is not site or route.route.redirect is not None:
        site.app.logger.warning(
            "%s rewrites to %r, but no route of these pages matches it. Write a decoded"
            " path without query and url_prefix.",
            context.route_id,
            to,
        )
        raise NotFound
    target = Context(context.request, params, route)
    target._trail = trail
    target.locals = context.locals
    # Both contexts share one set of cookies, which is written once, at the end.
    target.cookies = context.cookies
    return handle(target)


def match_path(
    app: Flask, path: str, method: str = "GET"
) -> tuple[Rule, dict[str, t.Any]]:
    """Return the rule of *path*, which is decoded already, and the params.

    :raises HTTPException: no rule matches, or it redirects to another path.
    """
    token = matched_path.set(path)
    try:
        adapter = app.url_map.bind("localhost")
        rule, params = adapter.match(path, method, return_rule=True)
    finally:
        matched_path.reset(token)
    return rule, dict(params)


def closest_path(app: Flask, path: str) -> str | None:
    """Return the path without params that is closest to *path*, or ``None``."""
    known = [rule.rule for rule in app.url_map.iter_rules() if not rule.arguments]
    return closest(path, known, 0.75)
