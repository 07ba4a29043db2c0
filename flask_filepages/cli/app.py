"""Load the app of a ``flask filepages`` command, print, and handle signals."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import sys
import threading
import traceback
import typing as t
from collections.abc import Callable
from collections.abc import Iterator

import click
from flask import Flask
from flask.cli import ScriptInfo

from ..errors import FilePagesError
from ..site import sites_of


def load_app(ctx: click.Context) -> Flask:
    """Return the app that ``flask --app`` names.

    :raises click.ClickException: the app has no FilePages.
    """
    app = ctx.ensure_object(ScriptInfo).load_app()
    if not sites_of(app):
        raise click.ClickException(
            "This app has no FilePages. Add `FilePages(app)` where the app is created."
        )
    return app


def not_empty(ctx: click.Context, param: click.Parameter, value: t.Any) -> t.Any:
    """Refuse an empty name of a folder."""
    if value == "":
        raise click.BadParameter("The folder name is empty.")
    return value


def counted(count: int, noun: str) -> str:
    """Return a number of things, such as ``"1 file"`` or ``"2 files"``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def to_json(value: t.Any) -> str:
    """Return *value* as JSON that every terminal can show."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    encoding = sys.stdout.encoding or "utf-8"
    shown = text.encode(encoding, "replace").decode(encoding)
    is_plain = text.replace("\n", "").isprintable() and shown == text
    return text if is_plain else json.dumps(value, indent=2)


@contextlib.contextmanager
def reporting(ctx: click.Context, *, as_json: bool) -> Iterator[None]:
    """Keep output of the app out of the output of the command, and print its errors as
    JSON if a program reads it: with a traceback on stderr if no command expects it."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
        return
    except OSError as error:
        where = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        failure: Exception = click.ClickException(where)
    except Exception as error:
        failure = error
    if not as_json:
        raise failure
    faults = [dataclasses.asdict(fault) for fault in getattr(failure, "faults", ())]
    if isinstance(failure, click.ClickException):
        message = failure.format_message()
    elif isinstance(failure, FilePagesError):
        message = str(failure).partition("\n")[0] if faults else str(failure)
    else:
        traceback.print_exception(failure)
        message = f"{type(failure).__name__}: {failure}".removesuffix(": ")
    click.echo(to_json({"error": message, "faults": faults}))
    ctx.exit(getattr(failure, "exit_code", 1))


class Terminated(KeyboardInterrupt):
    """Raised by a signal that ends the process. Pages do not catch it.

    :attr:`status` is the exit status of the command.
    """

    def __init__(self, number: int) -> None:
        self.status = 128 + number


@contextlib.contextmanager
def clean_up_on_signals() -> Iterator[Callable[[], None]]:
    """Raise :exc:`Terminated` on SIGTERM and SIGHUP, so that files are cleaned up.

    Yield a function that raises it again, because a page may have caught it.
    """
    received: list[int] = []

    def leave(number: int, frame: object) -> t.NoReturn:
        received.append(number)
        raise Terminated(number)

    def check() -> None:
        if received:
            raise Terminated(received[0])

    is_main = threading.current_thread() is threading.main_thread()
    names = [
        name for name in ("SIGTERM", "SIGHUP") if is_main and hasattr(signal, name)
    ]
    before = {name: signal.signal(getattr(signal, name), leave) for name in names}
    try:
        yield check
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
