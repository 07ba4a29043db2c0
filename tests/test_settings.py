"""Settings are checked when they are read."""

from __future__ import annotations

import typing as t

import pytest

from flask_filepages.errors import SettingsError
from flask_filepages.settings import Redirect
from flask_filepages.settings import Settings


def test_all_of_them() -> None:
    settings = Settings.from_config(
        {
            "DEBUG": True,
            "FILEPAGES_SITE": "https://example.com",
            "FILEPAGES_TRAILING_SLASH": "never",
            "FILEPAGES_STRICT_RESPONSE": False,
            "FILEPAGES_REDIRECTS": {"/a": "/b", "/c": ("https://d.example", 302)},
        }
    )

    assert settings == Settings(
        site="https://example.com",
        trailing_slash="never",
        strict_response=False,
        redirects={"/a": Redirect("/b"), "/c": Redirect("https://d.example", 302)},
    )


def test_defaults() -> None:
    assert Settings.from_config({"FILEPAGES_SITE": None}) == Settings()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("TRAILING_SLAHS", "never", "Did you mean FILEPAGES_TRAILING_SLASH"),
        ("ZZZ", 1, "is not a setting. The settings are"),
        ("TRAILING_SLASH", "sometimes", "'ignore', 'always' or 'never'"),
        ("SITE", "example.com", "https://example.com"),
        ("STRICT_RESPONSE", "no", "True or False"),
        ("REDIRECTS", ["/a"], "dict"),
        ("REDIRECTS", {"a": "/b"}, "starts with '/'"),
        ("REDIRECTS", {1: "/b"}, "starts with '/'"),
        ("REDIRECTS", {"/a": "javascript:x"}, "http"),
        ("REDIRECTS", {"/a": ("/b", 200)}, "301"),
        ("REDIRECTS", {"/a": ["/b", 301, 1]}, "(target, status)"),
        ("REDIRECTS", {"/a": None}, "target"),
        ("OPENAPI", True, "a path that ends in .json, such as '/openapi.json'"),
        ("OPENAPI", "/openapi", "a path that ends in .json"),
        ("OPENAPI", "openapi.json", "a path that ends in .json"),
        ("OPENAPI", "/<x>/openapi.json", "a path that ends in .json"),
        ("OPENAPI_DOCUMENT", "title", "a dict of parts of the document"),
        ("OPENAPI_DOCUMENT", {"title": "x"}, "The parts are: info, servers"),
        ("OPENAPI_DOCUMENT", {"Info": {}}, "Did you mean 'info'?"),
        ("OPENAPI_DOCUMENT", {1: 2}, "has 1, which is not a part"),
        (
            "OPENAPI_DOCUMENT",
            {"openapi": "3.0.0"},
            "has 'openapi', which is not a part",
        ),
        ("OPENAPI_DOCUMENT", {"info": "x"}, "['info'] is 'x'; write a dict"),
        ("OPENAPI_DOCUMENT", {"tags": None}, "['tags'] is None; write a list of dicts"),
        (
            "OPENAPI_DOCUMENT",
            {"tags": ["a"]},
            "['tags'] is ['a']; write a list of dicts",
        ),
        ("OPENAPI_DOCUMENT", {"tags": [{}]}, "the tag {} without a 'name'"),
        ("OPENAPI_DOCUMENT", {"security": {"a": []}}, "write a list of dicts"),
        ("OPENAPI_DOCUMENT", {"servers": ["/"]}, "write a list of dicts"),
        ("OPENAPI_CHANGE", "change", "a function that takes the document"),
        ("OPENAPI_GUARD", True, "a decorator of views, such as login_required"),
        ("OPENAPI_PAGES", 1, "True or False"),
    ],
)
def test_what_means_nothing_is_refused(name: str, value: t.Any, problem: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_config({f"FILEPAGES_{name}": value})

    assert problem in str(error.value)
