"""What a failed request leaves for its error page and for the log."""

from __future__ import annotations

import contextlib
import typing as t
import uuid
from collections.abc import Callable

from flask import Request
from flask import after_this_request
from werkzeug.exceptions import HTTPException

from ..context import Context

_CHANGES = "flask_filepages.changes"
_CONTEXT = "flask_filepages.failed_context"
_NOTE = "request id: "
_ID = "flask_filepages.failure_id"


def change_answer_to(
    context: Context, error: BaseException, change: Callable[[t.Any], t.Any]
) -> None:
    """Let *change* be made to the answer to *error*, if nobody catches it.

    A rewrite may be tried and its failure be caught: then the answer is another one.
    """
    environ = context.request.environ
    environ.setdefault(_CHANGES, []).append((error, change))


def remember(context: Context, error: BaseException) -> None:
    """Keep *context* for the error page; give *error* an id that the log will show.

    Flask logs the traceback, once; a note of the exception is part of it.
    """
    environ = context.request.environ
    environ.setdefault(_CONTEXT, context)
    for failed, change in environ.pop(_CHANGES, ()):
        if failed is error:
            after_this_request(change)
    if not isinstance(error, HTTPException) and _ID not in environ:
        environ[_ID] = str(uuid.uuid4())
        _note(error, f"{_NOTE}{environ[_ID]}")


def _note(error: BaseException, note: str) -> None:
    """Give *error* a note, in place of one of an earlier request: it may be an object
    that is raised again and again, or one that cannot be changed."""
    others = [n for n in getattr(error, "__notes__", ()) if not n.startswith(_NOTE)]
    with contextlib.suppress(Exception):
        error.__notes__ = [*others, note]


def failed_context(request: Request) -> Context | None:
    """Return the context of the handler that failed, if one was made."""
    return t.cast("Context | None", request.environ.get(_CONTEXT))


def failure_id(request: Request) -> str | None:
    """Return the id under which the failure was logged (RFC 4122, a UUID)."""
    return t.cast("str | None", request.environ.get(_ID))
