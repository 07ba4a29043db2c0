"""Turn patterns into regular expressions that match in linear time."""

from __future__ import annotations

import re
import typing as t

from .patterns import Part
from .patterns import Pattern
from .patterns import Segment

_PARAM = "[^/]+"
# The expression of a matcher may be slow, so it never sees long texts.
_LONGEST_ALONE = 255
_LONGEST_MIXED = 100
_REST = "[^/]+(?:/[^/]+)*?"


class PatternExpressions:
    """Writes the expressions of one pattern, segment by segment from the left.

    :param matchers: the expression of each matcher in the pattern.
    :param group_name: the name of a capturing group, with ``{}`` for its number.

    :attr:`captured` has the params in the order of their groups. As in Astro, a name
    that occurs more than once is captured at its last place.
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
        """Return the expression of a segment that is not just a rest param.

        An atomic group fixes each literal text at its first place after a param, so
        that ``[a]-[b]`` never backtracks: without matchers the first place is as good
        as any later one. A segment with a matcher is limited in length instead.
        """
        matched = any(part.matcher is not None for part in segment.parts)
        written = ""
        for index, part in enumerate(segment.parts):
            if part.kind != "text":
                written += self._group(part, self._param(part, segment))
                continue
            written += re.escape(part.text)
            if 0 < index < len(segment.parts) - 1 and not matched:
                written = f"(?>{written})"
        longest = _LONGEST_ALONE if len(segment.parts) == 1 else _LONGEST_MIXED
        return rf"(?=[^/]{{1,{longest}}}(?:/|\Z)){written}" if matched else written

    def rest(self, segments: t.Sequence[Segment]) -> str:
        """Return one expression for *segments*, the first of which has a rest param.

        It matches the end of the path, without the leading slash. A rest at the end
        must match something, because the path without it is a pattern of its own.
        Text after a rest is taken at its first place, so every chunk before the last
        rest is an atomic group. Of adjacent rests, all but the last match one segment.
        """
        only_rests = all(segment.is_rest for segment in segments)
        chunks = [""]
        started = False
        for index, segment in enumerate(segments):
            beside = segments[index + 1 : index + 2]
            after_rest = index > 0 and segments[index - 1].is_rest
            if segment.is_rest:
                several = not (beside and beside[0].is_rest)
                rest = self._group(segment.parts[0], _REST if several else _PARAM)
                if not started:
                    chunks[-1] += rest if only_rests else f"(?:{rest}/)?"
                    started = only_rests
                    continue
                if not after_rest:
                    chunks.append("")
                chunks[-1] += f"(?:/{rest})?"
                continue
            if started and segment.parts[0].kind == "rest":
                chunks.append("")
            chunks[-1] += ("/" if started else "") + self.segment(segment)
            started = True
        return "".join(f"(?>{chunk})" for chunk in chunks[:-1]) + chunks[-1]

    def _param(self, part: Part, segment: Segment) -> str:
        if part.kind == "rest":
            # Never an empty segment: Werkzeug merges double slashes.
            return "(?:[^/]+?(?:/[^/]+?)*?)?"
        if part.matcher is not None:
            return self._matchers[part.matcher]
        return _PARAM if len(segment.parts) == 1 else f"{_PARAM}?"

    def _group(self, part: Part, regex: str) -> str:
        repeated = self._repeated[self._seen]
        self._seen += 1
        if repeated:
            # No converter checks this one, so refuse dot segments here.
            return rf"(?:(?!\.{{1,2}}(?:/|\Z)){regex})"
        self.captured.append(part)
        return f"(?P<{self._group_name.format(len(self.captured) - 1)}>{regex})"
