"""Remember the failure of a request for its error page and for the log."""

from __future__ import annotations

import contextlib
import traceback
import typing as t
import uuid
from collections.abc import Callable

from flask import Request
from flask import after_this_request
from werkzeug.exceptions import HTTPException

from ..context import Context

_CHANGES = "flask_filepages.changes"
_CONTEXT = "flask_filepages.failed_context"
_ID = "flask_filepages.failure_id"
_NOTE = "request id: "
_JSON_NOTE = "Flask's request.json is not a function. Write context.request.get_json()."


def change_error_response(
    context: Context, error: BaseException, change: Callable[[t.Any], t.Any]
) -> None:
    """Apply *change* to the response for *error*, unless middleware catches the error.

    Middleware may try a rewrite and catch its failure. The response is then not for
    *error*.
    """
    environ = context.request.environ
    environ.setdefault(_CHANGES, []).append((error, change))


def remember_failure(context: Context, error: BaseException) -> None:
    """Keep *context* for the error page, and give *error* an id for the log.

    Flask logs the traceback once, and the notes of an exception are part of it.
    """
    environ = context.request.environ
    environ.setdefault(_CONTEXT, context)
    for failed, change in environ.pop(_CHANGES, ()):
        if failed is error:
            after_this_request(change)
    if isinstance(error, TypeError) and _calls_json(error):
        _add_note(error, _JSON_NOTE)
    if not isinstance(error, HTTPException) and _ID not in environ:
        environ[_ID] = str(uuid.uuid4())
        _add_note(error, f"{_NOTE}{environ[_ID]}")


def _calls_json(error: TypeError) -> bool:
    """Return True if the line that raised *error* calls ``request.json()``."""
    line = traceback.extract_tb(error.__traceback__)[-1].line or ""
    return "request.json()" in line


def _add_note(error: BaseException, note: str) -> None:
    """Add *note* to *error*, in place of the note of an earlier request.

    The error may be one object that is raised again and again, or be immutable.
    """
    others = [n for n in getattr(error, "__notes__", ()) if not n.startswith(_NOTE)]
    with contextlib.suppress(Exception):
        error.__notes__ = list(dict.fromkeys([*others, note]))


def failed_context(request: Request) -> Context | None:
    """Return the context of the handler that failed, or ``None`` if it has none."""
    return t.cast("Context | None", request.environ.get(_CONTEXT))


def failure_id(request: Request) -> str | None:
    """Return the UUID under which the failure was logged (RFC 9562), or ``None``."""
    return t.cast("str | None", request.environ.get(_ID))
