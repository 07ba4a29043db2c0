"""``@validate``: marshmallow schemas at the boundary."""

from __future__ import annotations

import functools
import inspect
import typing as t
from collections.abc import Callable
from collections.abc import Mapping

from marshmallow import EXCLUDE
from marshmallow import RAISE
from marshmallow import Schema
from marshmallow import ValidationError
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import NotFound

from ..context import Context
from ..errors import InvalidContentError
from ..functions import is_async
from . import locations
from .decimals import holds_decimals
from .decimals import too_long

SchemaLike = Schema | type[Schema] | Mapping[str, t.Any]
F = t.TypeVar("F", bound=Callable[..., t.Any])

_MARK = "_filepages_schemas"
_ERRORS = "errors"
#: Unknown fields are refused in bodies, and ignored elsewhere: a browser sends more
#: than an endpoint asked for.
_BODIES = ("json", "form", "files")


class ContentErrors(dict[str, t.Any]):
    """What is wrong, by location; ``{}`` for a location with nothing wrong."""

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
    """Return a decorator: the handler gets each location, parsed, by its name.

    A schema is a marshmallow class, an instance (``PostBody(many=True)``) or a dict of
    fields. What a schema does not take is answered by 422 (RFC 9457), params by 404;
    before that, content that is malformed by 400, too large by 413, of another type by
    415. A handler that has a parameter ``errors`` is called with invalid content as
    well: with the raw values, and ``errors={"form": {"email": ["..."]}}``.

    Decorators written above it run before anything is read. A call that names what
    would be parsed, as in ``PUT(make_context(), json={...})``, is a plain call.

    :raises TypeError: something is no schema, or the handler does not take what it
        validates.
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
            f"Write @validate(json=Schema); the locations are {', '.join(given)}."
        )
    if "json" in schemas and ("form" in schemas or "files" in schemas):
        raise TypeError("A body is JSON or a form; write a handler for each.")

    def decorate(function: F) -> F:
        _check(function, schemas)
        return t.cast(F, _validated(function, schemas))

    return decorate


def as_schema(given: t.Any) -> Schema:
    """Return the schema that *given* stands for.

    :raises TypeError: it stands for none.
    """
    if isinstance(given, Schema):
        return given
    if isinstance(given, type) and issubclass(given, Schema):
        return given()
    if isinstance(given, Mapping):
        return Schema.from_dict(dict(given))()
    raise TypeError(f"{given!r} is no marshmallow schema, nor a dict of fields.")


def schemas_of(function: t.Any) -> Mapping[str, Schema]:
    """Return the schema of each location that ``@validate`` gives *function*."""
    return getattr(function, _MARK, {})


def _check(function: t.Any, schemas: Mapping[str, Schema]) -> None:
    name = getattr(function, "__name__", type(function).__name__)
    if not callable(function):
        raise TypeError("@validate goes before `def`.")
    if schemas_of(function):
        raise TypeError(f"{name}() has two @validate; name all locations in one.")
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return
    missing = schemas.keys() - {parameter.name for parameter in parameters}
    if missing:
        wanted = ", ".join(["context", *schemas])
        raise TypeError(
            f"{name}() does not take what it validates. Write `def {name}({wanted})`."
        )


def _validated(
    function: Callable[..., t.Any], schemas: Mapping[str, Schema]
) -> Callable[..., t.Any]:
    takes_errors = _ERRORS in inspect.signature(function).parameters
    parsers = {
        location: _make_parser(location, schema) for location, schema in schemas.items()
    }

    def completed(args: tuple[t.Any, ...], given: dict[str, t.Any]) -> dict[str, t.Any]:
        if given and not given.keys().isdisjoint(schemas):
            _refuse_params(args, given, schemas)
            if takes_errors:
                given.setdefault(_ERRORS, ContentErrors())
            return given
        context = args[0] if args else given["context"]
        if not isinstance(context, Context):
            # A decorator may put an argument of its own before it.
            context = next(arg for arg in args if isinstance(arg, Context))
        values = _values(context, parsers, takes_errors)
        return {**given, **values} if given else values

    @functools.wraps(function)
    async def awaited(*args: t.Any, **given: t.Any) -> t.Any:
        return await function(*args, **completed(args, given))

    @functools.wraps(function)
    def called(*args: t.Any, **given: t.Any) -> t.Any:
        return function(*args, **completed(args, given))

    validated = awaited if is_async(function) else called
    setattr(validated, _MARK, schemas)
    return validated


def _refuse_params(
    args: tuple[t.Any, ...], given: Mapping[str, t.Any], schemas: Mapping[str, Schema]
) -> None:
    """Refuse a param of the route in the place of a location of the same name: a
    decorator passed it on, and nothing has looked at it."""
    for context in (*args, given.get("context")):
        if isinstance(context, Context):
            names = given.keys() & schemas.keys() & context.params.keys()
            if names:
                raise TypeError(
                    f"{', '.join(sorted(names))}: the route has a param of this name,"
                    " and @validate a location. Rename the param."
                )


def _values(
    context: Context,
    parsers: Mapping[str, Callable[[Context], t.Any]],
    takes_errors: bool,
) -> dict[str, t.Any]:
    """Return what the handler is called with beside the context."""
    values: dict[str, t.Any] = {}
    errors = ContentErrors()
    for location, parse in parsers.items():
        try:
            values[location] = parse(context)
        except ValidationError as error:
            if location == "params":
                raise NotFound from error
            errors[location] = error.messages
            values[location] = locations.raw(context, location)
    if takes_errors:
        values[_ERRORS] = errors
    elif errors:
        raise InvalidContentError(errors)
    return values


def _make_parser(location: str, schema: Schema) -> Callable[[Context], t.Any]:
    """Return what gives the values of *location*, or raises marshmallow's error."""
    unknown = _unknown(location, schema)
    has_decimals = holds_decimals(schema)

    def parse(context: Context) -> t.Any:
        try:
            value = locations.load(schema, context, location, unknown)
        except (RecursionError, OverflowError) as error:
            raise BadRequest("The content is out of all bounds.") from error
        path = too_long(value) if has_decimals else None
        if path is not None:
            message: t.Any = ["Number too large."]
            for name in reversed(path):
                message = {name: message}
            raise ValidationError(message)
        return value

    return parse


def _unknown(location: str, schema: Schema) -> str | None:
    """Return the policy for unknown fields, ``None`` for the schema's own.

    Outside bodies its own counts if its ``Meta`` has one, or if it is an instance with
    ``unknown=INCLUDE`` or ``EXCLUDE``: ``RAISE`` is what every instance has.
    """
    if location in _BODIES or schema.unknown != RAISE:
        return None
    return None if hasattr(schema.Meta, "unknown") else EXCLUDE
