"""``@validate`` checks what comes in against marshmallow schemas."""

from __future__ import annotations

import functools
import inspect
import os
import typing as t
from collections.abc import Callable
from collections.abc import Mapping
from decimal import Decimal

from marshmallow import EXCLUDE
from marshmallow import RAISE
from marshmallow import Schema
from marshmallow import ValidationError
from marshmallow.fields import Field
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import NotFound

from ..context import Context
from ..errors import BadContentError
from ..errors import InvalidContentError
from ..errors import UnprocessableContentError
from ..functions import is_async
from ..functions import name_of
from . import locations

SchemaLike = Schema | type[Schema] | Mapping[str, t.Any]
F = t.TypeVar("F", bound=Callable[..., t.Any])

_MARK = "_filepages_schemas"
_ERRORS = "errors"
_ERROR_CLASSES: t.Mapping[int, type[InvalidContentError]] = {
    400: BadContentError,
    422: UnprocessableContentError,
}
#: Digits before or after the point. ``1e999999999`` is a valid Decimal, but printing
#: its billion digits would end the process.
_MOST_DIGITS = 400


class ContentErrors(dict[str, t.Any]):
    """Errors by location; ``{}`` for a location without errors."""

    def __missing__(self, location: str) -> dict[str, t.Any]:
        return {}


def validate(
    function: None = None,
    /,
    *,
    params: SchemaLike | None = None,
    json: SchemaLike | None = None,
    form: SchemaLike | None = None,
    query: SchemaLike | None = None,
    headers: SchemaLike | None = None,
    cookies: SchemaLike | None = None,
    files: SchemaLike | None = None,
) -> Callable[[F], F]:
    """Return a decorator that passes each parsed location to the handler by name.

    ::

        @validate(json=PostBody)
        def PUT(context, json): ...

    A schema is a marshmallow class, an instance (``PostBody(many=True)``) or a dict of
    fields. Invalid and malformed content gets 400 with a problem document (RFC 9457),
    invalid params 404, oversized content 413, and an unsupported content type 415. A
    handler with a parameter ``errors`` is also called with invalid content: it receives
    the raw values, and ``errors={"form": {"email": ["..."]}}``.

    A call that passes a location itself, as in ``PUT(make_context(), json={...})``,
    bypasses parsing and validation.

    :raises TypeError: if an argument is not a schema, or the handler lacks a parameter
        for a location.
    """
    given = {
        "params": params,
        "json": json,
        "form": form,
        "query": query,
        "headers": headers,
        "cookies": cookies,
        "files": files,
    }
    schemas = {name: as_schema(s) for name, s in given.items() if s is not None}
    if function is not None or not schemas:
        raise TypeError(
            f"Write @validate(json=Schema). The locations are {', '.join(given)}."
        )
    if "json" in schemas and ("form" in schemas or "files" in schemas):
        raise TypeError("Pass json=, or form= and files=, not both.")

    def decorate(function: F) -> F:
        _check(function, schemas)
        return t.cast(F, _validated(function, schemas))

    return decorate


def as_schema(given: t.Any) -> Schema:
    """Return a schema instance for a schema class, an instance or a dict of fields.

    :raises TypeError: *given* is something else.
    """
    if isinstance(given, Schema):
        return given
    if isinstance(given, type) and issubclass(given, Schema):
        return given()
    if isinstance(given, Mapping):
        for name, field in given.items():
            is_class = isinstance(field, type) and issubclass(field, Field)
            if not (isinstance(field, Field) or is_class):
                raise TypeError(
                    f"{name!r} is {field!r}, not a marshmallow field. Write"
                    f" {{{name!r}: fields.String()}}."
                )
        return Schema.from_dict(dict(given))()
    shown = repr(given)
    if len(shown) > 50:
        shown = f"{type(given).__name__}(...)"
    raise TypeError(
        f"{shown} is not a marshmallow schema or a dict of fields. Write a Schema,"
        " Schema(many=True), or {'name': fields.String()}."
    )


def schemas_of(function: t.Any) -> Mapping[str, Schema]:
    """Return the schemas that ``@validate`` gave *function*, by location."""
    return getattr(function, _MARK, {})


def _check(function: t.Any, schemas: Mapping[str, Schema]) -> None:
    name = name_of(function)
    if not callable(function):
        raise TypeError("Write @validate above a function.")
    if schemas_of(function):
        raise TypeError(f"{name}() has two @validate. Name all locations in one.")
    parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
    first = next(iter(parameters), None)
    if first is not None and first.name in schemas:
        raise TypeError(f"Write {name}({', '.join(['context', *schemas])}).")
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    missing = schemas.keys() - {parameter.name for parameter in parameters}
    code = getattr(function, "__code__", None)
    is_inner = code is not None and "<locals>" in code.co_qualname
    if missing and code and (hasattr(function, "__wrapped__") or is_inner):
        where = f"{os.path.relpath(code.co_filename)}:{code.co_firstlineno}"
        raise TypeError(
            f"the decorator below @validate ({where}) does not pass on"
            f" {', '.join(sorted(missing))}. Move @validate below it, or let its"
            " function take (*args, **kwargs)."
        )
    if missing:
        wanted = ", ".join(["context", *schemas])
        raise TypeError(
            f"{name}() lacks a parameter for {', '.join(sorted(missing))}. Write"
            f" `def {name}({wanted})`."
        )


