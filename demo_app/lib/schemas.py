"""What visitors and programs may send, as marshmallow schemas."""

from __future__ import annotations

from marshmallow import Schema
from marshmallow import fields
from marshmallow.validate import And
from marshmallow.validate import Length
from marshmallow.validate import Range
from marshmallow.validate import Regexp


def text(least: int, most: int, **options: object) -> fields.String:
    """Return a field for a text of that many characters, not all of them blank."""
    visible = Regexp(r"\s*\S", error="Please write something.")
    length = Length(least, most, error="Please write {min} to {max} characters.")
    return fields.String(required=True, validate=And(visible, length))


class PostBody(Schema):
    title = text(1, 200)
    body = text(1, 20_000)


class PostData(PostBody):
    slug = fields.String(required=True)
    published = fields.String(required=True)


class PostList(Schema):
    items = fields.List(fields.Nested(PostData), required=True)
    page = fields.Integer(required=True)
    last = fields.Integer(required=True)
    total = fields.Integer(required=True)


class PageQuery(Schema):
    page = fields.Integer(load_default=1, validate=Range(1, 100_000))


class CommentForm(Schema):
    author = text(1, 80)
    text = text(2, 2_000)


class ContactForm(Schema):
    email = fields.Email(
        required=True,
        error_messages={"invalid": "Please give an address we can answer."},
    )
    text = text(10, 5_000)


class LoginForm(Schema):
    password = fields.String(required=True)
