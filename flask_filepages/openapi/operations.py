"""An operation: what a handler takes and returns, from its decorators and docstring."""

from __future__ import annotations

import copy
import inspect
import typing as t

from marshmallow import EXCLUDE
from marshmallow import Schema
from marshmallow import fields
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

#: The name of the schema of problem documents.
PROBLEM = "ProblemDocument"
_PARAMETERS = {"query": "query", "headers": "header", "cookies": "cookie"}
_FILE: t.Mapping[str, t.Any] = {"type": "string", "format": "binary"}
_ERRORS = {
    "400": ("BadRequest", "The content is malformed or not valid."),
    "404": ("NotFound", "There is nothing at this address."),
    "405": ("MethodNotAllowed", "This address does not have the method."),
    "413": ("ContentTooLarge", "The body has too many bytes or fields."),
    "415": ("UnsupportedMediaType", "The body has another media type."),
    "422": ("UnprocessableContent", "The content is not valid."),
    "500": ("InternalServerError", "The server failed."),
    "default": ("Error", "Any other error."),
    "not listed": ("NotListed", "There is nothing at this address, or the 404 page."),
}


def error_responses() -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Yield name and component of each error."""
    # As a reference, because apispec looks up a name among all marshmallow schemas.
    schema = {"$ref": f"#/components/schemas/{PROBLEM}"}
    problem = {problems.MIMETYPE: {"schema": schema}}
    html = {"text/html": {"schema": {"type": "string"}}}
    for status, (name, text) in _ERRORS.items():
        content = problem | html if status == "not listed" else problem
        yield name, {"description": text, "content": content}


def make_operation(
    bound: BoundRoute, rule: FileRule, handler: Handler
) -> dict[str, t.Any]:
    """Return the operation of *handler*, with marshmallow schemas in it.

    :param rule: the form of the URL.
    """
    schemas = schemas_of(handler)
    operation = _texts(handler)
    parameters = list(_parameters(rule, schemas))
    if parameters:
        operation["parameters"] = parameters
    body = _body(schemas)
    if body is not None:
        operation["requestBody"] = {"required": True, "content": body}
    declared = declared_responses(handler)
    responses: dict[str, t.Any] = {}
    if not any(status < 400 for status in declared):
        responses["2XX"] = {"description": "Success"}
    responses |= {str(n): _response(n, declared[n]) for n in sorted(declared)}
    for status in _error_statuses(bound, rule, schemas):
        is_unlisted = status == "404" and bound.route.lists_paths
        error = _ERRORS["not listed" if is_unlisted else status]
        responses.setdefault(status, error[0])
    return {**operation, "responses": responses}


def _texts(handler: Handler) -> dict[str, t.Any]:
    """Return summary and description from the docstring: its first paragraph, and what
    follows. ``@warnings.deprecated`` (PEP 702) marks the operation."""
    summary, _, description = inspect.cleandoc(handler.__doc__ or "").partition("\n\n")
    why: str | None = getattr(handler, "__deprecated__", None)
    if why:
        description = f"{description}\n\nDeprecated: {why}"
    found: dict[str, t.Any] = {
        "summary": " ".join(summary.split()),
        "description": description.strip(),
        "deprecated": why is not None,
    }
    return {name: value for name, value in found.items() if value}


def _parameters(
    rule: FileRule, schemas: t.Mapping[str, Schema]
) -> t.Iterator[dict[str, t.Any]]:
    described: dict[str, t.Any] = {}
    if "params" in schemas:
        names = {part.text for part in rule.pattern.params}
        loaded = schemas["params"].load_fields.items()
        by_name = {field.data_key or name: field for name, field in loaded}
        described = {name: by_name[name] for name in by_name if name in names}
        yield {"in": "path", "schema": Schema.from_dict(described)()}
    for part in rule.pattern.params:
        if part.text not in described:
            yield path_parameter(part, rule.map)
    for location, place in _PARAMETERS.items():
        if location in schemas:
            yield {"in": place, "schema": schemas[location]}


def _body(schemas: t.Mapping[str, Schema]) -> dict[str, t.Any] | None:
    """Return the content of the request body by media type."""
    if "json" in schemas:
        return {"application/json": {"schema": schemas["json"]}}
    form, files = schemas.get("form"), schemas.get("files")
    if form is None and files is None:
        return None
    own: dict[str, t.Any] = dict(form.load_fields) if form else {}
    own = {name: _not_empty(field) for name, field in own.items()}
    loaded = files.load_fields.items() if files else ()
    own |= {field.data_key or name: _as_file(field) for name, field in loaded}
    made = Schema.from_dict(own)(unknown=EXCLUDE)
    return {FORM_TYPES[files is not None]: {"schema": made}}


def _not_empty(field: fields.Field[t.Any]) -> fields.Field[t.Any]:
    """Return *field*; if it is a list that is required, with one item at least. A form
    cannot have an empty list."""
    if isinstance(field, fields.List) and field.required:
        field = copy.copy(field)
        field.metadata = {"minItems": 1, **field.metadata}
    return field


def _as_file(field: fields.Field[t.Any]) -> fields.Field[t.Any]:
    """Return a field for a file, or for several, in place of *field*."""
    given, required = field.metadata, field.required
    if isinstance(field, fields.List):
        inner = fields.Raw(metadata=_FILE)
        return fields.List(inner, required=required, metadata=given)
    return fields.Raw(required=required, metadata={**_FILE, **given})


def _response(status: int, declared: DeclaredResponse) -> dict[str, t.Any]:
    text = HTTP_STATUS_CODES.get(status, f"Status {status}")
    found: dict[str, t.Any] = {"description": text}
    if declared.mimetype is not None:
        plain = {"type": "string"} if declared.mimetype[:5] == "text/" else _FILE
        found["content"] = {declared.mimetype: {"schema": declared.schema or plain}}
    return found


def _error_statuses(
    bound: BoundRoute, rule: FileRule, schemas: t.Mapping[str, Schema]
) -> t.Iterator[str]:
    has_body = not schemas.keys().isdisjoint(("json", "form", "files"))
    if schemas.keys() - {"params"}:
        yield str(bound.settings.invalid_status)
    if rule.pattern.params:
        yield "404"
    yield "405"
    yield from ("400", "413", "415") if has_body else ()
    yield from ("500", "default")
