"""The context of a handler: the request, its params, and ways to respond."""

from __future__ import annotations

import types
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import MutableMapping
from functools import cached_property
from urllib.parse import SplitResult
from urllib.parse import urlsplit

import flask
from flask import Flask
from flask import Request
from flask import Response
from flask import request
from flask import session
from werkzeug.datastructures import Headers as WerkzeugHeaders

from . import targets
from .cookies import Cookies
from .errors import UnsafeRedirectError
from .errors import closest

if t.TYPE_CHECKING:
    from .extension import FilePages
    from .handling.middleware import Link
    from .handling.route import BoundRoute

Headers = Mapping[str, str] | t.Iterable[tuple[str, str]]

#: Names of Astro's context, and where the value is here.
_OTHER_NAMES = {
    "clientAddress": "request.remote_addr",
    "isPrerendered": "is_prerendered",
    "routePattern": "route_id",
    "query": "request.args",
    "body": "request.data",
}
#: Returns Flask's request itself, without the proxy.
current_request: Callable[[], Request] = t.cast(t.Any, request)._get_current_object


class Values(Mapping[str, t.Any]):
    """The params or the props of a context: a mapping that cannot be changed.

    :param name: ``"params"`` or ``"props"``, for errors.
    """

    __slots__ = ("_name", "_values")

    def __init__(self, name: str, values: Mapping[str, t.Any]) -> None:
        self._name = name
        self._values = values

    def __getitem__(self, name: str) -> t.Any:
        try:
            return self._values[name]
        except KeyError as error:
            known = ", ".join(self._values) or "none"
            error.add_note(f"The {self._name} of this route are: {known}.")
            raise

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(dict(self._values))

    def __getattr__(self, name: str) -> t.NoReturn:
        close = name if name in self._values else closest(name, self._values)
        hint = f" Write context.{self._name}[{close!r}]." if close else ""
        raise AttributeError(f"context.{self._name} has no attribute {name!r}.{hint}")


class Url(SplitResult):
    """The parts of a URL. ``str()`` puts them together."""

    __slots__ = ()

    def __str__(self) -> str:
        return self.geturl()


