from flask import Response
from flask import url_for
from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate as checks

from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate
from tests.openapi.shelter.schemas import Pet
from tests.openapi.shelter.schemas import PetBody
from tests.openapi.shelter.schemas import PetList


class Filter(Schema):
    page = fields.Integer(load_default=1, validate=checks.Range(1, 1000))
    mood = fields.String(validate=checks.OneOf(["calm", "wild"]))
    tag = fields.List(fields.String(), metadata={"description": "Any of these."})
    since = fields.Date()
    is_young = fields.Boolean()


@validate(query=Filter)
@responds(PetList)
def GET(context: Context, query: dict[str, object]) -> Response:
    """List the pets.

    Those that came last are first.
    """
    pets = list(context.app.extensions["pets"].values())
    return context.json({"pets": pets[-10:], "total": len(pets)})


@validate(json=PetBody)
@responds(Pet, status=201)
def POST(context: Context, json: dict[str, object]) -> Response:
    """Take in a pet."""
    pets = context.app.extensions["pets"]
    number = max(pets, default=0) + 1
    pets[number] = {**PetBody().dump(json), "id": number}
    where = url_for("/api/pets/[id=int]", id=number)
    return context.json(pets[number], 201, {"Location": where})
