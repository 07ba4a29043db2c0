"""Redirects by setting, and to the canonical form of the trailing slash."""

from __future__ import annotations

import functools
import re
import typing as t
from collections.abc import Callable

from flask import Request
from flask import Response
from flask import request
from werkzeug.exceptions import NotFound

from . import targets
from .discovery import Route
from .settings import TrailingSlash

View = Callable[..., t.Any]

# Astro, rule 39: a path like these is not redirected and simply does not match.
_internal_re = re.compile(r"/[_@./]")
_extension_re = re.compile(r"\.\w+\Z", re.ASCII)


def redirect_view(route: Route) -> View:
    """Return the view of a route of ``FILEPAGES_REDIRECTS``.

    The query of the request is kept unless the target has one of its own.
    """
    redirect = route.redirect
    if redirect is None:
        raise TypeError(f"{route.id} is no redirect")

    def view(**params: t.Any) -> Response:
        req = _request()
        target = targets.encode(targets.fill(redirect.target, params))
        if target.startswith("/"):
            target = req.root_path.rstrip("/") + target
        return _redirect(req, target, redirect.status)

    return view


def keep_canonical(view: View, policy: TrailingSlash) -> View:
    """Return *view* behind a redirect from the other form of the trailing slash.

    With ``always`` a path whose last segment has an extension is not found
    instead, as in Astro (rule 40).
    """
    if policy == "ignore":
        return view

    @functools.wraps(view)
    def canonical(**params: t.Any) -> t.Any:
        req = _request()
        _, built = t.cast(t.Any, req.url_rule).build(req.view_args, False)
        if built.endswith("/") == req.path.endswith("/"):
            return view(**params)
        if policy == "always" and _extension_re.search(req.path):
            raise NotFound
        if _internal_re.match(req.path):
            raise NotFound
        return _redirect(req, req.root_path.rstrip("/") + built, None)

    return canonical


def _request() -> Request:
    return t.cast(Request, t.cast(t.Any, request)._get_current_object())


def _redirect(req: Request, target: str, status: int | None) -> Response:
    if target.startswith("/"):
        target = re.sub(r"\A/{2,}", "/", target)
    path, hash_, fragment = target.partition("#")
    query = req.query_string.decode("latin-1")
    if query and "?" not in path:
        path = f"{path}?{targets.encode(query)}"
    if status is None:
        status = 301 if req.method == "GET" else 308
    return Response(status=status, headers=[("Location", path + hash_ + fragment)])
