"""``404`` and ``500`` files answer errors below their prefix."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from flask import Flask
from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import default_exceptions
from werkzeug.wrappers import Response as BaseResponse

from .routing import FileRule

#: Gives the error page of one FilePages: ``(status code, error) -> response``.
ErrorPage = Callable[[int, BaseException], BaseResponse]


class Owner(t.Protocol):
    """What an app's error handler needs to know of each FilePages."""

    @property
    def name(self) -> str: ...
    @property
    def url_prefix(self) -> str: ...
    @property
    def error_pages(self) -> t.Mapping[int, ErrorPage]: ...


def register_error_pages(app: Flask, owners: Callable[[], t.Iterable[Owner]]) -> None:
    """Let *app* answer errors with the error pages of *owners*.

    A handler that the app registers itself goes first, for the same code, for
    ``HTTPException`` or ``Exception``, before or after this call.
    """
    handlers = app.error_handler_spec[None]
    for code in {code for owner in owners() for code in owner.error_pages}:
        if default_exceptions[code] not in handlers.get(code, {}):
            app.register_error_handler(code, _make_handler(app, owners))


def _make_handler(
    app: Flask, owners: Callable[[], t.Iterable[Owner]]
) -> Callable[[HTTPException], t.Any]:
    def error_page(error: HTTPException) -> t.Any:
        own = _general_handler(app, error)
        if own is not None:
            return app.ensure_sync(own)(error)
        owner = _owner(owners())
        page = owner.error_pages.get(error.code or 0) if owner else None
        if page is None:
            return error
        cause = getattr(error, "original_exception", None) or error
        try:
            return page(error.code or 500, cause)
        except Exception:
            app.logger.exception("The %s page raised while it was rendered", error.code)
            return error

    return error_page


def _general_handler(app: Flask, error: HTTPException) -> t.Any:
    for name in (*request.blueprints, None):
        general = app.error_handler_spec[name].get(None, {})
        found = next((general[c] for c in type(error).__mro__ if c in general), None)
        if found is not None:
            return found
    return None


def _owner(owners: t.Iterable[Owner]) -> Owner | None:
    """Return whose error it is: that of the matched route, or of the longest prefix."""
    rule = request.url_rule
    if rule is not None:
        if not isinstance(rule, FileRule):
            return None
        return next((o for o in owners if o.name == request.blueprint), None)
    path = request.path
    below = [o for o in owners if f"{path}/".startswith(f"{o.url_prefix}/")]
    return max(below, key=lambda owner: len(owner.url_prefix), default=None)
