"""One pages folder in one app: its routes, its views, and loading its files."""

from __future__ import annotations

import functools
import gc
import os
import threading
import typing as t
from dataclasses import replace

from flask import Flask
from flask import Request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import default_exceptions
from werkzeug.wrappers import Response as BaseResponse

from . import devtools
from . import dispatch
from .context import Binding
from .context import Context
from .context import current_request
from .converters import usable_matchers
from .discovery import Route
from .discovery import Tree
from .discovery import discover
from .error_pages import ErrorPage
from .errors import Fault
from .errors import LoadError
from .errors import SettingsError
from .errors import TreeError
from .live import LiveRoute
from .modules import anchor_for
from .modules import finder
from .modules import module_name
from .modules import package_of
from .redirects import check_slash
from .redirects import redirect_view
from .rendering import Renderer
from .rendering import make_render
from .rendering import page_fault
from .routing import rules_of
from .settings import Settings
from .urls import collisions_with_app
from .urls import endpoint_name
from .urls import rules_of_app
from .urls import shadow_maps


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
    ) -> None:
        self.app = app
        self.name = name
        self.folder = os.path.realpath(os.path.join(app.root_path, folder))
        self.url_prefix = url_prefix
        self.settings = settings
        self.renderers = renderers
        if not os.path.isdir(self.folder):
            raise SettingsError(
                f"There is no folder {self.folder}. Make it, or name another one:"
                " FilePages(app, folder=...), relative to the app's module."
            )
        self.anchor = anchor_for(
            self.folder, package_of(app.import_name), app.root_path
        )
        self.tree: Tree = discover(
            self.folder,
            page_suffixes=tuple(renderers),
            matchers=usable_matchers(app.url_map),
            redirects=settings.redirects,
        )
        self.routes = self._live_routes()
        self.error_pages: dict[int, ErrorPage] = {
            code: functools.partial(self._error_page, self.routes[route.id])
            for code, route in self.tree.error_routes.items()
        }
        self._lock = threading.RLock()
        self._is_set_up = False
        self._faults: list[Fault] = []
        finder.register(self.anchor, self.folder, fresh=app.debug)

    @property
    def warnings(self) -> list[Fault]:
        """What was noticed while loading, and does not stop anything."""
        return [warning for live in self.routes.values() for warning in live.warnings]

    def _live_routes(self) -> dict[str, LiveRoute]:
        codes = {route.id: code for code, route in self.tree.error_routes.items()}
        taken = {p.shape for route in self.tree.routes for p in route.patterns}
        routes = {}
        for route in self.tree.routes:
            live = self._live(route, codes.get(route.id))
            live.rules += rules_of(
                route,
                taken,
                prefix=self.url_prefix,
                endpoint=live.endpoint,
                slash=self.settings.trailing_slash,
                methods=functools.partial(self.methods, live),
            )
            routes[route.id] = live
        return routes

    def _live(self, route: Route, code: int | None) -> LiveRoute:
        params = {part.text for pattern in route.patterns for part in pattern.params}
        always = set.intersection(
            *({p.text for p in q.params if p.kind == "param"} for q in route.patterns)
        )
        binding = Binding(
            route.id,
            dict.fromkeys(sorted(params - always)),
            make_render(self.name, route, self.renderers),
            bool(route.prerender),
            self.settings.site,
        )
        if code is not None:
            # Asked for by its own URL, too.
            error = default_exceptions[code]()
            binding = replace(binding, status=code, props={"error": error})
        module = None
        if route.endpoint is not None:
            module = module_name(self.anchor, self.folder, route.endpoint.relative)
        return LiveRoute(route, endpoint_name(self.name, route.id), module, binding)

    # -- registering ----------------------------------------------------------

    def check_collisions(self) -> None:
        """Look for patterns that are also routes of the app itself.

        :raises TreeError: there are some.
        """
        rules = (rule for live in self.routes.values() for rule in live.rules)
        faults = collisions_with_app(self.app.url_map, self.name, rules)
        if faults:
            raise TreeError(self.folder, faults)

    def register(self) -> None:
        """Add rules and views to the app."""
        # The collector would walk the growing map again and again.
        collecting = gc.isenabled()
        gc.disable()
        try:
            for live in self.routes.values():
                for rule in live.rules:
                    self.app.url_map.add(rule)
                self.app.view_functions[live.endpoint] = self._view(live)
        finally:
            if collecting:
                gc.enable()

    def _view(self, live: LiveRoute) -> dispatch.View:
        route = live.route
        checks: dispatch.Checks = []
        if not route.is_static:
            checks.append(self._app_check(live, checks))
        if self.settings.trailing_slash != "ignore":
            checks.append(check_slash)
        if route.redirect is not None:
            view = redirect_view(route.redirect, checks)
        else:
            view = dispatch.make_view(
                live.binding,
                live.handlers,
                checks,
                functools.partial(self._prepare, live),
                self._finish(route),
            )
        view.__module__ = live.module or self.anchor
        view.__name__ = view.__qualname__ = route.id
        return view

    def _app_check(self, live: LiveRoute, checks: dispatch.Checks) -> dispatch.Check:
        """Return a check that leaves to the app what it answers with 405 today.

        It takes itself out of *checks* when there is nothing like that.
        """

        def check(req: Request) -> None:
            self._set_up()
            if live.shadow is None:
                checks[:] = [other for other in checks if other is not check]
            else:
                dispatch.refuse_shadowed(req, live.shadow)

        return check

    def _finish(self, route: Route) -> dispatch.Finish:
        return dispatch.make_finish(
            self.app,
            file=route.endpoint.path if route.endpoint else route.name,
            strict=self.settings.strict_response,
        )

    def _set_up(self) -> None:
        """Look at the app's own routes, now that all of them are there."""
        if self._is_set_up:
            return
        with self._lock:
            if self._is_set_up:
                return
            self.check_collisions()
            map = self.app.url_map
            app_rules = rules_of_app(map)
            for live in self.routes.values():
                live.shadow = shadow_maps(map, app_rules, live.route, live.rules)
            # app.run(debug=True) says so only now.
            finder.register(self.anchor, self.folder, fresh=self.app.debug)
            self._is_set_up = True

    # -- loading --------------------------------------------------------------

    def load(self) -> None:
        """Import all endpoints.

        :raises LoadError: names every file that could not be loaded.
        """
        with self._lock:
            self._set_up()
            lives = self.routes.values()
            if not self._faults:
                self._faults = [
                    fault
                    for live in lives
                    for fault in live.load(self.app, self.folder)
                ]
            if self._faults:
                faults = self._faults
                if self.app.debug:
                    self._faults = []
                raise LoadError(self.folder, faults)
            for live in lives:
                live.activate()

    def _prepare(self, live: LiveRoute) -> None:
        """Load what a first request needs: everything, or in debug its own file."""
        if live.is_active:
            return
        if not self.app.debug:
            self.load()
            return
        with self._lock:
            self._set_up()
            faults = live.load(self.app, self.folder)
            live.activate()
        if faults:
            error = LoadError(self.folder, faults)
            self.app.logger.error("%s", error)
            raise HTTPException(response=devtools.failure_page(error))

    def template_faults(self) -> list[Fault]:
        """Return what is wrong with the Jinja pages, without rendering any."""
        pages = [live.route.page for live in self.routes.values() if live.route.page]
        faults = (page_fault(self.app, self.name, page.relative) for page in pages)
        return [fault for fault in faults if fault is not None]

    def methods(self, live: LiveRoute) -> t.Sequence[str]:
        """Return the methods that *live* answers; its file is loaded if need be."""
        if live.route.redirect is not None:
            return ("GET", "HEAD")
        with self._lock:
            live.load(self.app, self.folder)
        return live.loaded.allow if live.loaded else ()

    def _error_page(
        self, live: LiveRoute, code: int, error: BaseException
    ) -> BaseResponse:
        """Return what the error page's ``GET`` answers."""
        self._prepare(live)
        handler = live.handlers.find("GET")
        binding = replace(live.binding, props={"error": error})
        context = Context(current_request(), {}, binding)
        return self._finish(live.route)(context, handler, handler(context))
