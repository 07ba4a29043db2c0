"""A prerendered route in Flask: made by a build, sent from a release, or live."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from urllib.parse import unquote

from flask import Flask
from flask import Request
from flask import has_request_context
from flask import request
from werkzeug.wrappers import Response as BaseResponse

from .. import page_reads
from .. import reads
from ..context import Context
from ..context import current_request
from ..errors import BuildError
from ..errors import Fault
from ..handling.failures import remember
from ..handling.middleware import bind
from ..handling.responses import finish
from ..handling.route import LiveRoute
from ..handling.view import Checks
from ..handling.view import View
from ..handling.view import first_answer
from ..releases.http import Stored
from ..releases.release import Release
from ..releases.release import Releases
from ..routing.rules import matched_path
from .front import RENDER
from .front import answer
from .front import root_of
from .listing import line_of
from .listing import listed
from .listing import problem_of
from .static_paths import StaticPath


@dataclass(slots=True)
class Render:
    """What a build asks a route for, and the answer it made, before any hook saw it."""

    endpoint: str
    params: Mapping[str, t.Any]
    props: Mapping[str, t.Any]
    take: Callable[[BaseResponse], None]
    error: BaseException | None = None
    reached: str | None = None


#: What this context renders, until its route is found.
under_way: ContextVar[Render | None] = ContextVar("filepages_render", default=None)


class StoredRoute:
    """The paths of a prerendered route, and its view.

    :param prepare: loads the files of the route.
    """

    def __init__(
        self,
        app: Flask,
        live: LiveRoute,
        releases: Releases | None = None,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self.live = live
        self._app = app
        self._releases = releases
        self._prepare = prepare
        self._lock = threading.RLock()
        self._props: tuple[dict[str, Mapping[str, t.Any]], reads.Uses] | None = None
        self._rules = {
            frozenset(p.text for p in rule.pattern.params if p.kind != "rest"): rule
            for rule in reversed(live.rules)
        }

    @property
    def trusts_reads(self) -> bool:
        """Whether a page depends only on what is read while it is rendered."""
        return self.live.incremental == "page"

    # -- paths ------------------------------------------------------------------

    def url_of(self, params: Mapping[str, t.Any]) -> str:
        """Return the URL of *params*, in its canonical form.

        :raises ParamError: a value cannot stand in a URL.
        """
        if len(self._rules) == 1:
            rule = next(iter(self._rules.values()))
        else:
            given = {name for name, value in params.items() if value is not None}
            rule = max(
                (rule for names, rule in self._rules.items() if names <= given),
                key=lambda rule: len(rule.arguments),
            )
        return rule.build(params, append_unknown=False)[1]

    def path_of(self, params: Mapping[str, t.Any]) -> str:
        """Return the path of *params*, decoded; see :meth:`url_of`."""
        return unquote(self.url_of(params))

    def paths(self) -> Iterator[StaticPath]:
        """Yield what the route lists; a route without params has one path.

        :raises BuildError: its ``get_static_paths`` failed, or lists what is no path.
        """
        route = self.live.route
        if route.is_static or self.live.static_paths is None:
            yield StaticPath({})
            return
        try:
            with self._app.app_context():
                yield from listed(route, self.live.static_paths, self.url_of)
        except (Exception, SystemExit) as error:
            source = t.cast(t.Any, route.source)
            problem, fix = problem_of(error)
            line = line_of(error, source.path) or source.line_of("get_static_paths")
            fault = Fault("static-paths", source.relative, problem, fix, line)
            raise BuildError(route.folder or source.relative, [fault]) from error

    def is_listed(self) -> bool:
        """Whether the path that is being matched is one of the route's."""
        render = under_way.get()
        if render is not None:
            return render.endpoint == self.live.endpoint
        path = matched_path.get()
        if path is None:
            if not has_request_context():
                return True
            path = request.path
        release = self._release()
        if release is not None:
            return self._find(release, path) is not None
        return _key(path) in self._live_props()

    def props_of(self, context: Context) -> Mapping[str, t.Any]:
        """Return what the route lists as props of the path of a request."""
        environ = context.request.environ
        if RENDER in environ and not context._trail:
            return t.cast(Render, environ[RENDER]).props
        if self.live.route.is_static:
            return {}
        # By the params: a rewrite has another path than its request.
        path = _key(self.path_of(context.params))
        return self._live_props().get(path, {})

    def _live_props(self) -> Mapping[str, Mapping[str, t.Any]]:
        """Return the props of all paths; in debug the function is asked each time."""
        if self._props is None or self._app.debug:
            self._prepare()
            with self._lock:
                if self._props is None or self._app.debug:
                    self._props = page_reads.of_all(self._listed_props)
        props, uses = self._props
        page_reads.use(uses)
        return props

    def _listed_props(self) -> dict[str, Mapping[str, t.Any]]:
        return {_key(self.path_of(path.params)): path.props for path in self.paths()}

    def _release(self) -> Release | None:
        if self._releases is None or self._app.debug:
            return None
        return self._releases.current()

    def _find(self, release: Release, path: str) -> Stored | None:
        wire = _key(path).encode("utf-8", "replace").decode("latin-1")
        stored = release.find(wire) or release.find(f"{wire}/")
        if stored is None or stored.endpoint != self.live.endpoint:
            return None
        return stored

    # -- answering --------------------------------------------------------------

    def view(self, live_view: View, checks: Checks) -> View:
        """Return the view of the route; *live_view* answers whatever is not stored."""

        def view(**params: t.Any) -> t.Any:
            req = current_request()
            if RENDER in req.environ:
                return self._make(req, params)
            if req.environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
                return live_view(**params)
            release = self._release()
            stored = None if release is None else self._find(release, req.path)
            # Links in it are those of the app's own root.
            is_here = req.environ.get("SCRIPT_NAME", "") == root_of(self._app)
            if release is None or stored is None or not is_here:
                return live_view(**params)
            early = first_answer(checks, req)
            if early is not None:
                return early
            return self._send(release, stored, req, params) or live_view(**params)

        return view

    def _send(
        self, release: Release, stored: Stored, req: Request, params: dict[str, t.Any]
    ) -> BaseResponse | None:
        """Return the stored answer, behind the middleware that guards what is sent;
        ``None`` if its file is gone."""
        self._prepare()
        try:
            sent = answer(release, stored, stored.choose(req.environ), req.environ)
        except OSError as error:
            self._app.logger.error("%s is answered anew: %s", stored.path, error)
            return None
        status, headers, body = sent
        response = self._app.response_class(body, status, headers)
        links = self.live.guards
        if not links:
            return response
        context = Context(req, params, self.live.binding)
        chain = bind(links, lambda context: response, self.live.respond)
        try:
            return finish(context, chain(context))
        except BaseException as error:
            remember(context, error)
            raise

    def _make(self, req: Request, params: dict[str, t.Any]) -> BaseResponse:
        """Answer a build: what is given to it left the middleware of a render."""
        render: Render = req.environ[RENDER]
        render.reached = self.live.endpoint
        # Requests that the handler itself makes are none of the build.
        under_way.set(None)
        given = {k: v for k, v in render.params.items() if v is not None}
        got = {k: v for k, v in params.items() if v is not None}
        context = Context(req, params, self.live.binding)
        try:
            if given != got:
                raise ValueError(f"its URL comes back with the params {got}")
            handler = self.live.made.find("GET")
            response = self.live.respond(context, handler, handler(context))
            response = finish(context, response)
            render.take(response)
        except BaseException as error:
            render.error = error
            remember(context, error)
            raise
        return response


def _key(path: str) -> str:
    """Return a path without its last slash, as listed paths are kept."""
    while "//" in path:
        path = path.replace("//", "/")
    return path.rstrip("/") or "/"
