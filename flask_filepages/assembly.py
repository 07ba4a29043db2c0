"""The routes of a tree, put together with what they need in one app."""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace

from flask import Flask
from werkzeug.exceptions import default_exceptions
from werkzeug.wrappers import Response as BaseResponse

from .context import Binding
from .context import Context
from .handling.finder import module_name
from .handling.responses import make_respond
from .handling.route import LiveRoute
from .handling.route import MiddlewareFile
from .handling.templates import Renderer
from .handling.templates import make_render
from .routing.files import Source
from .routing.routes import Route
from .routing.routes import Tree
from .routing.rules import rules_of
from .routing.urls import endpoint_name
from .settings import Settings


@dataclass(slots=True)
class Assembly:
    """What all routes of one FilePages share in an app."""

    app: Flask
    name: str
    url_prefix: str
    folder: str
    anchor: str
    settings: Settings
    renderers: t.Mapping[str, Renderer]
    rewrite: Callable[[Context, str], BaseResponse]
    middleware: dict[str, MiddlewareFile] = field(default_factory=dict)

    def live_routes(
        self,
        tree: Tree,
        methods: Callable[[LiveRoute], Sequence[str]],
        is_listed: Callable[[LiveRoute], bool],
    ) -> dict[str, LiveRoute]:
        """Return the routes of *tree* with their rules, by route id.

        :param methods: gives those that a route really answers.
        :param is_listed: whether a prerendered route has the path that is matched.
        """
        codes = {route.id: code for code, route in tree.error_routes.items()}
        taken = {p.shape for route in tree.routes for p in route.patterns}
        routes = {}
        for route in tree.routes:
            live = self._live(route, codes.get(route.id))
            live.rules += rules_of(
                route,
                taken,
                prefix=self.url_prefix,
                endpoint=live.endpoint,
                slash=self.settings.trailing_slash,
                methods=functools.partial(methods, live),
                is_listed=functools.partial(is_listed, live)
                if route.prerender and not route.is_static
                else None,
            )
            routes[route.id] = live
        return routes

    def _live(self, route: Route, code: int | None) -> LiveRoute:
        source = route.source
        respond = make_respond(
            self.app,
            file=source.path if source else route.name,
            strict=self.settings.strict_response,
        )
        binding = Binding(
            route.id,
            dict.fromkeys(route.optional_params),
            make_render(self.name, route, self.renderers),
            self.rewrite,
            bool(route.prerender),
            self.settings,
        )
        if code is not None:
            # Asked for by its own URL, too.
            error = default_exceptions[code]()
            props: dict[str, t.Any] = {"error": error}
            binding = replace(binding, status=code, props_of=lambda context: props)
        module = self._module_of(route.endpoint) if route.endpoint else None
        endpoint = endpoint_name(self.name, route.id)
        live = LiveRoute(route, endpoint, module, respond, binding)
        live.binding = replace(
            binding, methods=lambda: live.handlers.allow, cors=lambda: live.cors
        )
        live.around = [self._middleware_of(file) for file in route.middleware]
        return live

    def _middleware_of(self, source: Source) -> MiddlewareFile:
        """Return the one object for a file that is around many routes."""
        made = MiddlewareFile(source, self._module_of(source))
        return self.middleware.setdefault(source.relative, made)

    def _module_of(self, source: Source) -> str:
        return module_name(self.anchor, self.folder, source.relative)
