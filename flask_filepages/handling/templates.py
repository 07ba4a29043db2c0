"""Render pages: templates of the pages folder, and renderers by suffix."""

from __future__ import annotations

import os
import posixpath
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import replace

from flask import render_template
from jinja2 import BaseLoader
from jinja2 import FileSystemLoader
from jinja2 import TemplateError
from jinja2 import TemplateNotFound
from jinja2 import TemplateSyntaxError
from jinja2 import meta
from jinja2 import nodes

from ..errors import Fault

if t.TYPE_CHECKING:
    from flask import Flask
    from jinja2 import Environment

    from ..context import Context

#: Returns the HTML of a page: ``(context, template name, data) -> str``.
Renderer = Callable[["Context", str, dict[str, t.Any]], str]


# Suffixes of templates that are not pages.
_TEXTS = (".txt", ".xml")


class PagesLoader(BaseLoader):
    """Loads ``<name>:/about.html`` from the pages folder of the FilePages *name*.

    Because of the prefix, a template of the app can never replace a page. Only
    templates are loaded, never the source of an endpoint.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        app = getattr(environment, "app", None)
        sites = app.extensions.get("filepages", {}) if app is not None else {}
        name, separator, relative = template.partition(":/")
        if name != self._name or not separator or name not in sites:
            raise TemplateNotFound(template)
        if not relative.endswith((*sites[name].renderers, *_TEXTS)):
            raise TemplateNotFound(template)
        folder = sites[name].folder
        found = FileSystemLoader(folder).get_source(environment, relative)
        if not os.path.realpath(found[1]).startswith(folder + os.sep):
            raise TemplateNotFound(template)
        return found

    def list_templates(self) -> list[str]:
        return []


def template_fault(
    app: Flask, template: str, file: str, seen: set[str] | None = None
) -> Fault | None:
    """Return a fault if the Jinja template *template*, in *file*, or one that it uses
    does not exist or does not compile."""
    environment = _autoescaping(app.jinja_env)
    seen = set() if seen is None else seen
    seen.add(template)
    try:
        text, _, _ = t.cast(t.Any, environment.loader).get_source(environment, template)
        environment.get_template(template)
        used = meta.find_referenced_templates(environment.parse(text))
    except TemplateSyntaxError as error:
        problem = f"TemplateSyntaxError: {error.message}"
        fix = "Fix the syntax error on this line."
        return Fault("template", file, problem, fix, error.lineno)
    except UnicodeDecodeError as error:
        return encoding_fault(file, error)
    except TemplateNotFound as error:
        problem = f"the template {error.name!r} does not exist"
        fix = "Check the name. Write './name.html' for a file next to this one."
        return Fault("template", file, problem, fix)
    for name in used:
        if name is None:  # It is computed.
            continue
        try:
            joined = environment.join_path(name, template)
        except TemplateNotFound as error:
            fix = f"For a template of the app write {os.path.basename(name)!r}."
            return Fault("template", file, str(error), fix)
        if joined in seen:
            continue
        _, is_page, relative = joined.partition(":/")
        fault = template_fault(app, joined, relative if is_page else joined, seen)
        if fault is not None:
            # Report a missing template where it is used.
            is_missing = fault.problem.endswith("does not exist")
            return replace(fault, file=file) if is_missing else fault
    return None


def state_warning(app: Flask, template: str, file: str) -> Fault | None:
    """Return a warning if the page *template*, in *file*, or a template that it uses
    shows what is of one visitor. A stored page would show the same to everybody."""
    environment = _autoescaping(app.jinja_env)
    waiting, seen = [template], {template}
    while waiting:
        name = waiting.pop()
        try:
            text, _, _ = t.cast(t.Any, environment.loader).get_source(environment, name)
            tree = environment.parse(text)
        except (TemplateError, UnicodeDecodeError):
            continue  # Another check reports it.
        for what, line in _state_in(tree):
            shown = name.partition(":/")[2] or name
            problem = f"its template reads {what} ({shown}:{line})"
            fix = (
                "A build stores what a visitor without a session sees. Write"
                " `prerender = False`, or show it by a script in the browser."
            )
            return Fault("state", file, problem, fix)
        for used in meta.find_referenced_templates(tree):
            joined = environment.join_path(used, name) if used else name
            if joined not in seen:
                seen.add(joined)
                waiting.append(joined)
    return None


def _state_in(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """Yield what a template reads of the visitor, and in which line."""
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name in ("session", "current_user"):
            yield name.name, name.lineno
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name):
            what = f"{node.node.name}.{node.attr}"
            if what in ("request.cookies", "context.cookies", "context.session"):
                yield what, node.lineno


def encoding_fault(file: str, error: UnicodeDecodeError) -> Fault:
    """Return a fault for a page that is not UTF-8."""
    problem = f"it is not UTF-8: byte {error.start} is {error.object[error.start]:#x}"
    return Fault("template", file, problem, "Save it as UTF-8.")


def render_jinja(context: Context, template: str, data: dict[str, t.Any]) -> str:
    """Render a Jinja template with *data* and ``context``, and return its text.

    Everything is autoescaped, whatever its suffix, except ``.txt`` templates of the
    app.
    """
    environment: Environment = context.app.jinja_env
    if not template.endswith(".txt") or ":/" in template:
        environment = _autoescaping(environment)
    try:
        source = environment.get_template(template)
        return render_template(source, **{**data, "context": context})
    except TemplateNotFound as error:
        hint = _hint(context, str(error.name or ""))
        if hint is None:
            raise
        message = f"{error.name} is not a template of the app. Write {hint!r}."
        raise TemplateNotFound(error.name, message) from error


t.cast(t.Any, render_jinja).check = template_fault


def _hint(context: Context, name: str) -> str | None:
    """Return the name of a template of the pages folder, if *name* lies there."""
    site, source = context._route.site, context._route.route.source
    if ":/" in name or source is None:
        return None
    below = os.path.dirname(source.relative)
    if os.path.isfile(os.path.join(site.folder, below, name)):
        return f"./{name}"
    if os.path.isfile(os.path.join(site.folder, name)):
        return f"{site.name}:/{name}"
    return None


def join_name(name: str, parent: str) -> str:
    """Return the full name of a template that *parent* names.

    In a template of the pages folder, ``./`` and ``../`` are relative to its file.

    :raises jinja2.TemplateNotFound: the name leads out of the pages folder.
    """
    prefix, is_page, relative = parent.partition(":/")
    if not is_page or not name.startswith(("./", "../")):
        return name
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(relative), name))
    if joined.startswith("../"):
        raise TemplateNotFound(name, f"{name} leads out of the pages folder")
    return f"{prefix}:/{joined}"


def _autoescaping(environment: Environment) -> Environment:
    """Return an overlay of the app's environment that escapes layouts and includes too.

    It shares filters, globals and the loader.
    """
    overlay: Environment | None = getattr(environment, "filepages_escaping", None)
    if overlay is None:
        overlay = environment.overlay(autoescape=True)
        # Only in this overlay, which is ours: the app's templates keep their names.
        t.cast(t.Any, overlay).join_path = join_name
        environment.extend(filepages_escaping=overlay)
    overlay.auto_reload = environment.auto_reload
    overlay.undefined = environment.undefined
    overlay.loader = environment.loader
    return overlay


RENDERERS: t.Mapping[str, Renderer] = {".html": render_jinja}
