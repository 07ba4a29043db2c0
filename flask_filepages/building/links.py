"""Find the links in HTML that lead nowhere: ``href`` and ``src`` to paths that the app
does not have, and ``#id`` that no element has."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator
from functools import lru_cache
from html.parser import HTMLParser
from itertools import islice
from urllib.parse import unquote
from urllib.parse import urldefrag
from urllib.parse import urljoin

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from ..errors import Fault
from ..errors import closest
from ..handling.view import match_path
from ..prerendering.stored import PrerenderedRoute
from ..releases.manifest import Entry
from .writer import ReleaseWriter

_MOST_FAULTS = 100
_markdown_re = re.compile(r"\]\(<?([^\s()<>]+)")  # [text](/path "title")
_computed_re = re.compile(r"\{[{%#]")  # by a template
_fragments = ("", "top")  # They lead to the top of any page.


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
            if name == "id":
                self.ids.add(value or "")
            elif tag == "base" and name == "href":
                self.base = value or ""
            elif name in ("href", "src") and value is not None:
                self.links.append((self.getpos()[0], value.strip()))


def template_links(text: str) -> list[tuple[int, str]]:
    """Return the links in the text of a page, HTML or Markdown, each with its line.
    Those that the template computes are left out."""
    found = HtmlLinks(text).links
    for number, line in enumerate(text.split("\n"), 1):
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

    def _has_path(self, path: str) -> bool:
        """Return True if a route or view of the app has *path*, or its static folder a
        file."""
        try:
            rule, params = match_path(self._app, path)
            if rule.endpoint.rpartition(".")[2] == "static":
                with self._app.test_request_context(path):
                    view: t.Any = self._app.view_functions[rule.endpoint]
                    view(**params).close()
        except RequestRedirect:
            return True
        except HTTPException:
            return False
        return True

    def fix(self, path: str) -> str:
        """Return what may be meant by a path that the app does not have."""
        known = [
            one.rule for one in self._app.url_map.iter_rules() if not one.arguments
        ]
        close = closest(path, known, 0.75)
        return f"Did you mean {self._root}{close}?" if close else "Correct the link."


def link_faults(
    app: Flask,
    routes: t.Mapping[str, PrerenderedRoute],
    writer: ReleaseWriter,
    mode: t.Literal["error", "warn", "off"],
) -> list[Fault]:
    """Return the first faults of links in the HTML that a build stores, or log them if
    *mode* is ``"warn"``.

    :param routes: the prerendered routes, by endpoint name.
    """
    found = _broken_links(app, routes, writer) if mode != "off" else iter(())
    faults = list(islice(found, _MOST_FAULTS))
    if mode == "error":
        return faults
    for fault in faults:
        app.logger.warning("%s", fault)
    return []


def _broken_links(
    app: Flask, routes: t.Mapping[str, PrerenderedRoute], writer: ReleaseWriter
) -> Iterator[Fault]:
    root = next((route.settings.root for route in routes.values()), "")
    targets = LinkTargets(app, root)

    @lru_cache(1000)
    def ids_of(path: str) -> set[str] | None:
        found = writer.manifest.find(path)
        return HtmlLinks(writer.text(found)).ids if found and _is_html(found) else None

    for entry in writer.manifest.entries():
        route = routes.get(entry.endpoint)
        if route is None or not _is_html(entry):
            continue
        page = HtmlLinks(writer.text(entry))
        base = urljoin(root + route.file_names.url(entry.path), page.base)
        for line, link in page.links:
            path = targets.path_of(link, base)
            if path is None:
                continue
            ids = ids_of(path.rstrip("/") or "/")
            wanted = unquote(urldefrag(link)[1]).partition(":~:")[0]
            problem = fix = ""
            if ids is None and not targets.has_path(path):
                problem, fix = "no route has this path", targets.fix(path)
            elif ids is not None and wanted not in (*_fragments, *ids):
                close = closest(wanted, ids)
                fix = f"Did you mean #{close}?" if close else "Correct the link."
                problem = "no element has this id"
            if problem:
                problem = f"{entry.path}, line {line}, links to {link!r}: {problem}"
                yield Fault("link", route.route.name, problem, fix)


def _is_html(entry: Entry) -> bool:
    kinds = [value for name, value in entry.headers if name.lower() == "content-type"]
    return entry.code < 300 and "".join(kinds).startswith("text/html")
