"""Development helpers: error pages and content type checks."""

from __future__ import annotations

import functools
import mimetypes
import os
import time
import typing as t

import click
from flask import Flask
from flask import Response
from flask.cli import ScriptInfo
from werkzeug.wrappers import Response as BaseResponse

from ..context import Context
from .handlers import Handler


def is_reloader_child() -> bool:
    """Return True in the process that Werkzeug's reloader starts again and again.

    Its own child processes inherit its environment, so they see another id in it.
    """
    pid = str(os.getpid())
    return (
        os.environ.get("WERKZEUG_RUN_MAIN") == "true"
        and os.environ.setdefault("FLASK_FILEPAGES_PID", pid) == pid
    )


def is_other_command() -> bool:
    """Return True in a ``flask`` command that serves no requests, such as ``flask
    filepages build``."""
    command = click.get_current_context(silent=True)
    if command is None or command.find_object(ScriptInfo) is None:
        return False
    return command.info_name not in ("run", "preview")


def build_time(folder: str) -> str:
    """Return the local time at which a release was built, up to the minute."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(os.path.getmtime(folder)))


@functools.cache
def announce_release(folder: str) -> None:
    """Print once which stored responses ``flask run`` serves, and when they were
    built."""
    if os.environ.get("FLASK_RUN_FROM_CLI") != "true":
        return
    print(
        f" * Serving the stored responses of {folder}, built {build_time(folder)}."
        " Build again to see changes, or use --debug.",
        flush=True,
    )


def failure_page() -> Response:
    """Return a page for a file that could not be loaded. Only the log says why."""
    text = "A file of this page cannot be loaded. The log says why.\n"
    headers = [("Cache-Control", "no-store")]
    return Response(text, 500, headers, mimetype="text/plain")


def with_type_check(app: Flask, handler: Handler, url: str, file: str) -> Handler:
    """Return *handler* with a warning for responses with an unlikely content type."""
    expected = mimetypes.guess_type(url)[0]

    @functools.wraps(handler)
    def checked(context: Context) -> t.Any:
        response = handler(context)
        if isinstance(response, BaseResponse) and response.status_code == 200:
            problem = _type_problem(response, expected)
            if problem:
                app.logger.warning("%s: %s", file, problem)
        return response

    return checked


def _type_problem(response: BaseResponse, expected: str | None) -> str | None:
    sent = response.mimetype
    if expected and sent and not _same_type(sent, expected):
        return f"the URL looks like {expected}, but the response is {sent}"
    is_whole = not (response.is_streamed or response.direct_passthrough)
    if sent == "text/html" and is_whole:
        start = response.get_data()[:200].lstrip()[:1]
        if start in (b"{", b"["):
            return "the response looks like JSON, but is sent as text/html"
    return None


def _same_type(sent: str, expected: str) -> bool:
    """Return True for equivalent types: ``application/rss+xml`` is ``text/xml`` too."""
    one, other = (kind.rpartition("/")[2] for kind in (sent, expected))
    one, other = (kind.rpartition("+")[2].removeprefix("x-") for kind in (one, other))
    return one == other
