"""An app whose OpenAPI document has everything: each location, nested schemas, unions,
enums, matchers, optional and rest params, and three FilePages."""

from __future__ import annotations

import typing as t

from flask import Flask
from werkzeug.routing import BaseConverter

from flask_filepages import FilePages


class HexConverter(BaseConverter):
    regex = "[0-9a-f]{2,8}"


DOCUMENT: dict[str, t.Any] = {
    "info": {
        "title": "Shelter",
        "version": "2.1.0",
        "description": "Pets that look for a home.",
        "contact": {"name": "Shelter", "url": "https://shelter.example"},
        "license": {"name": "MIT", "identifier": "MIT"},
    },
    "tags": [{"name": "api-pets", "description": "The pets."}],
    "components": {
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        }
    },
    "security": [{}, {"key": []}],
}


def create_app(config: dict[str, t.Any] | None = None) -> Flask:
    app = Flask(__name__)
    app.url_map.converters["hex"] = HexConverter
    app.config.update(
        FILEPAGES_OPENAPI="/openapi.json",
        FILEPAGES_OPENAPI_DOCUMENT=DOCUMENT,
        MAX_CONTENT_LENGTH=1_000_000,
    )
    app.config.update(config or {})
    app.extensions["pets"] = {}
    for options in (
        {},
        {"folder": "shop", "name": "shop", "url_prefix": "/shop"},
        {"folder": "intern", "name": "intern", "url_prefix": "/intern"},
    ):
        FilePages(app, **t.cast(t.Any, options))
    return app
