"""Redirects: of ``FILEPAGES_REDIRECTS`` and of trailing slashes."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from urllib.parse import quote

from flask import Request
from flask import current_app
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from .. import targets
from ..context import current_request
from ..routing.converters import SEGMENT_SAFE
from ..routing.rules import FileRule

if t.TYPE_CHECKING:
    from ..settings import Redirect

# As in Astro, a path like these is not redirected and does not match.
_internal_re = re.compile(r"/[_@./]")
_PATH_SAFE = f"{SEGMENT_SAFE}/"
_extension_re = re.compile(r"\.\w+\Z", re.ASCII)


def make_redirect_view(redirect: Redirect) -> Callable[..., BaseResponse]:
    """Return the view for a redirect of ``FILEPAGES_REDIRECTS``.

    The query of the request is kept unless the target has one of its own.
    """

    def view(**params: t.Any) -> BaseResponse:
        request = current_request()
        early = redirect_slash(request)
        if early is not None:
            return early
        target = targets.encode(targets.fill_params(redirect.target, params))
        if target.startswith("/"):
            target = request.root_path.rstrip("/") + target
        return _redirect(request, target, redirect.status)

    return view


def redirect_slash(request: Request) -> BaseResponse | None:
    """Return a redirect to the canonical form of the trailing slash, or ``None``.

    :raises NotFound: the path has an extension in its last segment where
        ``FILEPAGES_TRAILING_SLASH`` is ``always``, as in Astro.
    """
    path = request.path
    rule = t.cast(FileRule, request.url_rule)
    with_slash = rule.rule.endswith("/")
    if rule.slash == "ignore" or with_slash == path.endswith("/"):
        return None
    if _internal_re.match(path) or (with_slash and _extension_re.search(path)):
        raise NotFound
    path = quote(f"{path}/" if with_slash else path.rstrip("/"), safe=_PATH_SAFE)
    return _redirect(request, request.root_path.rstrip("/") + path, None)


def _redirect(request: Request, target: str, status: int | None) -> BaseResponse:
    path, hash_, fragment = re.sub(r"\A/{2,}", "/", target).partition("#")
    query = quote(request.query_string, safe=targets.URL_SAFE)
    if query and "?" not in path:
        path = f"{path}?{query}"
    if status is None:
        status = 301 if request.method == "GET" else 308
    location = path + hash_ + fragment
    return current_app.response_class(status=status, headers=[("Location", location)])