class Context:
    """The first argument of every handler."""

    #: Flask's request itself, without the proxy.
    request: Request
    #: The ids of the routes that rewrote this request, in order.
    _trail: tuple[str, ...] = ()
    #: The middleware that responded without ``call_next()``.
    _ended_by: Link | None = None
    #: True while this context renders an error page for another request.
    _is_error = False

    def __init__(
        self, request: Request, params: dict[str, t.Any], route: BoundRoute
    ) -> None:
        self.request = request
        if route.absent_params:
            params = {**route.absent_params, **params}
        #: The params of the route: ``str``, the type of the matcher, or ``None`` for an
        #: absent param. They cannot be changed.
        self.params: Mapping[str, t.Any] = Values("params", params)
        self._route = route

    def __getattr__(self, name: str) -> t.Any:
        if hasattr(type(self), name):  # Its getter raised AttributeError: raise again.
            return object.__getattribute__(self, name)
        known = [n for n in dir(self) if not n.startswith("_")]
        close = _OTHER_NAMES.get(name)
        if close is None and name in dir(self.request):
            close = f"request.{name}"
        if close is None and hasattr(flask, name):
            raise AttributeError(
                f"A context has no {name!r}. Write `from flask import {name}`."
            )
        close = close or closest(name, known)
        hint = f" Did you mean context.{close}?" if close else ""
        raise AttributeError(f"A context has no {name!r}.{hint}")

    @cached_property
    def props(self) -> Mapping[str, t.Any]:
        """The props that ``get_static_paths`` gave for this path, or an empty
        mapping."""
        return Values("props", dict(self._route.props_for(self)))

    @cached_property
    def url(self) -> Url:
        """The URL of the request, a ``SplitResult`` whose ``str()`` is the URL. A
        prerendered route takes its host from ``FILEPAGES_SITE``."""
        request = self.request
        scheme, host = request.scheme, request.host
        if self.site is not None and self.is_prerendered:
            scheme, host = urlsplit(self.site)[:2]
        path = request.root_path.rstrip("/") + request.path
        query = request.query_string.decode("latin-1")
        return Url(scheme, host, path, query, "")

    @cached_property
    def cookies(self) -> Cookies:
        """The cookies of the request, with ``set()`` and ``delete()``."""
        # Behind a proxy that ends TLS the request itself is not secure.
        is_secure = self.request.is_secure or (self.site or "").lower().startswith(
            "https:"
        )
        return Cookies(self.request.cookies, secure=is_secure)

    @cached_property
    def locals(self) -> types.SimpleNamespace:
        """A namespace that lasts for one request, for middleware and pages."""
        return types.SimpleNamespace()

    @cached_property
    def session(self) -> MutableMapping[str, t.Any]:
        """Flask's session."""
        current: MutableMapping[str, t.Any]
        current = t.cast(t.Any, session)._get_current_object()
        return current

    @property
    def app(self) -> Flask:
        """The Flask app."""
        return self._route.app

    @property
    def pages(self) -> FilePages:
        """The FilePages that this route belongs to."""
        return self._route.site.pages

    @property
    def site(self) -> str | None:
        """``FILEPAGES_SITE``, the public URL of the site, or ``None``."""
        return self._route.settings.site

    @property
    def route_id(self) -> str:
        """The id of the matched route, such as ``/blog/[slug]``."""
        return self._route.id

    @property
    def is_prerendered(self) -> bool:
        """True if a build stores the response. Do not use it for access control."""
        return self._route.is_prerendered_for(self)

    def json(
        self, data: t.Any, status: int = 200, headers: Headers | None = None
    ) -> Response:
        """Return *data* as a JSON response, serialized by the app's JSON provider.

        :raises TypeError: the provider cannot serialize *data*, or *status* is not an
            int.
        :raises ValueError: *status* is not from 100 to 599.
        """
        response = t.cast(Response, self.app.json.response(data))
        if status != 200:
            _check_status(status)
            response.status_code = status
        return _with_headers(response, headers)

    def redirect(
        self, to: str, status: int = 302, *, external: bool = False
    ) -> Response:
        """Return a redirect to *to*, a path or a URL that begins with
        ``FILEPAGES_SITE``.

        *to* is checked the way a browser would resolve it. With *external*, any http or
        https URL is allowed.

        :raises UnsafeRedirectError: if *to* would leave the site (400).
        :raises ValueError: if *status* is not a redirect status (RFC 9110, 15.4).
        :raises TypeError: if *to* is not a str.
        """
        if status not in targets.REDIRECT_STATUSES:
            raise ValueError(
                f"{status!r} is not a redirect status. Use one of"
                f" {', '.join(map(str, targets.REDIRECT_STATUSES))}."
            )
        if not isinstance(to, str):
            raise TypeError(f"The target of the redirect is {to!r:.50}, not a str.")
        site = urlsplit(self.site or "")
        if site.netloc and to.startswith(f"{site.scheme}://{site.netloc}/"):
            external = True
        try:
            location = targets.check(to, external=external)
        except UnsafeRedirectError as error:
            self.app.logger.warning("%s: %s", self.route_id, error)
            raise
        return self.app.response_class(status=status, headers=[("Location", location)])

    def rewrite(self, to: str) -> Response:
        """Return the response of another route of the same ``FilePages``, including its
        middleware.

        The URL, method, ``locals`` and cookies stay the same; the params come from the
        target.

        :param to: a decoded path without ``url_prefix``, such as ``"/about"``. ``?``
            and ``#`` are part of the path.
        :raises ValueError: if *to* is not such a path, or an error page rewrites.
        :raises NotFound: if no route matches it.
        :raises RewriteLoopError: if the request has already been rewritten four times
            (Astro's limit).
        """
        return t.cast(Response, self._route.rewrite(self, to))

    def render(
        self,
        template: str | None = None,
        /,
        status: int | None = None,
        headers: Headers | None = None,
        **data: t.Any,
    ) -> Response:
        """Return a rendered template as an HTML response.

        Without *template*, the page next to this endpoint is rendered. The template
        receives *data*, ``context`` and Flask's usual names. The status is 200, or the
        status of the error on an error page.

        :raises jinja2.TemplateNotFound: if the template does not exist.
        :raises TypeError: if *template* is not a str, or *status* is not an int.
        :raises ValueError: if *status* is not between 100 and 599.
        """
        if not isinstance(template, str | None):
            raise TypeError(
                f"The template is {template!r:.50}, not a str. Pass data by name:"
                " context.render(title='...')."
            )
        if status is not None:
            _check_status(status)
        html = self._route.render(self, template, data)
        status = self._route.status if status is None else status
        response = self.app.response_class(html, status, mimetype="text/html")
        return _with_headers(response, headers)


def _check_status(status: t.Any) -> None:
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError(
            f"status is {status!r:.50}, not an int. It is the status of the response."
        )
    if not 100 <= status <= 599:
        raise ValueError(f"status is {status}. Write a number from 100 to 599.")


def _with_headers(response: Response, headers: Headers | None) -> Response:
    """Replace the header fields of *response* that *headers* names."""
    if isinstance(headers, str):
        raise TypeError(f"headers is {headers!r:.50}. Write {{'Name': 'value'}}.")
    if headers is not None:
        response.headers.update(WerkzeugHeaders(t.cast(t.Any, headers)))
    return response
