"""What a handler gets: the request, its params, and the ways to answer.

Making a context costs next to nothing; each attribute is computed when it is
first read, and then kept.
"""

from __future__ import annotations

import difflib
import types
import typing as t
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import MutableMapping
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import SplitResult
from urllib.parse import urlsplit

from flask import Flask
from flask import Request
from flask import Response
from flask import current_app
from flask import request
from flask import session
from werkzeug.datastructures import Headers as WerkzeugHeaders
from werkzeug.wrappers import Response as BaseResponse

from . import page_reads
from . import targets
from .cookies import Cookies
from .errors import UnsafeRedirectError
from .settings import REDIRECT_STATUSES
from .settings import Settings

Headers = Mapping[str, str] | t.Iterable[tuple[str, str]]

#: Flask's request itself, without the proxy.
current_request: Callable[[], Request] = t.cast(t.Any, request)._get_current_object


@dataclass(frozen=True, slots=True)
class Binding:
    """What all requests of one route share, handed down to their contexts."""

    route_id: str
    absent: Mapping[str, None]
    render: Callable[[Context, str | None, dict[str, t.Any]], str]
    rewrite: Callable[[Context, str], BaseResponse]
    is_prerendered: bool = False
    settings: Settings = field(default_factory=Settings)
    status: int = 200
    props_of: Callable[[Context], Mapping[str, t.Any]] = lambda context: {}
    methods: Callable[[], t.Sequence[str]] = tuple
    cors: Callable[[], t.Any] = lambda: None
    is_error: bool = False


class Context:
    """The only argument of a handler.

    ==================  =========================================================
    ``request``         Flask's request, unwrapped
    ``params``          read-only mapping of the route's params: ``str``, the type
                        of the matcher, or ``None`` for an absent optional or rest
    ``props``           what the route was given beside the request, else empty
    ``url``             the request's URL, its path as the server decoded it
    ``cookies``         :class:`~flask_filepages.cookies.Cookies`
    ``locals``          a namespace of this request only, for middleware and pages
    ``session``         Flask's session
    ``app``             the Flask app
    ``site``            ``FILEPAGES_SITE``, or ``None``
    ``route_id``        such as ``/blog/[slug]``
    ``is_prerendered``  whether the route is; never decide who may see it by this
    ==================  =========================================================
    """

    __slots__ = (
        "__weakref__",
        "_binding",
        "_params",
        "_trail",
        "_written_cookies",
        "app",
        "cookies",
        "locals",
        "params",
        "props",
        "request",
        "session",
        "url",
    )

    request: Request
    params: Mapping[str, t.Any]
    props: Mapping[str, t.Any]
    url: SplitResult
    cookies: Cookies
    locals: types.SimpleNamespace
    session: MutableMapping[str, t.Any]
    app: Flask
    _trail: tuple[str, ...]

    def __init__(
        self, request: Request, params: dict[str, t.Any], binding: Binding
    ) -> None:
        self.request = request
        self._params = params
        self._binding = binding
        self._written_cookies: Cookies | None = None

    def __getattr__(self, name: str) -> t.Any:
        compute = _LAZY.get(name)
        if compute is None:
            known = [n for n in dir(type(self)) if not n.startswith("_")]
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean context.{close[0]}?" if close else ""
            raise AttributeError(f"A context has no {name!r}.{hint}")
        value = compute(self)
        setattr(self, name, value)
        return value

    @property
    def site(self) -> str | None:
        """``FILEPAGES_SITE``: the public address of the site, if it is set."""
        return self._binding.settings.site

    @property
    def route_id(self) -> str:
        """The id of the route that answers, such as ``/blog/[slug]``."""
        return self._binding.route_id

    @property
    def is_prerendered(self) -> bool:
        """Whether the route is prerendered. Never decide who may see it by this."""
        return self._binding.is_prerendered

    def json(
        self, data: t.Any, status: int = 200, headers: Headers | None = None
    ) -> Response:
        """Return *data* as a JSON response, written by the app's JSON provider.

        :raises TypeError: the provider cannot serialize *data*.
        """
        response = t.cast(Response, self.app.json.response(data))
        if status != 200:
            response.status_code = status
        return _with_headers(response, headers)

    def redirect(
        self, to: str, status: int = 302, *, external: bool = False
    ) -> Response:
        """Return a redirect to *to*, an address of this site.

        *to* is judged as a browser would resolve it. With *external*, any http
        or https address is taken as well.

        :raises UnsafeRedirectError: *to* would leave the site (answered by 400).
        :raises ValueError: *status* is not one of a redirect (RFC 9110, 15.4).
        """
        if status not in REDIRECT_STATUSES:
            raise ValueError(
                f"{status!r} is not the status of a redirect; one of"
                f" {', '.join(map(str, REDIRECT_STATUSES))} is."
            )
        check = targets.check_external if external else targets.check_local
        try:
            location = check(to)
        except UnsafeRedirectError as error:
            self.app.logger.warning("%s: %s", self.route_id, error)
            raise
        return self.app.response_class(status=status, headers=[("Location", location)])

    def rewrite(self, to: str) -> Response:
        """Return the answer of another route of these pages, its middleware included.

        The URL and the method stay those of the request, and so do ``locals`` and
        cookies; params are those of the target.

        :param to: a path without ``url_prefix``, taken as it stands: nothing in it is
            decoded, ``?`` and ``#`` are part of it.
        :raises ValueError: *to* is not such a path.
        :raises NotFound: no route of these pages answers it.
        :raises RewriteLoopError: the fifth route of one request (Astro, rule 91).
        """
        return t.cast(Response, self._binding.rewrite(self, to))

    def render(
        self,
        template: str | None = None,
        /,
        status: int | None = None,
        headers: Headers | None = None,
        **data: t.Any,
    ) -> Response:
        """Return a rendered template as an HTML response.

        Without *template* it is the page beside this endpoint. The template sees
        *data*, ``context`` and Flask's usual names. The status is 200, on an error
        page that of the error.

        :raises jinja2.TemplateNotFound: there is no such template.
        """
        render = self._binding.render
        html, templates = page_reads.of_render(lambda: render(self, template, data))
        status = self._binding.status if status is None else status
        response = self.app.response_class(html, status, mimetype="text/html")
        page_reads.remember_render(response, templates)
        return _with_headers(response, headers)


