"""Redirect targets, judged as a browser resolves them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_filepages.errors import UnsafeRedirectError
from flask_filepages.targets import check
from flask_filepages.targets import fill_params as fill


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/", "/"),
        ("/a?b=1#c", "/a?b=1#c"),
        ("../up", "../up"),
        ("?page=2", "?page=2"),
        ("#top", "#top"),
        ("", ""),
        ("/é", "/%C3%A9"),
        ("/a b", "/a%20b"),
        ("/a%20b", "/a%20b"),
        ("/x?next=https://example.com", "/x?next=https://example.com"),
        ("/a/../b", "/a/../b"),
    ],
)
def test_local(target: str, location: str) -> None:
    assert check(target) == location


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\n/evil.example",
        "/a\r\nX-Injected: 1",
        "https://evil.example",
        "https:evil.example",
        "HTTP:\\\\evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/x/..//evil.example",
        "/%2e%2e//evil.example",
        "/\x00",
    ],
)
def test_refused(target: str) -> None:
    with pytest.raises(UnsafeRedirectError, match="external=True") as error:
        check(target)

    assert error.value.code == 400
    assert "evil" not in (error.value.description or "")


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("https://example.com/a b", "https://example.com/a%20b"),
        ("HTTP://example.com", "HTTP://example.com"),
        ("/local", "/local"),
    ],
)
def test_external(target: str, location: str) -> None:
    assert check(target, external=True) == location


@pytest.mark.parametrize(
    "target",
    ["javascript:x", "ftp://h", "https:evil", "https://", "https://h\\@e", "//h"],
)
def test_external_is_http_or_local(target: str) -> None:
    with pytest.raises(UnsafeRedirectError):
        check(target, external=True)


@pytest.mark.parametrize(
    ("template", "params", "target"),
    [
        ("/new/[slug]", {"slug": "a b/c"}, "/new/a%20b%2Fc"),
        ("/new/[...rest]", {"rest": "a/b c"}, "/new/a/b%20c"),
        ("/new/[...rest]", {"rest": None}, "/new"),
        ("/[...rest]", {"rest": "/evil.example"}, "/evil.example"),
        ("/[...rest]", {"rest": None}, "/"),
        ("https://h/[...rest]", {"rest": "x"}, "https://h/x"),
        ("/a-[id].html", {"id": 7}, "/a-7.html"),
    ],
)
def test_fill(template: str, params: dict[str, str], target: str) -> None:
    assert fill(template, params) == target


@given(st.text(max_size=30))
def test_what_is_local_never_names_a_host(target: str) -> None:
    try:
        location = check(target)
    except UnsafeRedirectError:
        return

    assert location.isascii()
    assert location[:2] != "//"
    # A scheme is a letter, letters, digits, "+-.", and a colon (RFC 3986, 3.1).
    assert re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", location) is None
