"""The Werkzeug converters of ``[name]``, ``[...name]`` and ``[name=int]``."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote

from werkzeug.routing import BaseConverter
from werkzeug.routing import Map
from werkzeug.routing import ValidationError

# The characters that the URL standard allows in a path segment.
SEGMENT_SAFE = "!$&'()*+,:;=@"
# Most values need no quoting and contain nothing dangerous.
_plain_re = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~-]+")
# Never part of a param: NUL, U+FFFD and lone surrogates (undecodable bytes), and empty
# or dot segments, which would be dangerous in a file path.
_refused_re = re.compile(r"[\x00\ufffd\ud800-\udfff]|(?:\A|/)(?:\.{1,2})?(?:/|\Z)")


class ParamConverter(BaseConverter):
    """``[name]``: one segment, or a part of one."""

    def to_python(self, value: str) -> str:
        if not value.isalnum() and _refused_re.search(value):
            raise ValidationError(value)
        return value

    def to_url(self, value: t.Any) -> str:
        text = str(value)
        if _plain_re.fullmatch(text):
            return text
        if "/" in text or _refused_re.search(text):
            raise ValidationError("it is empty, or contains '/', NUL or a dot segment")
        return quote(text, safe=SEGMENT_SAFE)


class RestConverter(BaseConverter):
    """``[...name]``: zero or more segments as one ``str``, or ``None``."""

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
    """``[name=int]``: ASCII digits without sign or leading zero, so that each number
    has one URL."""

    regex = "(?:0|[1-9][0-9]{0,18})"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: t.Any) -> str:
        text = str(int(value))
        if not re.fullmatch(self.regex, text):
            raise ValidationError("it is negative or has more than 19 digits")
        return text


def make_matcher(map: Map, name: str) -> BaseConverter:
    """Return a new converter of *map* by its name. ``int`` is ours, not Werkzeug's."""
    return IntConverter(map) if name == "int" else map.converters[name](map)


def usable_matchers(map: Map) -> list[str]:
    """Return the names that ``[param=matcher]`` may use with *map*.

    Converters that span segments or need arguments are left out.
    """
    usable = ["int"]
    for name, converter in map.converters.items():
        if name in ("default", "int", "path"):
            continue
        try:
            made = converter(map)
        except Exception:  # It needs arguments.
            continue
        if made.part_isolating and not re.fullmatch(made.regex, ""):
            usable.append(name)
    return usable
