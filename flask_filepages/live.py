"""A route in an app, and the handlers that its file gives it."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field

from flask import Flask
from werkzeug.routing import Map
from werkzeug.wrappers import Response as BaseResponse

from . import devtools
from .context import Binding
from .context import Context
from .discovery import Route
from .errors import Fault
from .handlers import Handler
from .handlers import Handlers
from .handlers import load_handlers
from .routing import FileRule


@dataclass(slots=True)
class LiveRoute:
    """A route in an app: its endpoint name, its module, its rules and handlers.

    :attr:`handlers` is what the view looks into: empty until :meth:`activate`.
    :attr:`shadow` says which rules of the app itself may go before it.
    """

    route: Route
    endpoint: str
    module: str | None
    binding: Binding
    handlers: Handlers = field(default_factory=Handlers)
    rules: list[FileRule] = field(default_factory=list)
    shadow: tuple[Map, Map] | None = None
    warnings: list[Fault] = field(default_factory=list)
    loaded: Handlers | None = None

    @property
    def is_active(self) -> bool:
        return bool(self.handlers.allow)

    def load(self, app: Flask, folder: str) -> list[Fault]:
        """Import the file, once; return what is wrong with it."""
        route = self.route
        if self.loaded is not None or route.redirect is not None:
            return []
        own: dict[str, Handler] = {}
        if route.endpoint is not None and self.module is not None:
            own, faults, self.warnings = load_handlers(
                self.module, route.endpoint, folder, has_page=route.page is not None
            )
            if faults:
                return faults
            for warning in self.warnings:
                app.logger.warning("%s", warning)
        if route.page is not None:
            own.setdefault("GET", GET)
        try:
            own = {method: app.ensure_sync(handler) for method, handler in own.items()}
        except RuntimeError as error:
            fix = "Install the extra: Flask-Filepages[async]."
            return [Fault("async", route.name, str(error).partition(".")[0], fix)]
        if app.debug and route.is_static:
            url = str(route.patterns[0])
            own = {
                method: devtools.with_type_check(app, handler, url, route.name)
                for method, handler in own.items()
            }
        self.loaded = Handlers.of(own)
        return []

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
