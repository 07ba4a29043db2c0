"""A prerendered route: rendered by a build, sent from a release, or live."""

from __future__ import annotations

import contextvars
import threading
import types
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from urllib.parse import unquote

from flask import Request
from flask import has_request_context
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from ..context import Context
from ..context import current_request
from ..errors import BuildError
from ..errors import Fault
from ..errors import ParamError
from ..functions import name_of
from ..functions import with_line
from ..handling.failures import remember_failure
from ..handling.handlers import Handler
from ..handling.handlers import Handlers
from ..handling.middleware import chain
from ..handling.responses import add_default_cache_control
from ..handling.responses import finish
from ..handling.route import BoundRoute
from ..handling.view import respond
from ..releases.http import StoredResponse
from ..releases.release import Release
from ..routing.files import STATIC_PATHS
from ..routing.files import Source
from ..routing.rules import matched_path
from .build_request import RENDER
from .build_request import Render
from .build_request import is_live
from .file_names import FileNames
from .get_static_paths import line_of
from .get_static_paths import list_paths
from .get_static_paths import problem_of
from .get_static_paths import read_function
from .response import make_response
from .static_paths import StaticPath

Props = Mapping[str, t.Any]
#: The listings that were made during a request, by endpoint name.
_LISTED = "flask_filepages.listed"


