import typing as t

from flask import Response
from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate as checks
from werkzeug.exceptions import NotFound

from flask_filepages import Context
from flask_filepages import responds
from flask_filepages import validate
from tests.openapi.shelter.schemas import Pet
from tests.openapi.shelter.schemas import PetBody


class Body(Schema):
    """What a visit changes."""

    name = fields.String(required=True, validate=checks.Length(1, 40))


@responds(Pet)
def GET(context: Context) -> Response:
    """Show a pet."""
    return context.json(_pet(context))


@validate(json=PetBody)
@responds(Pet)
def PUT(context: Context, json: dict[str, t.Any]) -> Response:
    """Replace a pet."""
    pet = _pet(context)
    number = pet["id"]
    pet.clear()
    pet.update(PetBody().dump(json), id=number)
    return context.json(pet)


@validate(json=PetBody(partial=("name", "mood")))
@responds(Pet)
def PATCH(context: Context, json: dict[str, t.Any]) -> Response:
    """Change some of a pet."""
    pet = _pet(context)
    pet.update(PetBody().dump(json))
    return context.json(pet)


@validate(json=Body)
@responds(Pet(only=("id", "name")), status=202)
def POST(context: Context, json: dict[str, t.Any]) -> Response:
    """Give a pet another name."""
    pet = _pet(context)
    pet["name"] = json["name"]
    return context.json({"id": pet["id"], "name": pet["name"]}, 202)


@responds(status=204)
def DELETE(context: Context) -> Response:
    """Forget a pet."""
    context.app.extensions["pets"].pop(_pet(context)["id"])
    return Response(status=204)


def _pet(context: Context) -> dict[str, t.Any]:
    pet: dict[str, t.Any] | None
    pet = context.app.extensions["pets"].get(context.params["id"])
    if pet is None:
        raise NotFound("There is no such pet.")
    return pet
