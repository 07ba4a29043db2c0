"""Stored answers, sent before Flask: a WSGI wrapper with one look-up a request."""

from __future__ import annotations

import logging
import typing as t
from collections.abc import Callable
from collections.abc import Iterable

import flask
from flask import Flask

from ..errors import FilePagesError
from ..releases.http import Representation
from ..releases.http import Stored
from ..releases.http import reply_to
from ..releases.release import Release
from ..releases.release import Releases
from ..settings import Front as FrontSetting

Environ = dict[str, t.Any]
WSGI = Callable[[Environ, t.Any], Iterable[bytes]]

#: In the environ of a render of a build. No request of a client can have it.
RENDER = "flask_filepages.render"

_log = logging.getLogger(__name__)
_SIGNALS = (
    flask.request_started,
    flask.request_finished,
    flask.request_tearing_down,
    flask.appcontext_pushed,
    flask.appcontext_popped,
    flask.appcontext_tearing_down,
)
# These dicts stay; receivers come and go in them.
_RECEIVERS = tuple(signal.receivers for signal in _SIGNALS)
_DISPATCH = (
    "wsgi_app",
    "request_context",
    "full_dispatch_request",
    "dispatch_request",
    "preprocess_request",
    "process_response",
    "finalize_request",
    "make_response",
    "create_url_adapter",
    "do_teardown_request",
    "do_teardown_appcontext",
)


class Front:
    """Sends stored answers in front of *app*, and hands everything else on.

    :param unguarded: gives the endpoint names of the stored routes that nothing guards.
        What a release has of other routes is not sent: its code may be newer.
    """

    def __init__(
        self,
        app: Flask,
        wsgi_app: WSGI,
        releases: Releases,
        setting: FrontSetting,
        unguarded: Callable[[], t.Container[str]],
    ) -> None:
        self._app = app
        self._wsgi_app = wsgi_app
        self._releases = releases
        self._setting = setting
        self._was_wrapped = "wsgi_app" in vars(app)
        self._unguarded = unguarded
        self._sent: t.Container[str] | None = None
        self._root = root_of(app)
        self._hooks = tuple(_tables(app).values())

    def __call__(self, environ: Environ, start_response: t.Any) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if (method != "GET" and method != "HEAD") or RENDER in environ:
            return self._wsgi_app(environ, start_response)
        sent = self._sent
        if sent is None:
            sent = self._sent = self._decide()
        if not sent:
            return self._wsgi_app(environ, start_response)
        release = self._releases.current()
        if release is None:
            return self._wsgi_app(environ, start_response)
        path = environ.get("PATH_INFO") or "/"
        stored = release.find(path)
        if stored is None and path[-1] == "/":
            stored = release.find(path[:-1])
            if stored is not None and not stored.either_slash:
                stored = None
        # Most requests of a hybrid app end at the first.
        if (
            stored is None
            or stored.endpoint not in sent
            or environ.get("SCRIPT_NAME", "") != self._root
            or (self._setting == "auto" and self._is_watched())
        ):
            return self._wsgi_app(environ, start_response)
        return self._send(release, stored, environ, start_response)

    def _send(
        self, release: Release, stored: Stored, environ: Environ, start_response: t.Any
    ) -> Iterable[bytes]:
        chosen = stored.choose(environ)
        try:
            status, headers, body = answer(release, stored, chosen, environ)
        except OSError as error:
            _log.error("%s is answered anew: %s", stored.path, error)
            return self._wsgi_app(environ, start_response)
        start_response(status, headers)
        return body

    def _is_watched(self) -> bool:
        """Whether something wants to see requests that did not at the first one."""
        if any(_RECEIVERS):
            return True
        return any(self._hooks) and _hook(self._app) is not None

    def _decide(self) -> t.Container[str] | None:
        """Return the routes whose answers are sent: looked up at the first request,
        with whatever wants to see requests."""
        reason = self.closed_by()
        if reason is not None:
            if self._setting == "auto":
                told = "Stored answers are sent from inside Flask: %s."
                self._app.logger.info(told, reason)
            return ()
        try:
            return self._unguarded()
        except FilePagesError:
            return None  # Flask answers this request, and tells what is broken.

    def closed_by(self) -> str | None:
        """Return why answers are not sent in front of Flask, ``None`` if they are."""
        app = self._app
        if app.debug:
            return "the app is in debug"
        if self._setting is False:
            return "FILEPAGES_FRONT is False"
        if self._setting is True:
            return None
        if self._was_wrapped:
            return "app.wsgi_app was wrapped before FilePages(app)"
        hosts = app.config.get("TRUSTED_HOSTS") or app.request_class.trusted_hosts
        if app.subdomain_matching or hosts:
            return "the app answers by host"
        own = type(app)
        changed = [n for n in _DISPATCH if getattr(own, n) is not getattr(Flask, n)]
        changed += [n for n in _DISPATCH[1:] if n in vars(app)]
        if changed:
            return f"the app has its own {changed[0]}()"
        return _hook(app)


def root_of(app: Flask) -> str:
    """Return the ``SCRIPT_NAME`` of requests for which answers are stored."""
    return (app.config.get("APPLICATION_ROOT") or "/").rstrip("/")


def _tables(app: Flask) -> dict[str, t.Any]:
    """Return the tables of hooks, which stay and are filled."""
    return {
        "before_request": app.before_request_funcs,
        "after_request": app.after_request_funcs,
        "teardown_request": app.teardown_request_funcs,
        "url_value_preprocessor": app.url_value_preprocessors,
        "teardown_appcontext": app.teardown_appcontext_funcs,
    }


def _hook(app: Flask) -> str | None:
    for kind, table in _tables(app).items():
        for scope in scopes_of(app):
            # Those of the app context are a list, for all.
            functions = table if isinstance(table, list) else table.get(scope)
            if functions:
                function = functions[0]
                where = getattr(function, "__qualname__", type(function).__name__)
                return f"the {kind} function {where}() sees all requests"
    return None


def scopes_of(app: Flask) -> list[str | None]:
    """Return the scopes whose hooks see requests for pages: the app's, and the
    blueprint of each FilePages."""
    return [None, *app.extensions.get("filepages", {})]


def answer(
    release: Release, stored: Stored, chosen: Representation, environ: Environ
) -> tuple[str, list[tuple[str, str]], Iterable[bytes]]:
    """Return status, headers and body of a stored answer to a request.

    :raises OSError: its file is not there any more.
    """
    status, headers, start, length = reply_to(environ, stored, chosen)
    if not length or environ["REQUEST_METHOD"] == "HEAD":
        return status, headers.copy(), []
    body = release.body(chosen)
    if body is None:
        return status, headers.copy(), release.stream(chosen, start, length)
    if length != chosen.size:
        body = body[start : start + length]
    # A list: some servers send it as it is, and iterate over anything else.
    return status, headers.copy(), [body]
