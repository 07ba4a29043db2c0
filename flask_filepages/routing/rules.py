"""Routes as Werkzeug rules. All use of private parts of Werkzeug is in this module.

Werkzeug's matcher finds the rule of a request. :class:`FileRule` writes the parts and
weights that the matcher sorts by, so that the order is the one of
:mod:`~flask_filepages.routing.patterns`, and builds URLs from its pattern. (Werkzeug
would compile two functions for each rule, most of the cost of adding one.)
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Set
from contextvars import ContextVar
from urllib.parse import quote
from urllib.parse import unquote

from werkzeug.routing import Rule
from werkzeug.routing.rules import RulePart
from werkzeug.routing.rules import Weighting

from ..errors import ParamError
from .converters import SEGMENT_SAFE
from .converters import ParamConverter
from .converters import RestConverter
from .converters import make_matcher
from .expressions import PatternExpressions
from .patterns import MATCHER
from .patterns import MIXED
from .patterns import MIXED_REST
from .patterns import PARAM
from .patterns import Part
from .patterns import Pattern
from .patterns import Segment
from .patterns import SegmentKey
from .patterns import without_final_rest

if t.TYPE_CHECKING:
    from ..handling.route import BoundRoute

_GROUP = "__werkzeug_{}"
_NO_WEIGHT = Weighting(0, [], 0, [])
#: The path being matched where it is not the path of the current request.
matched_path: ContextVar[str | None] = ContextVar("matched_path", default=None)


class RouteMethods(Set[str]):
    """The methods of a route, as Werkzeug's ``Rule.methods``.

    Every method is "in" the set, so that the file owns its URL and sends 405 itself.
    Iterating loads the file and yields the methods that it handles. On a path that a
    prerendered route does not list the set is empty, and Werkzeug tries the next rule.
    """

    def __init__(self, bound: BoundRoute) -> None:
        self._bound = bound

    @classmethod
    def _from_iterable(cls, it: Iterable[t.Any]) -> t.Any:
        return set(it)

    def __contains__(self, method: object) -> bool:
        return self._bound.accepts_path()

    def __iter__(self) -> Iterator[str]:
        return iter(self._bound.methods() if self._bound.accepts_path() else ())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    # Werkzeug compares and prints methods in its errors; neither must load the file.

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return self is other

    def __and__(self, other: Iterable[t.Any]) -> t.Any:
        return set(other)

    def __repr__(self) -> str:
        return "{every method}"


class FileRule(Rule):
    """One pattern of a route, below the prefix of its site."""

    def __init__(self, bound: BoundRoute, pattern: Pattern) -> None:
        prefix, slash = bound.site.url_prefix, bound.settings.trailing_slash
        path = prefix + "".join(f"/{_display(s)}" for s in pattern.segments)
        if not path or (slash == "always" and not bound.route.has_extension):
            path += "/"
        super().__init__(
            path,
            endpoint=bound.endpoint,
            # We redirect slashes ourselves, so Werkzeug must match both forms.
            strict_slashes=bound.route.has_extension and slash != "never",
            merge_slashes=True,
        )
        self.bound = bound
        self.route = bound.route
        self.pattern = pattern
        self.prefix = prefix
        self.slash = slash
        self.methods = t.cast(t.Any, RouteMethods(bound))
        self.arguments = {part.text for part in pattern.params}
        self.required_params = {p.text for p in pattern.params if p.kind != "rest"}

    def empty(self) -> FileRule:
        return FileRule(self.bound, self.pattern)

    def compile(self) -> None:
        """Write the parts by which Werkzeug's state machine finds this rule."""
        segments = self.pattern.segments
        matchers = {
            part.matcher: make_matcher(self.map, part.matcher)
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
        self._url_pieces = list(self._prepare_pieces())

    def is_duplicate(self, other: Rule) -> bool:
        """Return False: collisions were found by name before any rule was added."""
        return False

    def build(
        self, values: t.Mapping[str, t.Any], append_unknown: bool = True
    ) -> tuple[str, str]:
        """Return the domain part and the URL, in the canonical slash form.

        :raises ParamError: a value cannot stand in the URL.
        """
        path = ""
        for text, parts in self._url_pieces:
            path += text
            if parts:
                path += self._fill(parts, values)
        if not path or (self.rule.endswith("/") and path[-1] != "/"):
            path += "/"
        if append_unknown:
            unknown = {k: v for k, v in values.items() if k not in self.arguments}
            query = self._encode_query_vars(unknown) if unknown else ""
            path = f"{path}?{query}" if query else path
        return self.subdomain or "", path

    def canonical(self, name: str, value: t.Any) -> t.Any:
        """Return *value* as a request has it, such as ``5`` for ``"5"`` and
        ``[id=int]``.

        :raises ValueError: it is not a value of the matcher of the param *name*.
        """
        converter = self._converters[name]
        if isinstance(value, str):  # Its text in the URL.
            value = converter.to_python(value)
        return converter.to_python(unquote(converter.to_url(value)))

    def suitable_for(
        self, values: t.Mapping[str, t.Any], method: str | None = None
    ) -> bool:
        """Return True if *values* has every param. A rest param may be absent."""
        return self.required_params <= values.keys()

    def _prepare_pieces(self) -> t.Iterator[tuple[str, tuple[Part, ...]]]:
        """Yield the pieces of a URL: quoted text, and the dynamic segment after it."""
        text = quote(self.prefix, safe=f"{SEGMENT_SAFE}/")
        for segment in self.pattern.segments:
            if segment.is_static:
                text += f"/{quote(segment.text, safe=SEGMENT_SAFE)}"
            else:
                yield text, segment.parts
                text = ""
        yield text, ()

    def _fill(self, parts: tuple[Part, ...], values: t.Mapping[str, t.Any]) -> str:
        built = ""
        for part in parts:
            name = part.text
            if part.kind == "text":
                built += quote(name, safe=SEGMENT_SAFE)
                continue
            if part.kind == "rest" and values.get(name) in (None, ""):
                continue
            converter = self._converters[name]
            try:
                text = converter.to_url(values[name])
                # Our own converters check the value themselves.
                is_ours = part.matcher in (None, "int")
                if not (is_ours or re.fullmatch(converter.regex, unquote(text))):
                    raise ValueError(f"{part.matcher!r} does not match {text!r}")
                built += text
            except (ValueError, TypeError) as error:
                value = values[name]
                raise ParamError(self.route.id, name, value, str(error)) from error
        return f"/{built}" if built else ""


def make_rules(routes: Collection[BoundRoute]) -> None:
    """Give each of *routes* its rules.

    There is one for each pattern, and one more for ``/docs`` where ``/docs/[...path]``
    may be left out, unless another route has that shape. Routes that list their paths
    may all have it.
    """
    alone = [bound.route for bound in routes if not bound.route.lists_paths]
    taken = {pattern.shape for route in alone for pattern in route.patterns}
    for bound in routes:
        for pattern in bound.route.patterns:
            bound.rules.append(FileRule(bound, pattern))
            shorter = without_final_rest(pattern)
            if shorter is not None and shorter.shape not in taken:
                bound.rules.append(FileRule(bound, shorter))
                if not bound.route.lists_paths:
                    taken.add(shorter.shape)


def _display(segment: Segment) -> str:
    """Return a segment as Werkzeug would write it, such as ``<int:id>``."""
    shown = ""
    for part in segment.parts:
        matcher = "path" if part.kind == "rest" else part.matcher
        param = f"<{matcher}:{part.text}>" if matcher else f"<{part.text}>"
        shown += part.text if part.kind == "text" else param
    return shown


def _static(content: str) -> RulePart:
    return RulePart(
        content, final=False, static=True, suffixed=False, weight=_NO_WEIGHT
    )


def _dynamic(regex: str, weight: Weighting, *, final: bool = False) -> RulePart:
    return RulePart(regex, final=final, static=False, suffixed=False, weight=weight)


def _weight(keys: t.Sequence[SegmentKey]) -> Weighting:
    """Return the weight of a part, on one scale with Werkzeug's own rules.

    Werkzeug sorts parts with literal text first (-1), the longest text before others,
    then by the weight of the converter: 50 for numbers, 100 for text, 200 for paths.
    We use the same numbers, and our own sort keys after them to break ties.
    """
    rank, literal, *_ = keys[0]
    kind = {MATCHER: 50, MIXED: 100, MIXED_REST: 100, PARAM: 100}.get(rank, 200)
    ranked = t.cast("list[int]", [kind, *keys])
    if rank in (MIXED, MIXED_REST):
        return Weighting(-1, [(rank - MIXED, literal)], -1, ranked)
    return Weighting(0, [], -1, ranked)
