"""A route in an app: its rules, its handlers and its middleware."""

from __future__ import annotations

import types
import typing as t
from dataclasses import replace
from urllib.parse import unquote

from flask import Request
from werkzeug.exceptions import default_exceptions
from werkzeug.wrappers import Response as BaseResponse

from ..context import Context
from ..errors import Fault
from ..functions import count_setup
from ..functions import location_of
from ..routing.files import MIDDLEWARE_FILE
from ..routing.files import STATIC_PATHS
from ..routing.files import Source
from ..routing.routes import Route
from ..routing.rules import FileRule
from ..routing.urls import endpoint_name
from ..validation.responds import with_response_check
from ..validation.validate import schemas_of
from . import debug
from .handlers import ALL
from .handlers import Handler
from .handlers import Handlers
from .handlers import read_handlers
from .loading import SETUP_FIX
from .loading import import_source
from .loading import module_name
from .middleware import MIDDLEWARE_NAME
from .middleware import Link
from .middleware import chain
from .middleware import read_links
from .origins import Cors
from .origins import with_cors_first
from .redirects import make_redirect_view
from .responses import to_response
from .templates import join_name
from .templates import render_jinja
from .view import View
from .view import handle
from .view import make_view
from .view import respond
from .view import rewrite

if t.TYPE_CHECKING:
    from ..settings import Settings
    from ..site import Site


