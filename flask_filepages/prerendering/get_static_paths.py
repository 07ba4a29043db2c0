"""Call ``get_static_paths``, check its entries, and serialize them."""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing as t
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping

from ..errors import Fault
from ..errors import ParamError
from ..errors import StaticPathError
from ..errors import closest
from ..functions import argument_hint
from ..functions import call_problem
from ..routing.files import STATIC_PATHS
from ..routing.files import Source
from ..routing.patterns import Part
from .static_paths import PAGE
from .static_paths import Page
from .static_paths import PageUrls
from .static_paths import StaticPath

if t.TYPE_CHECKING:
    from ..handling.route import BoundRoute

#: More entries than this are taken for an endless generator.
MOST_PATHS = 1_000_000
_UNSAFE = ("POST", "PUT", "PATCH", "DELETE", "ALL")


# -- listing ------------------------------------------------------------------------


def list_paths(
    bound: BoundRoute, function: Callable[[], t.Any], root: str
) -> Iterator[StaticPath | StaticPathError | ParamError]:
    """Yield the paths that *function* lists, checked, with the URLs of pages filled in,
    and an error in place of each wrong entry.

    :param root: what URLs begin with, such as ``"/repo"``.
    :raises StaticPathError: *function* returned no list, or too many entries.
    """
    entries = function()
    if isinstance(entries, (str, bytes, Mapping)) or not isinstance(entries, Iterable):
        kind = "nothing (None)" if entries is None else type(entries).__name__
        raise StaticPathError(
            f"{STATIC_PATHS} returned {kind}, not a list",
            f"Write `return [{example(bound.route.params)}]`.",
        )
    checker = _EntryChecker(bound, root)
    for index, entry in enumerate(entries):
        if index >= MOST_PATHS:
            raise StaticPathError(
                f"{STATIC_PATHS} lists more than {MOST_PATHS:,} paths",
                "Let its generator end, or serve the route on demand.",
            )
        try:
            yield checker.check(index, entry)
        except (StaticPathError, ParamError) as error:
            yield error


class _EntryChecker:
    """Checks the entries of one listing, and completes them."""

    def __init__(self, bound: BoundRoute, root: str) -> None:
        self._root = root
        self._parts = bound.route.params
        self._optional = set(bound.route.optional_params)
        # The rule with all params.
        self._rule = max(bound.rules, key=lambda rule: len(rule.arguments))
        self._url_of = bound.url_of

    def check(self, index: int, entry: object) -> StaticPath:
        """Return *entry*, with the values of matchers in their types and with the URLs
        of pages.

        :raises StaticPathError: the entry is wrong.
        """
        if isinstance(entry, list):
            raise StaticPathError(
                f"{_entry(index)} is a list, not a StaticPath",
                "Write `return paginate(...)`, without a list around it.",
            )
        if not isinstance(entry, StaticPath):
            raise StaticPathError(
                f"{_entry(index)} is {type(entry).__name__}, not a StaticPath",
                f"Write {example(self._parts, 'props={...}')}.",
            )
        given, props = entry.params, entry.props or {}
        for what, mapping in (("params", given), ("props", props)):
            if type(mapping) is not dict and not isinstance(mapping, Mapping):
                raise StaticPathError(
                    f"the {what} of {_entry(index)} are not a dict: {mapping!r:.50}",
                    f"Write {example(self._parts, 'props={...}')}.",
                )
        if entry.version is not None and type(entry.version) is not str:
            raise StaticPathError(
                f"the version of {_entry(index)} is"
                f" {type(entry.version).__name__} ({entry.version!r:.50}), not str",
                "Write version=str(value).",
            )
        page = props.get(PAGE)
        if isinstance(page, Page):
            given, props = self._with_urls(given, props, page)
        params = {
            name: self._value(index, name, part, given)
            for name, part in self._parts.items()
        }
        for name in given:
            if name not in params:
                raise _unknown(index, name, self._parts)
        return StaticPath(params, props, entry.version)

    def _value(
        self, index: int, name: str, part: Part, given: Mapping[str, t.Any]
    ) -> t.Any:
        """Return the value of a param as a request has it."""
        value = given.get(name)
        if value is None or (value == "" and part.kind == "rest"):  # as in Astro
            if part.kind != "rest" and name not in self._optional:
                raise _missing(index, name, given, self._parts)
            return None
        if part.matcher is not None:
            try:
                return self._rule.canonical(name, value)
            except (ValueError, TypeError) as error:
                raise StaticPathError(
                    f"{_entry(index)}: {value!r:.50} is not a value of"
                    f" [{name}={part.matcher}]",
                    f"Give a value of that matcher, or its text in the URL: {error}.",
                ) from None
        if type(value) is not str:
            raise StaticPathError(
                f"{_entry(index)}: [{name}] is {type(value).__name__}"
                f" ({value!r:.50}), not str",
                "Write str(value); a rest is one str with slashes.",
            )
        return value

    def _with_urls(
        self, given: Mapping[str, t.Any], props: Mapping[str, t.Any], page: Page
    ) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
        """Return the params and props of a path of :func:`paginate` with the URLs,
        which only the route knows."""
        if PAGE not in self._parts:
            raise StaticPathError(
                "paginate() needs a param [page]",
                "Rename the file to [page].py or [...page].py.",
            )

        def params(number: int) -> dict[str, t.Any]:
            bare = number == 1 and self._parts[PAGE].kind == "rest"
            return {**given, PAGE: None if bare else str(number)}

        def url(number: int, *, when: bool) -> str | None:
            return self._root + self._url_of(params(number)) if when else None

        current, last = page.current, page.last
        urls = PageUrls(
            self._root + self._url_of(params(current)),
            url(1, when=current > 1),
            url(current - 1, when=current > 1),
            url(current + 1, when=current < last),
            url(last, when=current < last),
        )
        page = dataclasses.replace(page, urls=urls)
        return params(current), {**props, PAGE: page}


