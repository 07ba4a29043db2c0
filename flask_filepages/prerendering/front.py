"""The front: a WSGI wrapper that sends stored responses before Flask sees the
request."""

from __future__ import annotations

import logging
import typing as t
from collections.abc import Callable
from collections.abc import Iterable

from flask import Flask

from ..errors import FilePagesError
from ..errors import SettingsError
from ..releases.release import Environ
from ..releases.release import Release
from ..releases.release import Releases
from ..routing.urls import digest_of_rules
from .build_request import is_live

WSGI = Callable[[Environ, t.Any], Iterable[bytes]]

_log = logging.getLogger(__name__)


class Front:
    """Sends stored responses, and passes all other requests to *app*.

    It sends the response of a path only while the app has the same routes as the
    release, and if no middleware runs when the response is sent. Only ``FILEPAGES_FRONT
    = True`` turns it on, because the hooks of the app do not see these requests.

    :raises SettingsError: something else must see the requests first.
    """

    def __init__(self, app: Flask, releases: Releases) -> None:
        hosts = app.config.get("TRUSTED_HOSTS") or app.request_class.trusted_hosts
        if app.subdomain_matching or hosts:
            raise SettingsError(
                "FILEPAGES_FRONT does not work in an app that selects by host"
                " (subdomain_matching, TRUSTED_HOSTS). Set it to False."
            )
        tools = app.extensions.get("filepages_dev")
        if tools.has_other_middleware if tools else "wsgi_app" in vars(app):
            raise SettingsError(
                "FILEPAGES_FRONT does not work if app.wsgi_app was wrapped before"
                " FilePages(app). Wrap it after FilePages(app)."
            )
        self._app = app
        self._wsgi_app: WSGI = t.cast(t.Any, app.wsgi_app)
        self._releases = releases
        self._sent_release: Release | None = None
        self._sent: t.Container[str] = ()

    def __call__(self, environ: Environ, start_response: t.Any) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if (method != "GET" and method != "HEAD") or is_live(self._app, environ):
            return self._wsgi_app(environ, start_response)
        release = self._releases.for_request(environ)
        if release is None:
            return self._wsgi_app(environ, start_response)
        path = environ.get("PATH_INFO") or "/"
        stored = release.find(path)
        if stored is None and path[-1] == "/":
            stored = release.find(path[:-1])
            if stored is not None and stored.served_at != "both-slashes":
                stored = None
        if stored is None or stored.endpoint not in self._endpoints(release):
            return self._wsgi_app(environ, start_response)
        try:
            status, headers, body = release.send(stored, environ)
        except OSError as error:
            _log.error("Rendering %s instead of sending it: %s", stored.path, error)
            return self._wsgi_app(environ, start_response)
        start_response(status, headers.copy())
        return body

    def _endpoints(self, release: Release) -> t.Container[str]:
        """Return the endpoint names of the routes that are sent from *release*."""
        if release is self._sent_release:
            return self._sent
        try:
            names = sent_endpoints(self._app)
        except FilePagesError:
            return ()  # Flask handles this request, and reports the error.
        if release.meta.get("routes") != digest_of_rules(self._app.url_map):
            _log.warning(
                "FILEPAGES_FRONT sends nothing from %s: the routes of the app have"
                " changed since that build. Build again.",
                release.folder,
            )
            names = set()
        self._sent, self._sent_release = names, release
        return names


def sent_endpoints(app: Flask) -> set[str]:
    """Return the endpoint names of the prerendered routes that no middleware guards.

    :raises LoadError: a file cannot be loaded.
    """
    names = set()
    for site in app.extensions["filepages"].values():
        site.load()
        names |= {r.endpoint for r in site.prerendered.values() if not r.guards}
    return names
