"""The OpenAPI document of an app, from the files of its FilePages."""

from __future__ import annotations

import copy
import json
import typing as t

from apispec.utils import deepupdate
from flask import Flask

from .. import problems
from ..errors import SettingsError
from ..handling.handlers import ALL
from ..handling.route import BoundRoute
from ..routing.rules import FileRule
from ..site import sites_of
from . import operations
from . import paths
from .schemas import Converter
from .schemas import Json
from .schemas import free_name

#: The methods that stand for ``ALL``. OpenAPI 3.1 has no QUERY.
_ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def describe(app: Flask, root: str | None = None) -> tuple[Json, list[str]]:
    """Return a tuple: the OpenAPI 3.1 document of the endpoints of *app*, and a line
    for each thing that the document cannot describe.

    :param root: what the paths begin with, by default the address of the site.
    :raises LoadError: a file could not be loaded.
    :raises SettingsError: ``FILEPAGES_OPENAPI_CHANGE`` returned something else.
    """
    sites = list(sites_of(app).values())
    for site in sites:
        site.load()
    settings = sites[0].settings
    routes = [
        route
        for site in sites
        for route in site.routes.values()
        if route.functions and not route.is_error_page
        if route.route.page is None or settings.openapi_pages
    ]
    writer = _Writer(routes)
    for route in routes:
        try:
            writer.add(route)
        except Exception as error:
            error.add_note(f"while {route.route.name} was described for OpenAPI")
            raise
    given: t.Any = copy.deepcopy(settings.openapi_document)
    tags = {name: {"name": name} for name in sorted(writer.tags)}
    tags |= {tag["name"]: tag for tag in given.pop("tags", ())}
    site_url = settings.base_url or settings.root
    document = {
        "openapi": "3.1.0",
        "info": {"title": app.name, "version": "0.1.0"},
        "servers": [{"url": (site_url if root is None else root) or "/"}],
        "security": [],
        "tags": list(tags.values()),
        "paths": dict(sorted(writer.paths.items())),
        "components": {"schemas": writer.components},
    }
    document |= deepupdate(document, given)  # In the order of document.
    change = settings.openapi_change
    if change is not None:
        document = json.loads(json.dumps(document))  # Parts of it are shared.
    changed = None if change is None else change(document)
    if not isinstance(changed, dict | None):
        raise SettingsError("FILEPAGES_OPENAPI_CHANGE must return a dict, or None.")
    return document if changed is None else changed, writer.left_out


class _Writer:
    """Writes the paths of routes, and notes what cannot be written."""

    def __init__(self, routes: list[BoundRoute]) -> None:
        self.paths: Json = {}
        self.tags: set[str] = set()
        self.components: Json = {operations.PROBLEM: problems.JSON_SCHEMA}
        self.left_out: list[str] = []
        names = {r.module: paths.name_of(paths.template_of(r.rules[0])) for r in routes}
        self._converter = Converter(names, self.components)
        self._names: set[str] = set()
        self._shapes: dict[str, str] = {}

    def add(self, route: BoundRoute) -> None:
        """Add all forms of the URL of a route."""
        file = route.route.name
        if "QUERY" in route.functions:
            self.left_out.append(f"{file}: OpenAPI 3.1 does not have QUERY.")
        for rule in route.rules:
            template = paths.template_of(rule)
            params = rule.pattern.params
            # The names of params do not tell one path from another.
            shape = paths.param_re.sub("{}", template)
            other = self._shapes.setdefault(shape, file)
            if other != file:
                reason = f"OpenAPI cannot tell {template} from the path of {other}"
            elif len({part.text for part in params}) < len(params):
                reason = f"OpenAPI does not have {template}, with a param twice"
            else:
                found = dict(self._operations(route, rule, template))
                self.paths |= {template: found} if found else {}
                continue
            self.left_out.append(f"{file}: {reason}.")

    def _operations(
        self, route: BoundRoute, rule: FileRule, template: str
    ) -> t.Iterator[tuple[str, Json]]:
        tag, path_name = paths.tag_of(route), paths.name_of(template)
        for method in (*_ALL_METHODS, "HEAD", "OPTIONS"):
            all_methods = route.functions.get(ALL) if method in _ALL_METHODS else None
            handler = route.functions.get(method, all_methods)
            if handler is None:
                continue
            name = free_name(f"{method.lower()}_{path_name}", self._names, "_")
            self._names.add(name)
            self.tags.add(tag)
            # The summary is that of a handler without a docstring.
            summary = name.replace("_", " ").capitalize()
            operation = {"tags": [tag], "operationId": name, "summary": summary}
            made = operations.make_operation(self._converter, route, rule, handler)
            yield method.lower(), operation | made
