"""JSON as RFC 8259 has it, and nothing that two readers could read differently.

Python's own reader takes UTF-16, a name twice (the last wins), ``NaN``, numbers that
become infinite and halves of surrogate pairs, and raises ``RecursionError`` on deep
input.
"""

from __future__ import annotations

import json
import math
import re
import typing as t
from collections import Counter

MAX_DEPTH = 64
#: Members and elements in all; a schema may spend 50 microseconds on each.
MAX_VALUES = 10_000
#: A number with more digits is none that a float could hold.
_MAX_DIGITS = 308
_structure_re = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]|,', re.DOTALL)
_half_re = re.compile(r"\\u[dD][89a-fA-F]")


class StrictJSONError(ValueError):
    """The bytes are no JSON as it is read here; the text says why."""


def loads(data: bytes) -> t.Any:
    """Return the value that *data* stand for: UTF-8, at most 64 levels deep.

    :raises StrictJSONError: they are something else.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictJSONError(f"byte {error.start} is not UTF-8") from None
    opened = text.count("[") + text.count("{")
    if opened > MAX_DEPTH or text.count(",") >= MAX_VALUES:
        _check_structure(text)
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise StrictJSONError(f"{error.msg} at {where}") from None
    if _half_re.search(text):
        _check_surrogates(value)
    return value


def _check_structure(text: str) -> None:
    depth = values = 0
    for match in _structure_re.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise StrictJSONError(f"it is nested deeper than {MAX_DEPTH} levels")
        elif match[0] in "]}":
            depth -= 1
        if match[0] in "[{,":
            values += 1
            if values > MAX_VALUES:
                raise StrictJSONError(f"it holds more than {MAX_VALUES} values")


def _check_surrogates(value: t.Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise StrictJSONError("a text holds half of a surrogate pair") from None


def _object(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise StrictJSONError(f"the name {name!r} is there twice in one object")
    return members


def _int(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise StrictJSONError("a number is too large")
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise StrictJSONError("a number is too large")
    return number


def _constant(text: str) -> t.NoReturn:
    raise StrictJSONError(f"{text} is not a JSON number")


_decode = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_int,
    parse_float=_float,
    parse_constant=_constant,
).decode
