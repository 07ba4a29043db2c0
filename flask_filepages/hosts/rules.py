"""Group what a host must be told about files, into few rules.

Most files need no rule: their suffix says their type, and they have the fields that all
files have. Of the others, all paths of one route usually need the same, so they are one
rule with the pattern of the route: a new image needs no new rule.
"""

from __future__ import annotations

import functools
import re
import typing as t
from collections import Counter
from dataclasses import dataclass

from ..handling.route import BoundRoute
from ..routing.patterns import Part
from ..routing.patterns import Segment
from .published import DEFAULT_FIELDS
from .published import Fields
from .published import Published
from .published import Sent
from .published import Treatment


@dataclass
class PathRule:
    """What a host is told for the paths that match a pattern."""

    prefix: str
    segments: tuple[Segment, ...]
    treatment: Treatment
    #: Plain hosts send the files at their paths with a slash at the end.
    is_index: bool = False

    @functools.cached_property
    def regex(self) -> re.Pattern[str]:
        """A regular expression for decoded paths, that nginx and Caddy also read."""
        segments = "".join(f"/{_regex_of(segment)}" for segment in self.segments)
        return re.compile(f"{literal(self.prefix)}{segments}/?")


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a site.

    The first of :attr:`static` and :attr:`patterns` that matches counts, and before
    them the :attr:`exact` responses. All other files get the :attr:`common` fields.
    """

    common: Fields
    #: The folders of static files that a pattern would match, too.
    static: list[PathRule]
    patterns: list[PathRule]
    exact: list[Sent]


def rules_of(published: Published, is_usual: t.Callable[[Sent], bool]) -> Rules:
    """Return the rules of a site.

    :param is_usual: returns True if a host knows the type of a file by its suffix.
    """

    def treatment_of(sent: Sent) -> Treatment:
        return Treatment(None if is_usual(sent) else sent.type, sent.fields)

    files = published.files
    rules = Rules(_common_fields(files), [], [], [])
    plain = Treatment(None, rules.common)
    made_by: dict[BoundRoute, list[Sent]] = {}
    for sent in files:
        made_by.setdefault(sent.route, []).append(sent)
    for route in published.routes.values():
        if route not in made_by or route.is_static:
            continue
        own = made_by[route]
        treatment = Counter(map(treatment_of, own)).most_common(1)[0][0]
        is_index = own[-1].file.endswith("/index.html")
        if treatment != plain:
            for rule in route.rules:
                what = (rule.prefix, rule.pattern.segments, treatment, is_index)
                rules.patterns.append(PathRule(*what))
    rules.static.extend(_static_folders(published, rules.patterns, plain))
    ordered = [*rules.static, *rules.patterns]
    for sent in published.responses:
        is_file = sent.file and sent.code == 200
        matching = (rule for rule in ordered if rule.regex.fullmatch(sent.path))
        first = next(matching, None)
        told = first.treatment if first is not None else plain
        if not is_file or told != treatment_of(sent):
            rules.exact.append(sent)
    return rules


def _common_fields(files: list[Sent]) -> Fields:
    """Return the default fields, and those that all files have. Static files get them
    too."""
    lists = {sent.fields for sent in files}
    shared = set.intersection(*map(set, lists)) if lists else set()
    others = {pair for pair in shared if pair[0].lower() != "cache-control"}
    return tuple(sorted({*others, *DEFAULT_FIELDS}))


def _regex_of(segment: Segment) -> str:
    if segment.is_rest:
        return ".+"
    regexes = {"rest": ".*", "param": "[^/]+"}
    return "".join(regexes.get(p.kind) or literal(p.text) for p in segment.parts)


def literal(text: str) -> str:
    """Return a regular expression for *text*, without braces: Caddy replaces them."""
    return re.escape(text).replace(r"\{", r"\x7b").replace(r"\}", r"\x7d")


def _static_folders(
    published: Published, patterns: list[PathRule], plain: Treatment
) -> list[PathRule]:
    """Return a rule for each folder of static files that a pattern would match too."""
    matched = {
        name.split("/")[0]
        for name in published.static
        if "/" in name and any(rule.regex.fullmatch(f"/{name}") for rule in patterns)
    }
    rest = Segment("[...path]", (Part("rest", "path"),))
    return [PathRule(f"/{folder}", (rest,), plain) for folder in sorted(matched)]
