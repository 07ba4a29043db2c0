"""Functions around a handler: ``(context, call_next) -> Response``."""

from __future__ import annotations

import difflib
import inspect
import types
import typing as t
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Response
from werkzeug.wrappers import Response as BaseResponse

from ..context import Context
from ..context import Headers
from ..errors import Fault
from ..errors import MiddlewareError
from ..functions import is_async
from ..functions import unfit
from ..routing.files import Source
from .failures import change_answer_to
from .responses import Respond
from .responses import name_of
from .responses import place_of

#: Gives the answer of what is inside: the next middleware, at last the handler.
CallNext = Callable[[], Response]
Middleware = Callable[[Context, CallNext], BaseResponse]
M = t.TypeVar("M", bound=Middleware)
#: Gives a response, whatever came back from the handler inside.
Answer = Callable[[Context], BaseResponse]

NAME = "middleware"
_PACKAGE = "flask_filepages"
_MAKERS = {"cors": f"{_PACKAGE}.handling.origins", "headers": __name__}
_ONCE = "_filepages_once_per_render"


def once_per_render(middleware: M) -> M:
    """Mark a middleware that runs when an answer is made, not when it is sent.

    A middleware runs for every answer that is sent, over stored ones too; a guard must.
    One that changes bodies, or fills ``context.locals`` for templates, wants this mark:
    it runs for a request, in a build and when a cache is filled, and not over an answer
    that is stored.

    :raises TypeError: *middleware* cannot be called.
    """
    if not callable(middleware):
        raise TypeError(
            f"@once_per_render marks a middleware, not {type(middleware).__name__};"
            " mark each of a list."
        )
    try:
        setattr(middleware, _ONCE, True)
    except AttributeError:
        raise TypeError(
            "@once_per_render cannot mark a method; call it in a function of its own."
        ) from None
    return middleware


@dataclass(frozen=True, slots=True)
class Link:
    """One middleware of a chain, and the file it is of."""

    function: Middleware
    file: str
    respond: Respond

    @property
    def name(self) -> str:
        return f"{self.file}:{name_of(self.function)}"

    @property
    def is_once_per_render(self) -> bool:
        return bool(getattr(self.function, _ONCE, False))

    def around(self, inner: Answer) -> Answer:
        """Return what answers with this middleware around *inner*.

        It fails closed: a second ``call_next()`` is an error even where it is caught,
        and whatever is no response never becomes the inner answer.
        """
        function, respond = self.function, self.respond

        def answer(context: Context) -> BaseResponse:
            calls = 0

            def call_next(*args: t.Any) -> Response:
                nonlocal calls
                calls += 1
                if args:
                    raise self._misused("gave call_next() an argument; it takes none")
                if calls > 1:
                    raise self._called_twice()
                return t.cast(Response, inner(context))

            value = function(context, call_next)
            if calls > 1:
                raise self._called_twice()
            return respond(context, function, value)

        return answer

    def _called_twice(self) -> MiddlewareError:
        return self._misused("called call_next() more than once; keep its answer")

    def _misused(self, problem: str) -> MiddlewareError:
        where = place_of(self.file, self.function)
        return MiddlewareError(where, name_of(self.function), problem)


def bind(
    links: t.Sequence[Link], handler: Callable[..., t.Any], respond: Respond
) -> Answer:
    """Return what answers with *links* around *handler*, the first outermost."""

    def inner(context: Context) -> BaseResponse:
        return respond(context, handler, handler(context))

    answer: Answer = inner
    for link in reversed(links):
        answer = link.around(answer)
    return answer


def headers(values: Headers) -> Middleware:
    """Return a middleware that adds header fields to all answers, errors too.

    A field that the answer has already is left alone, so the one nearest to the
    handler counts.
    """
    pairs = list(values.items()) if isinstance(values, t.Mapping) else list(values)

    def add(response: t.Any) -> t.Any:
        missing = [pair for pair in pairs if pair[0] not in response.headers]
        response.headers.extend(missing)
        return response

    def headers(context: Context, call_next: CallNext) -> BaseResponse:
        return on_every_answer(context, call_next, add)

    return headers


def on_every_answer(
    context: Context, call_next: CallNext, change: Callable[[t.Any], t.Any]
) -> BaseResponse:
    """Return the inner answer changed by *change*, as is that to an error, if it gets
    to the visitor."""
    try:
        response = call_next()
    except BaseException as error:
        change_answer_to(context, error, change)
        raise
    return t.cast(BaseResponse, change(response))


# -- reading a module ---------------------------------------------------------------


def read_links(
    module: types.ModuleType, source: Source, respond: Respond
) -> tuple[list[Link], list[Fault]]:
    """Return the middleware of *module*, outermost first, and what is wrong with it.

    An endpoint may have none, but no name that looks like it: a guard that is not read
    guards nothing. A ``_middleware.py`` must have one.
    """
    names = vars(module)
    if NAME not in names:
        found = {n.lower(): n for n in names if _is_meant(module, n)}
        close = difflib.get_close_matches(NAME, found, n=1, cutoff=0.8)
        if not (close or source.is_middleware):
            return [], []
        hint = f"Did you mean `{NAME}`, not `{found[close[0]]}`? " if close else ""
        return [], [_fault(source, "it has no middleware", hint)]
    given = names[NAME]
    chain = list(given) if isinstance(given, (list, tuple)) else [given]
    faults = []
    if not chain and source.is_middleware:
        faults.append(_fault(source, "its middleware is empty"))
    for function in chain:
        problem = "is async" if is_async(function) else _uncalled(function)
        problem = problem or unfit(function, "context", "call_next")
        if problem is not None:
            faults.append(_fault(source, f"its middleware {problem}"))
    links = [Link(function, source.relative, respond) for function in chain]
    return links, faults


def _fault(source: Source, problem: str, hint: str = "") -> Fault:
    fix = f"{hint}Write `def {NAME}(context, call_next): return call_next()`."
    return Fault(NAME, source.relative, problem, fix, source.line_of(NAME))


def _uncalled(function: t.Any) -> str | None:
    """Return what is wrong with a maker of middleware that was not called."""
    name = getattr(function, "__qualname__", "")
    if name not in _MAKERS or _MAKERS[name] != getattr(function, "__module__", None):
        return None
    return f"is {name} itself; call it: {name}(...)"


def _is_meant(module: types.ModuleType, name: str) -> bool:
    """Whether what *name* stands for could be meant as middleware: a collection, or a
    function that was not just imported under its own name."""
    value = vars(module)[name]
    if inspect.isfunction(value):
        return value.__module__ == module.__name__ or value.__name__ != name
    if isinstance(value, (types.ModuleType, type)):
        return False
    own = type(value).__module__.startswith(f"{_PACKAGE}.")
    return isinstance(value, Iterable) or own
