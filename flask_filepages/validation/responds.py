"""``@responds`` describes the JSON of a response, and checks it in debug and tests."""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Callable
from collections.abc import Mapping

from marshmallow import Schema
from marshmallow import ValidationError
from marshmallow import fields
from werkzeug.wrappers import Response as BaseResponse

from ..context import Context
from ..errors import ResponseMismatchError
from ..functions import name_of
from ..functions import with_line
from .validate import SchemaLike
from .validate import as_schema

F = t.TypeVar("F", bound=Callable[..., t.Any])
_MARK = "_filepages_responses"


def responds(schema: SchemaLike, *, status: int = 200) -> Callable[[F], F]:
    """Return a decorator that describes the JSON of a response.

    In debug mode and in tests, responses with that status are compared with *schema*:
    names, nesting and types. Its validators and hooks are for input, so they do not
    run.

    :raises TypeError: if *schema* is not a schema.
    """
    if not isinstance(schema, type) and callable(schema):
        raise TypeError("Write @responds(Schema), with a schema.")
    if type(status) is not int:
        raise TypeError(f"status is {status!r}. Write a number, such as status=201.")
    made = as_schema(schema)

    def mark(function: F) -> F:
        setattr(function, _MARK, {**response_schemas(function), status: made})
        return function

    return mark


def response_schemas(function: t.Any) -> Mapping[int, Schema]:
    """Return the schemas that ``@responds`` gave *function*, by status."""
    return getattr(function, _MARK, {})


def with_response_check(
    function: Callable[..., t.Any], handler: Callable[[Context], t.Any], file: str
) -> Callable[[Context], t.Any]:
    """Return *handler* with a check of its responses against the schemas of *function*.

    The returned function raises :exc:`ResponseMismatchError`.

    :param file: the name of the file in that error.
    """
    schemas = response_schemas(function)
    if not schemas:
        return handler

    @functools.wraps(handler)
    def checked(context: Context) -> t.Any:
        response = handler(context)
        if isinstance(response, BaseResponse):
            schema = schemas.get(response.status_code)
            is_whole = not (response.is_streamed or response.direct_passthrough)
            if schema is not None and is_whole:
                errors = _mismatches(schema, response.get_json(silent=True))
                if errors:
                    where = (with_line(file, function), name_of(function))
                    raise ResponseMismatchError(*where, response.status_code, errors)
        return response

    return checked


def _mismatches(schema: Schema, data: t.Any, many: bool | None = None) -> t.Any:
    """Return the differences between *data* and a dump of *schema*; ``{}`` for none."""
    if any(getattr(schema, "_hooks", {}).get("post_dump", ())):
        return {}  # The hook may have changed anything.
    if schema.many if many is None else many:
        if not isinstance(data, list):
            return ["Not a list."]
        found = {n: _mismatches(schema, one, many=False) for n, one in enumerate(data)}
        return {n: errors for n, errors in found.items() if errors}
    if not isinstance(data, dict):
        return ["Not an object."]
    known = {f.data_key or name: f for name, f in schema.dump_fields.items()}
    errors: dict[str, t.Any] = {
        name: ["Unknown field."] for name in data if name not in known
    }
    for name, field in known.items():
        if name not in data:
            found_here: t.Any = ["Missing field."] if field.required else None
        else:
            found_here = _mismatch(field, name, data)
        if found_here:
            errors[name] = found_here
    return errors


def _mismatch(field: fields.Field[t.Any], name: t.Any, data: t.Any) -> t.Any:
    value = data[name]
    if value is None or isinstance(field, fields.Pluck):
        return None
    if isinstance(field, fields.Nested):
        return _mismatches(field.schema, value, many=field.many or field.schema.many)
    if isinstance(field, fields.List):
        if not isinstance(value, list):
            return ["Not a list."]
        found = {n: _mismatch(field.inner, n, value) for n in range(len(value))}
        return {n: errors for n, errors in found.items() if errors}
    if isinstance(field, fields.Mapping):
        return None if isinstance(value, dict) else ["Not an object."]
    try:
        # deserialize() would also run the validators.
        field._deserialize(value, name, data)
    except ValidationError as error:
        return error.messages
    return None
