"""Redirects by setting, and to the canonical form of the trailing slash."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote

from flask import Request
from flask import current_app
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from .. import targets
from ..context import current_request
from ..routing.converters import SEGMENT_SAFE
from ..routing.rules import FileRule
from ..settings import Redirect
from .view import Checks
from .view import View
from .view import first_answer

# Astro, rule 39: a path like these is not redirected and simply does not match.
_internal_re = re.compile(r"/[_@./]")
_PATH_SAFE = f"{SEGMENT_SAFE}/"
_extension_re = re.compile(r"\.\w+\Z", re.ASCII)


def redirect_view(redirect: Redirect, checks: Checks) -> View:
    """Return the view of a route of ``FILEPAGES_REDIRECTS``.

    The query of the request is kept unless the target has one of its own.
    """

    def view(**params: t.Any) -> BaseResponse:
        req = current_request()
        early = first_answer(checks, req)
        if early is not None:
            return early
        target = targets.encode(targets.fill(redirect.target, params))
        if target.startswith("/"):
            target = req.root_path.rstrip("/") + target
        return _redirect(req, target, redirect.status)

    return view


def check_slash(req: Request) -> BaseResponse | None:
    """Return a redirect if the path has not the form of the slash that its rule has.

    With ``always`` a path whose last segment has an extension is not found
    instead, as in Astro (rule 40).
    """
    path = req.path
    with_slash = t.cast(FileRule, req.url_rule).rule.endswith("/")
    if with_slash == path.endswith("/"):
        return None
    if with_slash and _extension_re.search(path):
        raise NotFound
    if _internal_re.match(path):
        raise NotFound
    path = quote(f"{path}/" if with_slash else path.rstrip("/"), safe=_PATH_SAFE)
    return _redirect(req, req.root_path.rstrip("/") + path, None)


def _redirect(req: Request, target: str, status: int | None) -> BaseResponse:
    if target.startswith("/"):
        target = re.sub(r"\A/{2,}", "/", target)
    path, hash_, fragment = target.partition("#")
    query = quote(req.query_string, safe=targets.URL_SAFE)
    if query and "?" not in path:
        path = f"{path}?{query}"
    if status is None:
        status = 301 if req.method == "GET" else 308
    location = path + hash_ + fragment
    return current_app.response_class(status=status, headers=[("Location", location)])
