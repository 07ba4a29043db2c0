"""Conditions, ranges and codings of stored answers (RFC 9110)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_filepages.releases.http import Representation
from flask_filepages.releases.http import StoredResponse
from flask_filepages.releases.http import choose_coding
from flask_filepages.releases.http import select

HEADERS = [("Content-Type", "text/plain"), ("ETag", '"tag"'), ("Content-Length", "10")]


def stored(size: int = 10, status: str = "200 OK") -> StoredResponse:
    plain = Representation(
        "a", size, '"tag"', [*HEADERS[:2], ("Content-Length", str(size))]
    )
    return StoredResponse("/a", "e", status, plain)


def reply(
    method: str = "GET", status: str = "200 OK", **headers: str
) -> tuple[str, int, int]:
    environ = {"REQUEST_METHOD": method} | {f"HTTP_{k}": v for k, v in headers.items()}
    one = stored(status=status)
    made = select(environ, one, one.plain)
    return made.status[:3], made.start, made.length


WHOLE = ("200", 0, 10)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes=0-0", ("206", 0, 1)),
        ("bytes=0-", ("206", 0, 10)),
        ("bytes=2-4", ("206", 2, 3)),
        ("bytes=2-99", ("206", 2, 8)),
        ("bytes=-3", ("206", 7, 3)),
        ("bytes=-99", ("206", 0, 10)),
        ("BYTES=1-1", ("206", 1, 1)),
        ("bytes=10-", ("416", 0, 0)),
        ("bytes=-0", ("416", 0, 0)),
        ("bytes=99999999999999-", ("416", 0, 0)),
        # What is no range of ours is passed over (RFC 9110, 14.2).
        ("lines=0-1", WHOLE),
        ("bytes=4-2", WHOLE),
        ("bytes=-", WHOLE),
        ("bytes=a-b", WHOLE),
        ("bytes=0-1,3-4", WHOLE),
        ("bytes=" + ",".join(["0-0"] * 1000), WHOLE),
        ("bytes=0-" + "9" * 1000, WHOLE),
        ("", WHOLE),
    ],
    ids=lambda value: str(value)[:30],
)
def test_range(value: str, expected: tuple[str, int, int]) -> None:
    assert reply(RANGE=value) == expected


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"IF_NONE_MATCH": '"tag"'}, "304"),
        ({"IF_NONE_MATCH": 'W/"tag"'}, "304"),
        ({"IF_NONE_MATCH": '"other" , W/"tag"'}, "304"),
        ({"IF_NONE_MATCH": "*"}, "304"),
        ({"IF_NONE_MATCH": '"other"'}, "200"),
        ({"IF_NONE_MATCH": "garbage"}, "200"),
        ({"IF_NONE_MATCH": ""}, "200"),
        ({"IF_MATCH": '"tag"'}, "200"),
        ({"IF_MATCH": "*"}, "200"),
        ({"IF_MATCH": 'W/"tag"'}, "412"),
        ({"IF_MATCH": "xxx"}, "412"),
        ({"IF_MATCH": '"tag"', "IF_NONE_MATCH": '"tag"'}, "304"),
        ({"RANGE": "bytes=0-0", "IF_RANGE": '"tag"'}, "206"),
        ({"RANGE": "bytes=0-0", "IF_RANGE": 'W/"tag"'}, "200"),
        ({"RANGE": "bytes=0-0", "IF_RANGE": "xxx"}, "200"),
        ({"RANGE": "bytes=0-0", "IF_NONE_MATCH": '"tag"'}, "304"),
    ],
    ids=str,
)
def test_conditions(headers: dict[str, str], status: str) -> None:
    assert reply(**headers)[0] == status


def test_a_range_is_of_get_alone() -> None:
    assert reply("HEAD", RANGE="bytes=0-0") == WHOLE


def test_only_what_is_200_is_conditional() -> None:
    assert reply(status="201 CREATED", IF_NONE_MATCH="*", RANGE="bytes=0-0")[0] == "201"


def test_headers_of_a_304_say_nothing_of_a_body() -> None:
    one = stored()
    made = select({"REQUEST_METHOD": "GET", "HTTP_IF_NONE_MATCH": "*"}, one, one.plain)

    assert made.headers == [("ETag", '"tag"')]


def test_errors_are_not_stored_by_anybody() -> None:
    one = stored()
    for name, value in (("HTTP_IF_MATCH", "x"), ("HTTP_RANGE", "bytes=99-")):
        made = select({"REQUEST_METHOD": "GET", name: value}, one, one.plain)
        assert ("Cache-Control", "no-store") in made.headers


@given(st.text(max_size=60))
def test_whatever_a_range_says_it_lies_inside(value: str) -> None:
    status, start, length = reply(RANGE=value)

    assert status in ("200", "206", "416")
    assert 0 <= start <= start + length <= 10


@given(st.text(alphabet='"W/,* ab\\', max_size=60))
def test_a_tag_that_is_not_named_does_not_match(value: str) -> None:
    expected = "304" if value.strip() == "*" else "200"

    assert reply(IF_NONE_MATCH=value)[0] == expected


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("GZIP", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("*", "br"),
        ("*;q=0", None),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip", "gzip"),
        ("br;q=0, gzip;q=0, identity;q=0", None),
        ("deflate", None),
        ("", None),
        ("gzip;q=nonsense", None),
        ("gzip;q=0.0001", None),
    ],
)
def test_coding(accepted: str, coding: str | None) -> None:
    assert choose_coding(accepted, ("br", "gzip")) == coding


@given(st.text(max_size=100))
def test_a_coding_is_one_that_is_offered(accepted: str) -> None:
    assert choose_coding(accepted, ("br", "gzip")) in (None, "br", "gzip")


def test_time_grows_with_the_length_alone() -> None:
    assert reply(IF_NONE_MATCH='"a",' * 5000)[0] == "200"
    assert reply(RANGE="bytes=" + "0" * 100_000 + "-")[0] == "200"
    assert re.match("None|gzip", str(choose_coding("gzip;" * 100_000, ("gzip",))))
