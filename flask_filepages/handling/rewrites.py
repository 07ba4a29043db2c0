"""Answering with another route of the same tree."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from ..context import Binding
from ..context import Context
from ..errors import RewriteLoopError
from ..routing.rules import matched_path

#: Routes that one request may lead through, as in Astro (rule 91).
MAX_ROUTES = 4

#: Answers a context of the route with this endpoint name.
Enter = Callable[[str, Context], BaseResponse]


def make_rewrite(
    app: Flask,
    *,
    prefix: str,
    binding_of: Callable[[str], Binding | None],
    enter: Enter,
) -> Callable[[Context, str], BaseResponse]:
    """Return what ``context.rewrite`` calls.

    :param prefix: of the FilePages; targets are given without it.
    :param binding_of: of the route with an endpoint name, if it can be entered.
    """

    def rewrite(context: Context, to: str) -> BaseResponse:
        if not to.startswith("/") or to.startswith("//"):
            raise ValueError(
                f"{to!r} is no path of these pages. Write it as '/about', without"
                " url_prefix; a rewrite does not lead to other sites."
            )
        if context._binding.is_error:
            raise ValueError("an error page answers itself; it cannot rewrite")
        trail = (*context._trail, context.route_id)
        if len(trail) > MAX_ROUTES:
            error = RewriteLoopError(trail)
            app.logger.error("%s", error)
            raise error
        endpoint, params = _match(app, f"{prefix}{to}")
        binding = binding_of(endpoint)
        if binding is None:
            app.logger.warning(
                "%s rewrites to %r, which no route of these pages answers. A target is"
                " a path as it stands: no query, no escapes, no url_prefix.",
                context.route_id,
                to,
            )
            raise NotFound
        target = Context(context.request, params, binding)
        target._trail = trail
        target.locals = context.locals
        # One set of cookies for both; they are written once, at the end.
        target.cookies = context.cookies
        return enter(endpoint, target)

    return rewrite


def _match(app: Flask, path: str) -> tuple[str, dict[str, t.Any]]:
    """Return what *path* matches as it is: nothing is decoded again."""
    token = matched_path.set(path)
    try:
        rule, params = app.url_map.bind("localhost").match(path, return_rule=True)
    except HTTPException:
        return "", {}
    finally:
        matched_path.reset(token)
    return rule.endpoint, dict(params)
