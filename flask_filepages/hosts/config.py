"""Configuration by which a plain host sends what a build stored, as the app would.

Most answers are files whose type follows from their suffix, with the same header
fields. Only the others are named one by one.
"""

from __future__ import annotations

import mimetypes
import os
import re
import typing as t
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from ..handling.responses import DEFAULT_CACHE_CONTROL
from ..releases.manifest import Entry
from ..releases.manifest import Manifest

Headers = list[tuple[str, str]]
_TYPE = "content-type"
_CACHED: tuple[str, str] = ("Cache-Control", DEFAULT_CACHE_CONTROL)
_word_re = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a release is made of, as a host wants to know it.

    :attr:`types` are the types of suffixes, :attr:`common` the header fields that most
    answers have; :attr:`odd` are the answers that differ.
    """

    root: str
    types: dict[str, str]
    common: Headers
    odd: list[Entry]
    has_404: bool

    @classmethod
    def of(cls, manifest: Manifest, folder: str) -> Facts:
        kinds: dict[str, Counter[str]] = {}
        heads: Counter[tuple[tuple[str, str], ...]] = Counter()
        has_404 = False
        for entry in manifest.entries():
            if entry.file is not None and entry.status[:3] == "200":
                kinds.setdefault(_suffix(entry.file), Counter())[_type_of(entry)] += 1
                heads[tuple(_others(entry))] += 1
            has_404 = has_404 or entry.file == "404.html"
        for name in manifest.copies():
            suffix = _suffix(name)
            guessed = mimetypes.guess_type(name)[0]
            if guessed is not None and suffix not in kinds:
                kinds[suffix] = Counter([guessed])
        # Whatever else a suffix holds would be syntax somewhere.
        words = (item for item in sorted(kinds.items()) if _word_re.fullmatch(item[0]))
        types = {suffix: counted.most_common(1)[0][0] for suffix, counted in words}
        common = list(heads.most_common(1)[0][0]) if heads else []
        if _CACHED not in common:
            common = [_CACHED]  # other files get it, too
        made = cls(f"{folder}/current/site", types, common, [], has_404)
        made.odd.extend(entry for entry in manifest.entries() if made._is_odd(entry))
        return made

    def _is_odd(self, entry: Entry) -> bool:
        if entry.forms == 0 and entry.status[0] != "3":  # an error page
            return False
        suffix = _suffix(entry.file or "")
        return (
            entry.status[:3] != "200"
            or _type_of(entry) != self.types.get(suffix)
            or _others(entry) != self.common
        )


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lstrip(".")


def _field(entry: Entry, name: str) -> str | None:
    return next((v for k, v in entry.headers if k.lower() == name), None)


def _type_of(entry: Entry) -> str:
    return _field(entry, _TYPE) or ""


def _others(entry: Entry) -> Headers:
    return [h for h in entry.headers if h[0].lower() not in (_TYPE, "location")]


def _paths(entry: Entry) -> list[str]:
    # A redirect by setting is a file for plain hosts only, and meant for both.
    if entry.forms == 2 or (entry.forms == 0 and entry.path[-1] != "/"):
        return [entry.path, f"{entry.path}/"]
    return [entry.path]


def _indented(lines: Iterable[str], depth: int = 4) -> Iterator[str]:
    return (f"{' ' * depth}{line}" if line else "" for line in lines)


# -- nginx --------------------------------------------------------------------------

_ONLY_SAFE = "if ($request_method !~ ^(GET|HEAD)$) { return 405; }"


def nginx(manifest: Manifest, folder: str) -> str:
    """Return a ``server`` block, for the ``http`` block of nginx."""
    facts = Facts.of(manifest, folder)
    lines = [
        "# Include it in the http block. It must be written again after a build that",
        "# changed header fields or redirects.",
        'geo $filepages_dollar { default "$"; }',
        "server {",
        "    listen 8080;",
        f"    root {_nginx(facts.root)};",
        "    gzip_static on;",
        "    gzip_vary on;",
        "    absolute_redirect off;",
        "    types {",
        *(f"        {_nginx(kind)} {suffix};" for suffix, kind in facts.types.items()),
        "    }",
        *_indented(_nginx_headers(facts.common, "")),
    ]
    if facts.has_404:
        lines.append("    error_page 404 /404.html;")
    lines += [
        "    location / {",
        f"        {_ONLY_SAFE}",
        '        try_files $uri "${uri}/index.html" "${uri}.html" =404;',
        "    }",
    ]
    for number, entry in enumerate(facts.odd):
        for path in _paths(entry):
            lines += _indented(_nginx_location(number, path, entry))
        if _needs_own_status(entry):
            body = _nginx_file(entry)
            lines += _indented([f"location @filepages_{number} {{", *body, "}"])
    return "\n".join([*lines, "}", ""])


def _needs_own_status(entry: Entry) -> bool:
    return entry.status[0] == "2" and entry.status[:3] not in ("200", "204")


def _nginx_location(number: int, path: str, entry: Entry) -> Iterator[str]:
    code = entry.status[:3]
    yield f"location = {_nginx(path, variables=False)} {{"
    yield f"    {_ONLY_SAFE}"
    if code == "204":
        yield from _indented([*_nginx_headers(_others(entry)), "return 204;"])
    elif code[0] == "3":
        target = _nginx(_field(entry, "location") or "")
        lines = [*_nginx_headers(_others(entry)), f"return {code} {target};"]
        yield from _indented(lines)
    elif _needs_own_status(entry):
        yield f"    error_page 418 ={code} @filepages_{number};"
        yield "    return 418;"
    else:
        yield from _nginx_file(entry)
    yield "}"


def _nginx_file(entry: Entry) -> Iterator[str]:
    yield "    types { }"
    yield f"    default_type {_nginx(_type_of(entry) or 'application/octet-stream')};"
    yield from _indented(_nginx_headers(_others(entry)))
    yield f"    try_files {_nginx(f'/{entry.file}')} =404;"


def _nginx_headers(headers: Headers, always: str = " always") -> Iterator[str]:
    for name, value in headers:
        yield f"add_header {name} {_nginx(value)}{always};"


def _nginx(text: str, *, variables: bool = True) -> str:
    """Return *text* as one word of nginx.

    :param variables: whether it would look for some there.
    """
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text.replace("$", "${filepages_dollar}") if variables else text}"'


# -- Caddy --------------------------------------------------------------------------


def caddy(manifest: Manifest, folder: str) -> str:
    """Return a Caddyfile."""
    facts = Facts.of(manifest, folder)
    lines = [
        ":8080 {",
        f"    root * {_caddy(facts.root)}",
        '    vars dollar "$"',
        "    @unsafe not method GET HEAD",
        "    handle @unsafe {",
        "        respond 405",
        "    }",
    ]
    for number, entry in enumerate(facts.odd):
        paths = " ".join(
            _caddy(_literal(path).replace("%", "%25")) for path in _paths(entry)
        )
        lines += [f"    @odd{number} path {paths}", f"    handle @odd{number} {{"]
        lines += [*_indented(_caddy_odd(entry), 8), "    }"]
    lines += [
        "    handle {",
        "        route {",
        "            try_files {path} {path}/index.html {path}.html",
    ]
    lines += _indented(_caddy_headers(facts.common), 12)
    for suffix, kind in facts.types.items():
        lines.append(f"            @type_{suffix} path *.{suffix}")
        lines.append(f"            header @type_{suffix} Content-Type {_caddy(kind)}")
    lines += [
        "            file_server {",
        "                precompressed br gzip",
        "            }",
        "        }",
        "    }",
    ]
    if facts.has_404:
        lines += [
            "    handle_errors {",
            "        rewrite * /404.html",
            "        file_server",
            "    }",
        ]
    return "\n".join([*lines, "}", ""])


def _caddy_odd(entry: Entry) -> Iterator[str]:
    code = entry.status[:3]
    yield from _caddy_headers(_others(entry))
    if code == "204":
        yield "respond 204"
    elif code[0] == "3":
        yield f"redir * {_caddy(_field(entry, 'location') or '')} {code}"
    else:
        yield f"header Content-Type {_caddy(_type_of(entry))}"
        yield f"try_files {_caddy(_literal(f'/{entry.file}'))}"
        # A status of its own would be that of a 304, too.
        status = [] if code == "200" else [f"    status {code}"]
        yield from ["file_server {", *status, "}"]


def _caddy_headers(headers: Headers) -> Iterator[str]:
    return (f"header {name} {_caddy(value)}" for name, value in headers)


def _literal(path: str) -> str:
    """Return *path* as a pattern that only it matches."""
    return re.sub(r"([\[\]*?\\])", r"\\\1", path)


def _caddy(text: str) -> str:
    """Return *text* as one word of Caddy, which reads ``{$NAME}`` as a variable of its
    environment."""
    # A backslash stands for itself where no quote follows.
    text = text.replace('"', '\\"').replace("{", "\\{")
    return f'"{text.replace("{$", "{{vars.dollar}")}"'


# -- Netlify ------------------------------------------------------------------------


def netlify(manifest: Manifest, folder: str) -> str:
    """Return the files ``_headers`` and ``_redirects``, one after the other."""
    facts = Facts.of(manifest, folder)
    heads = ["# _headers", "/*"]
    heads += [f"  {name}: {value}" for name, value in facts.common]
    moves = ["# _redirects"]
    odd = {entry.path: entry for entry in facts.odd}
    odd |= {e.path: e for e in manifest.entries(served=True) if not _is_guessed(e)}
    for _, entry in sorted(odd.items()):
        code, location = entry.status[:3], _field(entry, "location")
        for path in map(quote, _paths(entry)):
            # Without the exclamation mark a file of the path goes before the rule.
            if location is not None:
                moves.append(f"{path} {location} {code}!")
                continue
            if code != "200":
                moves.append(f"{path} /{quote(entry.file or '404.html')} {code}!")
            kind = _type_of(entry)
            own = [("Content-Type", kind)] if kind else []
            heads.append(path)
            heads += [f"  {name}: {value}" for name, value in [*own, *_others(entry)]]
    return "\n".join([*heads, "", *moves, ""])


def _is_guessed(entry: Entry) -> bool:
    """Whether the suffix alone tells the type to everybody."""
    guessed = mimetypes.guess_type(entry.file or "")[0]
    return guessed == _type_of(entry).partition(";")[0]


CONFIGS: t.Mapping[str, Callable[[Manifest, str], str]] = {
    "nginx": nginx,
    "caddy": caddy,
    "netlify": netlify,
}
