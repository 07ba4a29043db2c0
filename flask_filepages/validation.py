"""``@validate`` and ``@responds``: marshmallow schemas at the boundary.

Both mark a function and return it, so a handler stays a plain function for its tests.
Dispatch reads the marks when the file is loaded, parses each location (by webargs) and
passes it on as a keyword argument.
"""

from __future__ import annotations

import functools
import inspect
import typing as t
from collections.abc import Callable
from collections.abc import Mapping
from decimal import Decimal

from marshmallow import EXCLUDE
from marshmallow import RAISE
from marshmallow import Schema
from marshmallow import ValidationError
from marshmallow.fields import Nested
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from .context import Context
from .errors import AnswerMismatchError
from .errors import InvalidContentError
from .locations import LocationParser

SchemaLike = Schema | type[Schema] | Mapping[str, t.Any]
F = t.TypeVar("F", bound=Callable[..., t.Any])

_VALIDATES = "_filepages_validates"
_RESPONDS = "_filepages_responds"
_ERRORS = "errors"
#: Unknown fields are refused in bodies, and ignored elsewhere: a browser sends more than
#: an endpoint asked for.
_BODIES = ("json", "form")
#: Digits before or after the point. Writing out the Decimal of a billion digits that
#: twelve characters stand for would end the process.
_MOST_DIGITS = 400

_parser = LocationParser()


def validate(
    *,
    json: SchemaLike | None = None,
    form: SchemaLike | None = None,
    query: SchemaLike | None = None,
    params: SchemaLike | None = None,
    headers: SchemaLike | None = None,
    cookies: SchemaLike | None = None,
    files: SchemaLike | None = None,
) -> Callable[[F], F]:
    """Return a decorator: the handler gets each location, parsed, by its name.

    A schema is a marshmallow class, an instance (``PostBody(many=True)``) or a dict of
    fields. What a schema does not take is answered by 422 (RFC 9457), params by 404;
    before that, content that is malformed by 400, too large by 413, of another type by
    415. A handler that has a parameter ``errors`` is called with invalid content as
    well: with the raw values, and ``errors={"form": {"email": ["..."]}}``.

    :raises TypeError: something is no schema.
    """
    given = {
        "json": json,
        "form": form,
        "query": query,
        "params": params,
        "headers": headers,
        "cookies": cookies,
        "files": files,
    }
    schemas = {name: _schema(s) for name, s in given.items() if s is not None}
    if not schemas:
        raise TypeError(f"@validate(...) names a location: {', '.join(given)}.")

    def mark(function: F) -> F:
        return _marked(function, _VALIDATES, schemas)

    return mark


def responds(schema: SchemaLike, *, status: int = 200) -> Callable[[F], F]:
    """Return a decorator that says what the JSON of an answer is.

    In debug and in tests answers of that status are held against it.

    :raises TypeError: *schema* is none.
    """
    made = _schema(schema)

    def mark(function: F) -> F:
        return _marked(function, _RESPONDS, {status: made})

    return mark


def _schema(given: t.Any) -> Schema:
    if isinstance(given, Schema):
        return given
    if isinstance(given, type) and issubclass(given, Schema):
        return given()
    if isinstance(given, Mapping):
        return Schema.from_dict(dict(given))()
    raise TypeError(f"{given!r} is no marshmallow schema, nor a dict of fields.")


def _marked(function: F, mark: str, schemas: Mapping[t.Any, Schema]) -> F:
    if not callable(function):
        raise TypeError("@validate and @responds go before `def`.")
    known = getattr(function, mark, {})
    twice = ", ".join(str(name) for name in schemas if name in known)
    if twice:
        raise TypeError(f"{function.__name__}() has two schemas for {twice}.")
    setattr(function, mark, {**known, **schemas})
    return function


def schemas_of(function: t.Any) -> Mapping[str, Schema]:
    """Return the schema of each location that ``@validate`` gives *function*."""
    return getattr(function, _VALIDATES, {})


def answers_of(function: t.Any) -> Mapping[int, Schema]:
    """Return the schema of each status that ``@responds`` gives *function*."""
    return getattr(function, _RESPONDS, {})


