"""What belongs to one page of what is read: exactly, or with all others."""

from __future__ import annotations

import sys
import typing as t
from contextvars import ContextVar

from . import digests
from . import reads
from .digests import ABSENT
from .reads import Uses

#: The template whose render is the one of the page itself, and no render within it.
_announced: ContextVar[t.Any] = ContextVar("filepages_announced", default=None)
is_own_load: ContextVar[bool] = ContextVar("filepages_is_own_load", default=False)
T = t.TypeVar("T")


def begin_page() -> Uses:
    """Return what collects the uses of the page that this context renders."""
    uses = Uses()
    reads.current_page.set(uses)
    return uses


def announce_render(template: t.Any) -> None:
    """Say that the next render of *template* is that of the page itself.

    Whatever it loads within that is the page's own, and is loaded each time; what other
    code loads, or renders, may be kept by it.
    """
    if reads.log is not None:
        _announced.set(template)


def load_own(load: t.Callable[[], T]) -> T:
    """Return what *load* gives; a template that it loads is the page's own."""
    if reads.log is None:
        return load()
    token = is_own_load.set(True)
    try:
        return load()
    finally:
        is_own_load.reset(token)


def of_render(render: t.Callable[[], str]) -> tuple[str, dict[str, str]]:
    """Return what *render* gives, and the templates that are its own."""
    uses = reads.current_page.get()
    if reads.log is None or uses is None:
        return render(), {}
    before, uses.templates = uses.templates, {}
    try:
        return render(), uses.templates
    except BaseException:
        remember_render(None, uses.templates)
        raise
    finally:
        uses.templates = before


def remember_render(response: object, templates: dict[str, str]) -> None:
    """Say that *response* was made of *templates*."""
    uses = reads.current_page.get()
    if templates and uses is not None:
        uses.rendered.append((response, templates))


def end_page(uses: Uses, response: object) -> None:
    """Say that *response* is what the page answers. Whatever else was rendered for it
    may have been kept by the app, so its templates are not this page's alone."""
    for other, templates in uses.rendered:
        if other is response:
            uses.templates.update(templates)
        else:
            for name in templates:
                _note_shared(t.cast(reads.Log, reads.log), uses, name)
    uses.rendered.clear()


def _note_shared(log: reads.Log, uses: Uses | None, template: str) -> None:
    log.note("template", template)
    if uses is not None:
        uses.others.update(log.compiled.get(template, {}))


def of_all(compute: t.Callable[[], T]) -> tuple[T, Uses]:
    """Return what *compute* gives, which is kept for all pages, and what it read."""
    uses = Uses()
    token = reads.current_page.set(uses)
    try:
        return compute(), uses
    finally:
        reads.current_page.reset(token)


def use(uses: Uses) -> None:
    """Say that the current page uses what :func:`of_all` gave with *uses*."""
    page = reads.current_page.get()
    if page is not None:
        page.files.update(uses.files)
        page.templates.update(uses.templates)
        page.others.update(uses.others)


def is_page(template: t.Any) -> bool:
    """Return whether a render that begins was announced."""
    if _announced.get() is not template:
        return False
    _announced.set(None)
    return True


def note_file(path: str, data: bytes | None) -> None:
    """Note a file that one page read, with what it held; ``None``: it is not there."""
    uses = reads.current_page.get()
    log = reads.listener()
    if log is None:
        return
    if uses is None or _is_importing(sys._getframe(1)):
        log.note("file", path)
    else:
        uses.files[path] = ABSENT if data is None else digests.of_bytes(data)


def _is_importing(frame: t.Any) -> bool:
    """Whether a module is executed, which is done once for all pages."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_back is not None:
            module = frame.f_back.f_globals.get("__name__")
            if module in ("importlib._bootstrap", "_frozen_importlib"):
                return True
        frame = frame.f_back
    return False


def note_template(environment: t.Any, name: str, *, is_own: bool) -> None:
    """Note a template that was used, or looked for in vain.

    :param is_own: whether it belongs to the current page alone.
    """
    log = reads.listener()
    if log is None:
        return
    if name not in log.templates:
        log.templates[name] = reads.template_digest(environment, name)
    uses = reads.current_page.get()
    if is_own and uses is not None:
        uses.templates[name] = log.templates[name]
        uses.others.update(log.compiled.get(name, {}))
    else:
        _note_shared(log, uses, name)
