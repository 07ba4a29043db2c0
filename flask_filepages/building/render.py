"""Render one path: request it from the app, as a client would."""

from __future__ import annotations

import contextvars
import io
import os
import time
import typing as t
from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import Flask
from jinja2 import TemplateSyntaxError
from werkzeug.exceptions import BadRequestKeyError
from werkzeug.exceptions import HTTPException

from ..errors import NotAResponseError
from ..errors import SettingsError
from ..functions import described
from ..functions import last_place
from ..handling.failures import notes_of
from ..prerendering.build_request import RENDER
from ..prerendering.build_request import Render
from ..prerendering.get_static_paths import decode
from ..prerendering.static_paths import StaticPath
from ..routing.rules import FileRule
from ..site import sites_of
from .rendered import RenderedResponse
from .rendered import refusal

_BATCH_SECONDS = 0.05  # Seconds of rendering before the responses are written.


class Job(t.NamedTuple):
    """A path to render, with the digest of its response body in the last release.

    :attr:`static_path` is JSON, unless its props cannot be written as JSON.
    """

    path: str
    endpoint: str
    static_path: StaticPath | str
    last_digest: str | None


class BuildClient:
    """Requests paths from *app* through its whole WSGI stack, with no context
    pushed."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        sites = list(sites_of(app).values())
        for site in sites:
            site.load()
        self._routes = {n: r for site in sites for n, r in site.prerendered.items()}
        for route in self._routes.values():
            route.forget_listing()
        self._settings = settings = sites[0].settings
        # If the output is static, no route may run on demand.
        self._may_opt_out = settings.output != "static"
        on_demand = "write `prerender = False`, or " if self._may_opt_out else ""
        self._state_warning = (
            "it reads the session or the cookies, but every visitor gets its stored"
            f" response. Instead, {on_demand}read them with a script in the browser."
        )
        #: What absolute URLs begin with in a build without ``FILEPAGES_SITE``.
        no_site = f"http://localhost{settings.root}/".encode()
        self._no_site = None if settings.site else no_site
        url = urlsplit(settings.site or "http://localhost")
        secure = url.scheme.lower() == "https"
        self._environ: dict[str, t.Any] = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": settings.root,
            "QUERY_STRING": "",
            "SERVER_NAME": url.hostname or "localhost",
            "SERVER_PORT": str(url.port or (443 if secure else 80)),
            "HTTP_HOST": url.netloc.rpartition("@")[2],
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if secure else "http",
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }

    def responses(self, jobs: Iterator[Job]) -> Iterator[RenderedResponse]:
        """Yield the responses of *jobs*. Rendering some before the first is written is
        7 % faster than taking turns."""
        while True:
            end = time.monotonic() + _BATCH_SECONDS
            batch = []
            for job in jobs:
                batch.append(self.get(job))
                if time.monotonic() > end:
                    break
            if not batch:
                return
            yield from batch

    def get(self, job: Job) -> RenderedResponse:
        """Return the response for a path; its ``problem`` says if it cannot be stored.

        The body is not compressed if it did not change since the last release.
        """
        start = time.perf_counter()
        response = RenderedResponse(job.path)
        # Run in an empty context, so that the page cannot see the caller's.
        contextvars.Context().run(self._request, job, response)
        if response.problem is None:
            route = self._routes[job.endpoint]
            headers, is_guarded = tuple(response.headers), bool(route.guards)
            response.problem, response.fix = refusal(
                response.status, headers, route.is_error_page, is_guarded
            )
        if response.problem is None:
            response.complete(self._settings)
            if self._no_site is not None and self._no_site in response.body:
                response.warning = response.warning or (
                    f"its body has {self._no_site.decode()}, because FILEPAGES_SITE is"
                    " not set. Set it to the public address of the site."
                )
            if response.digest != job.last_digest:
                response.compress()
        response.seconds = time.perf_counter() - start
        return response

    def _request(self, job: Job, response: RenderedResponse) -> None:
        environ = self._environ.copy()
        url = self._routes[job.endpoint].file_names.url(job.path)
        path = url.encode().decode("latin-1")
        environ["PATH_INFO"] = path
        environ["REQUEST_URI"] = environ["SCRIPT_NAME"] + path
        environ["wsgi.input"] = io.BytesIO()
        environ["wsgi.errors"] = io.StringIO()

        static_path = job.static_path
        if isinstance(static_path, str):
            static_path = decode(static_path)
        given = (static_path.params, static_path.props)
        environ[RENDER] = render = Render(job.endpoint, *given, response.take)
        statuses: list[str] = []

        def start_response(status: str, headers: t.Any, exc_info: t.Any = None) -> None:
            statuses.append(status)

        try:
            result = self.app.wsgi_app(environ, t.cast(t.Any, start_response))
            try:
                for _ in result:
                    pass
            finally:
                getattr(result, "close", lambda: None)()
        except (Exception, SystemExit) as error:
            render.error = render.error or error
        response.warning = render.warning
        if response.warning is None and render.reads_state:
            response.warning = self._state_warning
        if render.error is not None:
            response.problem, response.fix = self._explain(
                render.error, is_listed=bool(render.params)
            )
        elif render.reached != job.endpoint:
            status = statuses[-1] if statuses else "no response"
            response.problem, response.fix = self._explain_detour(job, status)
        elif statuses[-1] >= "5" > response.status:
            response.problem = f"an after_request function made it {statuses[-1]}"
            response.fix = "Fix that function. The log has its traceback."

    def _explain(self, error: BaseException, *, is_listed: bool) -> tuple[str, str]:
        """Return problem and fix of an error, with the user's file and line.

        :param is_listed: a ``get_static_paths`` lists the path.
        """
        if isinstance(error, TemplateSyntaxError):
            # Its text has the file and line in another form.
            problem, fix = f"TemplateSyntaxError: {error.message}", ""
        elif isinstance(error, SettingsError):
            problem, fix = str(error), "Set it before FilePages(app)."
        elif isinstance(error, NotAResponseError):
            return str(error).removesuffix(f" {error.fix}"), error.fix
        elif isinstance(error, BadRequestKeyError):
            problem = f"it reads {error.args[0]!r} of a query or a form"
            fix = "A build sends neither. Use .get(), or serve the route on demand."
        elif isinstance(error, HTTPException):
            problem = f"the response is {error.code} {error.name}"
            if error.description != type(error).description:
                problem += f": {error.description}"
            fix = "Leave the path out, or fix the handler." if is_listed else ""
        elif isinstance(error, SystemExit):
            problem = "it ends the process (SystemExit)"
            fix = "Return a response, or raise an error."
        else:
            problem = f"{type(error).__name__}: {error}".removesuffix(": ")
            fix = " ".join(notes_of(error))
        where = last_place(error)
        if isinstance(error, TemplateSyntaxError) and error.filename:
            where = error.filename, error.lineno
        if where is not None:
            file, line = where
            problem += f" ({os.path.relpath(file, self.app.root_path)}:{line})"
        is_handler = where is None or where[0].endswith(".py")
        what = "handler" if is_handler else "template"
        on_demand = ", or write `prerender = False`" if self._may_opt_out else ""
        return problem, fix or f"Fix the {what}{on_demand}."

    def _explain_detour(self, job: Job, status: str) -> tuple[str, str]:
        """Return problem and fix where the request did not reach its route."""
        adapter = self.app.url_map.bind("localhost")
        try:
            rule, _ = adapter.match(job.path, return_rule=True)
        except HTTPException:
            rule = None
        if rule is not None and rule.endpoint != job.endpoint:
            name = rule.route.name if isinstance(rule, FileRule) else rule.endpoint
            fix = "Leave the path out of get_static_paths, or rename that one."
            return f"its URL leads to {name}", fix
        if status.startswith("400") and self.app.config.get("TRUSTED_HOSTS"):
            host = self._environ["HTTP_HOST"]
            fix = "Set FILEPAGES_SITE to a URL whose host is in TRUSTED_HOSTS."
            return f"TRUSTED_HOSTS refuses the host of the build, {host}", fix
        hooks = self.app.before_request_funcs
        names = [
            f"the before_request function {described(function, self.app.root_path)}"
            for scope in (None, *self.app.extensions["filepages"])
            for function in hooks.get(scope, ())
        ]
        who = " or ".join(names) or "something before the route"
        fix = "Let it ignore requests for this path, or write `prerender = False`."
        return f"{who} responded with {status} before the route", fix
