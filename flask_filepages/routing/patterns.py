"""Turn file names into patterns, and sort them.

This module works on text alone. :func:`parse_segment` reads the grammar once; all later
steps, such as :mod:`~flask_filepages.routing.expressions`, use the parts.

==================  =========================================================
``text``            itself, in NFC
``[name]``          param: one or more characters of one segment
``[name=matcher]``  param that a Werkzeug converter checks and converts
``[...name]``       rest param: zero or more segments
``[[name]]``        optional segment: two patterns, with and without it
``(group)``         folder that is not part of the URL
==================  =========================================================

Matching and order follow Astro 7.3.5 (its routing guide, "Route priority order").
The documentation lists the differences.
"""

from __future__ import annotations

import itertools
import re
import typing as t
import unicodedata
from dataclasses import dataclass

from ..errors import PatternError

PartKind = t.Literal["text", "param", "rest"]

# Ranks of a segment, the most specific first. END comes after the last segment, so
# that `/foo` sorts before `/foo/[...bar]` (FINAL_REST), but `[...a]/b` before `[...a]`.
STATIC, MIXED, MIXED_REST, MATCHER, PARAM, REST, END, FINAL_REST = range(1, 9)

SegmentKey = tuple[int, int, int, str]

_bracket_re = re.compile(r"(\[[^\[\]]*\])")
_optional_re = re.compile(r"\[\[[^\[\]]*\]\]")
_param_re = re.compile(
    r"(?P<rest>\.\.\.)?(?P<name>[A-Za-z0-9_$]+)(?:=(?P<matcher>[A-Za-z_]\w*))?",
    re.ASCII,
)
_URL_FOR_ARGUMENTS = frozenset({"_anchor", "_external", "_method", "_scheme"})
_extension_re = re.compile(r"[^/]+\.\w+\Z", re.ASCII)
_control_re = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Part:
    """Literal text, or a param with its name."""

    kind: PartKind
    text: str
    matcher: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """The text between two slashes, and its parts."""

    text: str
    parts: tuple[Part, ...]
    optional: bool = False

    @property
    def is_static(self) -> bool:
        return len(self.parts) == 1 and self.parts[0].kind == "text"

    @property
    def is_rest(self) -> bool:
        """True if the segment is one rest param and nothing else."""
        return len(self.parts) == 1 and self.parts[0].kind == "rest"

    @property
    def has_rest(self) -> bool:
        return any(part.kind == "rest" for part in self.parts)

    @property
    def shape(self) -> str:
        """The segment without the names of its params. Equal shapes collide."""
        return "".join(
            part.text if part.kind == "text" else f"[{part.kind}={part.matcher}]"
            for part in self.parts
        )

    def fits(self, text: str) -> bool:
        """Return True if *text* begins and ends as this segment does."""
        if self.is_static or not text:
            return text == self.text
        ends = [p.text if p.kind == "text" else "" for p in self.parts]
        return text.startswith(ends[0]) and text.endswith(ends[-1])

    def key(self, *, last: bool = False) -> SegmentKey:
        """Return the sort key of this segment among its siblings."""
        params = [part for part in self.parts if part.kind != "text"]
        if not params:
            return (STATIC, 0, 0, self.text)
        if self.is_rest:
            return (FINAL_REST if last else REST, 0, 0, "")
        literal = sum(len(part.text) for part in self.parts if part.kind == "text")
        has_plain_param = int(any(part.matcher is None for part in params))
        if literal:
            rank = MIXED_REST if self.has_rest else MIXED
            return (rank, -literal, has_plain_param, self.text)
        if has_plain_param:
            return (PARAM, 0, 0, "")
        return (MATCHER, 0, 0, params[0].matcher or "")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One URL form of a route."""

    segments: tuple[Segment, ...]

    @property
    def key(self) -> tuple[SegmentKey, ...]:
        """The sort key of the whole pattern. Smaller keys are matched first."""
        last = len(self.segments) - 1
        keys = (s.key(last=i == last) for i, s in enumerate(self.segments))
        return (*keys, (END, 0, 0, ""))

    @property
    def shape(self) -> str:
        return "".join(f"/{segment.shape}" for segment in self.segments) or "/"

    @property
    def has_extension(self) -> bool:
        """True if the URL ends in a file extension. As in Astro, params count too."""
        return bool(self.segments and _extension_re.match(self.segments[-1].text))

    @property
    def params(self) -> tuple[Part, ...]:
        return tuple(
            part for s in self.segments for part in s.parts if part.kind != "text"
        )

    @property
    def first_rest(self) -> int | None:
        """The index of the first segment that contains a rest param, else None."""
        return next((i for i, s in enumerate(self.segments) if s.has_rest), None)

    def fits(self, segments: t.Sequence[str]) -> bool:
        """Return True if a path of *segments* could have this pattern, whatever the
        values of its params. What follows a rest param is not compared."""
        mine = self.segments[: self.first_rest]
        has_rest = self.first_rest is not None
        if len(segments) < len(mine) or (len(segments) > len(mine) and not has_rest):
            return False
        return all(one.fits(text) for one, text in zip(mine, segments, strict=False))

    def __str__(self) -> str:
        return "".join(f"/{segment.text}" for segment in self.segments) or "/"


def parse_segment(text: str) -> Segment:
    """Parse one folder name, or one file name without its suffix.

    :raises PatternError: a bracket, a name or a character is not allowed.
    """
    text = unicodedata.normalize("NFC", text)
    _check_characters(text)
    if "][" in text.replace("]]", "]").replace("[[", "["):
        raise PatternError(
            "two params touch each other",
            "Put text between them: [a]-[b], or make two folders: [a]/[b].",
        )
    optional = _optional_re.fullmatch(text) is not None
    if "[[" in text and "]]" in text and not optional:
        raise PatternError(
            "an optional param must be a whole segment",
            "Write a folder or file named just [[name]].",
        )
    inner = text[1:-1] if optional else text
    parts = tuple(_parse_part(piece) for piece in _bracket_re.split(inner) if piece)
    segment = Segment(text, parts, optional)
    if optional and segment.has_rest:
        raise PatternError(
            "a rest param is optional already", f"Write {inner} instead of {text}."
        )
    return segment


def _fix(text: str) -> str:
    """Return what to write instead of the param *text*, which may be in the style of
    another router."""
    fix = (
        "Write [name], [...name] or [name=matcher]; a name is made of ASCII letters,"
        " digits, '_' and '$'."
    )
    for style, wanted in (
        (r"(\w+):(int|float|uuid)", r"[\1=\2]"),
        (r"(int|float|uuid):(\w+)", r"[\2=\1]"),
        (r"(?:path:|\*+|\.+)(\w+)", r"[...\1]"),
        (r"(\w+)\?", r"[[\1]]"),
    ):
        match = re.fullmatch(style, text, re.ASCII)
        if match:
            return f"Did you mean {match.expand(wanted)}? {fix}"
    named = re.sub(r"\W", "_", text.strip(), flags=re.ASCII)
    is_name = _param_re.fullmatch(named) and text.isascii() and named.strip("_")
    return f"Did you mean [{named}]? {fix}" if is_name else fix


def _parse_part(piece: str) -> Part:
    if not _bracket_re.fullmatch(piece):
        if "[" in piece or "]" in piece:
            raise PatternError(
                "the brackets are unbalanced", "Write a param as [name]."
            )
        return Part("text", piece)
    match = _param_re.fullmatch(piece[1:-1])
    if match is None:
        raise PatternError(f"{piece} is not a valid param", _fix(piece[1:-1]))
    if match["name"] in _URL_FOR_ARGUMENTS:
        raise PatternError(
            f"[{match['name']}] is an argument of url_for",
            "Give the param another name.",
        )
    if match["rest"] and match["matcher"]:
        raise PatternError(
            f"{piece}: a rest param cannot have a matcher",
            f"Write [...{match['name']}].",
        )
    return Part("rest" if match["rest"] else "param", match["name"], match["matcher"])


def _check_characters(text: str) -> None:
    if _control_re.search(text):
        raise PatternError("the name contains a control character", "Rename the file.")
    if "<" in text or ">" in text:
        raise PatternError(
            "'<' and '>' are not allowed in a name",
            "Write a param as [name], and <int:id> as [id=int].",
        )
    if "·" in text or "\\" in text:
        raise PatternError("'·' and '\\' are not allowed in a name", "Rename the file.")


def expand(segments: t.Sequence[Segment]) -> list[Pattern]:
    """Return all patterns of *segments*, with and without each optional segment."""
    choices = [(None, s) if s.optional else (s,) for s in segments]
    patterns = [Pattern(tuple(filter(None, c))) for c in itertools.product(*choices)]
    return sorted(patterns, key=lambda pattern: pattern.key)


def without_final_rest(pattern: Pattern) -> Pattern | None:
    """Return *pattern* without the rest params at its end, or None if it has none.

    ``/docs/[...path]`` becomes ``/docs``.
    """
    first = pattern.first_rest
    if first is None or not all(s.is_rest for s in pattern.segments[first:]):
        return None
    return Pattern(pattern.segments[:first])
