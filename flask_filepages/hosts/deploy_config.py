"""Write the configuration of a web server that sends a release as the app does.

Most stored responses are files whose type follows from their suffix, with the same
header fields. The templates next to this module name only the others, by their routes.
"""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from flask import Flask
from jinja2 import Environment
from jinja2 import FileSystemLoader
from jinja2 import StrictUndefined

from ..errors import ReleaseError
from .published import Fields
from .published import LeftOut
from .published import Published
from .published import Sent
from .published import suffix_of
from .published import types_of
from .rules import Rules
from .rules import literal
from .rules import rules_of

_word_re = re.compile(r"[A-Za-z0-9]+")
_TEMPLATES = {"nginx": "nginx.conf.jinja", "caddy": "Caddyfile.jinja"}


@dataclass(frozen=True, slots=True)
class Exact:
    """A response that a server is told by its path."""

    number: int
    sent: Sent
    paths: list[str]
    fields: Fields
    not_found: str | None
    is_setting: bool

    @property
    def keeps_query(self) -> bool:
        """True for ``FILEPAGES_REDIRECTS``, which pass the query of the request on."""
        return self.is_setting and "?" not in (self.sent.location or "")

    @property
    def regex(self) -> str:
        """A regular expression for its paths. (Caddy ignores case in other matchers,
        and mistakes ``%41`` for ``%``.)"""
        end = "/?" if len(self.paths) > 1 else ""
        return f"^{literal(self.paths[0])}{end}$"

    @property
    def folder(self) -> str:
        """The folder of the file."""
        return (self.sent.file or "").rpartition("/")[0]

    @property
    def name(self) -> str:
        """The name of the file in its folder."""
        return (self.sent.file or "").rpartition("/")[2]

    @property
    def has_own_status(self) -> bool:
        return 200 < self.sent.code < 300 and self.sent.code != 204


def write_config(
    app: Flask, server: str, upstream: str | None = None
) -> tuple[str, list[LeftOut]]:
    """Return the configuration for the current release of *app*, and what it leaves
    out.

    :param server: ``nginx`` or ``caddy``.
    :param upstream: the URL of the running app, which gets all other requests.
    :raises ReleaseError: there is no release, or *upstream* is not a URL.
    """
    if upstream is not None:
        upstream = _check_upstream(upstream)
    published = Published(app)
    types = _types(published)
    rules = rules_of(published, lambda sent: types.get(_suffix(sent)) == sent.type)
    left_out = published.left_out(upstream=upstream is not None)
    left_out += _slashes_left_out(published)
    exact = rules.exact
    if server == "caddy":
        left_out += _fields_left_out(published)
        # Caddy decodes the name of a file that it looks for once more.
        percent = [s for s in published.files if "%" in s.path and s not in exact]
        exact = [*exact, *percent]
    pages = _not_found(published)
    template = _environment(server).get_template(_TEMPLATES[server])
    config = template.render(
        folder=os.path.join(published.build_folder.path, "current", "site"),
        root=published.root,
        upstream=upstream,
        types=types,
        common=rules.common,
        rules=_with_numbers(rules, published, pages),
        exact=[_exact(n, sent, published, pages) for n, sent in enumerate(exact)],
        not_found=pages,
        error_urls=_error_urls(published, pages),
    )
    return re.sub(r"\n(?:\s*\n)+", "\n", config), left_out


_upstream_re = re.compile(
    r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?/?", re.IGNORECASE
)


def _check_upstream(url: str) -> str:
    if not _upstream_re.fullmatch(url):
        raise ReleaseError(
            f"{url!r} is not the URL of an app. Write scheme, host and port only, such"
            " as 'http://127.0.0.1:8000'."
        )
    return url.rstrip("/")


