"""Pages to HTML: templates of the pages folder, and the renderers."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable

from flask import render_template
from jinja2 import BaseLoader
from jinja2 import FileSystemLoader
from jinja2 import TemplateNotFound
from jinja2 import TemplateSyntaxError

from .. import page_reads
from ..errors import Fault

if t.TYPE_CHECKING:
    from flask import Flask
    from jinja2 import Environment

    from ..context import Context
    from ..routing.routes import Route

#: Gives the HTML of a page: ``(context, template name, data) -> str``.
Renderer = Callable[["Context", str, dict[str, t.Any]], str]


class PagesLoader(BaseLoader):
    """Loads ``<name>:/about.html`` from the folder of the pages of that name.

    The prefix keeps a template of the app from standing in for a page.
    """

    def __init__(self, name: str, folder_of: Callable[[t.Any], str | None]) -> None:
        self._prefix = f"{name}:/"
        self._folder_of = folder_of

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        folder = self._folder_of(getattr(environment, "app", None))
        if folder is None or not template.startswith(self._prefix):
            raise TemplateNotFound(template)
        name = template.removeprefix(self._prefix)
        found = FileSystemLoader(folder).get_source(environment, name)
        if not os.path.realpath(found[1]).startswith(folder + os.sep):
            raise TemplateNotFound(template)
        return found

    def list_templates(self) -> list[str]:
        return []


def page_fault(app: Flask, name: str, relative: str) -> Fault | None:
    """Return why a Jinja page does not compile, if it does not."""
    if not relative.endswith(".html"):
        return None
    try:
        app.jinja_env.get_template(f"{name}:/{relative}")
    except TemplateSyntaxError as error:
        problem = f"TemplateSyntaxError: {error.message}"
        return Fault("template", relative, problem, "Mend the line.", error.lineno)
    return None


def render_jinja(context: Context, template: str, data: dict[str, t.Any]) -> str:
    """Return the Jinja template rendered with *data* and ``context``, autoescaped.

    Flask looks at the suffix; here only a text file of the app's goes without.
    """
    environment: Environment = context.app.jinja_env
    if not template.endswith(".txt") or ":/" in template:
        environment = _escaping(environment)
    source = page_reads.load_own(lambda: environment.get_template(template))
    page_reads.announce_render(source)
    return render_template(source, **{**data, "context": context})


def _escaping(environment: Environment) -> Environment:
    """Return the app's environment with autoescape for whatever suffix, for parts and
    layouts, too. It shares filters, globals and the loader."""
    made: Environment | None = getattr(environment, "filepages_escaping", None)
    if made is None:
        made = environment.overlay(autoescape=True)
        environment.extend(filepages_escaping=made)
    made.auto_reload = environment.auto_reload
    made.undefined = environment.undefined
    made.loader = environment.loader
    return made


def make_render(
    name: str, route: Route, renderers: t.Mapping[str, Renderer]
) -> Callable[[Context, str | None, dict[str, t.Any]], str]:
    """Return what ``context.render`` of *route* calls: with its page by default."""

    def render(context: Context, template: str | None, data: dict[str, t.Any]) -> str:
        if template is None:
            if route.page is None:
                raise FileNotFoundError(
                    f"{route.name} has no page of its name beside it. Make one, or"
                    " name a template: context.render('some.html')."
                )
            template = f"{name}:/{route.page.relative}"
        suffix = os.path.splitext(template)[1]
        return renderers.get(suffix, render_jinja)(context, template, data)

    return render


RENDERERS: t.Mapping[str, Renderer] = {".html": render_jinja}
