"""Write the configuration of a web server that sends a release as the app does.

Most stored responses are files whose type follows from their suffix, with the same
header fields. The templates next to this module name only the others, by their routes.
"""

from __future__ import annotations

import os
import re
import typing as t

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
from .rules import literal
from .rules import rules_of

_TEMPLATES = {"nginx": "nginx.conf.jinja", "caddy": "Caddyfile.jinja"}


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
    types = types_of(published)
    rules = rules_of(published, lambda s: types.get(suffix_of(s.file)) == s.type)
    published.leave_out_app(upstream=upstream is not None)
    _leave_out_slashes(published)
    exact = rules.exact
    if server == "caddy":
        _leave_out_fields(published)
        # Caddy decodes the name of a file that it looks for once more.
        percent = [s for s in published.files if "%" in s.path and s not in exact]
        exact = [*exact, *percent]
    # The 404 pages by the prefix of their paths, the longest prefix first.
    pages = {
        f"{published.root}{prefix}": page
        for prefix, page in sorted(published.not_found.items(), reverse=True)
    }
    template = _environment(server).get_template(_TEMPLATES[server])
    config = template.render(
        folder=os.path.join(published.build_folder.path, "current", "site"),
        root=published.root,
        upstream=upstream,
        types=types,
        common=rules.common,
        rules=[*rules.static, *rules.patterns],
        exact=[_exact(sent, published) for sent in exact],
        not_found=pages,
        error_urls=_error_urls(published, pages),
        page_for=lambda path: _page_for(path, pages),
    )
    return re.sub(r"\n(?:\s*\n)+", "\n", config), list(published.left_out)


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
    environment.filters["fields"] = _caddy_fields
    environment.filters["literal"] = literal
    return environment


def _error_urls(published: Published, pages: dict[str, Sent]) -> list[str]:
    """Return the URLs at which a server would find the file of an error page. The app
    never sends an error page with the status 200."""
    files = [page.file for page in (*pages.values(), *published.error_pages)]
    names = [name for file in files for name in (file, file.removesuffix(".html"))]
    return list(dict.fromkeys(f"{published.root}/{name}" for name in names))


def _page_for(path: str, pages: dict[str, Sent]) -> str | None:
    """Return the file of the 404 page for a path."""
    for prefix, page in pages.items():
        if f"{path}/".startswith(f"{prefix}/"):
            return page.file
    return None


def _exact(sent: Sent, published: Published) -> dict[str, t.Any]:
    """Return what a server is told about a response by its path."""
    paths = [published.root + path for path in sent.paths]
    folder, _, name = sent.file.rpartition("/")
    is_setting = sent.route.route.redirect is not None
    end = "/?" if len(paths) > 1 else ""
    return {
        "sent": sent,
        "paths": paths,
        # Caddy ignores case in other matchers, and mistakes %41 for %.
        "regex": f"^{literal(paths[0])}{end}$",
        "folder": folder,
        "name": name,
        # FILEPAGES_REDIRECTS pass the query of the request on.
        "keeps_query": is_setting and "?" not in (sent.location or ""),
        "has_own_status": 200 < sent.code < 300 and sent.code != 204,
    }


def _leave_out_slashes(published: Published) -> None:
    """Note what a server does differently with the slash at the end of paths."""
    settings = published.settings
    if (settings.trailing_slash, settings.build_format) != ("ignore", "directory"):
        published.leave_out(
            f"FILEPAGES_TRAILING_SLASH = {settings.trailing_slash!r}",
            "the server sends each path as its file is named, and does not redirect it",
        )


def _leave_out_fields(published: Published) -> None:
    """Note the fields whose names Caddy reads as operations."""
    for sent in published.responses:
        for name, _ in sent.fields:
            if name[0] in "+-":
                published.leave_out(sent.name, f"Caddy cannot set the field {name!r}")


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
