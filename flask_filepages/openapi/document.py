"""The OpenAPI document of an app, from the files of its FilePages."""

from __future__ import annotations

import copy
import json
import typing as t
from decimal import Decimal

from apispec import APISpec
from flask import Flask

from .. import problems
from ..handling.handlers import ALL
from ..handling.route import BoundRoute
from ..routing.rules import FileRule
from ..site import sites_of
from . import operations
from . import paths
from .schemas import SchemaPlugin
from .schemas import free_name

_MEMBERS = ("openapi", "info", "servers", "security", "tags", "paths", "components")
#: The methods that stand for ``ALL``. OpenAPI 3.1 has no QUERY.
_ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def describe(app: Flask, root: str | None = None) -> tuple[dict[str, t.Any], list[str]]:
    """Return a tuple: the OpenAPI 3.1 document of the endpoints of *app*, and a line
    for each part that the document cannot contain.

    :param root: what the paths begin with, by default the root of the app.
    :raises LoadError: a file could not be loaded.
    """
    sites = list(sites_of(app).values())
    for site in sites:
        site.load()
    settings = sites[0].settings
    bounds = [
        bound
        for site in sites
        for bound in site.routes.values()
        if bound.functions and not bound.is_error_page
        if bound.route.page is None or settings.openapi_pages
    ]
    modules = {b.module: paths.name_of(paths.template_of(b.rules[0])) for b in bounds}
    plugin = SchemaPlugin(modules, {operations.PROBLEM})
    given: t.Any = {"security": [], **copy.deepcopy(settings.openapi_document)}
    spec = APISpec(app.name, "0.1.0", "3.1.0", plugins=[plugin], **given)
    spec.components.schema(operations.PROBLEM, problems.JSON_SCHEMA)
    for name, response in operations.error_responses():
        spec.components.response(name, response, lazy=True)
    writer = _Writer(spec)
    for bound in bounds:
        writer.add(bound)
    made = writer.to_dict(given.get("tags", ()))
    server = settings.base_url if root is None else None
    made.setdefault("servers", [{"url": server or root or settings.root or "/"}])
    ordered = {name: made[name] for name in (*_MEMBERS, *made) if name in made}
    # Values of the app's schemas, such as dates, become plain JSON.
    document = json.loads(json.dumps(ordered, default=_plain))
    change = settings.openapi_change
    changed = None if change is None else change(document)
    return document if changed is None else changed, writer.left_out


class _Writer:
    """Adds the paths of routes to *spec*, and notes what cannot be added."""

    def __init__(self, spec: APISpec) -> None:
        self.left_out: list[str] = []
        self._spec = spec
        self._tags: set[str] = set()
        self._names: set[str] = set()
        self._shapes: dict[str, str] = {}

    def add(self, bound: BoundRoute) -> None:
        """Add all forms of the URL of a route."""
        file = bound.route.name
        if "QUERY" in bound.functions:
            self.left_out.append(f"{file}: OpenAPI 3.1 does not have QUERY.")
        for rule in bound.rules:
            template = paths.template_of(rule)
            names = [part.text for part in rule.pattern.params]
            # The names of params do not tell one path from another.
            shape = paths.param_re.sub("{}", template)
            other = self._shapes.setdefault(shape, file)
            if other != file:
                reason = f"OpenAPI cannot tell {template} from the path of {other}"
            elif len(set(names)) < len(names):
                reason = f"OpenAPI does not have {template}, with a param twice"
            else:
                found = dict(self._operations(bound, rule, template))
                if found:
                    self._spec.path(template, operations=found)
                continue
            self.left_out.append(f"{file}: {reason}.")

    def to_dict(self, tags: t.Iterable[dict[str, t.Any]]) -> dict[str, t.Any]:
        """Return the document with its paths in order. *tags* are described tags."""
        made = self._spec.to_dict()
        by_name = {name: {"name": name} for name in sorted(self._tags)}
        made["tags"] = list((by_name | {tag["name"]: tag for tag in tags}).values())
        made["paths"] = dict(sorted(made["paths"].items()))
        return made

    def _operations(
        self, bound: BoundRoute, rule: FileRule, template: str
    ) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
        for method in (*_ALL_METHODS, "HEAD", "OPTIONS"):
            other = bound.functions.get(ALL) if method in _ALL_METHODS else None
            handler = bound.functions.get(method, other)
            if handler is None:
                continue
            name = f"{method.lower()}_{paths.name_of(template)}"
            name = free_name(name, self._names, "_")
            tag = paths.tag_of(bound)
            self._tags.add(tag)
            # The summary is that of a handler without a docstring.
            summary = name.replace("_", " ").capitalize()
            operation = {"tags": [tag], "operationId": name, "summary": summary}
            operation |= operations.make_operation(bound, rule, handler)
            yield method.lower(), operation


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Decimal) else str(value)