def _validated(
    function: Callable[..., t.Any], schemas: Mapping[str, Schema]
) -> Callable[..., t.Any]:
    takes_errors = _ERRORS in inspect.signature(function).parameters

    def with_values(
        args: tuple[t.Any, ...], given: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        if given and not given.keys().isdisjoint(schemas):
            _refuse_params(args, given, schemas)
            if takes_errors:
                given.setdefault(_ERRORS, ContentErrors())
            return given
        context = args[0] if args else given["context"]
        if not isinstance(context, Context):
            # A decorator may pass an argument of its own before the context.
            context = next(arg for arg in args if isinstance(arg, Context))
        values = _values(context, schemas, takes_errors)
        return {**given, **values} if given else values

    @functools.wraps(function)
    async def awaited(*args: t.Any, **given: t.Any) -> t.Any:
        return await function(*args, **with_values(args, given))

    @functools.wraps(function)
    def called(*args: t.Any, **given: t.Any) -> t.Any:
        return function(*args, **with_values(args, given))

    validated = awaited if is_async(function) else called
    setattr(validated, _MARK, schemas)
    return validated


def _refuse_params(
    args: tuple[t.Any, ...], given: Mapping[str, t.Any], schemas: Mapping[str, Schema]
) -> None:
    """Refuse a route param that a decorator passed in place of a location.

    ``GET(context, **context.params)`` on ``[query].py`` would skip validation.
    """
    for context in (*args, given.get("context")):
        if isinstance(context, Context):
            names = given.keys() & schemas.keys() & context.params.keys()
            if names:
                raise TypeError(
                    f"{', '.join(sorted(names))}: both a param of the route and a"
                    " location of @validate. Rename the param."
                )


def _values(
    context: Context, schemas: Mapping[str, Schema], takes_errors: bool
) -> dict[str, t.Any]:
    """Return the keyword arguments of the handler."""
    values: dict[str, t.Any] = {}
    errors = ContentErrors()
    for location, schema in schemas.items():
        try:
            values[location] = _load(context, location, schema)
        except ValidationError as error:
            if location == "params":
                raise NotFound from error
            errors[location] = error.messages
            values[location] = locations.raw(context, location)
    if errors:
        context.app.logger.debug(
            "%s refused %s: %s", context.route_id, context.request.method, dict(errors)
        )
    if takes_errors:
        values[_ERRORS] = errors
    elif errors:
        raise _ERROR_CLASSES[context._route.settings.invalid_status](errors)
    return values


def _load(context: Context, location: str, schema: Schema) -> t.Any:
    """Return the values of *location*, or raise marshmallow's error."""
    try:
        value = locations.load(schema, context, location, _unknown(location, schema))
    except (RecursionError, OverflowError) as error:
        raise BadRequest("The content is too deep or too large.") from error
    errors = _huge_decimal(value)
    if errors is not None:
        raise ValidationError(errors)
    return value


def _huge_decimal(value: t.Any) -> t.Any:
    """Return the error of a Decimal that is too long to print, below the names that
    lead to it, or ``None``."""
    if isinstance(value, (str, bytes, int, float, type(None))):
        return None
    if isinstance(value, Decimal):
        is_huge = value.is_finite() and abs(value.adjusted()) > _MOST_DIGITS
        return ["Number too large."] if is_huge else None
    for name, part in _parts_of(value):
        errors = _huge_decimal(part)
        if errors is not None:
            return {str(name): errors}
    return None


def _parts_of(value: t.Any) -> t.Iterable[tuple[t.Any, t.Any]]:
    """Yield the names and values in *value*. Of other objects, such as those that a
    ``post_load`` hook makes, yield the Decimal attributes."""
    if isinstance(value, Mapping):
        yield from ((name, name) for name in value if isinstance(name, Decimal))
        yield from value.items()
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from enumerate(value)
    else:
        slots = getattr(value, "__slots__", ())
        names = [slots] if isinstance(slots, str) else slots
        own = {name: getattr(value, name, None) for name in names}
        own |= getattr(value, "__dict__", {})
        yield from ((name, v) for name, v in own.items() if isinstance(v, Decimal))


def _unknown(location: str, schema: Schema) -> str | None:
    """Return the policy for unknown fields, or ``None`` for the policy of the schema.

    JSON comes from programs, which make typing errors. Browsers send more fields than
    an endpoint asks for, such as the name of a button. There the policy of the schema
    counts only if its ``Meta`` or the instance sets one: ``RAISE`` is marshmallow's
    default.
    """
    if location == "json" or schema.unknown != RAISE:
        return None
    return None if hasattr(schema.Meta, "unknown") else EXCLUDE
