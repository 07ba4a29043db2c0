"""One pages folder in one app: its routes, its views, and loading its files."""

from __future__ import annotations

import gc
import os
import threading
import typing as t
from dataclasses import dataclass
from dataclasses import field
from functools import partial

from flask import Flask
from flask import request
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.routing import Map
from werkzeug.wrappers import Response as BaseResponse

from . import devtools
from . import dispatch
from .context import Binding
from .context import Context
from .discovery import Route
from .discovery import Tree
from .discovery import discover
from .error_pages import ErrorPage
from .error_pages import error_props
from .errors import Fault
from .errors import LoadError
from .errors import SettingsError
from .errors import TreeError
from .handlers import Handlers
from .handlers import load_handlers
from .modules import anchor_for
from .modules import finder
from .modules import module_name
from .redirects import keep_canonical
from .redirects import redirect_view
from .rendering import Renderer
from .routing import FileRule
from .routing import rules_of
from .routing import usable_matchers
from .settings import Settings
from .urls import collisions_with_app
from .urls import endpoint_name
from .urls import shadow_maps


@dataclass(slots=True)
class LiveRoute:
    """A route in an app: its endpoint name, its module, and its handlers once loaded."""

    route: Route
    endpoint: str
    module: str | None
    binding: Binding
    handlers: Handlers = field(default_factory=Handlers)
    rules: list[FileRule] = field(default_factory=list)
    shadow: tuple[Map, Map] | None = None
    loaded: Handlers | None = None

    def activate(self) -> None:
        """Let the view answer with what was loaded: it holds on to its own table."""
        if self.loaded is not None:
            self.handlers.other = self.loaded.other
            self.handlers.table.update(self.loaded.table)
            # Last: it tells other threads that the table is there.
            self.handlers.allow = self.loaded.allow


