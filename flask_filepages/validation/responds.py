"""``@responds`` describes a response, and checks it in debug mode and in tests."""

from __future__ import annotations

import functools
import re
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
_media_type_re = re.compile(r"[^\s/;]+/[^\s/;]+")


class DeclaredResponse(t.NamedTuple):
    """What ``@responds`` says about a response: the schema of its JSON, if it has one,
    and its media type. Both are ``None`` if only the status is known."""

    schema: Schema | None
    mimetype: str | None


def responds(
    schema: SchemaLike | None = None,
    *,
    status: int | None = None,
    mimetype: str | None = None,
) -> Callable[[F], F]:
    """Return a decorator that describes a response of a handler.

    ::

        @responds(PostSchema, status=201)
        @responds(status=204)
        @responds(mimetype="image/png")

    In debug mode and in tests, responses with that status are compared with *schema*:
    names, nesting and types. Its validators and hooks are for input, so they do not
    run. The media type is compared too, if it is given. The OpenAPI document of the app
    lists the response.

    :param status: the status of the response, by default 200.
    :param mimetype: the media type, by default ``"application/json"`` with a schema.
    :raises TypeError: if *schema* is not a schema, or nothing is described.
    """
    if (schema, status, mimetype) == (None, None, None):
        raise TypeError("Write @responds(Schema), or @responds(status=204).")
    if not isinstance(schema, type) and callable(schema):
        raise TypeError("Write @responds(Schema), with a schema.")
    if status is None:
        status = 200
    if type(status) is not int or not 100 <= status <= 599:
        raise TypeError(f"status is {status!r}. Write a number, such as status=201.")
    if status in (204, 304) and (schema is not None or mimetype is not None):
        raise TypeError(
            f"A {status} response has no body. Write status={status} alone."
        )
    if mimetype is not None and not _media_type_re.fullmatch(mimetype):
        raise TypeError(
            f"mimetype is {mimetype!r}. Write a media type, such as 'image/png'."
        )
    made = None if schema is None else as_schema(schema)
    if made is not None and mimetype is None:
        mimetype = "application/json"
    declared = DeclaredResponse(made, mimetype)

    def mark(function: F) -> F:
        others = declared_responses(function)
        if status in others:
            name = name_of(function)
            raise TypeError(f"{name}() has two @responds for {status}. Write one.")
        setattr(function, _MARK, {**others, status: declared})
        return function

    return mark


def declared_responses(function: t.Any) -> Mapping[int, DeclaredResponse]:
    """Return what ``@responds`` says about the responses of *function*, by status."""
    return getattr(function, _MARK, {})


def with_response_check(
    function: Callable[..., t.Any], handler: Callable[[Context], t.Any], file: str
) -> Callable[[Context], t.Any]:
    """Return *handler* with a check of its responses against the ``@responds`` of
    *function*.

    The returned function raises :exc:`ResponseMismatchError`.

    :param file: the name of the file in that error.
    """
    declared = declared_responses(function)
    if not declared:
        return handler

    @functools.wraps(handler)
    def checked(context: Context) -> t.Any:
        response = handler(context)
        if isinstance(response, BaseResponse) and response.status_code in declared:
            errors = _differences(response, declared[response.status_code])
            if errors:
                where = (with_line(file, function), name_of(function))
                raise ResponseMismatchError(*where, response.status_code, errors)
        return response

    return checked


def _differences(response: BaseResponse, declared: DeclaredResponse) -> t.Any:
    """Return the differences between *response* and its ``@responds``."""
    is_whole = not (response.is_streamed or response.direct_passthrough)
    if declared.schema is not None and is_whole:
        errors = _mismatches(declared.schema, response.get_json(silent=True))
        if errors:
            return errors
    if declared.mimetype not in (None, response.mimetype):
        return {"mimetype": [f"It is {response.mimetype}, not {declared.mimetype}."]}
    return {}


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
    variants = getattr(schema, "type_schemas", None)
    if variants is not None:  # A OneOfSchema of marshmallow-oneofschema.
        name = t.cast(t.Any, schema).type_field
        variant = variants.get(data.get(name))
        if variant is None:
            return {name: [f"Not one of {', '.join(variants)}."]}
        others = {key: value for key, value in data.items() if key != name}
        return _mismatches(as_schema(variant), others)
    known = {f.data_key or name: f for name, f in schema.dump_fields.items()}
    errors: dict[str, t.Any] = {
        name: ["Unknown field."] for name in data if name not in known
    }
    for name, field in known.items():
        if name in data:
            errors[name] = _mismatch(field, name, data)
        elif field.required:
            errors[name] = ["Missing field."]
    return {name: found for name, found in errors.items() if found}


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
