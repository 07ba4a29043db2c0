"""Error responses: ``404`` and ``500`` files, problem documents, Flask's own page.

The app's own error handlers come first, and errors of the app's own routes are not
touched.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from flask import Flask
from flask import Request
from flask import current_app
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import default_exceptions
from werkzeug.wrappers import Response as BaseResponse

from .. import problems
from ..context import Context
from ..context import Values
from ..context import current_request
from ..errors import InvalidContentError
from ..routing.routes import Route
from ..routing.rules import FileRule
from ..validation.bodies import make_rereadable
from .failures import failed_context
from .failures import failure_id
from .responses import finish

if t.TYPE_CHECKING:
    from ..site import Site
    from .route import BoundRoute

# Middleware at the root may refuse even the error page, with one of these codes, or
# with abort(response), whose code is None. Its refusal is then the response.
_REFUSALS = (401, 403, None)


def register_error_handler(app: Flask) -> None:
    """Handle the errors of file routes, and of unmatched URLs below their prefixes.

    A handler that the app registers for the same code, for ``HTTPException`` or for
    ``Exception`` wins, whether it is registered before or after this call.
    """
    if HTTPException not in app.error_handler_spec[None][None]:
        app.register_error_handler(HTTPException, handle_error)


def handle_error(error: HTTPException) -> t.Any:
    """Handle an error of an app with FilePages."""
    app, request = current_app, current_request()
    # Flask prefers the narrower class, which is HTTPException, so this one.
    own = app.error_handler_spec[None][None].get(Exception)
    if own is not None:
        return app.ensure_sync(own)(error)
    site = _site_of(request, error, app.extensions["filepages"])
    if site is None or error.response is not None:
        return error
    page = site.tree.error_routes.get(error.code or 0)
    rule = request.url_rule
    if app.debug and rule is None:
        with site.lock:
            site.set_up()  # It logs the files that make no route.
    matched = rule.route if isinstance(rule, FileRule) else None
    wants_problem = _wants_problem(request, matched, site)
    if page is not None and not (page.page and wants_problem):
        cause = getattr(error, "original_exception", None) or error
        try:
            route = site.routes[page.id]
            return _completed(request, _render_page(route, cause))
        except Exception as other:
            if isinstance(other, HTTPException) and other.code in _REFUSALS:
                return _completed(request, other.get_response(request.environ))
            app.logger.exception("The %s page raised an error", error.code)
    if matched is None and error.code != 404:
        return error
    make = _problem if wants_problem else _built_in
    return _completed(request, make(request, error))


def _completed(request: Request, response: BaseResponse) -> BaseResponse:
    """Return *response* with ``no-store``, and with the id that the log shows."""
    response.headers.setdefault("Cache-Control", "no-store")
    failure = failure_id(request)
    if failure is not None:
        response.headers["X-Request-Id"] = failure
    return response


def _site_of(
    request: Request, error: HTTPException, sites: Mapping[str, Site]
) -> Site | None:
    """Return the site of the matched route. For a URL without a route, or without a
    file in the app's static folder, return the one with the longest prefix."""
    rule = request.url_rule
    if rule is not None and not (rule.endpoint == "static" and error.code == 404):
        is_ours = isinstance(rule, FileRule)
        return sites.get(request.blueprint or "") if is_ours else None
    path = f"{request.path}/"
    below = [s for s in sites.values() if path.startswith(f"{s.url_prefix}/")]
    return max(below, key=lambda site: len(site.url_prefix), default=None)


def _is_endpoint(request: Request, matched: Route | None, site: Site) -> bool:
    """Return True if the URL is one of an endpoint: of *matched*, or but for the value
    of a param, like ``/posts/abc`` for ``/posts/[id=int]``."""
    if matched is not None:
        return matched.page is None
    segments = request.path.removeprefix(site.url_prefix).strip("/").split("/")
    patterns = site.endpoint_patterns
    candidates = (*patterns.get(segments[0], ()), *patterns.get("", ()))
    return any(pattern.fits(segments) for pattern in candidates)


def _wants_problem(request: Request, matched: Route | None, site: Site) -> bool:
    """Return True if the client gets a problem document.

    For an endpoint it does, unless it ranks HTML above JSON. For a page, and for a URL
    that no route has, it must rank JSON above HTML.
    """
    accepted = request.accept_mimetypes
    html = accepted["text/html"]
    data = max(accepted["application/json"], accepted[problems.MIMETYPE])
    if html == data:
        return _is_endpoint(request, matched, site)
    return html < data


def _problem(request: Request, error: HTTPException) -> BaseResponse:
    """Return *error* as a problem document, with its own header fields."""
    response = error.get_response(request.environ)
    if not isinstance(error, InvalidContentError):
        failure = failure_id(request) if error.code == 500 else None
        response.mimetype = problems.MIMETYPE
        response.data = problems.document(
            error.code or 500,
            error.name,
            # abort() takes any object: a lazy text, an exception.
            detail=str(error.description) if error.description else None,
            instance=f"urn:uuid:{failure}" if failure else None,
        )
    return response


def _built_in(request: Request, error: HTTPException) -> BaseResponse:
    """Return Werkzeug's page for *error*, with the errors of validation in it."""
    if isinstance(error, InvalidContentError):
        lines = (
            f"{one.get('parameter') or one.get('pointer')}: {one['detail']}"
            for one in problems.errors_of(error.messages)
        )
        text = "\n".join([error.description or "", *lines])
        error = default_exceptions[error.code or 400](text)
    return error.get_response(request.environ)


def _render_page(route: BoundRoute, error: BaseException) -> BaseResponse:
    """Return the response of an error page for *error*.

    The page sees the ``locals`` of the handler that failed, the error and the request
    id.
    """
    request = current_request()
    handler = (route.handlers or route.prepare()).find("GET")
    make_rereadable(request)
    context = Context(request, {}, route)
    context._is_error = True
    props = {"error": error, "request_id": failure_id(request)}
    context.props = Values("props", props)
    failed = failed_context(request)
    if failed is not None:
        context.locals = failed.locals
    return finish(context, route.to_response(context, handler, handler(context)))
