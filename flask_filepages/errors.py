"""One family of errors.

::

    FilePagesError
    ├── TreeError               every fault of a pages folder at once
    │   ├── LoadError           every file that could not be imported
    │   └── BuildError          every path that could not be stored
    ├── ReleaseError            a build folder that cannot be written or read
    ├── SettingsError           a FILEPAGES_* setting that means nothing
    ├── PatternError            a file name that is no route
    ├── StaticPathError         an entry of get_static_paths that is no path
    ├── ParamError              a value that cannot stand in a URL
    ├── NotAResponseError       a handler returned something else
    ├── MiddlewareError         a middleware did not call call_next() once
    ├── AnswerMismatchError     an answer is not what its handler promised
    ├── BodyAlreadyReadError    the request's stream was consumed before
    ├── CookieError             a cookie no browser would take as meant
    ├── UnsafeRedirectError     a redirect that would leave the site (400)
    ├── RewriteLoopError        rewrites that lead to rewrites (508)
    └── InvalidContentError     content that a schema does not take (422)

Data are attributes; the text is built from them.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import UnprocessableEntity

from . import problems

_MOST_ALIKE = 5


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one file: where it is, what it is, how to mend it."""

    kind: str
    file: str
    problem: str
    fix: str
    line: int | None = None

    def __str__(self) -> str:
        file = _printable(self.file)
        where = file if self.line is None else f"{file}:{self.line}"
        return f"{where}: {_printable(self.problem)}\n    {_printable(self.fix)}"


def _printable(text: str) -> str:
    """Return *text*, which may hold anything, as what does nothing to a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


class FilePagesError(Exception):
    """Base of everything this package raises by itself."""


class TreeError(FilePagesError):
    """The pages folder cannot be served; :attr:`faults` holds all reasons."""

    headline: t.ClassVar[str] = "cannot be turned into routes"

    def __init__(self, folder: str, faults: t.Sequence[Fault]) -> None:
        self.folder = folder
        self.faults = tuple(faults)
        super().__init__(folder, self.faults)

    def __str__(self) -> str:
        count = len(self.faults)
        noun = "fault" if count == 1 else "faults"
        lines = [f"{self.folder} {self.headline}: {count} {noun}"]
        lines += [f"  {fault}".replace("\n", "\n  ") for fault in self._shown()]
        return "\n".join(lines)

    def _shown(self) -> t.Iterable[Fault | str]:
        return self.faults


class LoadError(TreeError):
    """Files of the pages folder that could not be imported or hold no handler."""

    headline = "cannot be loaded"


class BuildError(TreeError):
    """Routes or paths that cannot be stored; nothing was published. Its text shows the
    first paths of a file of which many fail."""

    headline = "cannot be built"

    def _shown(self) -> t.Iterable[Fault | str]:
        alike: dict[tuple[str, str, str], list[Fault]] = {}
        for fault in self.faults:
            alike.setdefault((fault.kind, fault.file, fault.fix), []).append(fault)
        for (_, file, _), faults in alike.items():
            yield from faults[:_MOST_ALIKE]
            if len(faults) > _MOST_ALIKE:
                yield f"{file}: and {len(faults) - _MOST_ALIKE:,} more like these"


class ReleaseError(FilePagesError, RuntimeError):
    """The build folder cannot be used: it is not ours, or another build is on."""


class SettingsError(FilePagesError, ValueError):
    """A ``FILEPAGES_*`` setting has a value or a name that means nothing."""


class _FixableError(FilePagesError, ValueError):
    def __init__(self, problem: str, fix: str) -> None:
        self.problem = problem
        self.fix = fix
        super().__init__(problem, fix)

    def __str__(self) -> str:
        return f"{self.problem}. {self.fix}"


class PatternError(_FixableError):
    """A file name that is no route: :attr:`problem` and :attr:`fix`."""


class StaticPathError(_FixableError):
    """What ``get_static_paths`` lists is no path: :attr:`problem` and :attr:`fix`."""


class ParamError(FilePagesError, ValueError):
    """A value given to ``url_for`` that cannot stand in the route's URL."""

    def __init__(self, route_id: str, name: str, value: object, problem: str) -> None:
        self.route_id = route_id
        self.name = name
        self.value = value
        self.problem = problem
        super().__init__(route_id, name, value, problem)

    def __str__(self) -> str:
        return (
            f"{self.value!r} cannot be [{self.name}] of {self.route_id}: {self.problem}"
        )


