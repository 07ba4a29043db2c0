"""Markdown and source code as HTML."""

from __future__ import annotations

import functools
import re

from markdown_it import MarkdownIt
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound


@functools.lru_cache(maxsize=256)
def highlighted(code: str, language: str) -> Markup:
    """Return *code* as HTML, with a class for each kind of token."""
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    return Markup(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def _code_block(code: str, language: str, _: str) -> str:
    # A block that scrolls sideways must be reachable with the keyboard.
    return (
        '<pre class="code" tabindex="0"><code>'
        f"{highlighted(code, language or 'text')}</code></pre>"
    )


# Anybody can send a post to the API, so HTML in a text is not HTML here.
_markdown = MarkdownIt("commonmark", {"html": False, "highlight": _code_block}).enable(
    "table"
)


def to_html(text: str) -> Markup:
    """Return the HTML of a Markdown text. HTML in the text is escaped."""
    return Markup(_markdown.render(text))


def summary(text: str) -> str:
    """Return the first sentence of a Markdown text, without its marks."""
    first = text.strip().partition("\n\n")[0]
    plain = re.sub(r"\[([^]]*)]\([^)]*\)|[`*]", r"\1", first).replace("\n", " ")
    return re.split(r"(?<=[.!?])\s", plain, maxsplit=1)[0]
