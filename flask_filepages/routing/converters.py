"""Params to values and back: the converters behind ``[name]`` and its kind."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote

from werkzeug.routing import BaseConverter
from werkzeug.routing import Map
from werkzeug.routing import ValidationError

# The characters that the URL standard allows in a path segment.
SEGMENT_SAFE = "!$&'()*+,:;=@"
# Never the value of a param: what stands for undecodable bytes, NUL, and names
# that mean another folder wherever the value becomes a path.
_refused_re = re.compile(r"[\x00\ufffd\ud800-\udfff]|(?:\A|/)(?:\.{1,2})?(?:/|\Z)")


class ParamConverter(BaseConverter):
    """``[name]``: one segment, or a part of it."""

    def to_python(self, value: str) -> str:
        if not value.isalnum() and _refused_re.search(value):
            raise ValidationError(value)
        return value

    def to_url(self, value: t.Any) -> str:
        text = str(value)
        if "/" in text or _refused_re.search(text):
            raise ValidationError("it is empty, or holds '/', NUL or a dot segment")
        return quote(text, safe=SEGMENT_SAFE)


class RestConverter(BaseConverter):
    """``[...name]``: any number of segments, ``None`` for none."""

    part_isolating = False

    def to_python(self, value: str | None) -> str | None:
        if not value:
            return None
        if "\\" in value or _refused_re.search(value):
            raise ValidationError(value)
        return value

    def to_url(self, value: t.Any) -> str:
        text = str(value)
        if "\\" in text or _refused_re.search(text):
            raise ValidationError(
                "it has an empty or dot segment, a slash at an end, NUL or '\\'"
            )
        return quote(text, safe=f"{SEGMENT_SAFE}/")


class IntConverter(BaseConverter):
    """``[name=int]``: ASCII, no sign, no leading zero: one URL for each number."""

    regex = "(?:0|[1-9][0-9]{0,18})"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: t.Any) -> str:
        text = str(int(value))
        if not re.fullmatch(self.regex, text):
            raise ValidationError("it is negative or has more than 19 digits")
        return text


def matcher(map: Map, name: str) -> BaseConverter:
    """Return a converter of *map* by its name; ``int`` is ours."""
    return IntConverter(map) if name == "int" else map.converters[name](map)


def usable_matchers(map: Map) -> list[str]:
    """Return the names that ``[param=matcher]`` may use with *map*.

    A converter that spans segments, or does nothing without arguments, is none.
    """
    usable = ["int"]
    for name, converter in map.converters.items():
        if name in ("default", "int", "path"):
            continue
        try:
            made = converter(map)
        except Exception:  # it wants arguments, or whatever else it may raise
            continue
        if made.part_isolating and not re.fullmatch(made.regex, ""):
            usable.append(name)
    return usable