def wants_errors(function: t.Any) -> bool:
    """Whether *function* is called with invalid content, too."""
    return bool(schemas_of(function)) and (
        _ERRORS in inspect.signature(function).parameters
    )


def keywords_of(function: t.Any) -> list[str]:
    """Return the names of the arguments that *function* gets beside the context."""
    return [*schemas_of(function), *([_ERRORS] if wants_errors(function) else [])]


# -- binding ------------------------------------------------------------------------


def with_validation(
    function: Callable[..., t.Any], handler: Callable[..., t.Any]
) -> Callable[[Context], t.Any]:
    """Return *handler* as a function of the context alone.

    :param function: the function that was marked; *handler* may be a wrapper of it.
    """
    schemas = schemas_of(function)
    if not schemas:
        return handler
    parse = [
        (location, functools.partial(_parse, location, schema))
        for location, schema in schemas.items()
    ]
    takes_errors = wants_errors(function)

    @functools.wraps(handler)
    def validated(context: Context) -> t.Any:
        values: dict[str, t.Any] = {}
        errors: dict[str, t.Any] = {}
        for location, parse_location in parse:
            try:
                values[location] = parse_location(context)
            except ValidationError as error:
                errors.update(t.cast("dict[str, t.Any]", error.messages))
                values[location] = _parser.raw(context, location)
        if "params" in errors:
            raise NotFound
        if errors and not takes_errors:
            raise InvalidContentError(errors)
        if takes_errors:
            values[_ERRORS] = errors
        return handler(context, **values)

    return validated


def _parse(location: str, schema: Schema, context: Context) -> t.Any:
    unknown = _unknown(location, schema)
    value = _parser.parse(schema, context, location=location, unknown=unknown)
    path = _too_long(value)
    if path is not None:
        message: t.Any = ["Number too large."]
        for name in reversed(path):
            message = {name: message}
        raise ValidationError({location: message})
    return value


def _unknown(location: str, schema: Schema) -> str | None:
    """Return the policy for unknown fields, ``None`` for the schema's own.

    Its own counts where it was written down: in its ``Meta``, or as ``unknown=``.
    """
    if location in _BODIES or schema.unknown != RAISE:
        return None
    return None if hasattr(schema.Meta, "unknown") else EXCLUDE


def _too_long(value: t.Any) -> list[str] | None:
    """Return the path to a Decimal that nobody could write out, if there is one."""
    if isinstance(value, Decimal):
        exponent = value.adjusted()
        return [] if value.is_finite() and abs(exponent) > _MOST_DIGITS else None
    items: t.Iterable[tuple[t.Any, t.Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    for name, one in items:
        path = _too_long(one)
        if path is not None:
            return [str(name), *path]
    return None


# -- holding answers against their schemas -------------------------------------------


def with_answer_check(
    function: Callable[..., t.Any], handler: Callable[[Context], t.Any]
) -> Callable[[Context], t.Any]:
    """Return *handler*; what it answers is held against its ``@responds``."""
    schemas = {s: _as_dumped(schema) for s, schema in answers_of(function).items()}
    if not schemas:
        return handler

    @functools.wraps(handler)
    def checked(context: Context) -> t.Any:
        answer = handler(context)
        if isinstance(answer, BaseResponse) and answer.status_code in schemas:
            schema = schemas[answer.status_code]
            data: t.Any = answer.get_json(silent=True)
            errors = schema.validate(data)
            if errors:
                name = getattr(function, "__name__", "handler")
                raise AnswerMismatchError(name, answer.status_code, errors)
        return answer

    return checked


def _as_dumped(schema: Schema) -> Schema:
    """Return a schema that loads what *schema* dumps: its ``load_only`` fields are not
    there, its ``dump_only`` fields are."""
    only = None if schema.only is None else set(schema.only)
    made = type(schema)(many=schema.many, only=only, exclude=set(schema.exclude))
    _load_what_is_dumped(made, set())
    return made


def _load_what_is_dumped(schema: Schema, seen: set[type[Schema]]) -> None:
    schema.load_fields = schema.dump_fields
    if type(schema) in seen:
        return
    for field in schema.dump_fields.values():
        inner = getattr(field, "inner", field)
        if isinstance(inner, Nested):
            _load_what_is_dumped(inner.schema, {*seen, type(schema)})
