"""Routes as Werkzeug rules.

Werkzeug's own matcher does the matching; a rule of ours writes its parts and
weights itself, so that the order is the one of :mod:`~flask_filepages.patterns`,
and builds URLs straight from its pattern (Werkzeug would compile two functions
for each rule, which is most of what adding a rule costs).
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Set
from urllib.parse import quote

from werkzeug.routing import BaseConverter
from werkzeug.routing import Map
from werkzeug.routing import Rule
from werkzeug.routing import ValidationError
from werkzeug.routing.rules import RulePart
from werkzeug.routing.rules import Weighting

from .discovery import Route
from .errors import ParamError
from .expressions import PatternExpressions
from .patterns import HALF
from .patterns import HALF_REST
from .patterns import MATCHER
from .patterns import PARAM
from .patterns import Pattern
from .patterns import Segment
from .patterns import SegmentKey
from .patterns import without_final_rest
from .settings import TrailingSlash

_GROUP = "__werkzeug_{}"
_NO_WEIGHT = Weighting(0, [], 0, [])
# The characters that the URL standard allows in a path segment.
_SEGMENT_SAFE = "!$&'()*+,:;=@"
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
        return quote(text, safe=_SEGMENT_SAFE)


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
                "it has an empty or dot segment, a leading or trailing slash, NUL or '\\'"
            )
        return quote(text, safe=f"{_SEGMENT_SAFE}/")


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
        except TypeError:
            continue
        if made.part_isolating and not re.fullmatch(made.regex, ""):
            usable.append(name)
    return usable


class RouteMethods(Set[str]):
    """The methods of a route. Matching takes every method, so that one file owns
    the URL; listing gives those that the file really answers."""

    def __init__(self, methods: Callable[[], Iterable[str]]) -> None:
        self._methods = methods

    @classmethod
    def _from_iterable(cls, it: Iterable[t.Any]) -> t.Any:
        return set(it)

    def __contains__(self, method: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._methods())

    def __len__(self) -> int:
        return sum(1 for _ in self._methods())

    def __repr__(self) -> str:
        return repr(set(self))


class FileRule(Rule):
    """One pattern of a route below a prefix."""

    def __init__(
        self,
        route: Route,
        pattern: Pattern,
        *,
        prefix: str,
        endpoint: str,
        slash: TrailingSlash,
        methods: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        texts = [_display(segment) for segment in pattern.segments]
        path = prefix + "".join(f"/{text}" for text in texts)
        if not path or (slash == "always" and not route.has_extension):
            path += "/"
        super().__init__(
            path,
            endpoint=endpoint,
            # Where it is redirected, and where both forms are one, both match.
            strict_slashes=route.has_extension and slash != "never",
            merge_slashes=True,
        )
        self.route = route
        self.pattern = pattern
        self.prefix = prefix
        self.slash = slash
        self.methods = RouteMethods(methods)  # type: ignore[assignment]
        self.arguments = {part.text for part in pattern.params}

    def get_empty_kwargs(self) -> t.Mapping[str, t.Any]:
        return {
            "route": self.route,
            "pattern": self.pattern,
            "prefix": self.prefix,
            "endpoint": self.endpoint,
            "slash": self.slash,
        }

    def empty(self) -> FileRule:
        return FileRule(**self.get_empty_kwargs())

    def compile(self) -> None:
        """Write the parts by which Werkzeug's state machine finds the rule."""
        segments = self.pattern.segments
        matchers = {
            part.matcher: matcher(self.map, part.matcher)
            for part in self.pattern.params
            if part.matcher is not None
        }
        regexes = {name: made.regex for name, made in matchers.items()}
        expressions = PatternExpressions(self.pattern, regexes, _GROUP)
        self._parts = [self._domain_part(), _static("")]
        self._parts += [_static(text) for text in self.prefix.split("/")[1:]]
        first = self.pattern.first_rest
        for segment in segments[:first]:
            if segment.is_static:
                self._parts.append(_static(segment.text))
            else:
                regex = expressions.segment(segment) + r"\Z"
                self._parts.append(_dynamic(regex, _weight([segment.key()])))
        if first is not None:
            end = r"\Z" if self.strict_slashes else r"/?\Z"
            regex = expressions.rest(segments[first:]) + end
            weight = _weight(Pattern(segments[first:]).key)
            self._parts.append(_dynamic(regex, weight, final=True))
        if len(self._parts) == 2:
            self._parts.append(_static(""))
        self._converters = {
            part.text: RestConverter(self.map)
            if part.kind == "rest"
            else matchers[part.matcher]
            if part.matcher
            else ParamConverter(self.map)
            for part in expressions.captured
        }
        self._trace = [(False, "|"), (False, self.rule)]

    def _domain_part(self) -> RulePart:
        if self.map.host_matching or not self.subdomain:
            return _static("")
        return next(iter(self._parse_rule(self.subdomain)))

    def build(
        self, values: t.Mapping[str, t.Any], append_unknown: bool = True
    ) -> tuple[str, str]:
        """Return the domain part and the URL, in the canonical slash form.

        :raises ParamError: a value cannot stand in the URL.
        """
        path = self.prefix + "".join(
            self._build_segment(segment, values) for segment in self.pattern.segments
        )
        if not path or self.rule.endswith("/") and path[-1] != "/":
            path += "/"
        if append_unknown:
            unknown = {k: v for k, v in values.items() if k not in self.arguments}
            query = self._encode_query_vars(unknown)
            path = f"{path}?{query}" if query else path
        return self.subdomain or "", path

    def suitable_for(
        self, values: t.Mapping[str, t.Any], method: str | None = None
    ) -> bool:
        """Whether *values* are enough: a rest may always be left out."""
        params = self.pattern.params
        return all(part.text in values for part in params if part.kind != "rest")

    def _build_segment(self, segment: Segment, values: t.Mapping[str, t.Any]) -> str:
        built = ""
        for part in segment.parts:
            if part.kind == "text":
                built += quote(part.text, safe=_SEGMENT_SAFE)
                continue
            value = values.get(part.text)
            if part.kind == "rest" and value in (None, ""):
                continue
            try:
                built += self._converters[part.text].to_url(value)
            except (ValueError, TypeError) as error:
                raise ParamError(self.route.id, part.text, value, str(error)) from error
        return f"/{built}" if built else ""