def example(params: t.Iterable[str], *others: str) -> str:
    """Return an example of a ``StaticPath`` with the *params* of a route."""
    given = ", ".join(f'"{name}": "..."' for name in params)
    return f"StaticPath({', '.join([f'{{{given}}}', *others])})"


def _entry(index: int) -> str:
    return f"entry {index} of {STATIC_PATHS}"


def _unknown(index: int, name: object, parts: t.Iterable[str]) -> StaticPathError:
    close = closest(str(name), parts)
    hint = f"Did you mean {close!r}? " if close else ""
    return StaticPathError(
        f"{_entry(index)} has {name!r}, which is not a param of the route",
        f"{hint}Its params are: {', '.join(parts) or 'none'}. Values for the page go"
        " into props.",
    )


def _missing(
    index: int, name: str, given: Mapping[str, t.Any], parts: t.Iterable[str]
) -> StaticPathError:
    spelt = {str(n).lower(): n for n in given}
    close = closest(name.lower(), spelt) if name not in given else None
    hint = f"Did you mean {name!r}, not {spelt[close]!r}? " if close else ""
    return StaticPathError(
        f"{_entry(index)} has no param [{name}]; it has {dict(given)!r:.80}",
        f"{hint}Write {example(parts)}.",
    )


# -- loading ------------------------------------------------------------------------


