"""Runs every operation of the fixture app with the client of openapi-python-client.

The address is the argument.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
from http import HTTPStatus
from uuid import UUID

from shelter_client import Client
from shelter_client.api.api import get_api_animals
from shelter_client.api.api import get_api_by_name_by_size_json
from shelter_client.api.api import post_api_animals
from shelter_client.api.api import put_api_everything
from shelter_client.api.api_by_float import get_api_by_float_by_value
from shelter_client.api.api_by_hex import get_api_by_hex_by_value
from shelter_client.api.api_by_string import get_api_by_string_by_value
from shelter_client.api.api_by_uuid import get_api_by_uuid_by_value
from shelter_client.api.api_pets import delete_api_pets_by_id
from shelter_client.api.api_pets import get_api_pets
from shelter_client.api.api_pets import get_api_pets_by_id
from shelter_client.api.api_pets import get_api_pets_by_id_photo
from shelter_client.api.api_pets import patch_api_pets_by_id
from shelter_client.api.api_pets import post_api_pets
from shelter_client.api.api_pets import post_api_pets_by_id
from shelter_client.api.api_pets import post_api_pets_by_id_photo
from shelter_client.api.api_pets import put_api_pets_by_id
from shelter_client.api.docs import get_docs
from shelter_client.api.docs import get_docs_by_path
from shelter_client.api.forms import post_forms_adoption
from shelter_client.api.intern_staff import get_intern_staff
from shelter_client.api.pages import delete_any
from shelter_client.api.pages import get_any
from shelter_client.api.pages import get_by_lang_greeting
from shelter_client.api.pages import get_feed_xml
from shelter_client.api.pages import get_greeting
from shelter_client.api.pages import get_old
from shelter_client.api.pages import get_search
from shelter_client.api.pages import patch_any
from shelter_client.api.pages import post_any
from shelter_client.api.pages import put_any
from shelter_client.api.shop_orders import post_shop_orders
from shelter_client.models import AnimalCat
from shelter_client.models import AnimalCatType
from shelter_client.models import AnimalDog
from shelter_client.models import ApiEverythingBody
from shelter_client.models import ApiEverythingEcho
from shelter_client.models import ApiPetsByIdBody
from shelter_client.models import ApiPetsByIdPhotoResult
from shelter_client.models import Chip
from shelter_client.models import GetApiByFloatByValueResponse200
from shelter_client.models import GetApiByHexByValueResponse200
from shelter_client.models import GetApiByNameBySizeJsonResponse200
from shelter_client.models import GetApiByStringByValueResponse200
from shelter_client.models import GetApiByUuidByValueResponse200
from shelter_client.models import GetApiPetsMood
from shelter_client.models import GetByLangGreetingResponse200
from shelter_client.models import GetDocsByPathResponse200
from shelter_client.models import GetDocsResponse200
from shelter_client.models import GetGreetingResponse200
from shelter_client.models import GetSearchResponse200
from shelter_client.models import InternStaffBody
from shelter_client.models import Owner
from shelter_client.models import OwnerOnlyName
from shelter_client.models import Pet
from shelter_client.models import PetBody
from shelter_client.models import PetBodyMood
from shelter_client.models import PetBodyPartialNameMood
from shelter_client.models import PetBodyPartialNameMoodSize
from shelter_client.models import PetList
from shelter_client.models import PetOnlyIdName
from shelter_client.models import PostApiPetsByIdPhotoBody
from shelter_client.models import PostFormsAdoptionBody
from shelter_client.models import PostFormsAdoptionResponse200
from shelter_client.models import PostShopOrdersResponse200
from shelter_client.models import ProblemDocument
from shelter_client.models import PutApiEverythingTheme
from shelter_client.models import ShopOrdersBody
from shelter_client.types import File

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
VALUE = UUID("6f1f3a5e-3c53-4d5e-9e0e-1f6f5ad5b0aa")

# Pets: nested schemas, enums, problem documents.
made = post_api_pets.sync(
    client=client,
    body=PetBody(
        name="Tom",
        mood=PetBodyMood.CALM,
        chip=Chip(code="AB1234", since=dt.date(2024, 2, 29)),
        owner=Owner(name="Ann", friends=[OwnerOnlyName(name="Bob")]),
        price="9.50",
        extra=1,
    ),
)
assert isinstance(made, Pet)
assert isinstance(made.owner, Owner)
assert made.owner.friends
assert made.owner.friends[0].name == "Bob"
number = made.id

wrong = post_api_pets.sync(client=client, body=PetBody(name="", mood=PetBodyMood.WILD))
assert isinstance(wrong, ProblemDocument)
assert wrong.status == 400
assert wrong.errors
assert [error.pointer for error in wrong.errors] == ["#/name"]

listed = get_api_pets.sync(
    client=client, page=1, mood=GetApiPetsMood.CALM, tag=["a", "b"], is_young=True
)
assert isinstance(listed, PetList)
assert listed.total == 1
shown = get_api_pets_by_id.sync(number, client=client)
assert isinstance(shown, Pet)
assert shown.price == "9.50"
missing = get_api_pets_by_id.sync(99, client=client)
assert isinstance(missing, ProblemDocument)
assert missing.detail == "There is no such pet."
tim = PetBody(name="Tim", mood=PetBodyMood.WILD)
replaced = put_api_pets_by_id.sync(number, client=client, body=tim)
assert isinstance(replaced, Pet)
assert replaced.name == "Tim"
change = PetBodyPartialNameMood(size=PetBodyPartialNameMoodSize.SMALL)
patched = patch_api_pets_by_id.sync(number, client=client, body=change)
assert isinstance(patched, Pet)
renamed = post_api_pets_by_id.sync(
    number, client=client, body=ApiPetsByIdBody(name="Tam")
)
assert isinstance(renamed, PetOnlyIdName)
assert renamed.name == "Tam"

# Files and forms.
sent = post_api_pets_by_id_photo.sync(
    number,
    client=client,
    body=PostApiPetsByIdPhotoBody(
        text="Hi",
        stars=5,
        photo=File(io.BytesIO(b"12345"), file_name="a.png"),
        others=[File(io.BytesIO(b"1"), file_name="b.png")],
    ),
)
assert isinstance(sent, ApiPetsByIdPhotoResult)
assert (sent.bytes_, sent.others, sent.text) == (5, 1, "Hi")
photo = get_api_pets_by_id_photo.sync(number, client=client)
assert isinstance(photo, File)
assert len(photo.payload.read()) == 8
adopted = post_forms_adoption.sync(
    client=client, body=PostFormsAdoptionBody(name="Ann", pets=[1, 2], agreed=True)
)
assert isinstance(adopted, PostFormsAdoptionResponse200)
assert adopted.pets == 2

# Unions.
cat = post_api_animals.sync(
    client=client, body=AnimalCat(type_=AnimalCatType.CAT, lives=9)
)
assert isinstance(cat, AnimalCat)
animals = get_api_animals.sync(client=client)
assert isinstance(animals, list)
assert [type(animal) for animal in animals] == [AnimalCat, AnimalDog]

# Each location, and the matchers.
echo = put_api_everything.sync(
    client=client,
    body=ApiEverythingBody(count=2, when=dt.datetime(2024, 1, 1, tzinfo=dt.UTC)),
    limit=3,
    x_trace="ab12",
    theme=PutApiEverythingTheme.DARK,
)
assert isinstance(echo, ApiEverythingEcho)
assert echo.to_dict() == {
    "count": 2,
    "trace": "ab12",
    "theme": "dark",
    "limit": 3,
}
uuid = get_api_by_uuid_by_value.sync(VALUE, client=client)
assert isinstance(uuid, GetApiByUuidByValueResponse200)
assert uuid.value == str(VALUE)
number_ = get_api_by_float_by_value.sync(1.5, client=client)
assert isinstance(number_, GetApiByFloatByValueResponse200)
assert number_.value == "1.5"
digits = get_api_by_hex_by_value.sync("ff", client=client)
assert isinstance(digits, GetApiByHexByValueResponse200)
assert digits.value == "ff"
text = get_api_by_string_by_value.sync("a b", client=client)
assert isinstance(text, GetApiByStringByValueResponse200)
assert text.value == "a b"
file = get_api_by_name_by_size_json.sync("x", 3, client=client)
assert isinstance(file, GetApiByNameBySizeJsonResponse200)
assert (file.name, file.size) == ("x", 3)

# Optional and rest params.
docs = get_docs.sync(client=client)
assert isinstance(docs, GetDocsResponse200)
assert docs.path is None
chapter = get_docs_by_path.sync("a/b", client=client)
assert isinstance(chapter, GetDocsByPathResponse200)
assert chapter.path == "a/b"
english = get_greeting.sync(client=client)
assert isinstance(english, GetGreetingResponse200)
assert english.lang == "en"
german = get_by_lang_greeting.sync("de", client=client)
assert isinstance(german, GetByLangGreetingResponse200)
assert german.lang == "de"

# Texts, and other FilePages.
assert get_any.sync(client=client) == "GET"
assert post_any.sync(client=client) == "POST"
assert put_any.sync(client=client) == "PUT"
assert patch_any.sync(client=client) == "PATCH"
assert delete_any.sync(client=client) == "DELETE"
assert get_old.sync(client=client) == "old"
feed = get_feed_xml.sync(client=client)
assert isinstance(feed, File)
assert feed.payload.read() == b"<feed/>"
found = get_search.sync(client=client, q="a")
assert isinstance(found, GetSearchResponse200)
assert found.found == "a"
order = ShopOrdersBody(pets=[1], buyer=OwnerOnlyName(name="Ann"))
ordered = post_shop_orders.sync(client=client, body=[order, order])
assert isinstance(ordered, PostShopOrdersResponse200)
assert ordered.pets == 2
staff = get_intern_staff.sync(client=client)
assert isinstance(staff, InternStaffBody)
assert staff.names == ["Ann"]

gone = delete_api_pets_by_id.sync_detailed(number, client=client)
assert gone.status_code == HTTPStatus.NO_CONTENT
