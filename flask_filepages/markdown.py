"""Markdown pages: ``FilePages(app, renderers={".md": render_markdown})``.

Needs the extra ``Flask-Filepages[markdown]``. CommonMark with tables and
strikethrough; headings get an ``id``. Front matter is YAML.
"""

from __future__ import annotations

import copy
import functools
import typing as t
from dataclasses import dataclass

import yaml
from jinja2 import Environment
from jinja2 import TemplateNotFound
from jinja2 import TemplateSyntaxError
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from . import page_reads
from . import reads
from .context import Context
from .handling.templates import render_jinja

_KEPT = 512  # documents, by their text
_markdown = (
    MarkdownIt("commonmark")
    .enable(["table", "strikethrough"])
    .use(front_matter_plugin)
    .use(anchors_plugin, max_level=6)
)


@dataclass(frozen=True, slots=True)
class Document:
    """What a Markdown text says: its front matter, and its body as HTML."""

    frontmatter: dict[str, t.Any]
    content: Markup


def render_markdown(context: Context, template: str, data: dict[str, t.Any]) -> str:
    """Return the HTML of a Markdown page.

    With a ``layout`` in its front matter it is that template of the app, which gets
    ``content``, ``frontmatter``, ``context`` and *data*.

    :raises jinja2.TemplateSyntaxError: the front matter is not a YAML mapping.
    """
    environment = context.app.jinja_env
    loader = t.cast(t.Any, environment.loader)
    with reads.paused():
        text, filename, _ = loader.get_source(environment, template)
    page_reads.note_template(environment, template, is_own=True)
    document = _read(text, template, filename)
    layout = document.frontmatter.get("layout")
    if layout is None:
        return f'<!DOCTYPE html><meta charset="utf-8">{document.content}'
    if not isinstance(layout, str) or not _is_template(environment, layout):
        raise TemplateSyntaxError(
            f"its layout, {layout!r}, is no template of the app", 1, template, filename
        )
    # A copy: the document is kept, and a layout may change what it gets.
    front = copy.deepcopy(document.frontmatter)
    values = {**data, "content": document.content, "frontmatter": front}
    return render_jinja(context, layout, values)


def _is_template(environment: Environment, name: str) -> bool:
    try:
        with reads.paused():  # the render notes it
            t.cast(t.Any, environment.loader).get_source(environment, name)
    except TemplateNotFound as error:
        return error.name != name
    return True


@functools.lru_cache(maxsize=_KEPT)
def _read(text: str, template: str, filename: str | None) -> Document:
    tokens = _markdown.parse(text)
    front: t.Any = {}
    if text.startswith("---\n") and text.strip("-\n") and tokens[0].type == "hr":
        raise TemplateSyntaxError(
            "the front matter is not closed by ---", 1, template, filename
        )
    if tokens and tokens[0].type == "front_matter":
        front = _front_matter(tokens.pop(0), template, filename)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    return Document(front, Markup(html))


def _front_matter(
    token: Token, template: str, filename: str | None
) -> dict[str, t.Any]:
    try:
        front = yaml.safe_load(token.content)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 1
        problem = getattr(error, "problem", None) or str(error)
        raise TemplateSyntaxError(
            f"the front matter is no YAML: {problem}", line, template, filename
        ) from None
    if front is not None and not isinstance(front, dict):
        raise TemplateSyntaxError(
            "the front matter is no mapping; write `title: ...`", 1, template, filename
        )
    return front or {}
