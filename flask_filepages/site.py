"""A site: one pages folder in one app, with its routes and the loading of its files."""

from __future__ import annotations

import gc
import os
import threading
import time
import typing as t
from collections.abc import Iterable
from collections.abc import Iterator
from functools import cached_property

from flask import Flask
from flask import has_request_context
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from .context import current_request
from .errors import Fault
from .errors import LoadError
from .errors import SettingsError
from .errors import TreeError
from .handling import debug
from .handling.handlers import Handlers
from .handling.loading import anchor_for
from .handling.loading import finder
from .handling.loading import package_of
from .handling.loading import replaced_name
from .handling.middleware import Link
from .handling.middleware import hooks_not_run
from .handling.route import BoundRoute
from .handling.templates import Inspected
from .handling.templates import render_jinja
from .handling.templates import state_of_visitor
from .prerendering.front import Front
from .prerendering.stored import PrerenderedRoute
from .releases.release import Releases
from .routing.converters import usable_matchers
from .routing.files import ENDPOINT_SUFFIX
from .routing.files import Source
from .routing.mistakes import mistakes_in
from .routing.patterns import Pattern
from .routing.routes import Route
from .routing.routes import discover
from .routing.rules import FileRule
from .routing.rules import make_rules
from .routing.urls import collisions_with_app
from .settings import Settings

if t.TYPE_CHECKING:
    from .extension import FilePages


def sites_of(app: Flask) -> dict[str, Site]:
    """Return the sites of *app* by the names of their FilePages."""
    found: dict[str, Site] = app.extensions.setdefault("filepages", {})
    return found


def own_views(app: Flask) -> list[str]:
    """Return the rules of the app's own views, without those of static files and those
    that only build URLs."""
    return [
        rule.rule
        for rule in app.url_map.iter_rules()
        if not (isinstance(rule, FileRule) or rule.build_only)
        and rule.endpoint.rpartition(".")[2] != "static"
    ]


_LONG = 10  # Seconds of loading, after which the file that is imported is logged.


class ListedPath(t.NamedTuple):
    """A path that is known without a request, for example to build a sitemap.

    :param url: the URL, which begins with the root of the app (``APPLICATION_ROOT`` in
        a build).
    :param route_id: the id of its route, such as ``/blog/[slug]``.
    :param is_page: True if the route has a template.
    :param is_prerendered: True if a build stores the response.
    :param is_guarded: True if middleware runs whenever the response is sent.
    """

    url: str
    route_id: str
    is_page: bool
    is_prerendered: bool
    is_guarded: bool


