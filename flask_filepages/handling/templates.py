"""Render pages: templates of the pages folder, and renderers by suffix."""

from __future__ import annotations

import contextlib
import os
import posixpath
import typing as t
from collections.abc import Callable
from collections.abc import Iterator

from flask import render_template
from jinja2 import BaseLoader
from jinja2 import FileSystemLoader
from jinja2 import TemplateError
from jinja2 import TemplateNotFound
from jinja2 import TemplateSyntaxError
from jinja2 import meta
from jinja2 import nodes

from ..errors import Fault
from ..errors import closest

if t.TYPE_CHECKING:
    from flask import Flask
    from jinja2 import Environment

    from ..context import Context

#: Returns the HTML of a page: ``(context, template name, data) -> str``.
Renderer = Callable[["Context", str, dict[str, t.Any]], str]


# What templates show of one visitor: names, and attributes of request and context.
_STATE_NAMES = {"session", "current_user", "get_flashed_messages"}
_STATE_KEYS = ("session", "cookies", "authorization")
# Suffixes of templates that are not pages.
_TEXTS = (".txt", ".xml")


class TemplateEncodingError(TemplateSyntaxError):
    """A template of the pages folder is not UTF-8."""


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
        try:
            found = FileSystemLoader(folder).get_source(environment, relative)
        except UnicodeDecodeError as error:
            message = f"it {_encoding_problem(error)}"
            line = error.object.count(b"\n", 0, error.start) + 1
            file = os.path.join(folder, relative)
            raise TemplateEncodingError(message, line, template, file) from None
        if not os.path.realpath(found[1]).startswith(folder + os.sep):
            raise TemplateNotFound(template)
        return found

    def list_templates(self) -> list[str]:
        return []


def template_faults(
    app: Flask, template: str, file: str, seen: set[str]
) -> Iterator[Fault]:
    """Yield a fault if the Jinja template *template*, in *file*, does not compile or
    does not exist, and those of the templates that it uses.

    :param seen: templates that are skipped, as those of earlier calls.
    """
    if template in seen:
        return
    seen.add(template)
    environment = _autoescaping(app.jinja_env)
    try:
        tree = _parse(environment, template)
        environment.compile(tree, template, raw=True)  # Are its filters known?
    except TemplateSyntaxError as error:
        problem = f"TemplateSyntaxError: {error.message}"
        is_encoding = isinstance(error, TemplateEncodingError)
        fix = (
            "Save it as UTF-8." if is_encoding else "Fix the syntax error on this line."
        )
        yield Fault("template", file, problem, fix, error.lineno)
        return
    except UnicodeDecodeError as error:  # A template of the app.
        problem = f"it {_encoding_problem(error)}"
        yield Fault("template", file, problem, "Save it as UTF-8.")
        return
    for names, line in _used_templates(tree):
        try:
            joined = [environment.join_path(name, template) for name in names]
        except TemplateNotFound as error:
            fix = f"For a template of the app write {os.path.basename(names[0])!r}."
            yield Fault("template", file, str(error), fix, line)
            continue
        found = next((name for name in joined if is_template(environment, name)), None)
        if found is None:
            problem = f"the template {joined[0]!r} does not exist"
            fix = similar_template(environment, names[0], template)
            yield Fault("template", file, problem, fix, line)
        else:
            _, is_page, relative = found.partition(":/")
            yield from template_faults(app, found, relative if is_page else found, seen)


def _parse(environment: Environment, template: str) -> nodes.Template:
    text, _, _ = t.cast(t.Any, environment.loader).get_source(environment, template)
    return environment.parse(text, template)


def is_template(environment: Environment, name: str) -> bool:
    """Return True if a template of this name exists, even if it does not compile."""
    try:
        t.cast(t.Any, environment.loader).get_source(environment, name)
    except TemplateNotFound:
        return False
    except (TemplateError, UnicodeDecodeError):
        pass
    return True


def _used_templates(tree: nodes.Template) -> Iterator[tuple[list[str], int]]:
    """Yield the names that an ``include``, ``extends`` or ``import`` has, one of which
    must exist, and its line. Skip names that are computed."""
    kinds = (nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)
    for node in tree.find_all(kinds):
        if getattr(node, "ignore_missing", False):
            continue
        name = t.cast(t.Any, node).template
        parts = name.items if isinstance(name, (nodes.List, nodes.Tuple)) else [name]
        constants = [part.value for part in parts if isinstance(part, nodes.Const)]
        if constants and len(constants) == len(parts):
            names: t.Any = constants[0]
            is_list = isinstance(names, (list, tuple))
            yield list(names) if is_list else constants, node.lineno


