import typing as t

from flask import Response

from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate
from tests.openapi.shelter.schemas import Animal


@validate(json=Animal)
@responds(Animal)
def POST(context: Context, json: dict[str, t.Any]) -> Response:
    """Return the animal that was sent."""
    return context.json(Animal().dump(json))


@responds(Animal(many=True))
def GET(context: Context) -> Response:
    """List two animals."""
    animals = [{"type": "cat", "lives": 9}, {"type": "dog", "tricks": ["sit"]}]
    return context.json(animals)
