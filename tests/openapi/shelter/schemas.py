"""Schemas that several files use."""

from __future__ import annotations

import enum

from marshmallow import Schema
from marshmallow import ValidationError
from marshmallow import fields
from marshmallow import validate
from marshmallow_oneofschema.one_of_schema import OneOfSchema


def is_number_or_text(value: object) -> None:
    if type(value) not in (int, str):
        raise ValidationError("Not a number or a text.")


class Mood(enum.Enum):
    calm = 1
    wild = 2


class Owner(Schema):
    """Somebody with a pet."""

    name = fields.String(required=True, validate=validate.Length(1, 40))
    email = fields.Email(load_default=None)
    friends = fields.List(fields.Nested(lambda: Owner(only=("name",))))


class Chip(Schema):
    code = fields.String(required=True, validate=validate.Regexp(r"[A-Z]{2}\d{4}$"))
    since = fields.Date(allow_none=True)


class PetBody(Schema):
    """A pet as a client sends it."""

    name = fields.String(required=True, validate=validate.Length(1, 40))
    mood = fields.Enum(Mood, required=True)
    size = fields.String(validate=validate.OneOf(["small", "large"]))
    weight = fields.Float(
        validate=validate.Range(0, 500, min_inclusive=False),
        metadata={"description": "In kilograms."},
    )
    price = fields.Decimal(allow_nan=False)
    tags = fields.List(
        fields.String(validate=validate.Length(1, 10)), validate=validate.Length(max=5)
    )
    chip = fields.Nested(Chip, allow_none=True)
    owner = fields.Nested(Owner)
    notes = fields.Dict(keys=fields.String(), values=fields.Integer(strict=True))
    extra = fields.Raw(
        metadata={"anyOf": [{"type": "integer"}, {"type": "string"}]},
        validate=is_number_or_text,
    )


class Pet(PetBody):
    id = fields.Integer(required=True, dump_only=True)
    born = fields.DateTime(dump_only=True)


class PetList(Schema):
    pets = fields.List(fields.Nested(Pet), required=True)
    total = fields.Integer(required=True)


class Cat(Schema):
    lives = fields.Integer(required=True, strict=True, validate=validate.Range(1, 9))


class Dog(Schema):
    tricks = fields.List(fields.String(), required=True)


class Animal(OneOfSchema):
    """A cat or a dog."""

    type_schemas = {"cat": Cat, "dog": Dog}  # noqa: RUF012

    def get_obj_type(self, obj: object) -> str:
        return "cat" if "lives" in obj else "dog"  # type: ignore[operator]
