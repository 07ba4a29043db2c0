"""Remember the failure of a request for its error page and for the log."""

from __future__ import annotations

import contextlib
import re
import traceback
import typing as t
import uuid
from collections.abc import Callable
from urllib.parse import SplitResult

from flask import Request
from flask import after_this_request
from jinja2 import TemplateNotFound
from jinja2 import UndefinedError
from werkzeug.exceptions import HTTPException

from ..cookies import Cookies
from ..functions import argument_hint
from .templates import name_hint
from .templates import similar_template

if t.TYPE_CHECKING:
    from ..context import Context

_CHANGES = "flask_filepages.changes"
_CONTEXT = "flask_filepages.failed_context"
_ID = "flask_filepages.failure_id"
_NOTE = "request id: "
_JSON_NOTE = "Flask's request.json is not a function. Write context.request.get_json()."
# Names of browsers and of Astro, and what Python calls the same.
_URL_NAMES = {
    "pathname": "context.url.path",
    "search": "context.url.query",
    "searchParams": "context.request.args",
    "hash": "context.url.fragment",
    "host": "context.url.netloc",
    "href": "context.url.geturl()",
    "origin": "context.request.host_url",
}
_REQUEST_NAMES = {
    "text": "context.request.get_data(as_text=True)",
    "formData": "context.request.form",
    "arrayBuffer": "context.request.get_data()",
    "body": "context.request.get_data()",
    "query": "context.request.args",
}
_ARGUMENTS = {
    "maxAge": "max_age",
    "httpOnly": "httponly",
    "http_only": "httponly",
    "sameSite": "samesite",
    "same_site": "samesite",
    "code": "status",
    "status_code": "status",
}
_not_called_re = re.compile(
    r"Object of type (?:coroutine|\w*function\w*|method) is not JSON"
)
_argument_re = re.compile(r"unexpected keyword argument '(\w+)'")
_undefined_re = re.compile(r"'(\w+)' is undefined")


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
    with contextlib.suppress(Exception):  # An error may refuse even str().
        note = _note_for(context, error)
        if note is not None:
            _add_note(error, note)
    if not isinstance(error, HTTPException) and _ID not in environ:
        environ[_ID] = str(uuid.uuid4())
        _add_note(error, f"{_NOTE}{environ[_ID]}")


def notes_of(error: BaseException) -> list[str]:
    """Return the notes of *error* that say what to write."""
    return [n for n in getattr(error, "__notes__", ()) if not n.startswith(_NOTE)]


def _note_for(context: Context, error: BaseException) -> str | None:
    """Return what to write instead of what Astro or Flask users often write first."""
    if isinstance(error, TypeError):
        if _calls_json(error):
            return _JSON_NOTE
        if str(error).startswith("Object of type Values is not JSON"):
            return "Write dict(context.params), or dict(context.props)."
        if _not_called_re.match(str(error)):
            return "Call it. If it is a coroutine, write `await`."
        if "SimpleNamespace' object " in str(error):
            return "Write context.locals.name = value."
        found = _argument_re.search(str(error))
        meant = _ARGUMENTS.get(found[1]) if found else None
        return f"Write {meant}=..." if meant else argument_hint(error)
    if isinstance(error, AttributeError):
        kinds: tuple[tuple[type, dict[str, str]], ...] = (
            (SplitResult, _URL_NAMES),
            (Request, _REQUEST_NAMES),
            (Cookies, {"has": "'name' in context.cookies"}),
        )
        names = next((n for kind, n in kinds if isinstance(error.obj, kind)), {})
        meant = names.get(str(error.name))
        return f"Write {meant}." if meant else None
    if isinstance(error, TemplateNotFound) and error.message == error.name:
        meant = name_hint(context, str(error.name))
        if meant:
            return f"Write context.render({meant!r})."
        source = context._route.route.source
        parent = context._route.site.template_name(source) if source else ""
        return similar_template(context.app.jinja_env, str(error.name), parent)
    if isinstance(error, UndefinedError):
        found = _undefined_re.fullmatch(error.message or "")
        if found and found[1] == "Astro":
            return "Write context in place of Astro."
        if found and found[1] in dir(context):
            return f"Write context.{found[1]}."
    return None


def _calls_json(error: TypeError) -> bool:
    """Return True if the line that raised *error* calls ``request.json()``."""
    line = traceback.extract_tb(error.__traceback__)[-1].line or ""
    return "request.json()" in line


def _add_note(error: BaseException, note: str) -> None:
    """Add *note* to *error*, in place of the note of an earlier request.

    The error may be one object that is raised again and again, or be immutable.
    """
    with contextlib.suppress(Exception):
        error.__notes__ = list(dict.fromkeys([*notes_of(error), note]))


def failed_context(request: Request) -> Context | None:
    """Return the context of the handler that failed, or ``None`` if it has none."""
    return t.cast("Context | None", request.environ.get(_CONTEXT))


def failure_id(request: Request) -> str | None:
    """Return the UUID under which the failure was logged (RFC 9562), or ``None``."""
    return t.cast("str | None", request.environ.get(_ID))
