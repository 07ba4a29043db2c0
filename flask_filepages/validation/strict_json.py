"""Read JSON strictly (RFC 8259), so that no two readers can understand it differently.

Python's own decoder accepts UTF-16, duplicate names (the last wins), ``NaN``, numbers
that become infinite and lone surrogates, and raises ``RecursionError`` on deep input.
"""

from __future__ import annotations

import json
import math
import re
import typing as t
from collections import Counter

MAX_DEPTH = 64
#: Members and elements in total. A schema may spend 50 microseconds on each.
MAX_VALUES = 10_000
#: A float holds no more digits before its point.
_MAX_DIGITS = 308
_string_re = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_not_structure_re = re.compile(r"[^\[\]{},]+")
_surrogate_re = re.compile(r"\\u[dD][89a-fA-F]")
_BRACKETS = str.maketrans("{}", "[]", ",")


class StrictJSONError(ValueError):
    """The bytes are not strict JSON; the text says why."""


def loads(data: bytes) -> t.Any:
    """Return the value of *data*: UTF-8, at most 64 levels deep.

    :raises StrictJSONError: the bytes are not strict JSON.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictJSONError(f"byte {error.start} is not UTF-8") from None
    if text.count("[") + text.count("{") > MAX_DEPTH or text.count(",") >= MAX_VALUES:
        _check_structure(text)
    try:
        value = _decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise StrictJSONError(f"{error.msg} at {where}") from None
    if _surrogate_re.search(text):
        _check_surrogates(value)
    return value


def _check_structure(text: str) -> None:
    """Refuse text that is too deep or has too many values, before it is decoded."""
    structure = _not_structure_re.sub("", _string_re.sub("", text))
    commas = structure.count(",")
    brackets = structure.translate(_BRACKETS)
    if commas + brackets.count("[") > MAX_VALUES:
        # Report whichever limit the text passes first.
        _check_each(structure)
    for _ in range(MAX_DEPTH):  # Each round removes the innermost level.
        if not brackets:
            return
        brackets = brackets.replace("[]", "")
    if brackets:  # Too deep, or unbalanced, which the decoder reports.
        _check_each(structure)


def _check_each(structure: str) -> None:
    depth = values = 0
    for character in structure:
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise StrictJSONError(f"it is nested deeper than {MAX_DEPTH} levels")
        elif character in "]}":
            depth -= 1
        if character in "[{,":
            values += 1
            if values > MAX_VALUES:
                raise StrictJSONError(f"it has more than {MAX_VALUES} values")


def _check_surrogates(value: t.Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise StrictJSONError("a text contains half of a surrogate pair") from None


def _object(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise StrictJSONError(f"one object has the name {name!r} twice")
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