def read_function(
    bound: BoundRoute, module: types.ModuleType | None, own: t.Container[str]
) -> tuple[Callable[[], t.Any] | None, list[Fault], list[Fault]]:
    """Return the ``get_static_paths`` of a prerendered route, or ``None``, then faults
    that prevent storing the route, and warnings.

    :param own: the methods that the route handles.
    """
    route = bound.route
    source = t.cast(Source, route.source)
    function = getattr(module, STATIC_PATHS, None)
    is_all_static = bound.settings.output == "static"
    faults, warnings = [], []

    def fault(kind: str, problem: str, fix: str, name: str = STATIC_PATHS) -> Fault:
        return Fault(kind, source.relative, problem, fix, source.line_of(name))

    is_auto = route.prerender == "auto"
    unsafe = [method for method in _UNSAFE if method in own and not is_auto]
    if unsafe:
        problem = f"a prerendered route cannot handle {', '.join(unsafe)}"
        fix = f'Write `prerender = False` or `prerender = "auto"` in {source.relative}.'
        if is_all_static:
            fix = f"Set FILEPAGES_OUTPUT = 'hybrid'. {fix}"
        faults.append(fault("prerender", problem, fix, unsafe[0]))
    elif "GET" not in own and not (is_auto and "ALL" in own):
        problem = "a prerendered route needs a GET handler"
        fix = "Write `def GET(context)`."
        if is_auto:
            fix = "Write `def GET(context)`, or `prerender = False`."
        faults.append(fault("prerender", problem, fix))
    problem = call_problem(function) or ""
    if function is None:
        if not route.is_static and not bound.is_error_page:
            faults.append(_missing_fault(module, source, is_static=is_all_static))
    elif not callable(function) or problem.startswith("does not take"):
        paths = f"[{example(route.params)}]"
        fix = f"Write `def {STATIC_PATHS}(): return {paths}`."
        problem = problem.replace("does not take ()", "must take no arguments")
        faults.append(fault("static-paths", f"{STATIC_PATHS} {problem}", fix))
    elif route.is_static:
        problem = f"its {STATIC_PATHS} is not used: the route has no params"
        fix = "Remove the function, or give the file a param: [name].py."
        warnings.append(fault("static-paths", problem, fix))
    return function, faults, warnings


def _missing_fault(
    module: types.ModuleType | None, source: Source, *, is_static: bool
) -> Fault:
    """Return a fault for a prerendered route that lacks the function.

    :param is_static: the output is static, so no route runs on demand.
    """
    names = [n for n, v in vars(module).items() if callable(v)] if module else []
    close = closest(STATIC_PATHS, names, 0.7)
    hint = f"Did you mean `{STATIC_PATHS}`, not `{close}`? " if close else ""
    problem = f"a prerendered route with params needs {STATIC_PATHS}"
    file = f"{source.stem}.py"
    on_demand = "" if is_static else ", or `prerender = False`"
    fix = f"{hint}Write `def {STATIC_PATHS}()` in {file}{on_demand}."
    return Fault("static-paths", source.relative, problem, fix)


# -- as text ------------------------------------------------------------------------

_PAGE_TAG = "$page"
_decode = json.JSONDecoder().decode
_PLAIN = frozenset({str, int, float, bool, type(None)})


def is_json(value: t.Any) -> bool:
    """Return True if JSON keeps *value* and all of its types."""
    kind = type(value)
    if kind in _PLAIN:
        return kind is not float or math.isfinite(value)
    if kind is dict:
        return all(
            type(k) is str and k != _PAGE_TAG and is_json(v) for k, v in value.items()
        )
    return kind is list and all(map(is_json, value))


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, Page):
        return {_PAGE_TAG: dataclasses.asdict(value)}
    raise TypeError


_encode = json.JSONEncoder(
    separators=(",", ":"), default=_plain, allow_nan=False
).encode


def encode(path: StaticPath) -> str | None:
    """Return *path* as JSON, or ``None`` if its props are not JSON."""
    for name, value in path.props.items():
        if type(name) is not str or name == _PAGE_TAG:
            return None
        if not is_json(value.data if type(value) is Page else value):
            return None
    try:
        return _encode([dict(path.params), dict(path.props), path.version])
    except (TypeError, ValueError):
        return None


def decode(text: str) -> StaticPath:
    """Return the path that :func:`encode` wrote as *text*."""
    params, props, version = _decode(text)
    for name, value in props.items() if _PAGE_TAG in text else ():
        if type(value) is dict and value.keys() == {_PAGE_TAG}:
            page = dict(value[_PAGE_TAG])
            page["urls"] = PageUrls(**page["urls"])
            props[name] = Page(**page)
    return StaticPath(params, props, version)


def problem_of(error: BaseException) -> tuple[str, str]:
    """Return the problem of a listing that failed, and its fix."""
    if isinstance(error, StaticPathError):
        return error.problem, error.fix
    if isinstance(error, ParamError):
        fix = f"Give another value, or leave the path out of {STATIC_PATHS}."
        return str(error), fix
    fix = argument_hint(error) or "Fix the function."
    return f"{STATIC_PATHS} raised {type(error).__name__}: {error}", fix


def line_of(error: BaseException, file: str) -> int | None:
    """Return the last line of *file* in the traceback of *error*, or ``None``."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
