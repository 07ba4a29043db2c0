"""Redirects by setting, and to the canonical form of the trailing slash."""

from __future__ import annotations

import functools
import re
import typing as t
from urllib.parse import quote

from flask import Request
from flask import Response
from flask import current_app
from werkzeug.exceptions import NotFound

from . import targets
from .context import current_request
from .converters import SEGMENT_SAFE
from .dispatch import View
from .routing import FileRule
from .settings import Redirect
from .settings import TrailingSlash

# Astro, rule 39: a path like these is not redirected and simply does not match.
_internal_re = re.compile(r"/[_@./]")
_PATH_SAFE = f"{SEGMENT_SAFE}/"
_extension_re = re.compile(r"\.\w+\Z", re.ASCII)


def redirect_view(redirect: Redirect) -> View:
    """Return the view of a route of ``FILEPAGES_REDIRECTS``.

    The query of the request is kept unless the target has one of its own.
    """

    def view(**params: t.Any) -> Response:
        req = current_request()
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
        req = current_request()
        path = req.path
        with_slash = t.cast(FileRule, req.url_rule).rule.endswith("/")
        if with_slash == path.endswith("/"):
            return view(**params)
        if policy == "always" and _extension_re.search(req.path):
            raise NotFound
        if _internal_re.match(req.path):
            raise NotFound
        path = quote(f"{path}/" if with_slash else path.rstrip("/"), safe=_PATH_SAFE)
        return _redirect(req, req.root_path.rstrip("/") + path, None)

    return canonical


def _redirect(req: Request, target: str, status: int | None) -> Response:
    if target.startswith("/"):
        target = re.sub(r"\A/{2,}", "/", target)
    path, hash_, fragment = target.partition("#")
    query = req.query_string.decode("latin-1")
    if query and "?" not in path:
        path = f"{path}?{targets.encode(query)}"
    if status is None:
        status = 301 if req.method == "GET" else 308
    location = path + hash_ + fragment
    return current_app.response_class(status=status, headers=[("Location", location)])