class Site:
    """One pages folder in one app: a value of ``app.extensions["filepages"]``.

    :raises TreeError: with the errors of all file names.
    :raises SettingsError: the folder does not exist.
    """

    front: Front | None = None

    def __init__(
        self,
        app: Flask,
        *,
        pages: FilePages,
        folder: str,
        settings: Settings,
        releases: Releases,
    ) -> None:
        self.app = app
        #: Seconds since the epoch. The code that runs may be older than files that
        #: changed later.
        self.created = time.time()
        self.pages = pages
        self.name = pages.name
        self.folder = folder
        self.url_prefix = pages.url_prefix
        self.settings = settings
        self.renderers = pages.renderers
        self.releases = releases
        if os.path.exists(folder) and not os.path.isdir(folder):
            raise SettingsError(f"{folder} is not a folder. Name its folder.")
        if not os.path.isdir(folder):
            raise SettingsError(
                f"The folder {folder} does not exist. Create it, or name another one"
                " relative to the app's module: FilePages(app, folder=...)."
            )
        self.anchor = anchor_for(folder, package_of(app.import_name), app.root_path)
        self.tree = discover(
            folder,
            page_suffixes=tuple(self.renderers),
            matchers=usable_matchers(app.url_map),
            redirects=settings.redirects,
            output=settings.output,
        )
        #: The middleware of each ``_middleware.py`` that is loaded.
        self.links: dict[str, list[Link]] = {}
        self.lock = threading.RLock()
        self._is_set_up = False
        self._start_warnings: list[Fault] = []
        self.logs_warnings = True
        #: The file that is being imported.
        self.importing = ""
        self._faults: list[Fault] = []
        self.routes = {route.id: self.bind(route) for route in self.tree.routes}
        self.prerendered = {
            route.endpoint: route
            for route in self.routes.values()
            if isinstance(route, PrerenderedRoute)
        }
        make_rules(self.routes.values())
        finder.register(self.anchor, folder, fresh=app.debug)

    def bind(self, route: Route) -> BoundRoute:
        return (PrerenderedRoute if route.prerender else BoundRoute)(self, route)

    def status_of(self, route: Route) -> int:
        """Return the status of a rendered page: on an error page, the error's."""
        codes = [code for code, page in self.tree.error_routes.items() if page is route]
        return codes[0] if codes else 200

    def template_name(self, page: Source) -> str:
        """Return the name by which the app's Jinja environment loads a page."""
        return f"{self.name}:/{page.relative}"

    @cached_property
    def endpoint_patterns(self) -> dict[str, list[Pattern]]:
        """The patterns of endpoints for which only the value of a param can be wrong,
        by their first segment: ``""`` if that is a param."""
        found: dict[str, list[Pattern]] = {}
        for route in self.tree.routes:
            if route.endpoint and not (route.page or route.lists_paths):
                for pattern in [one for one in route.patterns if one.params]:
                    first = pattern.segments[0]
                    key = first.text if first.is_static else ""
                    found.setdefault(key, []).append(pattern)
        return found

    # -- registering ------------------------------------------------------------

    def check_collisions(self) -> None:
        """Check that no pattern is also a route of the app.

        :raises TreeError: with all collisions.
        """
        rules = (rule for route in self.routes.values() for rule in route.rules)
        faults = collisions_with_app(self.app.url_map, self.name, rules)
        if faults:
            raise TreeError(self.folder, faults)

    def register(self) -> None:
        """Add the rules and views to the app."""
        # The garbage collector would walk the growing map again and again.
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            for route in self.routes.values():
                for rule in route.rules:
                    self.app.url_map.add(rule)
                self.app.view_functions[route.endpoint] = route.make_view()
        finally:
            if was_enabled:
                gc.enable()

    def set_up(self) -> None:
        """Run the checks that need all routes and settings of the app."""
        if self._is_set_up:
            return
        self.check_collisions()
        self._start_warnings = [
            *(w for route in self.routes.values() for w in route.route.warnings),
            *hooks_not_run(self.app, self.name, self.routes.values()),
            *replaced_name(self.anchor, self.pages),
        ]
        self.log(
            [*self._start_warnings, *(self._odd_names() if self.app.debug else ())]
        )
        late = self.settings.late_change(self.app.config)
        if late is not None:
            self.app.logger.warning("%s", late)
        # app.run(debug=True) sets app.debug after FilePages(app).
        finder.register(self.anchor, self.folder, fresh=self.app.debug)
        self._is_set_up = True

    def log(self, warnings: Iterable[Fault]) -> None:
        """Log *warnings*, unless a command prints them itself."""
        if self.logs_warnings:
            for warning in warnings:
                self.app.logger.warning("%s", warning)

    # -- loading ----------------------------------------------------------------

    def load(self) -> None:
        """Import all endpoints and middleware.

        :raises LoadError: with every file that could not be loaded.
        """
        timer = threading.Timer(_LONG, self._report_long_import)
        timer.daemon = True
        timer.start()
        try:
            self._load()
        finally:
            timer.cancel()

    def _report_long_import(self) -> None:
        self.app.logger.warning(
            "Loading the pages takes over %d seconds. %s is being imported.",
            _LONG,
            self.importing,
        )

    def _load(self) -> None:
        with self.lock:
            self.set_up()
            routes = self.routes.values()
            if not self._faults:
                found = (fault for route in routes for fault in route.load())
                # Many routes share one _middleware.py.
                self._faults = list(dict.fromkeys(found))
            if self._faults:
                faults = self._faults
                if self.app.debug:
                    self._faults = []
                raise LoadError(self.folder, faults)
            for route in routes:
                route.activate()
            is_live = self.app.debug or self.app.testing
            serves = not (is_live or debug.is_other_command())
            if self.prerendered and serves:
                release = self.releases.current()
                if release is not None:
                    debug.announce_release(release.folder)

    def prepare(self, route: BoundRoute) -> Handlers:
        """Load all files, or in debug only those of *route*; return its handlers.

        :raises LoadError: a file cannot be loaded. In debug, an ``HTTPException`` with
            a readable page.
        """
        if route.handlers is None and not self.app.debug:
            self.load()
        elif route.handlers is None:
            with self.lock:
                self.set_up()
                faults = route.load()
                route.activate()
            if faults:
                error = LoadError(self.folder, faults)
                self.app.logger.error("%s", error)
                raise HTTPException(response=self._failure_page(error))
        return t.cast(Handlers, route.handlers)

    def _failure_page(self, error: LoadError) -> BaseResponse:
        tools = self.app.extensions.get("filepages_dev")
        if tools is not None and has_request_context():
            page: BaseResponse | None = tools.failure_page(current_request(), error)
            if page is not None:
                return page
        return debug.failure_page()

    # -- inspecting -------------------------------------------------------------

    def _odd_names(self) -> Iterator[Fault]:
        return mistakes_in(self.folder, {ENDPOINT_SUFFIX, *self.renderers})

    @property
    def warnings(self) -> list[Fault]:
        """Return the warnings about file names, the app and the loaded files."""
        loaded = (w for route in self.routes.values() for w in route.warnings)
        return [*self._odd_names(), *self._start_warnings, *loaded]

    def template_faults(self) -> list[Fault]:
        """Return the faults of all pages, and of the templates that they use.

        A renderer may have a function ``check(app, template, file, seen)`` that yields
        the faults of a page, but none of the templates in *seen*: many pages share a
        layout.
        """
        faults: list[Fault] = []
        seen: set[str] = set()
        for route in self.tree.routes:
            page = route.page
            if page is None:
                continue
            renderer = self.renderers[os.path.splitext(page.relative)[1]]
            check = getattr(renderer, "check", None)
            if check is not None:
                name = self.template_name(page)
                faults += check(self.app, name, page.relative, seen)
        return list(dict.fromkeys(faults))

    def state_warnings(self) -> Iterator[Fault]:
        """Yield a warning for each prerendered page that shows what is of one visitor.
        Everybody would see the same."""
        inspected: dict[str, Inspected] = {}
        for bound in self.prerendered.values():
            page = bound.route.page
            if page is None:
                continue
            if self.renderers[os.path.splitext(page.relative)[1]] is not render_jinja:
                continue
            shown = state_of_visitor(self.app, self.template_name(page), inspected)
            if shown is not None:
                url = bound.rules[0].rule
                problem = f"{url} is stored, but its template reads {shown}"
                fix = "Show that with a script in the browser"
                if self.settings.output != "static":
                    where = "in" if bound.route.endpoint else "in a new file"
                    fix += f", or write `prerender = False` {where} {page.stem}.py"
                yield Fault("state", page.relative, problem, f"{fix}.")

    def slash_warnings(self) -> Iterator[Fault]:
        """Yield a warning if hosts serve pages at other URLs than the app."""
        settings = self.settings
        has_pages = any(route.file_names.is_page for route in self.prerendered.values())
        is_folder = settings.build_format != "file"
        if settings.trailing_slash == "never" and is_folder and has_pages:
            problem = "hosts send about/index.html at /about/, not at /about"
            fix = "Set FILEPAGES_BUILD_FORMAT = 'file'."
            yield Fault("slash", "FILEPAGES_TRAILING_SLASH = 'never'", problem, fix)

    def listed_paths(self, root: str | None = None) -> Iterator[ListedPath]:
        """Yield the paths of routes without params, and those that are listed.

        :param root: what the URLs begin with, by default the root of the app.
        :raises BuildError: a ``get_static_paths`` failed.
        """
        if root is None:
            root = self.settings.root
            if has_request_context():
                root = current_request().root_path.rstrip("/")
        for route in self.routes.values():
            if route.route.redirect is not None or route.is_error_page:
                continue
            route.prepare()
            is_page, is_guarded = route.route.page is not None, bool(route.guards)
            if isinstance(route, PrerenderedRoute):
                for path in route.paths(root=root):
                    url = root + route.file_names.url(route.url_of(path.params))
                    yield ListedPath(url, route.id, is_page, True, is_guarded)
            elif route.is_static:
                url = root + route.url_of({})
                yield ListedPath(url, route.id, is_page, False, is_guarded)
