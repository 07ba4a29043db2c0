"""Write the blocks of ``_headers``, which Netlify and Cloudflare Pages read.

Sources: the documentation of both hosts on custom headers.
"""

from __future__ import annotations

import mimetypes
import re
import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from ..routing.converters import SEGMENT_SAFE
from .published import DEFAULT_FIELDS
from .published import Fields
from .published import Published
from .published import Sent
from .published import has_usual_type
from .rules import PathRule
from .rules import rules_of

# What a server has to say itself, and what only Netlify refuses to be told.
_SERVERS_OWN = {
    *("connection", "content-encoding", "content-length", "date", "location"),
    *("server", "transfer-encoding"),
}
_NETLIFYS_OWN = {
    *("accept-ranges", "age", "allow", "alt-svc", "content-range", "set-cookie"),
    *("trailer", "upgrade", "basic-auth"),
}
# Cloudflare reads a colon before a letter as a placeholder.
placeholder_re = re.compile(r":[A-Za-z]|\*")

#: A path, and the lines that belong to it.
Block = list[str]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a host reads ``_headers``.

    With :attr:`can_remove`, a line ``! Name`` removes a field that a rule before set,
    and a part of a segment can be a param.
    """

    host: str
    can_remove: bool
    reserved: set[str]


NETLIFY = Dialect("Netlify", can_remove=False, reserved=_SERVERS_OWN | _NETLIFYS_OWN)
CLOUDFLARE = Dialect("Cloudflare", can_remove=True, reserved=_SERVERS_OWN)


def blocks_of(published: Published, dialect: Dialect) -> list[Block]:
    """Return the blocks of ``_headers``, the general ones first.

    On Netlify the last rule that matches wins, for each field. Cloudflare joins the
    values of all rules that match. So a rule for paths that another one matches too
    tells all fields, and first removes those of the other one where it can.
    """
    rules = rules_of(published, has_usual_type)
    writer = _Writer(published, dialect)
    if rules.common != DEFAULT_FIELDS:
        fields = writer.fields(rules.common, None, "/*")
        writer.rule(f"{published.root}/*", fields, {})
    patterns: dict[str, tuple[PathRule, list[Sent]]] = {}
    for rule in reversed(rules.patterns):
        path = _wildcards(rule, published.root, dialect)
        # Cloudflare takes one star, and letters after a name are part of it.
        has_letters = re.search(r":part\d+[A-Za-z_]", path)
        if dialect.can_remove and (path.count("*") > 1 or has_letters):
            continue  # Its files get a rule each.
        members = [sent for sent in published.files if rule.regex.fullmatch(sent.path)]
        if path not in patterns or len(patterns[path][1]) < len(members):
            patterns[path] = (rule, members)
    for path, (rule, members) in patterns.items():
        told: dict[str, str] = {}
        for sent in members:
            told |= writer.told_at(published.url(sent.host_path))
        type = rule.treatment.type
        if "Content-Type" in told and members:
            type = members[0].type
        fields = writer.fields(rule.treatment.fields, type, path)
        if "Content-Type" in fields:
            why = f"the 404 page of such a path is sent as {type} on {dialect.host}"
            published.leave_out(path, why)
        writer.rule(path, fields, told)
    writer.static_files()
    for sent in published.files:
        writer.exact(sent)
    return writer.blocks


class _Writer:
    """Writes blocks, and knows what the blocks so far tell for a path."""

    def __init__(self, published: Published, dialect: Dialect) -> None:
        self._published = published
        self._dialect = dialect
        self._rules: list[tuple[re.Pattern[str], dict[str, str]]] = []
        self.blocks: list[Block] = []

    def rule(
        self, path: str, fields: dict[str, str], removed: t.Mapping[str, str]
    ) -> None:
        """Write the block of a path with wildcards."""
        named = re.sub(r":[A-Za-z]\w*", "[^/]+", re.escape(path))
        regex = named.replace(r"\*", ".*")
        if self._dialect is NETLIFY:
            compiled = re.compile(f"{regex}/?", re.IGNORECASE)
        else:
            compiled = re.compile(regex)
        self._rules.append((compiled, fields))
        self._write(path, fields, removed)

    def told_at(self, url: str) -> dict[str, str]:
        """Return the fields that the rules so far tell for a URL."""
        told: dict[str, str] = {}
        for regex, fields in self._rules:
            if regex.fullmatch(url):
                told = dict(fields) if self._dialect.can_remove else told | fields
        return told

    def static_files(self) -> None:
        """Write a block for each folder and suffix of static files that a rule matches
        by chance."""
        done: set[str] = set()
        for name in self._published.static:
            told = self.told_at(self._published.url(f"/{name}"))
            type = mimetypes.guess_type(name)[0] or "application/octet-stream"
            folder, _, last = name.rpartition("/")
            suffix = last[last.rfind(".") :] if "." in last else ""
            path = f"/{folder}/*{suffix}" if folder and suffix else f"/{name}"
            if told and path not in done:
                done.add(path)
                fields = self.fields(DEFAULT_FIELDS, type, name)
                self.rule(self._published.url(path), fields, told)

    def exact(self, sent: Sent) -> None:
        """Write the block of one file, if it needs one."""
        published, dialect = self._published, self._dialect
        url, name = published.url(sent.host_path), sent.name
        told = self.told_at(url)
        needs_type = "Content-Type" in told or not has_usual_type(sent)
        if not (told or needs_type) and sent.fields == DEFAULT_FIELDS:
            return
        type = sent.type if needs_type else None
        wanted = self.fields(sent.fields, type, name)
        if told == wanted:
            return
        if dialect.can_remove and placeholder_re.search(url):
            why = f"{dialect.host} cannot write a rule for its path {url}"
            self._published.leave_out(name, why)
            return
        extra = sorted(told.keys() - wanted.keys())
        if extra and not dialect.can_remove:
            why = f"it also gets {', '.join(extra)} of another rule on {dialect.host}"
            self._published.leave_out(name, why)
        if not dialect.can_remove:
            url = without_wildcards(url)
        self._write(url, wanted, told)

    def fields(self, fields: Fields, type: str | None, name: str) -> dict[str, str]:
        """Return the fields that the host can be told, each name once.

        :param name: what they belong to, for what is left out.
        """
        dialect = self._dialect
        joined: dict[str, str] = {"Content-Type": type} if type is not None else {}
        spelt = {"content-type": "Content-Type", "cache-control": "Cache-Control"}
        for field_name, value in fields:
            known = spelt.setdefault(field_name.lower(), field_name)
            is_plain = value.isascii() and value.isprintable() and value.strip()
            if known.lower() in dialect.reserved or not is_plain:
                why = f"{dialect.host} does not send the field {known}: {value!r:.50}"
                self._published.leave_out(name, why)
            elif known in joined:
                joined[known] += f", {value}"
            else:
                joined[known] = value
        return joined

    def _write(
        self, path: str, fields: dict[str, str], before: t.Mapping[str, str]
    ) -> None:
        lines = [f"  {name}: {value}" for name, value in fields.items()]
        if self._dialect.can_remove:
            lines[:0] = [f"  ! {name}" for name in sorted(before)]
        if lines:
            self.blocks.append([path, *lines])


def without_wildcards(url: str) -> str:
    """Return a URL in which nothing is a wildcard of Netlify."""
    return url.replace(":", "%3A").replace("*", "%2A")


def _wildcards(rule: PathRule, root: str, dialect: Dialect) -> str:
    """Return a pattern as a path with wildcards, at which a plain host sends its
    files."""
    path = root + quote(rule.prefix, safe=f"{SEGMENT_SAFE}/")
    number = 0
    for segment in rule.segments:
        path += "/"
        for part in segment.parts:
            can_be_named = dialect.can_remove or len(segment.parts) == 1
            if part.kind == "text":
                path += quote(part.text, safe=SEGMENT_SAFE)
            elif part.kind == "param" and can_be_named:
                number += 1
                path += f":part{number}"
            else:
                path += "*"
    return f"{path}/" if rule.is_index and path[-1] != "*" else path
