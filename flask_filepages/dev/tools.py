"""The development tools of an app: live reload, the overlay and the route map."""

from __future__ import annotations

import functools
import json
import linecache
import logging
import os
import re
import time
import typing as t
from collections import deque
from collections.abc import Iterable

import flask
from flask import Flask
from flask import Request
from jinja2 import Environment
from jinja2 import PackageLoader
from markupsafe import Markup
from werkzeug.datastructures import ContentSecurityPolicy
from werkzeug.wrappers import Response

from ..context import current_request
from ..errors import LoadError
from ..functions import chain_of
from ..functions import last_place
from ..functions import summary_of
from ..handling.failures import notes_of
from ..handling.handlers import METHODS
from ..routing.rules import FileRule
from ..settings import Settings
from . import routes
from .guard import refusal
from .watch import Watcher

#: The path of the tools. No file makes a route that begins with an underscore.
PATH = "/_filepages"
_KEY = "filepages_dev"
_START = "flask_filepages.start"
_TYPES = {".js": "text/javascript", ".css": "text/css"}
_SCRIPT = f"{PATH}/live.js"
_MOST_ERRORS = 20
_LONGEST = 500  # characters of a line
_AROUND = 3  # Lines that are shown before and after the one with an error.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

Shown = dict[str, t.Any]


