"""The exceptions of this package.

::

    FilePagesError
    ├── TreeError               all errors of a pages folder at once
    │   ├── LoadError           all files that could not be imported
    │   └── BuildError          all paths that could not be stored
    ├── ReleaseError            the build folder cannot be written or read
    ├── SettingsError           a FILEPAGES_* setting is wrong
    ├── PatternError            a file name that is not a valid route
    ├── StaticPathError         an entry of get_static_paths that is not a path
    ├── ParamError              a value that cannot appear in a URL
    ├── NotAResponseError       a handler did not return a response
    ├── MiddlewareError         a middleware misused call_next()
    ├── ResponseMismatchError   a response does not match its @responds
    ├── BodyAlreadyReadError    the stream of the request was consumed before
    ├── CookieError             a cookie that browsers would misread
    ├── UnsafeRedirectError     a redirect that would leave the site (400)
    ├── RewriteLoopError        too many rewrites in one request (508)
    └── InvalidContentError     content that a schema rejects (400, or 422)

Each exception keeps its data as attributes and builds its text from them.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import UnprocessableEntity

from . import problems

_MOST_SIMILAR = 5
#: The ids of all faults, which docs/reference/checks.rst explains.
FAULT_IDS = (
    *("async", "collision", "context", "cross-origin", "csrf", "file", "handler"),
    *("ignored", "import", "link", "middleware", "name", "near-miss", "no-handler"),
    *("param", "prerender", "render", "request", "slash", "state", "static-paths"),
    *("syntax", "template", "unguarded", "unreachable", "worker"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One error in one file: where it is, what is wrong, and how to fix it.

    :attr:`id` is one of :data:`FAULT_IDS`. :attr:`line` is ``None`` if the fault is in
    the name of a file, or in the file as a whole. :attr:`chain` says how an error came
    about, a line for each place.
    """

    id: str
    file: str
    problem: str
    fix: str
    line: int | None = None
    chain: tuple[str, ...] = ()

    def __str__(self) -> str:
        file = _printable(self.file)
        where = file if self.line is None else f"{file}:{self.line}"
        return f"{where}: {_printable(self.problem)}\n    {_printable(self.fix)}"


def _printable(text: str) -> str:
    """Escape everything in *text* that could control a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def closest(name: str, known: t.Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the word of *known* that is closest to *name*, or ``None``.

    :param cutoff: the minimum similarity, from 0 (any word) to 1 (the same word).
    """
    import difflib  # Imported here, because it is rarely needed.

    found = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return found[0] if found else None


class FilePagesError(Exception):
    """The base of all exceptions of this package."""


class TreeError(FilePagesError):
    """The pages folder cannot be served; :attr:`faults` has every reason."""

    headline: t.ClassVar[str] = "cannot be turned into routes"

    def __init__(self, folder: str, faults: t.Sequence[Fault]) -> None:
        self.folder = folder
        self.faults = tuple(faults)
        super().__init__(folder, self.faults)

    def __str__(self) -> str:
        count = len(self.faults)
        noun = "error" if count == 1 else "errors"
        lines = [f"{self.folder} {self.headline}: {count} {noun}"]
        lines += [f"  {fault}".replace("\n", "\n  ") for fault in self._listed()]
        return "\n".join(lines)

    def _listed(self) -> t.Iterable[Fault | str]:
        return self.faults


class LoadError(TreeError):
    """Files of the pages folder could not be imported, or define no handler."""

    headline = "cannot be loaded"


class BuildError(TreeError):
    """Routes or paths cannot be stored, and nothing was published.

    Where many paths of a file fail in the same way, the text lists the first few.
    """

    headline = "cannot be built"

    def _listed(self) -> t.Iterable[Fault | str]:
        similar: dict[tuple[str, str, str], list[Fault]] = {}
        for fault in self.faults:
            similar.setdefault((fault.id, fault.file, fault.fix), []).append(fault)
        for (_, file, _), faults in similar.items():
            yield from faults[:_MOST_SIMILAR]
            if len(faults) > _MOST_SIMILAR:
                yield f"{file}: and {len(faults) - _MOST_SIMILAR:,} more like these"


