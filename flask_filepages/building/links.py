"""Find the links in HTML that lead nowhere: ``href`` and ``src`` to paths that the app
does not have, and ``#id`` that no element has."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import unquote
from urllib.parse import urldefrag
from urllib.parse import urljoin

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from ..errors import Fault
from ..errors import closest
from ..handling.view import closest_path
from ..handling.view import match_path
from ..prerendering.stored import PrerenderedRoute
from ..releases.manifest import Entry
from ..routing.rules import FileRule
from .writer import ReleaseWriter

_markdown_re = re.compile(
    r"(?<!\\)\[[^]\n]*\]\(((?:[^\s()<>]|\([^\s()]*\))+)"
)  # [text](/path)
_code_re = re.compile(r"^(?: {4}|\t).*|`[^`\n]*`", re.MULTILINE)
_skipped_re = re.compile(
    r"<!--.*?-->|\{#.*?#\}|\{%.*?%\}|^```.*?^```|^~~~.*?^~~~", re.DOTALL | re.MULTILINE
)
_computed_re = re.compile(r"\{\{|[\\&]")  # by a template, or with escapes
_top_re = re.compile(r"|top|[/!].*", re.IGNORECASE)  # No element needs to have it.


class HtmlLinks(HTMLParser):
    """The links of an HTML text, each with its line, and the ids of its elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[tuple[int, str]] = []
        self.ids: set[str] = set()
        self.base = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" or (name == "name" and tag == "a"):
                self.ids.add(value or "")
            elif tag == "base" and name == "href":
                self.base = value or ""
            elif name in ("href", "src") and value is not None:
                self.links.append((self.getpos()[0], value.strip()))


def template_links(text: str, *, is_markdown: bool) -> list[tuple[int, str]]:
    """Return the links in the text of a page, each with its line. Those that the
    template computes are left out, and those in comments and code."""
    text = _skipped_re.sub(lambda found: "\n" * found[0].count("\n"), text)
    text = _code_re.sub("", text) if is_markdown else text
    page = HtmlLinks(text)
    found = [] if page.base else page.links
    for number, line in enumerate(text.split("\n") if is_markdown else (), 1):
        found += [(number, link) for link in _markdown_re.findall(line)]
    return [(line, link) for line, link in found if not _computed_re.search(link)]


class LinkTargets:
    """The paths of an app that links may lead to.

    :param root: what its URLs begin with.
    """

    def __init__(self, app: Flask, root: str) -> None:
        self._app = app
        self._root = root
        self.has_path = lru_cache(10_000)(self._has_path)

    def path_of(self, link: str, base: str) -> str | None:
        """Return the decoded path of a link, or ``None`` if it leads out of the app.

        :param base: the URL path of the page.
        """
        try:
            path = re.split("[?#]", urljoin(base, link))[0]
        except ValueError:
            return None
        inside = path.removeprefix(self._root) or "/"
        is_inside = path.startswith(f"{self._root}/") and not path.startswith("//")
        return unquote(inside) if is_inside else None

    def missing_path(self, link: str, bases: t.Iterable[str]) -> str | None:
        """Return the path of a link that leads nowhere from any URL of its page."""
        paths = [self.path_of(link, base) for base in bases]
        is_missing = all(path is not None and not self.has_path(path) for path in paths)
        return paths[0] if is_missing else None

    def _has_path(self, path: str) -> bool:
        """Return True if a route or view of the app has *path*, or its static folder a
        file."""
        try:
            rule, params = match_path(self._app, path)
            if rule.endpoint.rpartition(".")[2] == "static" and "filename" in params:
                with self._app.test_request_context(path):
                    view: t.Any = self._app.view_functions[rule.endpoint]
                    view(**params).close()
        except RequestRedirect:
            return True
        except HTTPException:
            return False
        bound = rule.bound if isinstance(rule, FileRule) else None
        return bound is None or "GET" in bound.methods()

    def fix(self, path: str) -> str:
        """Return what may be meant by a path that the app does not have."""
        close = closest_path(self._app, path)
        return f"Did you mean {self._root}{close}?" if close else "Correct the link."


def link_faults(
    app: Flask, routes: t.Mapping[str, PrerenderedRoute], writer: ReleaseWriter
) -> Iterator[Fault]:
    """Yield the faults of links in the HTML that a build stores.

    :param routes: the prerendered routes, by endpoint name.
    """
    root = next((route.settings.root for route in routes.values()), "")
    targets = LinkTargets(app, root)

    @lru_cache(1000)
    def page_of(path: str) -> HtmlLinks | None:
        found = writer.manifest.find(path)
        return HtmlLinks(writer.text(found)) if found and _is_html(found) else None

    for entry in writer.manifest.entries():
        route, page = routes.get(entry.endpoint), page_of(entry.path)
        if route is None or page is None:
            continue
        # The app serves /about, and hosts send about/index.html at /about/.
        urls = (root + entry.path, root + route.file_names.url(entry.path))
        bases = [urljoin(url, page.base) for url in urls]
        for line, link in page.links:
            paths = filter(None, (targets.path_of(link, base) for base in bases))
            found = [page_of(path.rstrip("/") or "/") for path in paths]
            target = next(filter(None, found), None)
            name = urldefrag(link)[1].partition(":~:")[0]
            problem = fix = ""
            if target is None:
                path = targets.missing_path(link, bases)
                if path is not None:
                    problem, fix = "no route has this path", targets.fix(path)
            elif not (_top_re.fullmatch(name) or {name, unquote(name)} & target.ids):
                close = closest(name, target.ids)
                fix = f"Did you mean #{close}?" if close else "Correct the link."
                problem = "no element has this id"
            if problem:
                problem = f"{entry.path}, line {line}, links to {link!r}: {problem}"
                yield Fault("link", route.route.name, problem, fix)


def _is_html(entry: Entry) -> bool:
    kinds = [value for name, value in entry.headers if name.lower() == "content-type"]
    is_page = entry.code // 100 != 3
    return is_page and "".join(kinds).startswith("text/html")