class PrerenderedRoute(BoundRoute):
    """A route whose responses a build stores.

    With :attr:`is_auto`, paths that are not stored run on each request.
    """

    def __init__(self, *args: t.Any) -> None:
        super().__init__(*args)
        self.is_auto = self.route.prerender == "auto"
        self.file_names = FileNames(self)
        self._render_handlers: Handlers | None = None
        self._get_static_paths: Callable[[], t.Any] | None = None
        #: The props of all listed paths, and the release and the ``SCRIPT_NAME`` for
        #: which they were listed.
        self._listed: tuple[tuple[Release | None, str], dict[str, Props]] | None = None
        self._lock = threading.RLock()

    # -- loading ----------------------------------------------------------------

    def _check_static_paths(
        self, module: types.ModuleType | None, own: dict[str, Handler]
    ) -> list[Fault]:
        """Read ``get_static_paths``; return faults that prevent storing the route."""
        function, faults, warnings = read_function(self, module, own)
        self.warnings += warnings
        if function is not None and not faults:
            self._get_static_paths = self.app.ensure_sync(function)
        return faults

    def _complete(self, own: dict[str, Handler]) -> Handlers:
        handlers = Handlers.of(own)
        marked = [link for link in self.links if link.is_once_per_render]
        self._render_handlers = self._with_cache_control(self._behind(marked, handlers))
        return self._with_cache_control(self._behind(self.links, handlers))

    def _with_cache_control(self, handlers: Handlers) -> Handlers:
        def wrap(handler: Handler) -> Handler:
            def respond(context: Context) -> BaseResponse:
                response = self.to_response(context, handler, handler(context))
                if context.is_prerendered:
                    add_default_cache_control(response, is_guarded=bool(self.guards))
                return response

            return respond

        read = {method: wrap(handlers.table[method]) for method in ("GET", "HEAD")}
        return Handlers({**handlers.table, **read}, handlers.other, handlers.allow)

    # -- paths ------------------------------------------------------------------

    def paths(
        self, faults: list[Fault] | None = None, root: str | None = None
    ) -> Iterator[StaticPath]:
        """Yield the paths that the route lists. A route without params has one.

        :param faults: gets a fault for each wrong entry, which is skipped. Without it,
            the first wrong entry raises.
        :param root: what the URLs of pages begin with, by default
            ``APPLICATION_ROOT``.
        :raises BuildError: ``get_static_paths`` failed, or an entry is wrong.
        """
        if self.is_static or self._get_static_paths is None:
            yield StaticPath({})
            return
        # The caller never runs in the app context of the listing.
        context = contextvars.Context()
        pushed = self.app.app_context()
        context.run(pushed.push)
        root = self.settings.root if root is None else root
        listed = list_paths(self, self._get_static_paths, root)
        try:
            while (path := context.run(next, listed, None)) is not None:
                if isinstance(path, StaticPath):
                    yield path
                elif faults is None:
                    raise path
                elif (fault := self._listing_fault(path)) not in faults[-1:]:
                    faults.append(fault)  # Each page of paginate() has the same one.
        except (Exception, SystemExit) as error:
            fault = self._listing_fault(error)
            raise BuildError(self.site.folder, [fault]) from error
        finally:
            context.run(pushed.pop)

    def _paths_with_urls(
        self, faults: list[Fault], root: str
    ) -> Iterator[tuple[StaticPath, str]]:
        """Yield the paths that the route lists, each with its URL.

        :param faults: gets a fault for each wrong entry, which is skipped.
        :raises BuildError: ``get_static_paths`` failed.
        """
        for path in self.paths(faults, root):
            try:
                yield path, self.url_of(path.params)
            except ParamError as error:
                faults.append(self._listing_fault(error))

    def _listing_fault(self, error: BaseException) -> Fault:
        source = t.cast(Source, self.route.source)
        problem, fix = problem_of(error)
        line = line_of(error, source.path) or source.line_of(STATIC_PATHS)
        return Fault("static-paths", source.relative, problem, fix, line)

    def accepts_path(self) -> bool:
        """Return True if the path that Werkzeug is matching is one of the listed ones.

        Other paths fall through to the next rule.
        """
        if self.is_static or self.is_auto:
            return True
        path = matched_path.get()
        environ: dict[str, t.Any] = {"SCRIPT_NAME": self.settings.root}
        if has_request_context():
            request = current_request()
            environ = request.environ
            if path is None and (request.url_rule or request.routing_exception):
                # The request was matched before. The app is matching another path now,
                # which Werkzeug does not show us.
                return True
            render = environ.get(RENDER)
            if path is None and render is not None:
                return bool(render.endpoint == self.endpoint)
            path = request.path if path is None else path
        return path is None or self._has(path, environ)

    def is_prerendered_for(self, context: Context) -> bool:
        environ = context.request.environ
        if not self.is_auto or (RENDER in environ and not context._trail):
            return True
        is_readable = environ["REQUEST_METHOD"] in ("GET", "HEAD")
        return is_readable and self._has(self._path(context), environ)

    def props_for(self, context: Context) -> Mapping[str, t.Any]:
        """Return the props that ``get_static_paths`` gives for the path of
        *context*."""
        if self.is_error_page:
            return super().props_for(context)
        environ = context.request.environ
        render = environ.get(RENDER)
        if render is not None and not context._trail:
            return t.cast(Render, render).props
        if self.is_static or not context.is_prerendered:
            return {}
        return self._listed_props(environ).get(_key(self._path(context)), {})

    def _path(self, context: Context) -> str:
        # A rewrite keeps the path of its request, so look up the params.
        return self.path_of(context.params) if context._trail else context.request.path

    def _has(self, path: str, environ: dict[str, t.Any]) -> bool:
        """Return True if the release has *path*, or without a release
        ``get_static_paths``."""
        if self.is_static:
            return True
        release = self._release(environ)
        if release is not None:
            return self.find_stored(release, path) is not None
        return _key(path) in self._listed_props(environ)

    def _lists(self, request: Request) -> bool:
        """Return True if ``get_static_paths`` lists the path of *request* by now."""
        path = _key(request.path)
        return self.is_static or path in self._listed_props(request.environ)

    def forget_listing(self) -> None:
        """Forget the listed paths, so that they are listed again for a build."""
        self._listed = None

    def _listed_props(self, environ: dict[str, t.Any]) -> Mapping[str, Props]:
        """Return the props of all listed paths. They are listed again for each release,
        and in debug for each request."""
        root = environ.get("SCRIPT_NAME", "").rstrip("/")
        listed_for = (self._release(environ), root)
        self.prepare()
        with self._lock:
            listed = self._listed
            seen = environ.setdefault(_LISTED, {}).get(self.endpoint)
            is_new_request = self.app.debug and seen is not listed
            if listed is None or listed[0] != listed_for or is_new_request:
                faults: list[Fault] = []
                props = {
                    _key(unquote(url)): path.props
                    for path, url in self._paths_with_urls(faults, root)
                }
                for fault in faults:
                    self.app.logger.error("Skipped a path. %s", fault)
                listed = self._listed = (listed_for, props)
                environ[_LISTED][self.endpoint] = listed
        return listed[1]

    def _release(self, environ: dict[str, t.Any]) -> Release | None:
        if is_live(self.app, environ):
            return None
        return self.site.releases.for_request(environ)

    def find_stored(self, release: Release, path: str) -> StoredResponse | None:
        """Return the response of this route that *release* has for a decoded path."""
        wire = _key(path).encode("utf-8", "replace").decode("latin-1")
        stored = release.find(wire) or release.find(f"{wire}/")
        if stored is None or stored.endpoint != self.endpoint:
            return None
        return stored

    # -- responding -------------------------------------------------------------

    def respond(self, request: Request, params: dict[str, t.Any]) -> BaseResponse:
        """Render for a build, send a stored response, or run the handler like any other
        route."""
        environ = request.environ
        if RENDER in environ:
            return self._render_for_build(request, params)
        is_readable = environ["REQUEST_METHOD"] in ("GET", "HEAD")
        release = self._release(environ) if is_readable else None
        if release is None:
            return super().respond(request, params)
        stored = release.find(environ["PATH_INFO"])
        if stored is None or stored.endpoint != self.endpoint:
            stored = self.find_stored(release, request.path)
        if stored is not None:
            response = self._send(release, stored, request, params)
            if response is not None:
                return response
            if not self.is_auto and not self._lists(request):
                raise NotFound  # The file is gone, and so is the path.
        return super().respond(request, params)

    def _send(
        self,
        release: Release,
        stored: StoredResponse,
        request: Request,
        params: dict[str, t.Any],
    ) -> BaseResponse | None:
        """Return the stored response behind the guards, or ``None`` if it cannot be
        sent."""
        if self.handlers is None:
            self.prepare()
        if self.guards and not stored.is_guarded:
            return None  # It may be public: the guard is newer than the release.
        try:
            status, headers, body = release.send(stored, request.environ)
        except OSError as error:
            self.app.logger.error(
                "Rendering %s instead of sending it: %s", stored.path, error
            )
            return None
        response = make_response(self.app.response_class, status, headers, body)
        if not self.guards:
            return response
        guarded = chain(self.guards, lambda context: response)
        return respond(Context(request, params, self), guarded)

    def render(
        self, context: Context, template: str | None, data: dict[str, t.Any]
    ) -> str:
        render = context.request.environ.get(RENDER)
        if render is None:
            return super().render(context, template, data)
        # Flask-Login reads the session for every template, whatever it shows.
        render.note_reads(context.request)
        html = super().render(context, template, data)
        render.start(context.request)
        return html

    def _render_for_build(
        self, request: Request, params: dict[str, t.Any]
    ) -> BaseResponse:
        """Render the path that a build requests, and pass the response to the build.

        The build gets the response here, behind the middleware marked
        ``@once_per_render`` only, because guards and hooks run when it is sent.
        """
        render: Render = request.environ[RENDER]
        render.reached = self.endpoint
        given = {k: v for k, v in render.params.items() if v is not None}
        matched = {k: v for k, v in params.items() if v is not None}
        if self.app.url_value_preprocessors:  # They may take params out.
            given = {k: v for k, v in given.items() if k in matched}
        context = Context(request, params, self)
        try:
            if given != matched:
                raise ValueError(
                    f"its URL has the params {matched}, but {STATIC_PATHS} lists"
                    f" {given}"
                )
            render.start(request)
            handler = t.cast(Handlers, self._render_handlers).find("GET")
            response = finish(context, handler(context))
            render.note_reads(request)
            link = context._ended_by
            if link is not None:
                where = with_line(link.source.relative, link.function)
                render.warning = (
                    f"{name_of(link.function)}() ({where}) responded, not the handler,"
                    " and every visitor gets its response. A guard must not be marked"
                    " @once_per_render."
                )
            render.take(response)
        except BaseException as error:
            render.error = error
            remember_failure(context, error)
            raise
        return response


def _key(path: str) -> str:
    """Return a path without double slashes and without a slash at its end."""
    while "//" in path:
        path = path.replace("//", "/")
    return path.rstrip("/") or "/"
