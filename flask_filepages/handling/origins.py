"""Requests from other sites: the origin check (CSRF protection), and CORS."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Request
from flask import after_this_request
from flask import current_app
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as BaseResponse

from ..context import Context
from ..targets import check_origin_text
from .middleware import CallNext
from .middleware import Link
from .middleware import change_every_response
from .middleware import once_per_render

if t.TYPE_CHECKING:
    from ..settings import Settings
    from .route import BoundRoute

#: The safe methods (RFC 9110, section 9.2.1) without ``TRACE``. ``QUERY`` is a ``GET``
#: with a body (draft-ietf-httpbis-safe-method-w-body).
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_ANY = "*"
_BEARER = "bearer"
_ALLOW_FIELDS = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials")


@dataclass(eq=False)
class Cors:
    """A middleware that lets pages of other origins read responses. See :func:`cors`.

    It runs before all other middleware of its route, so that a preflight needs no login
    and scripts can read errors. Of several, the one nearest to the handler counts.

    :attr:`looks_at_each_request` is False if every origin gets the same response.
    """

    origins: t.Container[str | None]
    looks_at_each_request: bool
    credentials: bool
    headers: str
    expose: str
    max_age: int

    def vary(self, response: t.Any) -> t.Any:
        """Return *response* with ``Vary: Origin``, without which caches mix up
        responses, unless all origins get the same."""
        if self.looks_at_each_request:
            if response.headers.getlist("Vary"):
                response.vary.add("Origin")
            else:  # The common case, without parsing the field.
                response.headers.add("Vary", "Origin")
        return response

    def trusts(self, request: Request) -> bool:
        """Return True if a request with an unsafe method may pass.

        Its origin is named; or every origin is allowed, and a script sent the request
        without credentials that browsers add by themselves.
        """
        if request.headers.get("Origin") in self.origins:
            return True
        if self.looks_at_each_request or "Cookie" in request.headers:
            return False
        # Browsers add cookies and HTTP authentication by themselves, but not tokens.
        # A form can send neither a token nor this mode, only a script can.
        scheme = request.headers.get("Authorization", "").partition(" ")[0].lower()
        is_script = request.headers.get("Sec-Fetch-Mode") == "cors"
        return scheme == _BEARER or (is_script and not scheme)

    def __call__(self, context: Context, call_next: CallNext) -> BaseResponse:
        if context._is_error:
            # The policy of the route that failed applies.
            return call_next()
        environ = context.request.environ
        origin = environ.get("HTTP_ORIGIN")
        is_preflight = "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        if environ["REQUEST_METHOD"] == "OPTIONS" and origin and is_preflight:
            return self._preflight(context, origin)

        def change(response: BaseResponse) -> BaseResponse:
            if self._admit(origin, response) and self.expose:
                response.headers["Access-Control-Expose-Headers"] = self.expose
            return response

        return change_every_response(context, call_next, change)

    def _preflight(self, context: Context, origin: str) -> BaseResponse:
        """Return the response to a preflight (Fetch standard, section 4.8)."""
        response = context.app.response_class(status=204)
        if self._admit(origin, response):
            methods = ", ".join(context._route.prepare().allow)
            response.headers["Access-Control-Allow-Methods"] = methods
            response.headers["Access-Control-Max-Age"] = str(self.max_age)
            if self.headers:
                response.headers["Access-Control-Allow-Headers"] = self.headers
        return response

    def _admit(self, origin: str | None, response: BaseResponse) -> bool:
        """Return True if pages of *origin* may read *response*, and set its header
        fields accordingly. ``"*"`` allows requests without ``Origin`` too, so that one
        response serves all."""
        self.vary(response)
        for name in _ALLOW_FIELDS:
            response.headers.remove(name)
        if self.looks_at_each_request and origin not in self.origins:
            return False
        allowed = (origin or "") if self.looks_at_each_request else _ANY
        response.headers[_ALLOW_FIELDS[0]] = allowed
        if self.credentials:
            response.headers[_ALLOW_FIELDS[1]] = "true"
        return True


def cors(
    origins: str | t.Iterable[str],
    *,
    credentials: bool = False,
    headers: t.Iterable[str] = (),
    expose: t.Iterable[str] = (),
    max_age: int = 600,
) -> Cors:
    """Return a middleware function for cross-origin requests (Fetch standard, section
    3.2).

    ``cors("*")`` admits every origin, so it is marked :func:`once_per_render`: a build
    stores its headers with the response.

    :param origins: exact origins such as ``"https://app.example"``, or ``"*"``.
    :param credentials: let scripts send cookies. Not allowed with ``"*"``.
    :param headers: request headers that scripts may send.
    :param expose: response headers that scripts may read.
    :param max_age: seconds for which a browser may keep the response to a preflight.
    :raises ValueError: if an origin is invalid, or ``"*"`` is used with *credentials*.
    """
    given = [origins] if isinstance(origins, str) else list(origins)
    is_open = _ANY in given
    if is_open and credentials:
        raise ValueError(
            "cors('*', credentials=True) would let every site read the data of a"
            " visitor. Name the origins."
        )
    policy = Cors(
        frozenset(check_origin_text(origin) for origin in given if origin != _ANY),
        looks_at_each_request=not is_open,
        credentials=credentials,
        headers=", ".join([headers] if isinstance(headers, str) else headers),
        expose=", ".join([expose] if isinstance(expose, str) else expose),
        max_age=max_age,
    )
    return once_per_render(policy) if is_open else policy


def with_cors_first(links: t.Sequence[Link]) -> list[Link]:
    """Return *links* with their CORS policy first: the one nearest to the handler. No
    other CORS middleware remains."""
    policies = [link for link in links if isinstance(link.function, Cors)]
    return policies[-1:] + [link for link in links if link not in policies]


def refuse_other_sites(request: Request, route: BoundRoute) -> None:
    """Refuse an unsafe request that a page of another site makes a browser send (CSRF).

    The order follows Go 1.25's ``CrossOriginProtection``: safe method, trusted
    origin, ``Sec-Fetch-Site``, ``Origin``. A request without these header fields does
    not come from a browser, and passes. The content type does not matter.

    :raises Forbidden: the request comes from another site. It is logged.
    """
    if _passes(request, route.settings, route.cors):
        return
    current_app.logger.warning(
        "Refused %s %s from origin %r. If that is this site behind a proxy, set"
        " FILEPAGES_SITE. If you trust that site, add it to"
        " FILEPAGES_TRUSTED_ORIGINS.",
        request.method,
        request.url_rule,
        request.headers.get("Origin"),
    )
    if route.cors is not None:
        after_this_request(route.cors.vary)
    raise Forbidden("The request was sent by a page of another site.")


def _passes(request: Request, settings: Settings, policy: Cors | None) -> bool:
    # Reading the environ is five times faster than reading the headers.
    origin = request.environ.get("HTTP_ORIGIN")
    if origin in settings.trusted_origins or (policy and policy.trusts(request)):
        return True
    fetch_site = request.environ.get("HTTP_SEC_FETCH_SITE")
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    if origin is None:
        return True
    # Use the host as sent: Werkzeug decodes it, or drops one that is invalid.
    host = request.environ.get("HTTP_HOST") or request.host
    return bool(origin == _origin_of(settings.site or f"{request.scheme}://{host}"))


def check_origin(context: Context, call_next: CallNext) -> BaseResponse:
    """A middleware function that refuses unsafe cross-site requests, for use when
    ``FILEPAGES_CHECK_ORIGIN`` is off.

    :raises Forbidden: if a page of another site made the browser send the request.
    """
    if context.request.environ["REQUEST_METHOD"] not in SAFE_METHODS:
        refuse_other_sites(context.request, context._route)
    return call_next()


def _origin_of(url: str) -> str:
    """Return the origin of *url* as browsers write it, without the default port."""
    scheme, host = urlsplit(url.lower())[:2]
    return f"{scheme}://{host.removesuffix(_DEFAULT_PORTS.get(scheme, ':'))}"
