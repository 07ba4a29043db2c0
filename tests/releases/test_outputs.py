"""Which file a path becomes, and which names are refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_filepages.releases.names import file_name
from flask_filepages.releases.names import folded
from flask_filepages.releases.names import name_problem
from flask_filepages.settings import BuildFormat


@pytest.mark.parametrize(
    ("path", "is_index", "names"),
    [
        ("/", True, ("index.html", "index.html", "index.html")),
        ("/about", False, ("about/index.html", "about.html", "about.html")),
        ("/about/", False, ("about/index.html", "about.html", "about.html")),
        ("/docs", True, ("docs/index.html", "docs.html", "docs/index.html")),
        ("/v1.2", False, ("v1.2/index.html", "v1.2.html", "v1.2.html")),
    ],
)
def test_pages(path: str, is_index: bool, names: tuple[str, ...]) -> None:
    formats: tuple[BuildFormat, ...] = ("directory", "file", "preserve")
    found = [file_name(path, f, is_page=True, is_index=is_index) for f in formats]

    assert tuple(found) == names


@pytest.mark.parametrize("path", ["/feed.xml", "/api/posts/1", "/.well-known/x.json"])
def test_endpoints_keep_their_names(path: str) -> None:
    assert file_name(path, "directory", is_page=False) == path[1:]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "the root of the site"),
        ("a//b", "empty or dot segment"),
        ("a/../b", "empty or dot segment"),
        ("./a", "empty or dot segment"),
        ("a\\b", "contains '\\\\'"),
        ("C:x", "contains ':'"),
        ("a\nb", "contains '\\n'"),
        ("a\x7f", "contains"),
        ("a?b", "contains '?'"),
        ("\ud800", "lone surrogate"),
        ("CON", "device"),
        ("a/nul.txt", "device"),
        ("CON .txt", "device"),
        ("com¹", "device"),
        ("a.", "ends in a dot"),
        ("...", "ends in a dot"),
        ("a ", "ends in a dot or a space"),
        ("é" * 128, "longer than 255 bytes"),
        ("a/" * 600 + "a", "longer than 1024 bytes"),
    ],
)
def test_refused(name: str, problem: str) -> None:
    assert problem in (name_problem(name) or "")


@pytest.mark.parametrize(
    "name",
    ["a", "conference", "com10", "a b", "日本.json", "~", "$(id)", ".json", "-rf"],
)
def test_taken(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("one", "other"), [("A/b", "a/B"), ("café", "cafe\u0301"), ("straße", "STRASSE")]
)
def test_folded_names_are_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@given(st.text(max_size=40))
def test_a_taken_name_stays_below_its_folder(name: str) -> None:
    if name_problem(name) is None:
        assert all(part not in ("", ".", "..") for part in name.split("/"))
        assert not set(name) & set('\\<>:"|?*\0')
        assert folded(folded(name)) == folded(name)
