"""Decimals that twelve characters ask for and nobody could write out."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from decimal import Decimal

from marshmallow import Schema
from marshmallow import fields

#: Digits before or after the point. Writing out the Decimal of a billion digits that
#: twelve characters stand for would end the process.
_MOST_DIGITS = 400
#: Fields of marshmallow's that give no Decimal; any other class of field might.
_PLAIN = frozenset(
    field
    for field in vars(fields).values()
    if isinstance(field, type)
    and issubclass(field, fields.Field)
    and not issubclass(
        field,
        (fields.Decimal, fields.Function, fields.Method, fields.Nested, fields.Raw),
    )
)
_INNER = ("inner", "key_field", "value_field")


def holds_decimals(schema: Schema, seen: frozenset[type[Schema]] = frozenset()) -> bool:
    """Whether a field of *schema*, however deep, could give a Decimal."""
    if type(schema) in seen:
        return False
    seen |= {type(schema)}
    return any(_gives_decimals(field, seen) for field in schema.fields.values())


def _gives_decimals(field: fields.Field[t.Any], seen: frozenset[type[Schema]]) -> bool:
    if isinstance(field, fields.Nested):
        try:
            return holds_decimals(field.schema, seen)
        except Exception:  # it names what is not there yet
            return True
    if type(field) not in _PLAIN:
        return True
    inner = [getattr(field, name, None) for name in _INNER]
    inner += getattr(field, "tuple_fields", ())
    return any(_gives_decimals(one, seen) for one in inner if one is not None)


def too_long(value: t.Any) -> list[str] | None:
    """Return the path to a Decimal that nobody could write out, if there is one."""
    if isinstance(value, Decimal):
        exponent = value.adjusted()
        return [] if value.is_finite() and abs(exponent) > _MOST_DIGITS else None
    if isinstance(value, (str, bytes, int, float, type(None))):
        return None
    for name, one in _parts(value):
        path = too_long(one)
        if path is not None:
            return [str(name), *path]
    return None


def _parts(value: t.Any) -> t.Iterable[tuple[t.Any, t.Any]]:
    """Yield the names and values that *value* is made of; of an object of the user's,
    its own attributes that are numbers."""
    if isinstance(value, Mapping):
        yield from ((name, name) for name in value if isinstance(name, Decimal))
        yield from value.items()
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from enumerate(value)
    else:
        slots = getattr(value, "__slots__", ())
        own = {name: getattr(value, name, None) for name in slots if slots}
        own |= getattr(value, "__dict__", {})
        yield from (
            (name, one) for name, one in own.items() if isinstance(one, Decimal)
        )