class NotAResponseError(FilePagesError, TypeError):
    """A handler or a middleware returned something that is not a response."""

    def __init__(self, file: str, function: str, kind: str, fix: str) -> None:
        self.file = file
        self.function = function
        self.kind = kind
        self.fix = fix
        super().__init__(file, function, kind, fix)

    def __str__(self) -> str:
        return (
            f"{self.file}: {self.function}() returned {self.kind}, not a Response."
            f" {self.fix}"
        )


class MiddlewareError(FilePagesError, RuntimeError):
    """A middleware called ``call_next()`` more than once, or with arguments."""

    def __init__(self, file: str, function: str, problem: str) -> None:
        self.file = file
        self.function = function
        self.problem = problem
        super().__init__(file, function, problem)

    def __str__(self) -> str:
        return (
            f"{self.file}: {self.function}() {self.problem}. Write"
            " `response = call_next()`, once."
        )


class AnswerMismatchError(FilePagesError, AssertionError):
    """In debug and tests: an answer is not what ``@responds`` says of it."""

    def __init__(self, file: str, function: str, status: int, errors: t.Any) -> None:
        self.file = file
        self.function = function
        self.status = status
        self.errors = errors
        super().__init__(file, function, status, errors)

    def __str__(self) -> str:
        return (
            f"{self.file}: {self.function}() answered {self.status} with something else"
            f" than its @responds says: {self.errors}"
        )


class BodyAlreadyReadError(FilePagesError, RuntimeError):
    """The stream of the request was consumed; the body cannot be read again."""

    def __str__(self) -> str:
        return (
            "The body of this request was already consumed as a stream, or as a form"
            " before the handler. Read it once as a stream, or any number of times"
            " with request.get_data(), request.get_json() and request.form."
        )


class CookieError(FilePagesError, ValueError):
    """A cookie whose name, value, path or domain would not mean what it says."""


class UnsafeRedirectError(FilePagesError, BadRequest):
    """A redirect target that a browser would resolve to another site.

    The answer is 400; the text for the client says nothing of the target.
    """

    description = "The redirect target is not an address of this site."

    def __init__(self, target: str, reason: str) -> None:
        self.target = target
        self.reason = reason
        Exception.__init__(self, target, reason)
        self.response = None

    def __str__(self) -> str:
        return (
            f"redirect to {self.target!r} refused: {self.reason}. Write"
            " context.redirect(target, external=True) if the address is yours."
        )


class RewriteLoopError(FilePagesError, HTTPException):
    """A rewrite led to a rewrite, too many times. The answer is 508."""

    code = 508
    description = "The rewrites of this address lead nowhere."

    def __init__(self, trail: t.Sequence[str]) -> None:
        self.trail = tuple(trail)
        Exception.__init__(self, self.trail)
        self.response = None

    def __str__(self) -> str:
        return f"too many rewrites: {' -> '.join(self.trail)}"


class InvalidContentError(FilePagesError, UnprocessableEntity):
    """Content that is well-formed, and that its schema does not take. It is 422.

    :attr:`messages` are marshmallow's, by location: ``{"json": {"name": [...]}}``;
    :attr:`data` holds them as webargs does, for error handlers written for that.
    """

    description = "The content was understood, and is not valid."

    def __init__(self, messages: t.Mapping[str, t.Any]) -> None:
        self.messages = dict(messages)
        self.data = {"messages": self.messages}
        Exception.__init__(self, self.messages)
        self.response = None

    def __str__(self) -> str:
        return f"invalid content: {self.messages}"

    def get_headers(self, *args: t.Any, **kwargs: t.Any) -> list[tuple[str, str]]:
        """Return the headers of the problem document (RFC 9457)."""
        return [("Content-Type", problems.MIMETYPE), ("Cache-Control", "no-store")]

    def get_body(self, *args: t.Any, **kwargs: t.Any) -> str:
        """Return the problem document (RFC 9457), with all errors."""
        return problems.document(
            422,
            self.name,
            detail=self.description,
            errors=problems.errors_of(self.messages),
        )