class PagesState:
    """What ``app.extensions["filepages"]`` holds for each name."""

    def __init__(
        self,
        app: Flask,
        *,
        name: str,
        folder: str,
        url_prefix: str,
        settings: Settings,
        renderers: t.Mapping[str, Renderer],
        first: bool,
    ) -> None:
        self.name = name
        self.folder = os.path.realpath(os.path.join(app.root_path, folder))
        self.url_prefix = url_prefix
        self.settings = settings
        self.renderers = renderers
        self.app = app
        if not os.path.isdir(self.folder):
            raise SettingsError(
                f"There is no folder {self.folder}. Make it, or name another one:"
                " FilePages(app, folder=...), relative to the app's module."
            )
        self.anchor = anchor_for(self.folder, app.import_name, app.root_path)
        self.tree: Tree = discover(
            self.folder,
            page_suffixes=tuple(renderers),
            matchers=usable_matchers(app.url_map),
            redirects=settings.redirects if first else {},
        )
        self.routes = {route.id: self._live(route) for route in self.tree.routes}
        self.error_pages: dict[int, ErrorPage] = {
            code: partial(self._error_page, self.routes[route.id])
            for code, route in self.tree.error_routes.items()
        }
        self._lock = threading.RLock()
        self._is_set_up = False
        self._failed: LoadError | None = None
        self.warnings: list[Fault] = []
        finder.register(self.anchor, self.folder, fresh=app.debug)

    def _live(self, route: Route) -> LiveRoute:
        params = {part.text for pattern in route.patterns for part in pattern.params}
        always = set.intersection(
            *(
                {p.text for p in pat.params if p.kind == "param"}
                for pat in route.patterns
            )
        )
        return LiveRoute(
            route,
            endpoint_name(self.name, route.id),
            module_name(self.anchor, self.folder, route.endpoint.relative)
            if route.endpoint
            else None,
            Binding(
                route.id,
                dict.fromkeys(sorted(params - always)),
                partial(self._render, route),
                bool(route.prerender),
                self.settings.site,
            ),
        )

    # -- registering ----------------------------------------------------------

    def register(self, setup: BlueprintSetupState) -> None:
        """Add rules and views to the app the blueprint is being registered on.

        :raises TreeError: a pattern is one of the app's own routes.
        """
        app = t.cast(Flask, setup.app)
        # The collector would walk the growing map again and again.
        collecting = gc.isenabled()
        gc.disable()
        try:
            for live in self.routes.values():
                self._register(app, live)
        finally:
            if collecting:
                gc.enable()
        self._check_collisions()

    def _register(self, app: Flask, live: LiveRoute) -> None:
        for rule in rules_of(
            live.route,
            prefix=self.url_prefix,
            endpoint=live.endpoint,
            slash=self.settings.trailing_slash,
            methods=partial(self.methods, live),
        ):
            app.url_map.add(rule)
            live.rules.append(rule)
        view = self._view(live)
        view.__module__ = live.module or self.anchor
        view.__name__ = view.__qualname__ = live.route.id
        app.view_functions[live.endpoint] = keep_canonical(
            view, self.settings.trailing_slash
        )

    def _view(self, live: LiveRoute) -> dispatch.View:
        if live.route.redirect is not None:
            return redirect_view(live.route)
        view = dispatch.make_view(
            live.binding,
            live.handlers,
            partial(self._prepare, live),
            self._finish(live.route),
        )
        return devtools.with_failure_page(self.app, view)

    def _finish(self, route: Route) -> dispatch.Finish:
        return dispatch.make_finish(
            self.app, file=route.name, strict=self.settings.strict_response
        )

    def _check_collisions(self) -> None:
        rules = (rule for live in self.routes.values() for rule in live.rules)
        faults = collisions_with_app(self.app.url_map, rules)
        if faults:
            raise TreeError(self.folder, faults)

    def _set_up(self) -> None:
        """Look at the app's own routes, now that all of them are there."""
        if self._is_set_up:
            return
        self._check_collisions()
        for live in self.routes.values():
            live.shadow = shadow_maps(self.app.url_map, live.route, live.rules)
            if live.shadow is not None:
                views = self.app.view_functions
                views[live.endpoint] = dispatch.behind_app(
                    views[live.endpoint], live.shadow
                )
        self._is_set_up = True

    # -- loading --------------------------------------------------------------

    def load(self) -> None:
        """Import all endpoints.

        :raises LoadError: names every file that could not be loaded.
        """
        with self._lock:
            if self._failed is not None:
                raise self._failed
            self._set_up()
            lives = self.routes.values()
            faults = [fault for live in lives for fault in self._load(live)]
            if faults:
                self._failed = LoadError(self.folder, faults)
                raise self._failed
            for live in lives:
                live.activate()

    def _prepare(self, live: LiveRoute) -> None:
        """Load what a first request needs: everything, or in debug its own file."""
        if live.handlers.allow:
            return
        with self._lock:
            if not self.app.debug:
                self.load()
            else:
                self._set_up()
                faults = self._load(live)
                if faults:
                    raise LoadError(self.folder, faults)
                live.activate()
        # This request may have come by the view as it was before the set-up.
        if live.shadow is not None:
            dispatch.refuse_shadowed(request, live.shadow)

    def _load(self, live: LiveRoute) -> list[Fault]:
        route = live.route
        if live.loaded is not None or route.redirect is not None:
            return []
        own: dict[str, t.Any] = {}
        if route.endpoint is not None and live.module is not None:
            own, faults, warnings = load_handlers(
                live.module,
                route.endpoint,
                self.folder,
                has_page=route.page is not None,
            )
            if faults:
                return faults
            self.warnings += warnings
            for warning in warnings:
                self.app.logger.warning("%s", warning)
        if route.page is not None:
            own.setdefault("GET", _render_page)
        made = Handlers.of({m: self.app.ensure_sync(h) for m, h in own.items()})
        if self.app.debug and not any(p.params for p in route.patterns):
            check = partial(devtools.with_type_check, self.app)
            made.table = {
                m: check(h, str(route.patterns[0]), route.name)
                for m, h in made.table.items()
            }
        live.loaded = made
        return []

    def methods(self, live: LiveRoute) -> t.Sequence[str]:
        """Return the methods that *live* answers; its file is loaded if need be."""
        if live.route.redirect is not None:
            return ("GET", "HEAD")
        with self._lock:
            self._load(live)
        return live.loaded.allow if live.loaded else ()

    # -- answering ------------------------------------------------------------

    def _render(
        self,
        route: Route,
        context: Context,
        template: str | None,
        data: dict[str, t.Any],
    ) -> str:
        if template is None:
            if route.page is None:
                raise FileNotFoundError(
                    f"{route.name} has no page of its name beside it. Make one, or"
                    " name a template: context.render('some.html')."
                )
            template = f"{self.name}:/{route.page.relative}"
        suffix = os.path.splitext(template)[1]
        render = self.renderers.get(suffix, self.renderers[".html"])
        return render(context, template, data)

    def _error_page(
        self, live: LiveRoute, code: int, error: BaseException
    ) -> BaseResponse:
        """Return what the error page's ``GET`` answers; a bare page gets the code."""
        self._prepare(live)
        handler = live.handlers.find("GET")
        current = t.cast(t.Any, request)._get_current_object()
        context = Context(current, {}, live.binding)
        context.props = error_props(error)
        response = self._finish(live.route)(context, handler, handler(context))
        if live.route.endpoint is None:
            response.status_code = code
        return response


def _render_page(context: Context) -> BaseResponse:
    return context.render()


_render_page.__name__ = "GET"
