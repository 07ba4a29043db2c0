"""Cookies mean to a browser what they mean to the handler."""

from __future__ import annotations

import typing as t

import pytest
from flask import Response
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_cookie

from flask_filepages import CookieError
from flask_filepages.cookies import Cookies


def written(cookies: Cookies) -> list[str]:
    response = Response()
    cookies.write(response)
    return response.headers.getlist("Set-Cookie")


def test_changes_are_seen_at_once() -> None:
    cookies = Cookies({"a": "1", "b": "2"})
    cookies.set("c", "3")
    cookies.delete("a")

    assert dict(cookies) == {"b": "2", "c": "3"}
    assert len(cookies) == 2


def test_safe_defaults() -> None:
    plain, secure = Cookies({}), Cookies({}, secure=True)
    plain.set("a", "1")
    secure.set("a", "1")

    assert written(plain) == ["a=1; HttpOnly; Path=/; SameSite=Lax"]
    assert written(secure) == ["a=1; Secure; HttpOnly; Path=/; SameSite=Lax"]


def test_cross_site_cookies_are_secure() -> None:
    cookies = Cookies({})
    cookies.set("a", "1", samesite="None")

    assert "Secure" in written(cookies)[0]


def test_one_header_for_each_name_in_order_of_the_first_write() -> None:
    cookies = Cookies({})
    cookies.set("a", "1")
    cookies.set("b", "x")
    cookies.set("a", "2")

    assert [header.partition(";")[0] for header in written(cookies)] == ["a=2", "b=x"]


def test_deleting_ends_the_cookie() -> None:
    cookies = Cookies({"a": "1"})
    cookies.delete("a", path="/p", domain="example.com")

    assert "Max-Age=0" in written(cookies)[0]
    assert "Path=/p" in written(cookies)[0]
    assert "Domain=example.com" in written(cookies)[0]


@pytest.mark.parametrize(
    ("name", "value", "options"),
    [
        ("", "v", {}),
        ("a b", "v", {}),
        ("a;b", "v", {}),
        ("a=b", "v", {}),
        ("é", "v", {}),
        ("a\n", "v", {}),
        ("a", 5, {}),
        ("a", None, {}),
        ("a", "v", {"path": "x"}),
        ("a", "v", {"path": "/x;Domain=evil.example"}),
        ("a", "v", {"path": "/x\n"}),
        ("a", "v", {"domain": "evil.example; Path=/x"}),
        ("a", "v", {"domain": ""}),
        ("__Host-a", "v", {"secure": False}),
        ("__Host-a", "v", {"secure": True, "path": "/x"}),
        ("__Host-a", "v", {"secure": True, "domain": "example.com"}),
        ("__Secure-a", "v", {"secure": False}),
        ("a", "v" * 4096, {}),
    ],
)
def test_refused(name: str, value: t.Any, options: dict[str, t.Any]) -> None:
    cookies = Cookies({})
    with pytest.raises(CookieError):
        cookies.set(name, value, **options)

    assert written(cookies) == []


def test_prefixed_cookies() -> None:
    cookies = Cookies({})
    cookies.set("__Host-a", "1")
    cookies.set("__Secure-b", "1", path="/x")
    cookies.delete("__Host-a")

    assert [header.count("Secure;") for header in written(cookies)] == [1, 1]


def test_one_name_may_have_several_paths() -> None:
    cookies = Cookies({"a": "1"})
    cookies.delete("a", path="/old")
    cookies.set("a", "2")

    assert [header.partition("; Path=")[2][:4] for header in written(cookies)] == [
        "/old",
        "/; S",
    ]


@given(st.text(max_size=40))
def test_a_value_comes_back_as_it_was_set(value: str) -> None:
    cookies = Cookies({})
    try:
        cookies.set("a", value)
    except UnicodeEncodeError:
        return  # a lone surrogate, which no header can hold

    header = written(cookies)[0].split("; ")[0]
    assert parse_cookie(header)["a"] == value
