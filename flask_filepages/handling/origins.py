"""Requests from other sites: the origin check (CSRF protection), and CORS."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from flask import Request
from flask import after_this_request
from flask import current_app
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as BaseResponse

from ..context import Context
from ..settings import Settings
from ..targets import check_origin_text
from .middleware import CallNext
from .middleware import Link
from .middleware import change_every_response
from .middleware import once_per_render

if t.TYPE_CHECKING:
    from .route import BoundRoute

#: The safe methods (RFC 9110, section 9.2.1) without ``TRACE``. ``QUERY`` is a ``GET``
#: with a body (draft-ietf-httpbis-safe-method-w-body).
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "QUERY"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_ANY = "*"
_BEARER = "bearer"
_ALLOW_FIELDS = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials")


class Cors:
    """A middleware that lets pages of other origins read responses. See :func:`cors`.

    It runs before all other middleware of its route, so that a preflight needs no login
    and scripts can read errors. Of several, the one nearest to the handler counts.
    """

    def __init__(
        self,
        origins: str | t.Iterable[str],
        *,
        credentials: bool,
        headers: t.Iterable[str],
        expose: t.Iterable[str],
        max_age: int,
    ) -> None:
        given = [origins] if isinstance(origins, str) else list(origins)
        self.is_open = _ANY in given
        self.origins = frozenset(check_origin_text(o) for o in given if o != _ANY)
        if self.is_open and credentials:
            raise ValueError(
                "cors('*', credentials=True) would let every site read the data of a"
                " visitor. Name the origins."
            )
        self._credentials = credentials
        self._headers = ", ".join([headers] if isinstance(headers, str) else headers)
        self._expose = ", ".join([expose] if isinstance(expose, str) else expose)
        self._max_age = max_age

    @property
    def looks_at_each_request(self) -> bool:
        """True if the response depends on the ``Origin`` of the request."""
        return not self.is_open

    def allows(self, origin: str | None) -> bool:
        """Return True if pages of *origin* may read responses. ``"*"`` allows requests
        without ``Origin`` too, so that one response serves all."""
        return self.is_open or origin in self.origins

    def vary(self, response: t.Any) -> t.Any:
        """Return *response* with ``Vary: Origin``, unless all origins get the same."""
        return response if self.is_open else vary_by_origin(response)

    def trusts(self, request: Request) -> bool:
        """Return True if a request with an unsafe method may pass.

        Its origin is named; or every origin is allowed, and a script sent the request
        without credentials that browsers add by themselves.
        """
        if request.headers.get("Origin") in self.origins:
            return True
        if not self.is_open or "Cookie" in request.headers:
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
            self.vary(response)
            fields = self._allow_fields(origin) if self.allows(origin) else {}
            for name in _ALLOW_FIELDS:
                if name in fields:
                    response.headers[name] = fields[name]
                elif name in response.headers:
                    del response.headers[name]
            if fields and self._expose:
                response.headers["Access-Control-Expose-Headers"] = self._expose
            return response

        return change_every_response(context, call_next, change)

    def _preflight(self, context: Context, origin: str) -> BaseResponse:
        """Return the response to a preflight (Fetch standard, section 4.8)."""
        response = context.app.response_class(status=204)
        self.vary(response)
        if self.allows(origin):
            methods = ", ".join(context._route.allowed_methods)
            response.headers.update(self._allow_fields(origin))
            response.headers["Access-Control-Allow-Methods"] = methods
            response.headers["Access-Control-Max-Age"] = str(self._max_age)
            if self._headers:
                response.headers["Access-Control-Allow-Headers"] = self._headers
        return response

    def _allow_fields(self, origin: str | None) -> dict[str, str]:
        fields = {_ALLOW_FIELDS[0]: _ANY if self.is_open else origin or ""}
        if self._credentials:
            fields[_ALLOW_FIELDS[1]] = "true"
        return fields


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
    policy = Cors(
        origins,
        credentials=credentials,
        headers=headers,
        expose=expose,
        max_age=max_age,
    )
    return once_per_render(policy) if policy.is_open else policy


def vary_by_origin(response: t.Any) -> t.Any:
    """Return *response* with ``Vary: Origin``, without which caches mix up
    responses."""
    if response.headers.getlist("Vary"):
        response.vary.add("Origin")
    else:  # The common case, without parsing the field.
        response.headers.add("Vary", "Origin")
    return response


def cors_policy(links: t.Sequence[Link]) -> Cors | None:
    """Return the CORS policy of a chain: the one nearest to the handler."""
    policies = [link.function for link in links if isinstance(link.function, Cors)]
    return policies[-1] if policies else None


def with_cors_first(links: t.Sequence[Link]) -> list[Link]:
    """Return *links* with their CORS policy first, and no other CORS middleware."""
    policy = cors_policy(links)
    first = [link for link in links if link.function is policy]
    return first[-1:] + [one for one in links if not isinstance(one.function, Cors)]


def refuse_other_sites(request: Request, route: BoundRoute) -> None:
    """Refuse a request that a page of another site makes a browser send (CSRF). Its
    method is unsafe.

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
