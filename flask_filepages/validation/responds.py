"""``@responds``: what the JSON of an answer is."""

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
from ..errors import AnswerMismatchError
from ..handling.responses import name_of
from ..handling.responses import place_of
from .validate import SchemaLike
from .validate import as_schema

F = t.TypeVar("F", bound=Callable[..., t.Any])
_MARK = "_filepages_answers"


def responds(schema: SchemaLike, *, status: int = 200) -> Callable[[F], F]:
    """Return a decorator that says what the JSON of an answer is.

    In debug and in tests answers of that status are held against it: names, nesting and
    types; not its validators and hooks, which are for what comes in.

    :raises TypeError: *schema* is none.
    """
    if not isinstance(schema, type) and callable(schema):
        raise TypeError("Write @responds(Schema), with a schema.")
    made = as_schema(schema)

    def mark(function: F) -> F:
        setattr(function, _MARK, {**schemas_of_answers(function), status: made})
        return function

    return mark


def schemas_of_answers(function: t.Any) -> Mapping[int, Schema]:
    """Return the schema of each status that ``@responds`` gives *function*."""
    return getattr(function, _MARK, {})


def with_answer_check(
    function: Callable[..., t.Any], handler: Callable[[Context], t.Any], file: str
) -> Callable[[Context], t.Any]:
    """Return *handler*; what it answers is held against the schemas of *function*.

    :param file: what an error calls the file of *function*.
    :raises AnswerMismatchError: later, if an answer is something else.
    """
    schemas = schemas_of_answers(function)
    if not schemas:
        return handler

    @functools.wraps(handler)
    def checked(context: Context) -> t.Any:
        answer = handler(context)
        if isinstance(answer, BaseResponse):
            schema = schemas.get(answer.status_code)
            is_whole = not (answer.is_streamed or answer.direct_passthrough)
            if schema is not None and is_whole:
                errors = _mismatches(schema, answer.get_json(silent=True))
                if errors:
                    raise AnswerMismatchError(
                        place_of(file, function),
                        name_of(function),
                        answer.status_code,
                        errors,
                    )
        return answer

    return checked


def _mismatches(schema: Schema, data: t.Any, many: bool | None = None) -> t.Any:
    """Return what of *data* the schema would not have dumped: ``{}`` for nothing."""
    if any(getattr(schema, "_hooks", {}).get("post_dump", ())):
        return {}  # it may have dumped anything
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
        # Without the validators of deserialize().
        field._deserialize(value, name, data)
    except ValidationError as error:
        return error.messages
    return None
