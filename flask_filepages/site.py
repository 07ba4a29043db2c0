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
from werkzeug.wrappers import Response as BaseResponse

from . import reads
from .assembly import Assembly
from .context import Binding
from .context import Context
from .context import current_request
from .errors import Fault
from .errors import LoadError
from .errors import SettingsError
from .errors import TreeError
from .handling import debug as devtools
from .handling import view as dispatch
from .handling.failures import failed_context
from .handling.failures import failure_id
from .handling.finder import anchor_for
from .handling.finder import finder
from .handling.finder import package_of
from .handling.origins import OriginCheck
from .handling.redirects import check_slash
from .handling.redirects import redirect_view
from .handling.responses import finish
from .handling.rewrites import make_rewrite
from .handling.route import LiveRoute
from .handling.templates import Renderer
from .prerendering.front import Front
from .prerendering.stored import StoredRoute
from .releases.release import Releases
from .routing.converters import usable_matchers
from .routing.routes import Route
from .routing.routes import Tree
from .routing.routes import discover
from .routing.urls import collisions_with_app
from .routing.urls import rules_of_app
from .routing.urls import shadow_maps
from .settings import Settings
from .validation.bodies import make_rereadable


def states(app: Flask) -> dict[str, PagesState]:
    """Return the state of each FilePages of *app*, by name."""
    found: dict[str, PagesState] = app.extensions.setdefault("filepages", {})
    return found


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
        releases: Releases,
    ) -> None:
        self.app = app
        self.name = name
        self.folder = folder
        self.url_prefix = url_prefix
        self.settings = settings
        self.releases = releases
        self.front: Front | None = None
        if not os.path.isdir(self.folder):
            raise SettingsError(
                f"There is no folder {self.folder}. Make it, or name another one:"
                " FilePages(app, folder=...), relative to the app's module."
            )
        with reads.resumed():  # packages around the folder may be imported
            self.anchor = anchor_for(
                self.folder, package_of(app.import_name), app.root_path
            )
        self.tree: Tree = discover(
            self.folder,
            page_suffixes=tuple(renderers),
            matchers=usable_matchers(app.url_map),
            redirects=settings.redirects,
            output=settings.output,
        )
        self._origin_check = OriginCheck(settings)
        self.routes = self._assemble(renderers)
        self.stored = {
            live.endpoint: self._stored(live)
            for live in self.routes.values()
            if live.route.prerender
        }
        self._by_endpoint = {live.endpoint: live for live in self.routes.values()}
        self._lock = threading.RLock()
        self._is_set_up = False
        self._faults: list[Fault] = []
        finder.register(self.anchor, self.folder, fresh=app.debug)

    def _assemble(self, renderers: t.Mapping[str, Renderer]) -> dict[str, LiveRoute]:
        rewrite = make_rewrite(
            self.app,
            prefix=self.url_prefix,
            binding_of=self._binding_of,
            enter=self._enter,
        )
        return Assembly(
            *(self.app, self.name, self.url_prefix, self.folder, self.anchor),
            *(self.settings, renderers, rewrite),
        ).live_routes(
            self.tree, self.methods, lambda live: self.stored[live.endpoint].is_listed()
        )

    @property
    def warnings(self) -> list[Fault]:
        """What was noticed while loading, and does not stop anything."""
        return [
            warning
            for live in self.routes.values()
            for warning in (*live.route.warnings, *live.warnings)
        ]

    @property
    def error_routes(self) -> t.Mapping[int, Route]:
        """The routes of the error pages, by code."""
        return self.tree.error_routes

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
                functools.partial(self.prepare, live),
                self._guard(live),
                live.respond,
            )
        stored = self.stored.get(live.endpoint)
        if stored is not None:
            view = stored.view(view, checks)
        view.__module__ = live.module or self.anchor
        view.__name__ = view.__qualname__ = route.id
        return view

    def _stored(self, live: LiveRoute) -> StoredRoute:
        prepare = functools.partial(self.prepare, live)
        stored = StoredRoute(self.app, live, self.releases, prepare)
        if not live.is_error_page:
            live.binding = replace(live.binding, props_of=stored.props_of)
        return stored

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

    def _guard(self, live: LiveRoute) -> dispatch.Guard:
        """Return what raises 403 for a request that a page of another site makes a
        browser send."""
        if not self.settings.check_origin:
            return lambda req: None
        refuse_foreign = self._origin_check.refuse_foreign
        return lambda req: refuse_foreign(req, live.cors)

    def _binding_of(self, endpoint: str) -> Binding | None:
        """Return the binding of a route that a rewrite may lead to."""
        live = self._by_endpoint.get(endpoint)
        return live.binding if live and live.route.redirect is None else None

    def _enter(self, endpoint: str, context: Context) -> BaseResponse:
        """Answer a rewritten request."""
        live = self._by_endpoint[endpoint]
        self.prepare(live)
        return dispatch.enter(context, live.handlers, self._guard(live), live.respond)

    def _set_up(self) -> None:
        """Look at the app's own routes, now that all of them are there."""
        if self._is_set_up:
            return
        with self._lock:
            if self._is_set_up:
                return
            self.check_collisions()
            for live in self.routes.values():
                for warning in live.route.warnings:
                    self.app.logger.warning("%s", warning)
            late = self.settings.unlike(self.app.config)
            if late is not None:
                self.app.logger.warning("%s", late)
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
                found = (f for live in lives for f in live.load(self.app, self.folder))
                # One _middleware.py is around many routes.
                self._faults = list(dict.fromkeys(found))
            if self._faults:
                faults = self._faults
                if self.app.debug:
                    self._faults = []
                raise LoadError(self.folder, faults)
            for live in lives:
                live.activate()

    def prepare(self, live: LiveRoute) -> None:
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

    def methods(self, live: LiveRoute) -> t.Sequence[str]:
        """Return the methods that *live* answers; its file is loaded if need be."""
        if live.route.redirect is not None:
            return ("GET", "HEAD")
        with self._lock:
            live.load(self.app, self.folder)
        return live.loaded.allow if live.loaded else ()

    def error_page(self, code: int, error: BaseException) -> BaseResponse:
        """Return what the ``GET`` of the error page for *code* answers."""
        live = self.routes[self.error_routes[code].id]
        self.prepare(live)
        handler = live.handlers.find("GET")
        req = current_request()
        props = {"error": error, "request_id": failure_id(req)}
        binding = replace(live.binding, props_of=lambda context: props, is_error=True)
        make_rereadable(req)
        context = Context(req, {}, binding)
        failed = failed_context(req)
        if failed is not None:
            context.locals = failed.locals
        return finish(context, live.respond(context, handler, handler(context)))