def similar_template(environment: Environment, name: str, parent: str) -> str:
    """Return which template to write instead of *name*, in the template *parent*."""
    known: list[str] = []
    with contextlib.suppress(TypeError):  # Some loaders cannot list their templates.
        known += environment.list_templates()
    prefix, is_page, relative = parent.partition(":/")
    if is_page:
        app = t.cast(t.Any, environment).app
        folder = app.extensions["filepages"][prefix].folder
        beside = os.listdir(os.path.join(folder, os.path.dirname(relative)))
        known += [f"./{one}" for one in beside if one.endswith(".html")]
        plain = name.removeprefix(f"{prefix}:").lstrip("/")
        if plain in beside:
            return f"Did you mean './{plain}'?"
        if os.path.isfile(os.path.join(folder, plain)):
            return f"Did you mean '{prefix}:/{plain}'?"
        name = plain
    # Compare the names without folders and suffixes, which are alike.
    stems = {posixpath.basename(one).partition(".")[0].strip("_"): one for one in known}
    stem = posixpath.basename(name).partition(".")[0].strip("_")
    close = stems.get(closest(stem, stems, 0.7) or "")
    if close:
        return f"Did you mean {close!r}?"
    if is_page:
        return "Check the name. Write './name.html' for a file next to this one."
    return "Check the name."


#: What a template shows of one visitor, if anything, and the templates that it uses.
Inspected = tuple[str | None, list[str]]


def state_of_visitor(
    app: Flask, template: str, inspected: dict[str, Inspected]
) -> str | None:
    """Return what the page *template*, or a template that it uses, shows of one visitor
    and where, such as ``session (a.html:2)``, or ``None``.

    :param inspected: gets each template, so that a layout is read once for all pages.
    """
    names = [template]
    for name in names:  # The loop extends the list.
        if name not in inspected:
            inspected[name] = _inspect(_autoescaping(app.jinja_env), name)
        shown, used = inspected[name]
        if shown is not None:
            return shown
        names += [other for other in used if other not in names]
    return None


def _inspect(environment: Environment, name: str) -> Inspected:
    try:
        tree = _parse(environment, name)
        used = [one for one in meta.find_referenced_templates(tree) if one]
        joined = [environment.join_path(one, name) for one in used]
    except (TemplateError, UnicodeDecodeError):
        return None, []  # Another check reports it.
    for what, line in _state_in(tree):
        return f"{what} ({name.partition(':/')[2] or name}:{line})", joined
    return None, joined


def _state_in(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """Yield what a template reads of the visitor, and in which line."""
    names = list(tree.find_all(nodes.Name))
    own = {name.name for name in names if name.ctx != "load"}
    for name in names:
        if name.name in _STATE_NAMES - own:
            yield name.name, name.lineno
    for node in t.cast(t.Any, tree.find_all((nodes.Getattr, nodes.Getitem))):
        key = node.attr if isinstance(node, nodes.Getattr) else _constant(node.arg)
        base = node.node.name if isinstance(node.node, nodes.Name) else ""
        if key in _STATE_KEYS or (base, key) == ("g", "user"):
            yield f"{base}.{key}".lstrip("."), node.lineno


def _constant(node: nodes.Expr) -> t.Any:
    return node.value if isinstance(node, nodes.Const) else None


def _encoding_problem(error: UnicodeDecodeError) -> str:
    return f"is not UTF-8: byte {error.start} is {error.object[error.start]:#x}"


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
        hint = name_hint(context, str(error.name or ""))
        if hint is None:
            raise
        message = f"{error.name} is not a template of the app. Write {hint!r}."
        better = TemplateNotFound(error.name, message)
        raise better.with_traceback(error.__traceback__) from None


t.cast(t.Any, render_jinja).check = template_faults


def name_hint(context: Context, name: str) -> str | None:
    """Return the name of a template of the pages folder, if *name* lies there."""
    site, source = context._route.site, context._route.route.source
    if ":/" in name or source is None:
        return None
    name = name.removeprefix("./").lstrip("/")
    if "../" in name:
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