def rules_of(route: Route, **options: t.Any) -> Iterator[FileRule]:
    """Yield the rules of *route*: one for each pattern, and one more for a pattern
    whose rest may be left out."""
    for pattern in route.patterns:
        yield FileRule(route, pattern, **options)
        shorter = without_final_rest(pattern)
        if shorter is not None:
            yield FileRule(route, shorter, **options)


def _display(segment: Segment) -> str:
    shown = ""
    for part in segment.parts:
        if part.kind == "text":
            shown += part.text
        elif part.kind == "rest":
            shown += f"<path:{part.text}>"
        else:
            shown += (
                f"<{part.matcher}:{part.text}>" if part.matcher else f"<{part.text}>"
            )
    return shown


def _static(content: str) -> RulePart:
    return RulePart(
        content, final=False, static=True, suffixed=False, weight=_NO_WEIGHT
    )


def _dynamic(regex: str, weight: Weighting, *, final: bool = False) -> RulePart:
    return RulePart(regex, final=final, static=False, suffixed=False, weight=weight)


def _weight(keys: t.Sequence[SegmentKey]) -> Weighting:
    """Return the weight of a part, on one scale with those of Werkzeug's own rules.

    There, parts with literal text go first (-1), the longest text first; then
    converters by their weight: 50 for numbers, 100 for text, 200 for paths.
    """
    rank, literal, *_ = keys[0]
    tie = t.cast("list[int]", list(keys))
    if rank in (HALF, HALF_REST):
        return Weighting(-1, [(rank - HALF, literal)], -1, tie)
    if rank in (MATCHER, PARAM):
        return Weighting(0, [], -1, [50 if rank == MATCHER else 100, *tie])
    return Weighting(0, [], -1, [200, *tie])
