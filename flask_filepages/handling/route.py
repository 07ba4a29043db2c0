"""A route in an app, and what its files give it: handlers and middleware."""

from __future__ import annotations

import types
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

from flask import Flask
from werkzeug.routing import Map
from werkzeug.wrappers import Response as BaseResponse

from ..context import Binding
from ..context import Context
from ..errors import Fault
from ..prerendering.listing import read_static_paths
from ..routing.files import MIDDLEWARE_FILE
from ..routing.files import Source
from ..routing.routes import Route
from ..routing.rules import FileRule
from ..validation.responds import with_answer_check
from ..validation.validate import schemas_of
from . import debug as devtools
from .handlers import ALL
from .handlers import Handler
from .handlers import Handlers
from .handlers import read_handlers
from .loading import import_source
from .middleware import NAME
from .middleware import Link
from .middleware import bind
from .middleware import read_links
from .origins import Cors
from .origins import arranged
from .origins import cors_of
from .responses import Respond
from .responses import make_respond
from .responses import with_default_cache_control


@dataclass(slots=True)
class MiddlewareFile:
    """A ``_middleware.py``, shared by all routes of its folder and below."""

    source: Source
    module: str
    links: list[Link] = field(default_factory=list)

    def load(self, app: Flask, folder: str) -> list[Fault]:
        """Import the file, once; return what is wrong with it."""
        if self.links:
            return []
        module, faults = import_source(self.module, self.source, folder)
        if module is not None:
            respond = make_respond(app, file=self.source.path, strict=True)
            links, faults = read_links(module, self.source, respond)
            self.links = [] if faults else links
        return faults


