from flask import Response
from marshmallow import fields

from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate


@validate(query={"q": fields.String(required=True)})
@responds({"found": fields.String(required=True)})
def GET(context: Context, query: dict[str, str]) -> Response:
    """Search."""
    return context.json({"found": query["q"]})


def QUERY(context: Context) -> Response:
    """Search with a body, which OpenAPI 3.1 does not know."""
    return context.json({"found": context.request.get_data(as_text=True)})
