"""Each location at once."""

import typing as t

from flask import Response
from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate as checks

from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate


class Body(Schema):
    """Not the Body of another file."""

    count = fields.Integer(required=True, strict=True)
    when = fields.DateTime()


class Headers(Schema):
    trace = fields.String(
        data_key="X-Trace", required=True, validate=checks.Regexp("^[a-f0-9]+$")
    )


class Cookies(Schema):
    theme = fields.String(validate=checks.OneOf(["light", "dark"]), required=True)


class Echo(Schema):
    count = fields.Integer(required=True)
    trace = fields.String(required=True)
    theme = fields.String(required=True)
    limit = fields.Integer(required=True, allow_none=True)


@validate(
    json=Body,
    query={"limit": fields.Integer(load_default=None)},
    headers=Headers,
    cookies=Cookies,
)
@responds(Echo)
def PUT(context: Context, **given: t.Any) -> Response:
    """Return what was sent."""
    return context.json(
        {
            "count": given["json"]["count"],
            "trace": given["headers"]["trace"],
            "theme": given["cookies"]["theme"],
            "limit": given["query"]["limit"],
        }
    )