class ReleaseError(FilePagesError, RuntimeError):
    """A release or its build folder cannot be used: it is damaged, belongs to something
    else, or another build is using it."""


class SettingsError(FilePagesError, ValueError):
    """A ``FILEPAGES_*`` setting has an unknown name or a wrong value."""


class _FixableError(FilePagesError, ValueError):
    def __init__(self, problem: str, fix: str) -> None:
        self.problem = problem
        self.fix = fix
        super().__init__(problem, fix)

    def __str__(self) -> str:
        return f"{self.problem}. {self.fix}"


class PatternError(_FixableError):
    """A file name is not a valid route; see :attr:`problem` and :attr:`fix`."""


class StaticPathError(_FixableError):
    """An entry of ``get_static_paths`` is not a path; see :attr:`problem` and
    :attr:`fix`."""


class ParamError(FilePagesError, ValueError):
    """A value that was given to ``url_for`` cannot appear in the URL of the route."""

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


class ResponseMismatchError(FilePagesError, AssertionError):
    """A response does not match its ``@responds``. Raised only in debug mode
    and in tests."""

    def __init__(self, file: str, function: str, status: int, errors: t.Any) -> None:
        self.file = file
        self.function = function
        self.status = status
        self.errors = errors
        super().__init__(file, function, status, errors)

    def __str__(self) -> str:
        return (
            f"{self.file}: the {self.status} response of {self.function}() does not"
            f" match its @responds: {self.errors}"
        )


class BodyAlreadyReadError(FilePagesError, RuntimeError):
    """The body cannot be read again, because its stream was consumed."""

    def __str__(self) -> str:
        return (
            "The body of this request was already consumed as a stream, or as a form"
            " before the handler. Read it once as a stream, or any number of times"
            " with request.get_data(), request.get_json() and request.form."
        )


class CookieError(FilePagesError, ValueError):
    """Browsers would misread the name, value, path or domain of a cookie."""


class UnsafeRedirectError(FilePagesError, BadRequest):
    """A browser would resolve the redirect target to another site.

    The response is 400; its text does not repeat the target.
    """

    description = "The redirect target is not an address of this site."

    def __init__(self, target: str, reason: str, fix: str = "") -> None:
        self.target = target
        self.reason = reason
        self.fix = fix
        Exception.__init__(self, target, reason, fix)
        self.response = None

    def __str__(self) -> str:
        text = f"refused to redirect to {self.target!r}: {self.reason}. {self.fix}"
        return text.strip()


class RewriteLoopError(FilePagesError, HTTPException):
    """A request was rewritten too many times. The response is 508."""

    code = 508
    description = "This address is rewritten too many times."

    def __init__(self, trail: t.Sequence[str]) -> None:
        self.trail = tuple(trail)
        Exception.__init__(self, self.trail)
        self.response = None

    def __str__(self) -> str:
        return f"too many rewrites: {' -> '.join(self.trail)}"


class InvalidContentError(FilePagesError, HTTPException):
    """A schema rejected well-formed content. The response is 400, or
    ``FILEPAGES_INVALID_STATUS``.

    :attr:`messages` has marshmallow's messages by location, such as
    ``{"json": {"name": [...]}}``. :attr:`data` is ``{"messages": messages}``, for error
    handlers that were written for other validation libraries.
    """

    description = "The content was understood, but it is not valid."

    def __init__(self, messages: t.Mapping[str, t.Any]) -> None:
        # Not on the class: Flask looks for handlers of this class without a code.
        self.code = self.code or 400
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
            t.cast(int, self.code),
            self.name,
            detail=self.description,
            errors=problems.errors_of(self.messages),
        )


class BadContentError(InvalidContentError, BadRequest):
    """Invalid content, which error handlers for 400 also catch."""

    code = 400


class UnprocessableContentError(InvalidContentError, UnprocessableEntity):
    """Invalid content, which error handlers for 422 also catch."""

    code = 422
