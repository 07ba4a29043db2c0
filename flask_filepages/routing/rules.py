"""Routes as Werkzeug rules.

Werkzeug's own matcher does the matching; a rule of ours writes its parts and
weights itself, so that the order is the one of :mod:`~flask_filepages.patterns`,
and builds URLs straight from its pattern (Werkzeug would compile two functions
for each rule, which is most of what adding a rule costs).
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Set
from contextvars import ContextVar
from urllib.parse import quote

from werkzeug.routing import Rule
from werkzeug.routing.rules import RulePart
from werkzeug.routing.rules import Weighting

from ..errors import ParamError
from ..settings import TrailingSlash
from .converters import SEGMENT_SAFE
from .converters import ParamConverter
from .converters import RestConverter
from .converters import matcher
from .expressions import PatternExpressions
from .patterns import HALF
from .patterns import HALF_REST
from .patterns import MATCHER
from .patterns import PARAM
from .patterns import Pattern
from .patterns import Segment
from .patterns import SegmentKey
from .patterns import without_final_rest
from .routes import Route

_GROUP = "__werkzeug_{}"
_NO_WEIGHT = Weighting(0, [], 0, [])
#: The path that is matched, where it is not that of the request.
matched_path: ContextVar[str | None] = ContextVar("matched_path", default=None)


class RouteMethods(Set[str]):
    """The methods of a route. Matching takes every method, so that one file owns
    the URL; listing loads the file and gives those that it really answers.

    Comparing and printing do neither: Werkzeug does both in its errors.

    :param is_listed: whether a prerendered route has the path that is being matched.
        If not, it has no methods there, and Werkzeug goes on to the next rule.
    """

    def __init__(
        self,
        methods: Callable[[], Iterable[str]],
        is_listed: Callable[[], bool] | None = None,
    ) -> None:
        self._methods = methods
        self._is_listed = is_listed

    @classmethod
    def _from_iterable(cls, it: Iterable[t.Any]) -> t.Any:
        return set(it)

    def __contains__(self, method: object) -> bool:
        return self._is_listed is None or self._is_listed()

    def __iter__(self) -> Iterator[str]:
        if self._is_listed is None or self._is_listed():
            return iter(self._methods())
        return iter(())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __and__(self, other: Iterable[t.Any]) -> t.Any:
        return set(other)

    def __repr__(self) -> str:
        return "{every method}"


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
        is_listed: Callable[[], bool] | None = None,
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
        self.methods = t.cast(t.Any, RouteMethods(methods, is_listed))
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
        self._parts = [_static(self.subdomain or ""), _static("")]
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

    def is_duplicate(self, other: Rule) -> bool:
        """Collisions are found by name, before any rule is added."""
        return False

    def build(
        self, values: t.Mapping[str, t.Any], append_unknown: bool = True
    ) -> tuple[str, str]:
        """Return the domain part and the URL, in the canonical slash form.

        :raises ParamError: a value cannot stand in the URL.
        """
        path = self.prefix + "".join(
            self._build_segment(segment, values) for segment in self.pattern.segments
        )
        if not path or (self.rule.endswith("/") and path[-1] != "/"):
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
                built += quote(part.text, safe=SEGMENT_SAFE)
                continue
            if part.kind == "rest" and values.get(part.text) in (None, ""):
                continue
            value = values[part.text]
            try:
                built += self._converters[part.text].to_url(value)
            except (ValueError, TypeError) as error:
                raise ParamError(self.route.id, part.text, value, str(error)) from error
        return f"/{built}" if built else ""


def rules_of(route: Route, taken: set[str], **options: t.Any) -> Iterator[FileRule]:
    """Yield the rules of *route*: one for each pattern, and one more for a pattern
    whose rest may be left out, unless its shape is *taken* by another route.

    The shapes of all rules are added to *taken*.
    """
    for pattern in route.patterns:
        yield FileRule(route, pattern, **options)
        shorter = without_final_rest(pattern)
        if shorter is not None and shorter.shape not in taken:
            taken.add(shorter.shape)
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
    kind = {MATCHER: 50, HALF: 100, HALF_REST: 100, PARAM: 100}.get(rank, 200)
    ranked = t.cast("list[int]", [kind, *keys])
    if rank in (HALF, HALF_REST):
        return Weighting(-1, [(rank - HALF, literal)], -1, ranked)
    return Weighting(0, [], -1, ranked)
