"""Markdown pages: ``FilePages(app, renderers={".md": render_markdown})``.

This needs the extra ``Flask-Filepages[markdown]``. It renders CommonMark with tables
and strikethrough, and gives headings an ``id``. Front matter is YAML.
"""

from __future__ import annotations

import copy
import functools
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from jinja2 import Environment
from jinja2 import TemplateNotFound
from jinja2 import TemplateSyntaxError
from markupsafe import Markup

from .context import Context
from .errors import Fault
from .handling.templates import TemplateEncodingError
from .handling.templates import is_template
from .handling.templates import join_name
from .handling.templates import render_jinja
from .handling.templates import similar_template
from .handling.templates import template_faults

try:
    import yaml
    from markdown_it import MarkdownIt
    from mdit_py_plugins.anchors import anchors_plugin
    from mdit_py_plugins.front_matter import front_matter_plugin
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"flask_filepages.markdown needs {error.name}. Install the extra:"
        " Flask-Filepages[markdown].",
        name=error.name,
    ) from error

# Written in C, and ten times as fast. Not every platform has it.
_YamlLoader: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MOST_DOCUMENTS = 512  # in memory, by their text
_markdown = (
    MarkdownIt("commonmark")
    .enable(["table", "strikethrough"])
    .use(front_matter_plugin)
    .use(anchors_plugin, max_level=6)
)


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed Markdown text: its front matter, and its body as HTML."""

    frontmatter: dict[str, t.Any]
    content: Markup


def render_markdown(context: Context, template: str, data: dict[str, t.Any]) -> str:
    """Return the HTML of a Markdown page.

    If the front matter names a ``layout``, that template of the app is rendered with
    ``content``, ``frontmatter``, ``context`` and *data*.

    :raises jinja2.TemplateSyntaxError: the front matter is not a YAML mapping.
    """
    document, layout = _load(context.app.jinja_env, template)
    if layout is None:
        return f'<!DOCTYPE html><meta charset="utf-8">{document.content}'
    # A copy, because the document is cached and a layout may change its values.
    front = copy.deepcopy(document.frontmatter)
    values = {**data, "content": document.content, "frontmatter": front}
    return render_jinja(context, layout, values)


def _check(app: Flask, template: str, file: str, seen: set[str]) -> Iterator[Fault]:
    """Yield a fault if a Markdown page cannot be rendered."""
    try:
        _, layout = _load(app.jinja_env, template)
    except TemplateSyntaxError as error:
        is_encoding = isinstance(error, TemplateEncodingError)
        fix = "Save it as UTF-8." if is_encoding else "Fix this line."
        yield Fault("template", file, error.message or "", fix, error.lineno)
        return
    if layout:
        yield from template_faults(app, layout, layout, seen)


t.cast(t.Any, render_markdown).check = _check


def _load(environment: Environment, template: str) -> tuple[Document, str | None]:
    """Return the parsed text of a Markdown page, and the name of its layout. In the
    pages folder ``./`` is relative.

    :raises jinja2.TemplateSyntaxError: its front matter is wrong.
    """
    loader = t.cast(t.Any, environment.loader)
    text, filename, _ = loader.get_source(environment, template)
    line = text.partition("layout")[0].count("\n") + 1
    try:
        document = _read(text)
        layout = document.frontmatter.get("layout")
        if isinstance(layout, str):
            layout = join_name(layout, template)
        is_name = isinstance(layout, str) and is_template(environment, layout)
        if layout is not None and not is_name:
            fix = similar_template(environment, str(layout), template)
            message = f"its layout {layout!r} is not a template of the app. {fix}"
            raise TemplateSyntaxError(message, line)
    except TemplateNotFound as error:  # It leads out of the pages folder.
        message = f"its layout {error.message}"
        raise TemplateSyntaxError(message, line, template, filename) from None
    except TemplateSyntaxError as error:
        error.name, error.filename = template, filename
        raise
    return document, layout


@functools.lru_cache(maxsize=_MOST_DOCUMENTS)
def _read(text: str) -> Document:
    text = text.removeprefix("\ufeff")
    tokens = _markdown.parse(text)
    front: t.Any = None
    if text.startswith("---\n") and text.strip("-\n") and tokens[0].type == "hr":
        raise TemplateSyntaxError("the front matter is not closed by ---", 1)
    if tokens and tokens[0].type == "front_matter":
        front = _front_matter(tokens.pop(0).content)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return Document(front or {}, Markup(html))


def _front_matter(text: str) -> t.Any:
    try:
        try:
            front = yaml.load(text, _YamlLoader)
        except yaml.YAMLError:
            front = yaml.safe_load(text)  # Its errors name the line more exactly.
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 1
        problem = getattr(error, "problem", None) or str(error)
        message = f"the front matter is not YAML: {problem}"
        raise TemplateSyntaxError(message, line) from None
    if front is not None and not isinstance(front, dict):
        message = "the front matter is not a mapping; write `title: ...`"
        raise TemplateSyntaxError(message, 1)
    return front
