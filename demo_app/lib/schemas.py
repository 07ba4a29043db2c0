"""What visitors and programs may send, as marshmallow schemas."""

from __future__ import annotations

from marshmallow import Schema
from marshmallow import fields
from marshmallow.validate import Length
from marshmallow.validate import Range
from marshmallow.validate import Regexp

# Something that is not blank, and no character that a feed cannot contain. JavaScript
# reads the expression in the same way, so the OpenAPI document has it too.
_TEXT = (
    r"^[\t\n\r ]*[^\x00-\x20\x7f-\x9f\ufffe\uffff]"
    r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]*$"
)


def text(least: int, most: int) -> fields.String:
    """Return a field for a text of that many characters, not all of them blank."""
    visible = Regexp(_TEXT, error="Please write something, without control characters.")
    length = Length(least, most, error="Please write {min} to {max} characters.")
    return fields.String(required=True, validate=[visible, length])


class PostBody(Schema):
    """A post as its author writes it."""

    title = text(1, 200)
    body = text(1, 20_000)


class PostData(PostBody):
    """A post as the blog has it."""

    slug = fields.String(required=True)
    published = fields.DateTime(required=True)


class PostList(Schema):
    """One page of the list of posts."""

    items = fields.List(fields.Nested(PostData), required=True)
    page = fields.Integer(required=True)
    last = fields.Integer(required=True)
    total = fields.Integer(required=True)


class PageQuery(Schema):
    page = fields.Integer(load_default=1, validate=Range(1, 100_000))


class EventHeaders(Schema):
    signature = fields.String(data_key="X-Signature", load_default="")
    kind = fields.String(data_key="X-Event", load_default="unknown")


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