class BoundRoute:
    """A route in an app.

    :attr:`handlers` is ``None`` until the files of the site are loaded. Behind
    middleware it has no bare handler; :attr:`functions` has those of the file, by
    method. :attr:`links` is the middleware around it,
    outermost first, :attr:`guards` those that run whenever a response is sent, and
    :attr:`status` the status of a rendered page.
    """

    def __init__(self, site: Site, route: Route) -> None:
        self.site = site
        self.app = site.app
        self.settings: Settings = site.settings
        self.route: Route = route
        self.id = route.id
        self.is_static = route.is_static
        self.endpoint: str = endpoint_name(site.name, route.id)
        self.module = self._module_of(route.endpoint) if route.endpoint else None
        self.absent_params: dict[str, None] = dict.fromkeys(route.optional_params)
        self.status = site.status_of(route)
        self.rules: list[FileRule] = []
        self.handlers: Handlers | None = None
        self.functions: t.Mapping[str, Handler] = {}
        self.links: list[Link] = []
        self.guards: list[Link] = []
        self.cors: Cors | None = None
        self.warnings: list[Fault] = []
        self._loaded: Handlers | None = None

    def _module_of(self, source: Source) -> str:
        return module_name(self.site.anchor, self.site.folder, source.relative)

    # -- loading ----------------------------------------------------------------

    def load(self) -> list[Fault]:
        """Import the files of the route once, and return their faults."""
        route = self.route
        if self._loaded is not None or route.redirect is not None:
            return []
        faults = [f for source in route.middleware for f in self._load_links(source)]
        own, links, found = self._read()
        faults += found
        if faults:
            return faults
        self.site.log(self.warnings)
        self.functions = own
        try:
            own = {method: self._adapted(own[method]) for method in own}
        except RuntimeError as error:  # ensure_sync() lacks asgiref.
            fix = "Install the extra: Flask-Filepages[async]."
            return [Fault("async", route.name, str(error).partition(".")[0], fix)]
        outer = [one for s in route.middleware for one in self.site.links[s.relative]]
        self.links = with_cors_first([*outer, *links])
        self.guards = [link for link in self.links if not link.is_once_per_render]
        functions = [link.function for link in self.links]
        self.cors = next((f for f in functions if isinstance(f, Cors)), None)
        self._loaded = self._complete(own)
        return []

    def _load_links(self, source: Source) -> list[Fault]:
        """Import a ``_middleware.py`` once, for all routes of its folder and below;
        return its faults."""
        if source.relative in self.site.links:
            return []
        self.site.importing = source.relative
        name = self._module_of(source)
        module, faults = import_source(name, source, self.site.folder)
        if module is not None:
            links, faults = read_links(module, source)
            if not faults:
                self.site.links[source.relative] = links
        return faults

    def activate(self) -> None:
        """Let the view use the handlers that were loaded."""
        self.handlers = self._loaded

    def prepare(self) -> Handlers:
        """Load the site, or in debug only this route; return the handlers.

        :raises LoadError: a file cannot be loaded.
        """
        return self.site.prepare(self)

    def _read(self) -> tuple[dict[str, Handler], list[Link], list[Fault]]:
        """Import the endpoint; return its handlers, its middleware and faults."""
        source, has_page = self.route.endpoint, self.route.page is not None
        if source is None or self.module is None:
            own = {"GET": t.cast(Handler, GET)}
            return own, [], self._check_static_paths(None, own)
        self.site.importing = source.relative
        count = count_setup(self.app)
        module, faults = import_source(self.module, source, self.site.folder)
        if module is None:
            return {}, [], faults
        if count_setup(self.app) != count:
            added = list(self.app.view_functions)[count[0] :]
            problem = "it adds a hook or an error handler to the app"
            if added:
                problem = f"it adds the view {added[0]!r} to the app"
            return {}, [], [Fault("import", source.relative, problem, SETUP_FIX)]
        own, faults, warnings = read_handlers(
            module, source, has_page=has_page, params=self.route.params
        )
        links, found = read_links(module, source)
        self.warnings = [
            *warnings,
            *self._narrow_middleware(source, links),
            *self._exempt_handlers(source, own),
            *self._bodies_of_get(source, own),
        ]
        if has_page and ALL not in own:
            own.setdefault("GET", GET)
        if self.is_error_page and own and not {"GET", ALL} & own.keys():
            problem = "an error page needs a GET or ALL handler"
            fix = "Write `def GET(context)`."
            faults.append(Fault("handler", source.relative, problem, fix))
        if links and not own:
            fix = f"Write `def GET(context): ...`, or name it {MIDDLEWARE_FILE}."
            faults = [
                replace(f, fix=fix) if f.id == "no-handler" else f for f in faults
            ]
        for handler in own.values():
            faults += self._unknown_params(source, handler)
        if not faults:
            faults = self._check_static_paths(module, own)
        return own, links, faults + found

    def _check_static_paths(
        self, module: types.ModuleType | None, own: dict[str, Handler]
    ) -> list[Fault]:
        """Warn about a ``get_static_paths`` that is never called."""
        source = self.route.endpoint
        if source is not None and hasattr(module, STATIC_PATHS) and not self.is_static:
            problem = f"its {STATIC_PATHS} is not used: the route is not prerendered"
            fix = "Write `prerender = True` to store its paths."
            where = ("static-paths", source.relative)
            line = source.line_of(STATIC_PATHS)
            self.warnings.append(Fault(*where, problem, fix, line))
        return []

    def _narrow_middleware(self, source: Source, links: list[Link]) -> list[Fault]:
        """Warn about ``middleware`` in ``admin.py`` that ``admin/`` does not get."""
        folder = self.route.folder
        if not links or folder is None:
            return []
        problem = f"its middleware does not run for {folder}"
        fix = f"If it should, move it to {folder}{MIDDLEWARE_FILE}."
        line = source.line_of(MIDDLEWARE_NAME)
        return [Fault("unguarded", source.relative, problem, fix, line)]

    def _exempt_handlers(
        self, source: Source, own: dict[str, Handler]
    ) -> t.Iterator[Fault]:
        """Warn about ``@csrf.exempt`` of Flask-WTF, which compares names of views."""
        # Flask-WTF has no public way to ask for them.
        exempt = getattr(self.app.extensions.get("csrf"), "_exempt_views", ())
        for method, handler in own.items():
            name = f"{handler.__module__}.{getattr(handler, '__name__', '')}"
            if name in exempt:
                problem = f"@csrf.exempt has no effect on {method}"
                view = f"app.view_functions[{self.endpoint!r}]"
                fix = f"Write csrf.exempt({view}) after FilePages(app)."
                line = source.line_of(method)
                yield Fault("csrf", source.relative, problem, fix, line)

    def _bodies_of_get(
        self, source: Source, own: dict[str, Handler]
    ) -> t.Iterator[Fault]:
        """Warn about a ``GET`` handler that validates a body."""
        for location in ("json", "form", "files"):
            if location in schemas_of(own.get("GET")):
                problem = f"GET validates {location}, but a GET request has no body"
                fix = "Write @validate(query=...), or write a POST handler."
                line = source.line_of("GET")
                yield Fault("handler", source.relative, problem, fix, line)

    def _unknown_params(self, source: Source, handler: Handler) -> list[Fault]:
        """Return a fault for each param that a schema has and the route lacks."""
        schema = schemas_of(handler).get("params")
        known = self.route.params
        fields = schema.load_fields.items() if schema is not None else ()
        names = [f.data_key or name for name, f in fields]
        fix = f"Its params are: {', '.join(sorted(known)) or 'none'}."
        problem = "it validates a param {}, which the route does not have"
        line = (location_of(handler) or (None, None))[1]
        return [
            Fault("handler", source.relative, problem.format(repr(name)), fix, line)
            for name in names
            if name not in known
        ]

    def _adapted(self, handler: Handler) -> Handler:
        """Return *handler* as a plain function, with the checks of debug and tests."""
        app = self.app
        adapted: t.Any = app.ensure_sync(handler)
        if app.debug or app.testing:
            adapted = with_response_check(handler, adapted, self.route.name)
        if app.debug and self.is_static:
            url = str(self.route.patterns[0])
            adapted = debug.with_type_check(app, adapted, url, self.route.name)
        return t.cast(Handler, adapted)

    def _complete(self, own: dict[str, Handler]) -> Handlers:
        """Return the handlers of all methods, behind the middleware."""
        return self._behind(self.links, Handlers.of(own))

    def _behind(self, links: list[Link], handlers: Handlers) -> Handlers:
        if not links:
            return handlers

        def wrap(handler: Handler) -> Handler:
            def inner(context: Context) -> BaseResponse:
                return self.to_response(context, handler, handler(context))

            return chain(links, inner)

        return handlers.wrapped(wrap)

    # -- matching ---------------------------------------------------------------

    @property
    def is_error_page(self) -> bool:
        return self.status >= 400

    def methods(self) -> t.Sequence[str]:
        """Return the methods that the route handles; load its file if needed."""
        if self.route.redirect is not None:
            return ("GET", "HEAD")
        with self.site.lock:
            self.load()
        return self._loaded.allow if self._loaded else ()

    def accepts_path(self) -> bool:
        """Return True if the route handles the path that Werkzeug is matching."""
        return True

    def url_of(self, params: t.Mapping[str, t.Any]) -> str:
        """Return the URL path of *params*, in its canonical form.

        :raises ParamError: a value cannot stand in a URL.
        """
        if len(self.rules) == 1:
            return self.rules[0].build(params, append_unknown=False)[1]
        given = {name for name, value in params.items() if value is not None}
        rules = [r for r in self.rules if r.required_params <= given]
        best = max(rules or self.rules, key=lambda rule: len(rule.arguments))
        return best.build(params, append_unknown=False)[1]

    def path_of(self, params: t.Mapping[str, t.Any]) -> str:
        """Return the decoded path of *params*; see :meth:`url_of`."""
        return unquote(self.url_of(params))

    # -- responding -------------------------------------------------------------

    def make_view(self) -> View:
        """Return the Flask view of the route."""
        redirect = self.route.redirect
        view = make_view(self) if redirect is None else make_redirect_view(redirect)
        view.__module__ = self.module or self.site.anchor
        view.__name__ = view.__qualname__ = self.id
        return view

    def respond(self, request: Request, params: dict[str, t.Any]) -> BaseResponse:
        """Return the response to a request at the canonical URL of the route."""
        return respond(Context(request, params, self), handle)

    def to_response(
        self, context: Context, handler: Handler, value: t.Any
    ) -> BaseResponse:
        """Return *value*, which *handler* returned, as a response."""
        if isinstance(value, BaseResponse):
            return value
        source = self.route.source
        return to_response(
            context,
            handler,
            value,
            file=source.path if source else self.route.name,
            strict=self.settings.strict_response,
        )

    def render(
        self, context: Context, template: str | None, data: dict[str, t.Any]
    ) -> str:
        """Render *template*, or the page of the route, and return its text."""
        if template is None:
            page = self.route.page
            if page is None:
                raise FileNotFoundError(
                    f"{self.route.name} has no page of the same name next to it. Add"
                    " one, or name a template: context.render('some.html')."
                )
            template = self.site.template_name(page)
        elif self.route.source is not None:
            parent = self.site.template_name(self.route.source)
            template = join_name(template, parent)
        suffix = template[template.rfind(".") :]
        render = self.site.renderers.get(suffix, render_jinja)
        return render(context, template, data)

    def rewrite(self, context: Context, to: str) -> BaseResponse:
        """Return the response of the route at *to*; see :meth:`Context.rewrite`."""
        return rewrite(context, to)

    def is_prerendered_for(self, context: Context) -> bool:
        """Return True if a build stores the response to the request."""
        return False

    def props_for(self, context: Context) -> t.Mapping[str, t.Any]:
        """Return the props of *context*. An error page has ``error``."""
        if self.is_error_page:  # Requested by its own URL.
            return {"error": default_exceptions[self.status]()}
        return {}


# The handler of a page without an endpoint, or whose endpoint has no GET.
def GET(context: Context) -> BaseResponse:
    """Show the page."""
    return context.render()