class DevTools:
    """Serves the tools in debug mode, before Flask sees the request, as Werkzeug's
    debugger does: the hooks of the app do not run for them.

    :attr:`last` has status, milliseconds and time of the last response of each route,
    by endpoint name, and :attr:`errors` the last exceptions.
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.app = app
        self.hosts = settings.dev_hosts
        self.watcher = Watcher(app)
        self.last: dict[str, Shown] = {}
        self.errors: deque[Shown] = deque(maxlen=_MOST_ERRORS)
        self._wsgi_app = app.wsgi_app
        #: True if another WSGI middleware wraps the app.
        self.has_other_middleware = "wsgi_app" in vars(app)
        self._has_warned = False
        flask.request_finished.connect(self._finish, app)
        flask.got_request_exception.connect(self._note_error, app)
        logging.getLogger("werkzeug").addFilter(_is_logged)

    @classmethod
    def of(cls, app: Flask, settings: Settings) -> DevTools:
        """Return the tools of *app*, which all FilePages of an app share."""
        tools: DevTools | None = app.extensions.get(_KEY)
        if tools is None:
            tools = app.extensions[_KEY] = cls(app, settings)
            app.wsgi_app = tools  # type: ignore[method-assign,assignment]
        return tools

    def __call__(self, environ: dict[str, t.Any], start: t.Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        is_ours = path in (PATH, f"{PATH}.json") or path.startswith(f"{PATH}/")
        if not (is_ours and self.app.debug):
            environ[_START] = time.perf_counter()
            return self._wsgi_app(environ, start)
        response = self._respond(Request(environ), path.removeprefix(PATH))
        response.headers.extend(_HEADERS)
        return response(environ, start)

    # -- responding -------------------------------------------------------------

    def _respond(self, request: Request, path: str) -> Response:
        reason = refusal(request.environ, self.hosts)
        if reason is not None:
            text = f"The development tools refuse this request: {reason}."
            text += " In a container, set FILEPAGES_DEV_HOSTS.\n"
            return Response(text, 403, mimetype="text/plain")
        if request.method not in ("GET", "HEAD"):
            return Response(status=405, headers={"Allow": "GET, HEAD"})
        if path == "/state":
            self.watcher.start()
            error = self.errors[0] if self.errors else None
            return _json({**self.watcher.state, "error": error})
        if path in ("", ".json"):
            data = {"routes": self._routes(), "errors": list(self.errors)}
            if path:
                return _json(data)
            return self._page("map.html", request, methods=METHODS, **data)
        kind = _TYPES.get(os.path.splitext(path)[1])
        if kind is None or path[1:] not in _templates().list_templates():
            return Response("There is no such tool.\n", 404, mimetype="text/plain")
        return Response(_templates().get_template(path[1:]).render(), mimetype=kind)

    def _routes(self) -> list[Shown]:
        return [
            {**routes.describe_route(bound), "last": self.last.get(bound.endpoint)}
            for site in self.app.extensions["filepages"].values()
            for bound in site.routes.values()
        ]

    def _page(self, name: str, request: Request, **data: t.Any) -> Response:
        root, script = _root(request), self._script(request)
        data = {"root": root, "tools": root + PATH, "script": script, **data}
        text = _templates().get_template(name).render(data)
        return Response(text, mimetype="text/html")

    def _script(self, request: Request) -> Markup:
        """Return the element that reloads the page after a change."""
        script = Markup('<script src="{}{}" data-version="{}" async></script>')
        return script.format(_root(request), _SCRIPT, self.watcher.state["version"])

    def failure_page(self, request: Request, error: LoadError) -> Response | None:
        """Return a page about files that cannot be loaded, or ``None`` for a visitor
        who gets none of the tools."""
        if self._refuses_page(request):
            return None
        folder = error.folder
        shown = [
            _shown(f.problem, f.fix, f.chain, os.path.join(folder, f.file), f.line)
            for f in error.faults
        ]
        page = self._page("failure.html", request, errors=shown)
        page.status_code = 500
        page.headers.extend(_HEADERS)
        return page

    def _refuses_page(self, request: Request) -> bool:
        """Return True if a page must not show any of the tools. A link on another site
        may lead to it."""
        environ, fields = request.environ, request.headers
        is_navigation = fields.get("Sec-Fetch-Mode") == "navigate"
        if is_navigation and fields.get("Sec-Fetch-Dest") == "document":
            environ = {**environ, "HTTP_SEC_FETCH_SITE": "none"}
        return refusal(environ, self.hosts) is not None

    # -- signals ----------------------------------------------------------------

    def _note_error(self, app: Flask, exception: Exception, **extra: t.Any) -> None:
        if not app.debug:
            return
        request = current_request()
        line = f"{request.method} {request.full_path.rstrip('?')}"
        line = line[:_LONGEST].encode("utf-8", "backslashreplace").decode()
        shown = {"at": time.strftime("%H:%M:%S"), "request": line}
        title, fix = summary_of(exception), " ".join(notes_of(exception))
        place = last_place(exception) or ("", None)
        shown |= _shown(title, fix, chain_of(exception), *place)
        self.errors.appendleft(shown)

    def _finish(self, app: Flask, response: t.Any, **extra: t.Any) -> None:
        request = current_request()
        rule, environ = request.url_rule, request.environ
        if not app.debug:
            return
        if isinstance(rule, FileRule):
            seconds = time.perf_counter() - environ.get(_START, time.perf_counter())
            self.last[rule.endpoint] = {
                "status": response.status_code,
                "milliseconds": round(seconds * 1000, 1),
                "at": time.strftime("%H:%M:%S"),
            }
        elif rule is not None:
            return  # A view of the app. Without a rule, a new file may be the page.
        if not app.testing and self._can_have_script(request, response):
            # Browsers take what follows </html> for a part of the body.
            script = self._script(request).encode()
            response.set_data(response.get_data() + script)
            for name in ("ETag", "Last-Modified"):  # They are those of other bytes.
                response.headers.pop(name, None)

    def _can_have_script(self, request: Request, response: t.Any) -> bool:
        is_whole = not (response.is_streamed or response.direct_passthrough)
        is_page = request.headers.get("Sec-Fetch-Dest", "document") == "document"
        if not (is_whole and is_page and response.mimetype == "text/html"):
            return False
        charset = response.mimetype_params.get("charset", "utf-8").lower()
        is_coded = "Content-Encoding" in response.headers or charset != "utf-8"
        if is_coded or self._refuses_page(request):
            return False
        if not _is_blocked_by(response.content_security_policy):
            text: bytes = response.get_data()
            return bool(text) and _SCRIPT.encode() not in text
        if not self._has_warned:
            self._has_warned = True
            self.app.logger.warning(
                "Live reload is off for pages with the Content-Security-Policy %r: it"
                " does not allow scripts and connections of 'self'.",
                response.headers["Content-Security-Policy"],
            )
        return False


def _root(request: Request) -> str:
    """Return ``SCRIPT_NAME``. With two slashes at its start, it would be a host."""
    return re.sub(r"\A/+", "/", request.script_root.rstrip("/"))


def _is_blocked_by(policy: ContentSecurityPolicy) -> bool:
    """Return True if *policy* forbids our script, or its requests."""
    default = policy.default_src or "*"
    scripts = policy.script_src_elem or policy.script_src or default
    sources = ((policy.connect_src or default).split(), scripts.split())
    is_allowed = all({"'self'", "*", "http:"}.intersection(one) for one in sources)
    return not is_allowed or "'strict-dynamic'" in scripts


def _shown(
    title: str, fix: str, chain: t.Sequence[str], file: str, line: int | None
) -> Shown:
    """Return what the pages and the overlay show of an error: also the lines around it,
    each with its number, and True for the line itself."""
    place, source = os.path.relpath(file) if file else "", []
    if line is not None:
        place = f"{place}:{line}"
        linecache.checkcache(file)
        numbered = list(enumerate(linecache.getlines(file), 1))
        around = numbered[max(0, line - 1 - _AROUND) : line + _AROUND]
        source = [(n, text.rstrip("\n")[:_LONGEST], n == line) for n, text in around]
    shown: Shown = {"title": title, "fix": fix, "chain": chain}
    return {**shown, "place": place, "source": source}


def _is_logged(record: logging.LogRecord) -> bool:
    """Return False for the requests of the script, which makes two in a second."""
    return f"{PATH}/" not in f"{record.msg}{record.args}"


def _json(data: t.Any) -> Response:
    return Response(json.dumps(data, default=str), mimetype="application/json")


@functools.cache
def _templates() -> Environment:
    loader = PackageLoader("flask_filepages.dev", "assets")
    return Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
