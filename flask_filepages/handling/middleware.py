"""Middleware: functions ``(context, call_next) -> Response`` around a handler."""

from __future__ import annotations

import inspect
import posixpath
import re
import types
import typing as t
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from flask import Response
from werkzeug.wrappers import Response as BaseResponse

from ..context import Context
from ..context import Headers
from ..errors import Fault
from ..errors import MiddlewareError
from ..errors import NotAResponseError
from ..errors import closest
from ..functions import call_problem
from ..functions import first_argument
from ..functions import is_async
from ..functions import name_of
from ..functions import with_line
from ..routing.files import MIDDLEWARE_FILE
from ..routing.files import Source
from .failures import change_error_response
from .responses import check_field
from .responses import to_response

if t.TYPE_CHECKING:
    from .route import BoundRoute

#: Calls the next middleware, or finally the handler, and returns its response.
CallNext = Callable[[], Response]
Middleware = Callable[[Context, CallNext], BaseResponse]
M = t.TypeVar("M", bound=Middleware)
#: Handles a context and always returns a response.
Respond = Callable[[Context], BaseResponse]

MIDDLEWARE_NAME = "middleware"
_group_re = re.compile(r"\([^/]*\)/")  # A group folder, which is not in the URL.
# These functions make a middleware, and are easily given without their call.
_FACTORIES = ("cors", "headers")
#: What other frameworks call a middleware, in lower case.
_OTHER_NAMES = ("onrequest", "on_request", "handle")
_ONCE = "_filepages_once_per_render"


def once_per_render(middleware: M) -> M:
    """Mark a middleware function that runs when a response is rendered, not each time
    it is sent.

    By default middleware runs whenever a response is sent, including a stored one,
    because it may be a guard. Mark a function that changes bodies or fills
    ``context.locals``: it then runs on request and in a build, but not when a stored
    response is sent.

    :raises TypeError: if *middleware* is not a function.
    :raises ValueError: if it is ``cors()`` with origins, which looks at each request.
    """
    if getattr(middleware, "looks_at_each_request", False):
        raise ValueError(
            "cors() with origins looks at each request, so it cannot run once per"
            ' render. Use cors("*") for data that every site may read.'
        )
    if not callable(middleware):
        raise TypeError(
            "@once_per_render marks a middleware, not"
            f" {type(middleware).__name__}. Mark each function of a list."
        )
    try:
        setattr(middleware, _ONCE, True)
    except AttributeError:
        raise TypeError(
            "@once_per_render cannot mark a method. Call it in a function of its own."
        ) from None
    return middleware


@dataclass(frozen=True, slots=True)
class Link:
    """One middleware of a chain, and the file that defines it."""

    function: Middleware
    source: Source

    @property
    def name(self) -> str:
        return f"{self.source.relative}:{name_of(self.function)}"

    @property
    def is_once_per_render(self) -> bool:
        return bool(getattr(self.function, _ONCE, False))

    def around(self, inner: Respond) -> Respond:
        """Return *inner* wrapped by this middleware.

        It fails closed: a second ``call_next()`` is an error even if the middleware
        catches it, and a return value that is not a response never passes as one.
        """
        function = self.function

        def respond(context: Context) -> BaseResponse:
            calls = 0

            def call_next(*args: t.Any) -> Response:
                nonlocal calls
                calls += 1
                if args:
                    raise self._error(
                        "passed an argument to call_next(), which takes none"
                    )
                if calls > 1:
                    raise self._error("called call_next() more than once")
                return t.cast(Response, inner(context))

            value = function(context, call_next)
            if calls > 1:
                raise self._error("called call_next() more than once")
            if calls == 0:
                context._ended_by = self
            if value is None or value is t.cast(t.Any, call_next):
                kind = "nothing (None)" if value is None else "call_next itself"
                where = with_line(self.source.path, function)
                fix = "Write `return call_next()`, or return another response."
                raise NotAResponseError(where, name_of(function), kind, fix)
            return to_response(context, function, value, file=self.source.path)

        return respond

    def _error(self, problem: str) -> MiddlewareError:
        where = with_line(self.source.relative, self.function)
        return MiddlewareError(where, name_of(self.function), problem)


def chain(links: t.Sequence[Link], inner: Respond) -> Respond:
    """Return *inner* wrapped by *links*, the first of them outermost."""
    for link in reversed(links):
        inner = link.around(inner)
    return inner


def headers(values: Headers) -> Middleware:
    """Return a middleware function that adds headers to all responses, errors included.

    It does not overwrite headers that the response already has, so the function closest
    to the handler wins. It is marked :func:`once_per_render`: stored responses keep the
    headers.

    :raises TypeError: if *values* is not a dict or a list of pairs of str.
    :raises ValueError: if a name or a value cannot be sent.
    """
    pairs: list[t.Any]
    pairs = list(values.items()) if isinstance(values, t.Mapping) else list(values)
    for pair in pairs:
        if len(pair) != 2 or not all(isinstance(text, str) for text in pair):
            raise TypeError(
                f"headers() got {pair!r:.50}. Write headers({{'X-Name': 'value'}})."
            )
        check_field(*pair)

    def add(response: t.Any) -> t.Any:
        missing = [pair for pair in pairs if pair[0] not in response.headers]
        response.headers.extend(missing)
        return response

    def headers(context: Context, call_next: CallNext) -> BaseResponse:
        return change_every_response(context, call_next, add)

    return once_per_render(headers)


