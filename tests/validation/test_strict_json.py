"""JSON is what every reader reads the same; everything else says why not."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_filepages.validation.strict_json import MAX_DEPTH
from flask_filepages.validation.strict_json import StrictJSONError
from flask_filepages.validation.strict_json import loads

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('ab[{"\\'), inner),
    max_leaves=20,
)


@given(values, st.booleans())
def test_what_json_writes_is_read(value: object, escaped: bool) -> None:
    assert loads(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(st.binary() | st.text('[]{}":,\\u0dD8 1eE+-.').map(str.encode))
def test_it_is_stricter_than_pythons_and_raises_nothing_else(data: bytes) -> None:
    try:
        value = loads(data)
    except StrictJSONError:
        return

    assert value == json.loads(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "Expecting value at line 1 column 1"),
        (b"[1]]", "Extra data at line 1 column 4"),
        (b"{} x", "Extra data at line 1 column 4"),
        (b'{"a": 1, "a": 2}', "one object has the name 'a' twice"),
        (b'[{"a": {"b": 1, "c": 2, "b": 3}}]', "one object has the name 'b' twice"),
        (b"[NaN]", "NaN is not a JSON number"),
        (b"-Infinity", "-Infinity is not a JSON number"),
        (b"1e999", "too large"),
        (b"9" * 5000, "too large"),
        (b'"\\ud800"', "half of a surrogate pair"),
        (b'{"\\uDC00": 1}', "half of a surrogate pair"),
        (b"\xff\xfe1\0", "byte 0 is not UTF-8"),
        (b"\xef\xbb\xbf1", "Expecting value"),
        ("1".encode("utf-16"), "is not UTF-8"),
        (b"[" * 65 + b"]" * 65, "nested deeper than 64 levels"),
        (b'{"a":' * 100_000, "nested deeper than 64 levels"),
        (b'"\x01"', "control character"),
        (b"[" + b"0," * 10_000 + b"0]", "more than 10000 values"),
        (b'{"a": [' + b"{}," * 9_999 + b"{}]}", "more than 10000 values"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_refused(data: bytes, says: str) -> None:
    with pytest.raises(StrictJSONError, match="(?i)" + says.replace("(", r"\(")):
        loads(data)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        b"[" * (MAX_DEPTH - 1) + b"[],[]" + b"]" * (MAX_DEPTH - 1),
        json.dumps(["[" * 1000, '\\"{{{{' * 50, "[]"] * 3).encode(),
        b"[" + b",".join([b"[]"] * 1000) + b"]",
        b"[" + b"0," * 9_999 + b"0]",
        b'["' + b"a, {b}, [c], " * 9_999 + b'"]',
        b'"\\ud83d\\ude00"',
        b'"\\\\ud800"',
    ],
    ids=lambda value: repr(value)[:30],
)
def test_taken(data: bytes) -> None:
    assert loads(data) == json.loads(data)


@pytest.mark.parametrize("unit", [b'["\\"[', b'"a\\\\', b"[[]", b"{}"], ids=repr)
def test_time_is_linear(unit: bytes) -> None:
    def spent(count: int) -> float:
        best = 1.0
        for _ in range(5):
            start = time.process_time()
            with pytest.raises(StrictJSONError):
                loads(unit * count)
            best = min(best, time.process_time() - start)
        return best

    assert spent(80_000) < 6 * spent(40_000) + 0.01
