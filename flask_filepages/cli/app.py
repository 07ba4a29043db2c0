"""Load the app of a ``flask filepages`` command, print, and handle signals."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import signal
import sys
import threading
import traceback
import typing as t
from collections.abc import Callable
from collections.abc import Iterator

import click

if t.TYPE_CHECKING:
    from flask import Flask

    from ..site import Site


def load_app(ctx: click.Context) -> Flask:
    """Return the app that ``flask --app`` names.

    :raises click.ClickException: a setting or a file name is wrong.
    """
    from flask.cli import ScriptInfo

    from ..errors import FilePagesError

    try:
        return ctx.ensure_object(ScriptInfo).load_app()
    except FilePagesError as error:
        raise click.ClickException(str(error)) from error


def load_sites(app: Flask) -> list[Site]:
    """Return the sites of *app*.

    :raises click.ClickException: the app has no FilePages.
    """
    from ..site import sites_of

    found = list(sites_of(app).values())
    if not found:
        raise click.ClickException(
            "This app has no FilePages. Add `FilePages(app)` where the app is created."
        )
    return found


def not_empty(ctx: click.Context, param: click.Parameter, value: t.Any) -> t.Any:
    """Refuse an empty name of a folder."""
    if value == "":
        raise click.BadParameter("The folder name is empty.")
    return value


def to_json(value: t.Any) -> str:
    """Return *value* as JSON that every terminal can show."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    is_plain = text.replace("\n", "").isprintable() and _can_print(text)
    return text if is_plain else json.dumps(value, indent=2)


def fail_as_json(ctx: click.Context, error: Exception) -> t.NoReturn:
    """Print *error* as JSON, its traceback on stderr if no command expects it, and
    exit."""
    if isinstance(error, click.ClickException):
        told = failure_of(error.__cause__ or error, error.format_message())
        click.echo(to_json(told))
        ctx.exit(error.exit_code)
    traceback.print_exception(error)
    message = f"{type(error).__name__}: {error}".removesuffix(": ")
    click.echo(to_json(failure_of(error, message)))
    ctx.exit(1)


def failure_of(error: BaseException, message: str) -> dict[str, t.Any]:
    """Return an error for a program: its first line, and its faults."""
    faults = [dataclasses.asdict(fault) for fault in getattr(error, "faults", ())]
    return {
        "error": message.partition("\n")[0] if faults else message,
        "faults": faults,
    }


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def replace_unprintable() -> None:
    """Let output replace characters that the encoding of the terminal lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


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