def change_every_response(
    context: Context, call_next: CallNext, change: Callable[[t.Any], t.Any]
) -> BaseResponse:
    """Return the response of *call_next*, changed. An error response is changed too."""
    try:
        response = call_next()
    except BaseException as error:
        change_error_response(context, error, change)
        raise
    return t.cast(BaseResponse, change(response))


def hooks_not_run(
    app: Flask, name: str, routes: Iterable[BoundRoute]
) -> Iterator[Fault]:
    """Yield a warning for each blueprint of *app* with ``before_request`` functions and
    a URL prefix, below which the FilePages *name* has routes.

    A view that was moved from the blueprint to a file is no longer guarded by them.
    Middleware of a folder below the prefix may do so instead.
    """
    files = {f"{route.rules[0].rule}/": route for route in routes}
    for other, blueprint in app.blueprints.items():
        hooks = app.before_request_funcs.get(other)
        if not hooks or other == name:
            continue
        prefix = _prefix_of(app, other, blueprint.url_prefix or "")
        if prefix == "/":
            continue
        below = [
            route.route.name
            for rule, route in files.items()
            if rule.startswith(prefix)
            and not any(url.startswith(prefix) for url in _middleware_urls(route))
        ]
        if below:
            names = ", ".join(map(name_of, hooks))
            more = f", nor for {len(below) - 1} more" if below[1:] else ""
            problem = (
                f"the before_request functions of the blueprint {other!r}"
                f" ({names}) do not run for it{more}"
            )
            fix = f"If they guard it, write a {MIDDLEWARE_FILE} that does the same."
            yield Fault("unguarded", below[0], problem, fix)


def _middleware_urls(route: BoundRoute) -> Iterator[str]:
    """Yield the URLs of the folders whose middleware covers *route*."""
    for source in route.route.middleware:
        folder = source.relative.removesuffix(MIDDLEWARE_FILE)
        yield f"{route.site.url_prefix}/{_group_re.sub('', folder)}"


def _prefix_of(app: Flask, name: str, given: str) -> str:
    """Return the URL prefix of a blueprint, with a slash at its end.

    :param given: the prefix that it was made with. It may have been registered with
        another one.
    """
    rules = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(f"{name}.")
    ]
    if not rules or (given and all(rule.startswith(f"{given}/") for rule in rules)):
        return f"{given}/"
    folders = [posixpath.dirname(rule.partition("<")[0]) for rule in rules]
    return posixpath.commonpath(folders).rstrip("/") + "/"


# -- reading a module ---------------------------------------------------------------


def read_links(
    module: types.ModuleType, source: Source
) -> tuple[list[Link], list[Fault]]:
    """Return the middleware of *module*, outermost first, and faults.

    An endpoint may have no middleware, but no near miss of its name either: a guard
    with a typo in its name would guard nothing. A ``_middleware.py`` must have one.
    """
    names = vars(module)
    if MIDDLEWARE_NAME not in names:
        own = [name for name in names if not name.startswith("__")]
        found = {n.lower(): n for n in own if _may_be_middleware(module, n)}
        close = closest(MIDDLEWARE_NAME, found, 0.8)
        if not (close or source.is_middleware):
            return [], []
        fix = _FIX
        close = close or next((n for n in found if n in _OTHER_NAMES), None)
        if close:
            fix = f"Did you mean `{MIDDLEWARE_NAME}`, not `{found[close]}`? {_FIX}"
        return [], [_fault(source, f"the file defines no `{MIDDLEWARE_NAME}`", fix)]
    given = names[MIDDLEWARE_NAME]
    functions = list(given) if isinstance(given, (list, tuple)) else [given]
    faults = []
    if not functions and source.is_middleware:
        faults.append(_fault(source, "its middleware is an empty list"))
    for function in functions:
        wrong = _check_arguments(function)
        if wrong is not None:
            problem, fix = wrong
            faults.append(_fault(source, f"its middleware {problem}", fix))
    return [Link(function, source) for function in functions], faults


_FIX = f"Write `def {MIDDLEWARE_NAME}(context, call_next): return call_next()`."


def _fault(source: Source, problem: str, fix: str = _FIX) -> Fault:
    line = source.line_of(MIDDLEWARE_NAME)
    return Fault(MIDDLEWARE_NAME, source.relative, problem, fix, line)


def _check_arguments(function: t.Any) -> tuple[str, str] | None:
    """Return problem and fix of a middleware that cannot be called, or ``None``."""
    name = getattr(function, "__qualname__", "")
    package = str(getattr(function, "__module__", "")).rpartition(".")[0]
    if name in _FACTORIES and package == "flask_filepages.handling":
        return f"is {name} itself", f"Call it: {name}(...)."
    if is_async(function):
        return "is async", _FIX
    if first_argument(function) in ("call_next", "next"):
        return "takes the context as its second argument, not as its first", _FIX
    problem = call_problem(function, "context", "call_next")
    if problem is None:
        return None
    if hasattr(function, "__wrapped__"):
        return problem, "Let its decorator pass on all arguments: (*args, **kwargs)."
    return problem, _FIX


def _may_be_middleware(module: types.ModuleType, name: str) -> bool:
    """Return True for a collection, one of our middleware objects, or a function that
    was not just imported under its own name."""
    value = vars(module)[name]
    if inspect.isfunction(value):
        return value.__module__ == module.__name__ or value.__name__ != name
    if value is Middleware:  # Imported for an annotation.
        return False
    if isinstance(value, (types.ModuleType, type)):
        return False
    is_ours = type(value).__module__.startswith("flask_filepages.")
    return isinstance(value, Iterable) or is_ours
