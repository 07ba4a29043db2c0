"""An operation: what a handler takes and returns, from its decorators and docstring."""

from __future__ import annotations

import copy
import inspect
import typing as t

from marshmallow import Schema
from werkzeug.http import HTTP_STATUS_CODES

from .. import problems
from ..handling.handlers import Handler
from ..handling.route import BoundRoute
from ..routing.rules import FileRule
from ..validation.bodies import FORM_TYPES
from ..validation.responds import DeclaredResponse
from ..validation.responds import declared_responses
from ..validation.validate import schemas_of
from .paths import path_parameter
from .schemas import Converter
from .schemas import Json

#: The name of the schema of problem documents.
PROBLEM = "ProblemDocument"
_PROBLEM = {problems.MIMETYPE: {"schema": {"$ref": f"#/components/schemas/{PROBLEM}"}}}
_HTML = {"text/html": {"schema": {"type": "string"}}}
_FILE = {"type": "string", "format": "binary"}
_PARAMETERS = {"query": "query", "headers": "header", "cookies": "cookie"}


def make_operation(
    converter: Converter, route: BoundRoute, rule: FileRule, handler: Handler
) -> Json:
    """Return the operation of *handler*.

    :param rule: the form of the URL.
    """
    schemas, declared = schemas_of(handler), declared_responses(handler)
    converter.is_request = True
    operation = _texts(handler)
    operation["parameters"] = list(_parameters(converter, rule, schemas))
    content = _body(converter, schemas)
    operation["requestBody"] = content and {"required": True, "content": content}
    converter.is_request = False
    responses: Json = {}
    if not any(status < 400 for status in declared):
        responses["2XX"] = {"description": "Success"}
    for status in sorted(declared):
        responses[str(status)] = _response(converter, status, declared[status])
    for status in _error_statuses(route, rule, schemas):
        # A path that is not listed may be an unmatched URL, which has the 404 page.
        html = _HTML if status == 404 and route.route.lists_paths else {}
        error = {"description": HTTP_STATUS_CODES[status], "content": _PROBLEM | html}
        responses.setdefault(str(status), error)
    responses["default"] = {"description": "Error", "content": _PROBLEM}
    operation["responses"] = responses
    return {name: value for name, value in operation.items() if value}


def _texts(handler: Handler) -> Json:
    """Return summary and description from the docstring: its first paragraph, and what
    follows. ``@warnings.deprecated`` (PEP 702) marks the operation."""
    summary, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n\n")
    why: str | None = getattr(handler, "__deprecated__", None)
    if why:
        description = f"{description}\n\nDeprecated: {why}"
    texts: Json = {"summary": " ".join(summary.split())}
    return texts | {"description": description.strip(), "deprecated": why is not None}


def _parameters(
    converter: Converter, rule: FileRule, schemas: t.Mapping[str, Schema]
) -> t.Iterator[Json]:
    params = {part.text: part for part in rule.pattern.params}
    if "params" in schemas:
        known = schemas["params"].load_fields.items()
        described: t.Any = copy.copy(schemas["params"])
        described.fields = {n: f for n, f in known if params.pop(f.data_key or n, None)}
        yield from converter.schema2parameters(described, location="path")
    yield from (path_parameter(part, rule.map) for part in params.values())
    for location, place in _PARAMETERS.items():
        if location in schemas:
            yield from converter.schema2parameters(schemas[location], location=place)


def _body(converter: Converter, schemas: t.Mapping[str, Schema]) -> Json:
    """Return the content of the request body by media type."""
    if "json" in schemas:
        schema = converter.resolve_nested_schema(schemas["json"])
        return {"application/json": {"schema": schema}}
    made: Json = {"type": "object", "properties": {}, "required": []}
    for location in schemas.keys() & {"form", "files"}:
        own = converter.object_schema(schemas[location])
        for name, schema in own["properties"].items():
            if location == "files":
                schema.update({"items": _FILE} if "items" in schema else _FILE)
            elif schema.get("type") == "array" and name in own.get("required", ()):
                schema.setdefault("minItems", 1)  # A form cannot have an empty list.
        made["properties"] |= own["properties"]
        made["required"] = sorted([*made["required"], *own.get("required", ())])
    media_type = FORM_TYPES["files" in schemas]
    return {media_type: {"schema": made}} if made["properties"] else {}


def _response(converter: Converter, status: int, declared: DeclaredResponse) -> Json:
    found: Json = {"description": HTTP_STATUS_CODES.get(status, f"Status {status}")}
    schema, mimetype = declared
    is_error = status >= 400 and mimetype is None
    if is_error or (schema is None and mimetype == problems.MIMETYPE):
        found["content"] = _PROBLEM
    elif mimetype is not None:
        plain = {"type": "string"} if mimetype.startswith("text/") else _FILE
        made = converter.resolve_nested_schema(schema) if schema else plain
        found["content"] = {mimetype: {"schema": made}}
    return found


def _error_statuses(
    route: BoundRoute, rule: FileRule, schemas: t.Mapping[str, Schema]
) -> t.Iterator[int]:
    has_body = not schemas.keys().isdisjoint(("json", "form", "files"))
    if schemas.keys() - {"params"}:
        yield route.settings.invalid_status
    yield from (404, 405) if rule.pattern.params else (405,)
    yield from (400, 413, 415, 500) if has_body else (500,)
