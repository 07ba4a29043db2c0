"""Whatever is sent to the demo, its validated routes have an answer for it."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from demo_app import create_app
from flask_filepages.handling.handlers import METHODS
from flask_filepages.validation.validate import schemas_of

POST = "a-file-is-a-route"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("demo")
    app = create_app({"DATABASE": str(folder / "demo.sqlite")})
    yield app
    app.extensions["demo_engine"].dispose()


def validated(app: Flask) -> list[tuple[str, str, set[str]]]:
    """Return method, URL and locations of every handler that has schemas."""
    found = []
    for live in app.extensions["filepages"]["filepages"].routes.values():
        module = sys.modules.get(live.module or "")
        for method in METHODS:
            schemas = schemas_of(getattr(module, method, None))
            if schemas:
                url = str(live.route.patterns[0]).replace("[slug]", POST)
                found.append((method, url, set(schemas)))
    return found


words = st.text(max_size=12) | st.sampled_from(["title", "body", "author", "text"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | words
documents = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4)
    ),
    max_leaves=12,
)
names = ["title", "body", "author", "text", "email", "password", "slug", "page"]
posts = st.fixed_dictionaries({}, optional=dict.fromkeys(names, scalars))
bodies = st.one_of(
    st.binary(max_size=200),
    (documents | posts).map(lambda value: json.dumps(value).encode()),
    st.dictionaries(st.sampled_from(names), words).map(
        lambda form: "&".join(f"{k}={v}" for k, v in form.items()).encode(
            "utf-8", "surrogatepass"
        )
    ),
)
kinds = st.sampled_from(
    (
        *("application/json", "application/json; charset=x", "application/x+json"),
        *("application/x-www-form-urlencoded", "multipart/form-data; boundary=b"),
        *("text/plain", "", "/", "é"),
    )
)
queries = st.dictionaries(st.sampled_from([*names, "next"]), words, max_size=3)


def test_there_are_some(app: Flask) -> None:
    found = validated(app)

    assert {location for *_, locations in found for location in locations} == {
        "json",
        "form",
        "query",
        "headers",
    }
    assert len(found) >= 7


@settings(
    max_examples=600,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_no_body_is_a_500(app: Flask, data: st.DataObject) -> None:
    method, url, _ = data.draw(st.sampled_from(validated(app)))
    body, kind = data.draw(bodies), data.draw(kinds)
    query = {k: v.encode("utf-8", "replace") for k, v in data.draw(queries).items()}
    client = app.test_client()
    with client.session_transaction() as session:
        session["is_admin"] = True
    answer = client.open(
        url,
        method=method,
        query_string=query,
        data=body,
        headers={"Content-Type": kind.encode().decode("latin-1")},
    )

    # 401: the webhook takes what is signed.
    assert answer.status_code in {200, 201, 303, 400, 401, 404, 413, 415, 422}