def _with_headers(response: Response, headers: Headers | None) -> Response:
    """Return *response* with *headers* in place of its own of the same names."""
    if headers is not None:
        response.headers.update(WerkzeugHeaders(t.cast(t.Any, headers)))
    return response


def _params(context: Context) -> Mapping[str, t.Any]:
    absent = context._binding.absent
    params = {**absent, **context._params} if absent else context._params
    return types.MappingProxyType(params)


def _url(context: Context) -> SplitResult:
    request = context.request
    host = request.host
    scheme = request.scheme
    if context.site is not None and context.is_prerendered:
        scheme, host = urlsplit(context.site)[:2]
    path = request.root_path.rstrip("/") + request.path
    return SplitResult(scheme, host, path, request.query_string.decode("latin-1"), "")


def _cookies(context: Context) -> Cookies:
    request = context.request
    # Behind a proxy that ends TLS the request itself is not secure.
    is_secure = request.is_secure or (context.site or "").lower().startswith("https:")
    context._written_cookies = Cookies(request.cookies, secure=is_secure)
    return context._written_cookies


_LAZY: dict[str, Callable[[Context], t.Any]] = {
    "params": _params,
    "_trail": lambda context: (),
    "props": lambda context: types.MappingProxyType(
        dict(context._binding.props_of(context))
    ),
    "url": _url,
    "cookies": _cookies,
    "locals": lambda context: types.SimpleNamespace(),
    "session": lambda context: t.cast(t.Any, session)._get_current_object(),
    "app": lambda context: t.cast(t.Any, current_app)._get_current_object(),
}
