"""Names that look like mistakes. ``flask filepages check`` reports them."""

from __future__ import annotations

import os
import re
import typing as t

from ..errors import Fault
from .files import walk

_CODE = (
    *(".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".astro", ".vue", ".svelte"),
    *(".php", ".xhtml", ".tpl"),
)
_ASSETS = (
    *(".css", ".scss", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif"),
    *(".ico", ".woff", ".woff2", ".ttf", ".mp3", ".mp4", ".pdf", ".wasm", ".less"),
    *(".webmanifest", ".map"),
)
_MARKDOWN = (".md", ".mdx", ".markdown")
# The params of other routers: {id}, <id>, :id, $id.
_foreign_re = re.compile(
    r"\{+(\w+)\}+|<(?:\w+:)?(\w+)>|(?:\A|(?<=/))[:$](\w+)"
    r"|\{(?:\.\.\.)?(?P<rest>\w+)(?::path)?\}"
)
# SvelteKit's names, and files for programs that people look for at the root.
_svelte_re = re.compile(r"(?:\A|(?<=/))\+(page|server)\Z")
_AT_ROOT = ("robots.txt", "humans.txt", "ads.txt", "sitemap.xml", "favicon.ico")
_status_re = re.compile(r"[45]\d\d")


def mistakes_in(folder: str, suffixes: t.Collection[str]) -> t.Iterator[Fault]:
    """Yield a warning for each name in a pages folder that looks like a mistake.

    :param suffixes: the suffixes of files that make routes.
    """
    for source in walk(folder, None, []):
        name = source.relative
        is_route = os.path.splitext(name)[1] in suffixes
        found = odd_name(name) if is_route else ignored_file(name, suffixes)
        if found is not None:
            yield found


def ignored_file(relative: str, suffixes: t.Collection[str]) -> Fault | None:
    """Return a warning if a file makes no route but seems meant to, else ``None``.

    :param relative: its path below the pages folder.
    :param suffixes: the suffixes of files that make routes.
    """
    stem, suffix = os.path.splitext(relative)
    lower = suffix.lower()
    if lower in suffixes:
        fix = f"Name it {stem}{lower}. Names are case-sensitive."
    elif lower in (".htm", ".jinja", ".jinja2", ".j2"):
        fix = f"Name it {stem.removesuffix('.html')}.html."
    elif lower in _MARKDOWN:
        fix = (
            'Write FilePages(app, renderers={".md": render_markdown}), import it from'
            " flask_filepages.markdown, with the extra Flask-Filepages[markdown]"
        )
        fix += "." if lower == ".md" else ", and name the file .md."
    elif lower in _CODE:
        fix = f"Write the endpoint in Python, as {stem}.py, or the page as {stem}.html."
    elif relative in _AT_ROOT:
        fix = f"Write {relative}.py, or a view of the app that sends the file."
    elif lower in _ASSETS:
        fix = "Move it to the static folder of the app."
    else:
        return None
    return Fault("ignored", relative, "files with this suffix make no route", fix)


def _as_param(match: re.Match[str]) -> str:
    rest = match["rest"]
    return f"[...{rest}]" if rest else f"[{match[1] or match[2] or match[3]}]"


def odd_name(relative: str) -> Fault | None:
    """Return a warning if a route is literal by accident, else ``None``.

    :param relative: the path of its file below the pages folder.
    """
    stem, suffix = os.path.splitext(relative)
    name = os.path.basename(stem)
    renamed = _foreign_re.sub(_as_param, stem)
    problem = f"it is a page at /{stem}, not an error page"
    if _svelte_re.search(stem):
        problem = f"its URL is /{stem}"
        fix = f"Name it {_svelte_re.sub('index', stem)}{suffix}."
    elif renamed != stem:
        problem = "its name is literal text, not a param"
        fix = f"Name it {renamed}{suffix}."
    elif name != "index" and name.lower() == "index":
        problem = f"its URL is /{stem}, because names are case-sensitive"
        fix = f"Name it {stem[: -len(name)]}index{suffix}."
    elif name in ("404", "500") and stem != name:
        fix = f"An error page lies directly in the pages folder, as {name}{suffix}."
    elif _status_re.fullmatch(stem) and stem not in ("404", "500"):
        fix = f"Only 404 and 500 are error pages. Write @app.errorhandler({stem})."
    else:
        return None
    return Fault("name", relative, problem, fix)
