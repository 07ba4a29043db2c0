"""Who may ask from another site: the origin check, and CORS."""

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
from .middleware import on_every_answer

#: Methods that change nothing (RFC 9110, section 9.2.1), but for ``TRACE``.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_ANY = "*"
_BEARER = "bearer"
_ALLOWING = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials")


class Cors:
    """A middleware that lets pages of other origins read the answers. See :func:`cors`.

    It goes before all other middleware of its route, so that a preflight needs no
    login and an error can be read; of several, the one nearest to the handler counts.
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
                "cors('*', credentials=True) would let every site read what belongs to"
                " a visitor. Name the origins."
            )
        self._credentials = credentials
        self._headers = ", ".join([headers] if isinstance(headers, str) else headers)
        self._expose = ", ".join([expose] if isinstance(expose, str) else expose)
        self._max_age = max_age

    def allows(self, origin: str | None) -> bool:
        return origin is not None and (self.is_open or origin in self.origins)

    def trusts(self, request: Request) -> bool:
        """Whether *request* may change something: of a named origin, or, where every
        origin is allowed, one that brings nothing of a visitor's."""
        if request.headers.get("Origin") in self.origins:
            return True
        scheme = request.headers.get("Authorization", _BEARER).partition(" ")[0]
        # Browsers add cookies and all other kinds of credentials by themselves.
        is_bare = "Cookie" not in request.headers and scheme.lower() == _BEARER
        return self.is_open and is_bare

    def __call__(self, context: Context, call_next: CallNext) -> BaseResponse:
        if context._binding.is_error:
            # The policy of the route that failed counts.
            return call_next()
        request = context.request
        origin = request.headers.get("Origin")
        asked = "Access-Control-Request-Method" in request.headers
        if request.method == "OPTIONS" and origin is not None and asked:
            return self._preflight(context, origin)

        def change(response: BaseResponse) -> BaseResponse:
            with_vary(response)
            for name in _ALLOWING:
                response.headers.pop(name, None)
            if self.allows(origin):
                response.headers.update(self._allowing(origin))
                if self._expose:
                    response.headers["Access-Control-Expose-Headers"] = self._expose
            return response

        return on_every_answer(context, call_next, change)

    def _preflight(self, context: Context, origin: str) -> BaseResponse:
        """Return the answer to a preflight (Fetch standard, section 4.8)."""
        response = context.app.response_class(status=204)
        with_vary(response)
        if self.allows(origin):
            methods = ", ".join(context._binding.methods())
            response.headers.update(self._allowing(origin))
            response.headers["Access-Control-Allow-Methods"] = methods
            response.headers["Access-Control-Max-Age"] = str(self._max_age)
            if self._headers:
                response.headers["Access-Control-Allow-Headers"] = self._headers
        return response

    def _allowing(self, origin: str | None) -> dict[str, str]:
        allowed = _ANY if self.is_open else origin or ""
        fields = {_ALLOWING[0]: allowed}
        if self._credentials:
            fields[_ALLOWING[1]] = "true"
        return fields


def cors(
    origins: str | t.Iterable[str],
    *,
    credentials: bool = False,
    headers: t.Iterable[str] = (),
    expose: t.Iterable[str] = (),
    max_age: int = 600,
) -> Cors:
    """Return a middleware for cross-origin requests (Fetch standard, section 3.2).

    :param origins: exact origins such as ``"https://app.example"``, or ``"*"``.
    :param credentials: whether cookies may be sent; not with ``"*"``.
    :param headers: request header fields that scripts may send.
    :param expose: response header fields that scripts may read.
    :param max_age: how long a browser may keep the answer to a preflight, in seconds.
    :raises ValueError: something is no origin, or ``"*"`` with *credentials*.
    """
    return Cors(
        origins,
        credentials=credentials,
        headers=headers,
        expose=expose,
        max_age=max_age,
    )


def with_vary(response: t.Any) -> t.Any:
    """Return *response* with ``Vary: Origin``, without which caches mix up answers."""
    response.vary.add("Origin")
    return response


def cors_of(links: t.Sequence[Link]) -> Cors | None:
    """Return the CORS policy of a chain: the one nearest to the handler."""
    policies = [link.function for link in links if isinstance(link.function, Cors)]
    return policies[-1] if policies else None


def arranged(links: t.Sequence[Link]) -> list[Link]:
    """Return *links* with the CORS policy that counts in front, and no other."""
    policy = cors_of(links)
    first = [link for link in links if link.function is policy]
    return first[-1:] + [one for one in links if not isinstance(one.function, Cors)]


class OriginCheck:
    """Refuses requests that a page of another site makes a browser send.

    The order is that of Go 1.25's ``CrossOriginProtection``: safe method, trusted
    origin, ``Sec-Fetch-Site``, ``Origin``. A request with none of these header fields
    is not from a browser and passes. The content type is never looked at.
    """

    def __init__(self, settings: Settings) -> None:
        self._site = _origin_of(settings.site) if settings.site else None
        self._trusted = settings.trusted_origins

    def refuse_foreign(self, request: Request, policy: Cors | None) -> None:
        """Let *request*, whose method is not safe, pass, or raise and log why.

        :param policy: the CORS policy of the route, whose origins are trusted.
        :raises Forbidden: it comes from another site.
        """
        if self._passes(request, policy):
            return
        current_app.logger.warning(
            "%s %s refused: its origin is %r. If that is this site behind a proxy, set"
            " FILEPAGES_SITE; if it is a friend, FILEPAGES_TRUSTED_ORIGINS.",
            request.method,
            request.url_rule,
            request.headers.get("Origin"),
        )
        if policy is not None:
            after_this_request(with_vary)
        raise Forbidden("The request comes from a page of another site.")

    def _passes(self, request: Request, policy: Cors | None) -> bool:
        # Read from the environ: it is five times faster than from the headers.
        origin = request.environ.get("HTTP_ORIGIN")
        if origin in self._trusted or (policy is not None and policy.trusts(request)):
            return True
        fetch_site = request.environ.get("HTTP_SEC_FETCH_SITE")
        if fetch_site is not None:
            return fetch_site in ("same-origin", "none")
        if origin is None:
            return True
        # As it was sent: Werkzeug decodes a host, or takes it for none at all.
        host = request.environ.get("HTTP_HOST") or request.host
        expected = self._site or _origin_of(f"{request.scheme}://{host}")
        return bool(origin == expected)


def check_origin(context: Context, call_next: CallNext) -> BaseResponse:
    """A middleware that checks the origin where ``FILEPAGES_CHECK_ORIGIN`` is off.

    :raises Forbidden: the request would change something, and comes from a page of
        another site.
    """
    if context.request.environ["REQUEST_METHOD"] not in SAFE_METHODS:
        check = OriginCheck(context._binding.settings)
        check.refuse_foreign(context.request, context._binding.cors())
    return call_next()


def _origin_of(url: str) -> str:
    """Return the origin of *url* as browsers write it: without the default port."""
    scheme, host = urlsplit(url.lower())[:2]
    return f"{scheme}://{host.removesuffix(_DEFAULT_PORTS.get(scheme, ':'))}"
