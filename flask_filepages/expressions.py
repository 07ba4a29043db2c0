"""Patterns to regular expressions, in time linear in the length of the path."""

from __future__ import annotations

import re
import typing as t

from .patterns import Part
from .patterns import Pattern
from .patterns import Segment

_PARAM = "[^/]+"
_REST = "[^/]+(?:/[^/]+)*?"


class PatternExpressions:
    """Writes the expressions of one pattern, segment by segment from the left.

    :param matchers: the expression of each matcher the pattern names.
    :param group_name: the name of a capturing group, with ``{}`` for its number.

    :attr:`captured` lists the params in the order of their groups. A name that
    stands in the pattern more than once is captured where it stands last, as in
    Astro.
    """

    def __init__(
        self, pattern: Pattern, matchers: t.Mapping[str, str], group_name: str
    ) -> None:
        self.captured: list[Part] = []
        self._matchers = matchers
        self._group_name = group_name
        names = [part.text for part in pattern.params]
        self._repeated = [name in names[i + 1 :] for i, name in enumerate(names)]
        self._seen = 0

    def segment(self, segment: Segment) -> str:
        """Return the expression of a segment that is not a pure rest.

        A literal text is found at its first place behind a param and not looked
        for again (an atomic group): among params without a matcher the first
        place is as good as any later one.
        """
        written = ""
        matched = False
        for index, part in enumerate(segment.parts):
            if part.kind != "text":
                matched = matched or part.matcher is not None
                written += self._group(part, self._param(part, segment))
                continue
            written += re.escape(part.text)
            if 0 < index < len(segment.parts) - 1 and not matched:
                written = f"(?>{written})"
        return written

    def rest(self, segments: t.Sequence[Segment]) -> str:
        """Return one expression for *segments*, the first of which has a rest.

        It is matched against the end of the path without the leading slash. A
        pure rest in last place must take something: the path without it is a
        pattern of its own. Whatever follows a rest can as well be found at its
        first place, so every chunk before the last rest is an atomic group.
        """
        only_rests = all(segment.is_rest for segment in segments)
        chunks = [""]
        started = False
        for segment in segments:
            if segment.is_rest and not started:
                rest = self._group(segment.parts[0], _REST)
                chunks[-1] += rest if only_rests else f"(?:{rest}/)?"
                started = only_rests
            elif segment.is_rest:
                chunks.append(f"(?:/{self._group(segment.parts[0], _REST)})?")
            else:
                if started and segment.parts[0].kind == "rest":
                    chunks.append("")
                chunks[-1] += ("/" if started else "") + self.segment(segment)
                started = True
        return "".join(f"(?>{chunk})" for chunk in chunks[:-1]) + chunks[-1]

    def _param(self, part: Part, segment: Segment) -> str:
        if part.kind == "rest":
            return ".*?"
        if part.matcher is not None:
            # Somebody else's expression: keep long texts away from it.
            limit = r"(?=[^/]{1,255}(?:/|\Z))" if len(segment.parts) == 1 else ""
            return limit + self._matchers[part.matcher]
        return _PARAM if len(segment.parts) == 1 else f"{_PARAM}?"

    def _group(self, part: Part, regex: str) -> str:
        repeated = self._repeated[self._seen]
        self._seen += 1
        if repeated:
            return f"(?:{regex})"
        self.captured.append(part)
        return f"(?P<{self._group_name.format(len(self.captured) - 1)}>{regex})"
