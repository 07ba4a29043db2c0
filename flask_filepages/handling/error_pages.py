"""What answers errors: ``404`` and ``500`` files, problem documents, Flask's own page.

The app's error handlers go first, and the app's own routes are left alone.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from flask import Flask
from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import UnprocessableEntity
from werkzeug.wrappers import Response as BaseResponse

from .. import problems
from ..context import current_request
from ..errors import InvalidContentError
from ..routing.routes import Route
from ..routing.rules import FileRule
from .failures import failure_id

#: How a guard of the root refuses; ``None`` is a response of its own.
_REFUSED = (401, 403, None)


class Owner(t.Protocol):
    """What an app's error handler needs to know of each FilePages."""

    @property
    def name(self) -> str: ...
    @property
    def url_prefix(self) -> str: ...
    @property
    def error_routes(self) -> t.Mapping[int, Route]: ...
    def error_page(self, code: int, error: BaseException) -> BaseResponse: ...


def register_error_answers(app: Flask, owners: Callable[[], t.Iterable[Owner]]) -> None:
    """Let *app* answer errors of the routes of *owners*, and below their prefixes.

    A handler that the app registers itself goes first, for the same code, for
    ``HTTPException`` or ``Exception``, before or after this call.
    """
    handlers = app.error_handler_spec[None][None]
    if HTTPException not in handlers:
        app.register_error_handler(HTTPException, _make_handler(app, owners))


def _make_handler(
    app: Flask, owners: Callable[[], t.Iterable[Owner]]
) -> Callable[[HTTPException], t.Any]:
    def answer_error(error: HTTPException) -> t.Any:
        req = current_request()
        # Flask looks for the narrower class first, which is the one of this handler.
        own = app.error_handler_spec[None][None].get(Exception)
        if own is not None:
            return app.ensure_sync(own)(error)
        owner = _owner(req, owners())
        if owner is None or error.response is not None:
            return error
        page = owner.error_routes.get(error.code or 0)
        rule = req.url_rule
        route = rule.route if isinstance(rule, FileRule) else None
        if page is not None and not (page.page and _wants_problem(req, route)):
            cause = getattr(error, "original_exception", None) or error
            try:
                return _completed(req, owner.error_page(error.code or 500, cause))
            except Exception as other:
                if isinstance(other, HTTPException) and other.code in _REFUSED:
                    return _completed(req, other.get_response(req.environ))
                app.logger.exception("The %s page raised itself", error.code)
        if route is None:
            return error
        answer = _problem if _wants_problem(req, route) else _built_in
        return _completed(req, answer(req, error))

    return answer_error


def _completed(req: Request, response: BaseResponse) -> BaseResponse:
    """Return *response* as one that nobody stores, with the id that the log shows."""
    response.headers.setdefault("Cache-Control", "no-store")
    failure = failure_id(req)
    if failure is not None:
        response.headers["X-Request-Id"] = failure
    return response


def _owner(req: Request, owners: t.Iterable[Owner]) -> Owner | None:
    """Return whose error it is: that of the matched route, or of the longest prefix."""
    rule = req.url_rule
    if rule is not None:
        if not isinstance(rule, FileRule):
            return None
        return next((o for o in owners if o.name == req.blueprint), None)
    path = req.path
    below = [o for o in owners if f"{path}/".startswith(f"{o.url_prefix}/")]
    return max(below, key=lambda owner: len(owner.url_prefix), default=None)


def _wants_problem(req: Request, route: Route | None) -> bool:
    """Whether the client gets a problem document: from an endpoint unless it prefers
    HTML, from a page only if it prefers JSON."""
    if route is None:
        return False
    accepted = req.accept_mimetypes
    html = accepted["text/html"]
    data = max(accepted["application/json"], accepted[problems.MIMETYPE])
    return html <= data if route.page is None else html < data


def _problem(req: Request, error: HTTPException) -> BaseResponse:
    """Return *error* as a problem document, with its own header fields."""
    response = error.get_response(req.environ)
    if not isinstance(error, InvalidContentError):
        failure = failure_id(req) if error.code == 500 else None
        response.mimetype = problems.MIMETYPE
        response.data = problems.document(
            error.code or 500,
            error.name,
            # Whatever was given to abort(): a lazy text, an exception.
            detail=str(error.description) if error.description else None,
            instance=f"urn:uuid:{failure}" if failure else None,
        )
    return response


def _built_in(req: Request, error: HTTPException) -> BaseResponse:
    """Return *error* as Werkzeug's page."""
    if isinstance(error, InvalidContentError):
        lines = (
            f"{one.get('parameter') or one.get('pointer')}: {one['detail']}"
            for one in problems.errors_of(error.messages)
        )
        told = [InvalidContentError.description, *lines]
        error = UnprocessableEntity("\n".join(told))
    return error.get_response(req.environ)
