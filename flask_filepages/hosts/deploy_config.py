"""Write the configuration of a host that serves a release like the app does.

Most stored responses are files whose type follows from their suffix, with the same
header fields. The templates next to this module name only the others one by one.
"""

from __future__ import annotations

import mimetypes
import os
import re
import typing as t
from collections import Counter
from dataclasses import dataclass
from urllib.parse import quote

from jinja2 import Environment
from jinja2 import FileSystemLoader
from jinja2 import StrictUndefined

from ..handling.responses import DEFAULT_CACHE_CONTROL
from ..releases.manifest import Entry
from ..releases.manifest import HeaderList
from ..releases.manifest import Manifest

_DEFAULT_FIELD: tuple[str, str] = ("Cache-Control", DEFAULT_CACHE_CONTROL)
_word_re = re.compile(r"[A-Za-z0-9]+")
_TEMPLATES = {
    "nginx": "nginx.conf.jinja",
    "caddy": "Caddyfile.jinja",
    "netlify": "netlify.jinja",
}


@dataclass(frozen=True, slots=True)
class SpecialResponse:
    """A response that a host cannot send by its suffix alone."""

    number: int
    paths: list[str]
    code: int
    file: str | None
    type: str
    location: str | None
    fields: HeaderList

    @property
    def has_own_status(self) -> bool:
        return 200 < self.code < 300 and self.code != 204


def write_config(host: str, manifest: Manifest, folder: str) -> str:
    """Return the configuration of *host* for the current release in *folder*.

    :param host: ``nginx``, ``caddy`` or ``netlify``. The text for Netlify holds two
        files.
    """
    entries = list(manifest.entries())
    types = _types(entries, manifest.static_files())
    field_lists = Counter(tuple(_fields(e)) for e in entries if _is_plain_file(e))
    common = list(field_lists.most_common(1)[0][0]) if field_lists else []
    if _DEFAULT_FIELD not in common:
        common = [_DEFAULT_FIELD]  # Other files get it too.
    special = [e for e in entries if _is_special(e, types, common)]
    if host == "netlify":
        others = [
            e for e in entries if e.served_at != "nowhere" and not _has_usual_type(e)
        ]
        special = sorted({e.path: e for e in [*special, *others]}.values(), key=_path)
    template = _environment(host).get_template(_TEMPLATES[host])
    return template.render(
        root=f"{folder}/current/site",
        types=types,
        common=common,
        has_404=any(entry.file == "404.html" for entry in entries),
        special=[_special(number, entry) for number, entry in enumerate(special)],
    )


def _environment(host: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(os.path.dirname(__file__)),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = _quote_caddy if host == "caddy" else _quote_nginx
    environment.filters["literal"] = _caddy_literal
    environment.filters["urlpath"] = quote
    return environment


def _special(number: int, entry: Entry) -> SpecialResponse:
    paths = [entry.path]
    # The file of a FILEPAGES_REDIRECTS page is only for plain hosts, in both forms.
    is_redirect = entry.served_at == "nowhere" and entry.path[-1] != "/"
    if entry.served_at == "both-slashes" or is_redirect:
        paths.append(f"{entry.path}/")
    return SpecialResponse(
        number,
        paths,
        entry.code,
        entry.file,
        _type_of(entry),
        _field(entry, "location"),
        _fields(entry),
    )


def _types(entries: t.Iterable[Entry], static_files: t.Iterable[str]) -> dict[str, str]:
    """Return the most frequent content type of each suffix."""
    counted: dict[str, Counter[str]] = {}
    for entry in filter(_is_plain_file, entries):
        suffix = _suffix(entry.file or "")
        counted.setdefault(suffix, Counter())[_type_of(entry)] += 1
    for name in static_files:
        guessed = mimetypes.guess_type(name)[0]
        if guessed is not None:
            counted.setdefault(_suffix(name), Counter([guessed]))
    # Other characters would be syntax of some host.
    words = (item for item in sorted(counted.items()) if _word_re.fullmatch(item[0]))
    return {suffix: types.most_common(1)[0][0] for suffix, types in words}


def _is_plain_file(entry: Entry) -> bool:
    return entry.file is not None and entry.code == 200


def _is_special(entry: Entry, types: t.Mapping[str, str], common: HeaderList) -> bool:
    if entry.served_at == "nowhere" and not 300 <= entry.code < 400:  # An error page.
        return False
    return (
        entry.code != 200
        or _type_of(entry) != types.get(_suffix(entry.file or ""))
        or _fields(entry) != common
    )


def _has_usual_type(entry: Entry) -> bool:
    """Return True if every host knows the type of the suffix."""
    guessed = mimetypes.guess_type(entry.file or "")[0]
    return guessed == _type_of(entry).partition(";")[0]


def _path(entry: Entry) -> str:
    return entry.path


def _suffix(name: str) -> str:
    return os.path.splitext(name)[1].lstrip(".")


def _field(entry: Entry, name: str) -> str | None:
    return next((v for k, v in entry.headers if k.lower() == name), None)


def _type_of(entry: Entry) -> str:
    return _field(entry, "content-type") or ""


def _fields(entry: Entry) -> HeaderList:
    special = ("content-type", "location")
    return [pair for pair in entry.headers if pair[0].lower() not in special]


# -- quoting ------------------------------------------------------------------------


def _quote_nginx(text: str, *, variables: bool = True) -> str:
    """Return *text* as one word of nginx.

    :param variables: True where nginx replaces variables.
    """
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text.replace("$", "${filepages_dollar}") if variables else text}"'


def _quote_caddy(text: str) -> str:
    """Return *text* as one word of Caddy, which reads ``{$NAME}`` as a variable."""
    # Caddy keeps a backslash, unless a quote follows.
    text = text.replace('"', '\\"').replace("{", "\\{")
    return f'"{text.replace("{$", "{{vars.dollar}")}"'


def _caddy_literal(path: str) -> str:
    """Return *path* as a pattern of Caddy that matches nothing else."""
    return re.sub(r"([\[\]*?\\])", r"\\\1", path)
