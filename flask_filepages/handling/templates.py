"""Render pages: templates of the pages folder, and renderers by suffix."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable

from flask import render_template
from jinja2 import BaseLoader
from jinja2 import FileSystemLoader
from jinja2 import TemplateNotFound
from jinja2 import TemplateSyntaxError

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


def page_fault(app: Flask, template: str, file: str) -> Fault | None:
    """Return a fault if the Jinja page *template*, in *file*, does not compile."""
    if not file.endswith(".html"):
        return None
    try:
        app.jinja_env.get_template(template)
    except TemplateSyntaxError as error:
        problem = f"TemplateSyntaxError: {error.message}"
        fix = "Fix the syntax error on this line."
        return Fault("template", file, problem, fix, error.lineno)
    return None


def render_jinja(context: Context, template: str, data: dict[str, t.Any]) -> str:
    """Render a Jinja template with *data* and ``context``, and return its text.

    Everything is autoescaped, whatever its suffix, except ``.txt`` templates of the
    app.
    """
    environment: Environment = context.app.jinja_env
    if not template.endswith(".txt") or ":/" in template:
        environment = _autoescaping(environment)
    source = environment.get_template(template)
    return render_template(source, **{**data, "context": context})


def _autoescaping(environment: Environment) -> Environment:
    """Return an overlay of the app's environment that escapes layouts and includes too.

    It shares filters, globals and the loader.
    """
    overlay: Environment | None = getattr(environment, "filepages_escaping", None)
    if overlay is None:
        overlay = environment.overlay(autoescape=True)
        environment.extend(filepages_escaping=overlay)
    overlay.auto_reload = environment.auto_reload
    overlay.undefined = environment.undefined
    overlay.loader = environment.loader
    return overlay


RENDERERS: t.Mapping[str, Renderer] = {".html": render_jinja}