def _environment(server: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(os.path.dirname(__file__)),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["quoted"] = _quote_caddy if server == "caddy" else _quote_nginx
    environment.filters["urlpath"] = quote
    environment.filters["fields"] = _caddy_fields
    return environment


def _types(published: Published) -> dict[str, str]:
    """Return the types of the suffixes that a server can be told."""
    # Other characters would be syntax of some server.
    return {
        suffix: type
        for suffix, type in sorted(types_of(published).items())
        if _word_re.fullmatch(suffix)
    }


def _suffix(sent: Sent) -> str:
    return suffix_of(sent.file or "")


class _NotFound(t.NamedTuple):
    """A 404 page, and the paths for which it is sent."""

    prefix: str
    file: str
    type: str
    fields: Fields


def _not_found(published: Published) -> list[_NotFound]:
    """Return the 404 pages, the one with the longest prefix first."""
    pages = sorted(published.not_found.items(), key=lambda page: -len(page[0]))
    return [
        _NotFound(f"{published.root}{prefix}", page.file or "", page.type, page.fields)
        for prefix, page in pages
    ]


def _error_urls(published: Published, pages: list[_NotFound]) -> dict[str, str | None]:
    """Return the URLs at which a server would find the file of an error page, each with
    the 404 page for it. The app never sends an error page with the status 200."""
    files = [*(page.file for page in pages), *published.other_error_pages]
    names = [name for file in files for name in (file, file.removesuffix(".html"))]
    urls = [f"{published.root}/{name}" for name in names]
    return {url: _page_for(url, pages) for url in urls}


def _page_for(path: str, pages: list[_NotFound]) -> str | None:
    """Return the file of the 404 page for a path."""
    for page in pages:
        if f"{path}/".startswith(f"{page.prefix}/"):
            return page.file
    return None


def _with_numbers(
    rules: Rules, published: Published, pages: list[_NotFound]
) -> list[dict[str, t.Any]]:
    return [
        {
            "number": number,
            "regex": f"^{literal(published.root)}{rule.regex}$",
            "type": rule.treatment.type,
            "fields": rule.treatment.fields,
            "not_found": _page_for(published.root + rule.prefix, pages),
        }
        for number, rule in enumerate([*rules.static, *rules.patterns])
    ]


def _exact(
    number: int, sent: Sent, published: Published, pages: list[_NotFound]
) -> Exact:
    paths = [published.root + path for path in sent.paths]
    route = published.routes.get(sent.endpoint)
    is_setting = route is not None and route.route.redirect is not None
    page = _page_for(paths[0], pages)
    return Exact(number, sent, paths, sent.fields, page, is_setting)


def _slashes_left_out(published: Published) -> list[LeftOut]:
    """Return what a server does differently with the slash at the end of paths."""
    settings = published.settings
    is_plain = settings.build_format == "directory"
    if settings.trailing_slash == "ignore" and is_plain:
        return []
    why = "the server sends each path as its file is named, and does not redirect it"
    name = "FILEPAGES_TRAILING_SLASH"
    return [LeftOut(f"{name} = {settings.trailing_slash!r}", why)]


def _fields_left_out(published: Published) -> list[LeftOut]:
    """Return the fields whose names Caddy reads as operations."""
    found = {
        LeftOut(published.name_of(sent), f"Caddy cannot set the field {name!r}"): None
        for sent in published.responses
        for name, _ in sent.fields
        if name[0] in "+-"
    }
    return list(found)


def _caddy_fields(fields: Fields) -> Fields:
    """Return the fields as operations of Caddy: a plus adds one more of a name."""
    seen: set[str] = set()
    found = []
    for name, value in fields:
        if name[0] not in "+-":
            found.append((f"+{name}" if name.lower() in seen else name, value))
            seen.add(name.lower())
    return tuple(found)


# -- quoting ------------------------------------------------------------------------


def _quote_nginx(text: str, *, variables: bool = True) -> str:
    """Return *text* as one word of nginx.

    :param variables: True where nginx replaces variables.
    """
    if variables:
        text = text.replace("\\", "\\\\").replace("$", "${filepages_dollar}")
    text = text.replace('"', '\\"')
    return f'"{text}"'


def _quote_caddy(text: str) -> str:
    """Return *text* as one word of Caddy, which reads ``{name}`` as a variable."""
    # Caddy keeps a backslash, unless a quote follows.
    text = text.replace('"', '\\"').replace("{", "{vars.brace}")
    return f'"{text}"'