@dataclass(slots=True)
class LiveRoute:
    """A route in an app: its endpoint name, its module, its rules and handlers.

    :attr:`handlers` is what the view looks into: empty until :meth:`activate`. Behind
    middleware it holds no bare handler. Of a prerendered route, :attr:`made` is what a
    build asks, and :attr:`guards` are around what was stored.
    :attr:`shadow` says which rules of the app itself may go before it.
    """

    route: Route
    endpoint: str
    module: str | None
    respond: Respond
    binding: Binding
    around: list[MiddlewareFile] = field(default_factory=list)
    handlers: Handlers = field(default_factory=Handlers)
    links: list[Link] = field(default_factory=list)
    cors: Cors | None = None
    rules: list[FileRule] = field(default_factory=list)
    shadow: tuple[Map, Map] | None = None
    warnings: list[Fault] = field(default_factory=list)
    loaded: Handlers | None = None
    made: Handlers = field(default_factory=Handlers)
    guards: list[Link] = field(default_factory=list)
    static_paths: Callable[[], t.Any] | None = None
    incremental: str | None = None

    @property
    def is_error_page(self) -> bool:
        return self.binding.status >= 400

    @property
    def is_active(self) -> bool:
        return bool(self.handlers.allow)

    def load(self, app: Flask, folder: str) -> list[Fault]:
        """Import the files, once; return what is wrong with them."""
        route = self.route
        if self.loaded is not None or route.redirect is not None:
            return []
        faults = [fault for file in self.around for fault in file.load(app, folder)]
        own, links, found = self._read(app, folder)
        faults += found
        if faults:
            return faults
        for warning in self.warnings:
            app.logger.warning("%s", warning)
        try:
            own = {method: self._adapted(app, own[method]) for method in own}
        except RuntimeError as error:  # of ensure_sync
            fix = "Install the extra: Flask-Filepages[async]."
            return [Fault("async", route.name, str(error).partition(".")[0], fix)]
        outer = [link for file in self.around for link in file.links]
        self.links = arranged([*outer, *links])
        self.cors = cors_of(self.links)
        self.loaded = self._behind(self.links, own)
        if route.prerender:
            self.guards = [link for link in self.links if not link.is_once_per_render]
            marked = [link for link in self.links if link.is_once_per_render]
            self.made = self._behind(marked, own)
            for table in (self.loaded.table, self.made.table):
                for method in ("GET", "HEAD"):
                    table[method] = with_default_cache_control(
                        table[method], self.respond
                    )
        return []

    def _behind(self, links: list[Link], own: dict[str, Handler]) -> Handlers:
        handlers = Handlers.of(own)
        if not links:
            return handlers
        return handlers.behind(lambda handler: bind(links, handler, self.respond))

    def _read(
        self, app: Flask, folder: str
    ) -> tuple[dict[str, Handler], list[Link], list[Fault]]:
        """Import the endpoint; return its handlers, its middleware, its faults."""
        source, has_page = self.route.endpoint, self.route.page is not None
        if source is None or self.module is None:
            own = {"GET": t.cast(Handler, GET)}
            return own, [], self._read_static_paths(app, None, own)
        module, faults = import_source(self.module, source, folder)
        if module is None:
            return {}, [], faults
        own, faults, warnings = read_handlers(module, source, has_page=has_page)
        strict = make_respond(app, file=source.path, strict=True)
        links, found = read_links(module, source, strict)
        self.warnings = [*warnings, *self._narrow(source, links)]
        if has_page:
            own.setdefault("GET", GET)
        if self.is_error_page and own and not {"GET", ALL} & own.keys():
            problem, fix = (
                "without GET it answers no error",
                "Write `def GET(context)`.",
            )
            faults.append(Fault("handler", source.relative, problem, fix))
        if links and not own:
            fix = f"Write `def GET(context): ...`, or name it {MIDDLEWARE_FILE}."
            faults = [
                replace(f, fix=fix) if f.kind == "no-handler" else f for f in faults
            ]
        for handler in own.values():
            faults += self._unknown_params(source, handler)
        if not faults:
            faults = self._read_static_paths(app, module, own)
        return own, links, faults + found

    def _read_static_paths(
        self, app: Flask, module: types.ModuleType | None, own: dict[str, Handler]
    ) -> list[Fault]:
        function, faults, warnings = read_static_paths(
            module, self.route, own, is_error=self.is_error_page
        )
        self.static_paths = app.ensure_sync(function) if function else None
        self.warnings += warnings
        self.incremental = getattr(module, "incremental", None)
        if self.incremental not in (None, "page"):
            source = t.cast(Source, self.route.source)
            problem = f"incremental is {self.incremental!r}"
            fix = 'Write `incremental = "page"`, or nothing.'
            line = source.line_of("incremental")
            faults.append(Fault("prerender", source.relative, problem, fix, line))
        return faults

    def _narrow(self, source: Source, links: list[Link]) -> list[Fault]:
        """Return a warning for middleware that is not around the folder of its name."""
        folder = self.route.folder
        if not links or folder is None:
            return []
        problem = f"its middleware is not around {folder}"
        fix = f"If it should be, move it to {folder}{MIDDLEWARE_FILE}."
        return [Fault("unguarded", source.relative, problem, fix, source.line_of(NAME))]

    def _unknown_params(self, source: Source, handler: Handler) -> list[Fault]:
        """Return a fault for each param that a schema wants and the route has not."""
        schema = schemas_of(handler).get("params")
        known = {p.text for q in self.route.patterns for p in q.params}
        fields = schema.load_fields.items() if schema is not None else ()
        wanted = [f.data_key or name for name, f in fields if f.required]
        fix = f"Its params are: {', '.join(sorted(known)) or 'none'}."
        return [
            Fault("handler", source.relative, f"it validates a param {name!r}", fix)
            for name in wanted
            if name not in known
        ]

    def _adapted(self, app: Flask, handler: Handler) -> Handler:
        """Return *handler* as a plain function of the context."""
        adapted: t.Any = app.ensure_sync(handler)
        if app.debug or app.testing:
            adapted = with_answer_check(handler, adapted, self.route.name)
        if app.debug and self.route.is_static:
            url = str(self.route.patterns[0])
            adapted = devtools.with_type_check(app, adapted, url, self.route.name)
        return t.cast(Handler, adapted)

    def activate(self) -> None:
        """Let the view answer with what was loaded: it holds on to its own table."""
        if self.loaded is not None:
            self.handlers.other = self.loaded.other
            self.handlers.table.update(self.loaded.table)
            # Last: it tells other threads that the table is there.
            self.handlers.allow = self.loaded.allow


def GET(context: Context) -> BaseResponse:
    """Answer for a page whose endpoint has no ``GET``, or that has no endpoint."""
    return context.render()
