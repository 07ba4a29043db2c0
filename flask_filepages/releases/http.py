"""A stored response, and the part of it that one request gets.

Conditional requests, ranges and content codings: RFC 9110, sections 8.4, 13 and 14. The
header lists are prepared when a release is opened; a request only selects among them.
"""

from __future__ import annotations

import functools
import re
import typing as t
from dataclasses import dataclass
from dataclasses import field

from werkzeug.http import parse_accept_header

from .manifest import HeaderList
from .manifest import ServedAt

Environ = t.Mapping[str, t.Any]

# A 304 has these fields (RFC 9110, 15.4.5). Others are left out.
_IN_304 = frozenset(
    ("cache-control", "content-location", "date", "etag", "expires", "vary")
)
_tag_re = re.compile(r'\s*(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|\Z)|\s*,')
_range_re = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*\Z", re.IGNORECASE | re.ASCII)


@dataclass(slots=True)
class Representation:
    """One form of a response: plain, or compressed."""

    file: str | None
    size: int
    etag: str
    headers: HeaderList
    body: bytes | None = None
    not_modified: HeaderList = field(default_factory=list)

    def __post_init__(self) -> None:
        self.not_modified = [h for h in self.headers if h[0].lower() in _IN_304]


@dataclass(slots=True)
class StoredResponse:
    """A response of a release: its status, and its representations by content
    coding."""

    path: str
    endpoint: str
    status: str
    plain: Representation
    coded: dict[str, Representation] = field(default_factory=dict)
    served_at: ServedAt = "path"
    is_guarded: bool = False

    def choose(self, environ: Environ) -> Representation:
        """Return the smallest representation that the client accepts."""
        accepted = environ.get("HTTP_ACCEPT_ENCODING")
        if not self.coded or not accepted:
            return self.plain
        coding = choose_coding(accepted, tuple(self.coded))
        return self.plain if coding is None else self.coded[coding]


class Selection(t.NamedTuple):
    """The status, header fields and part of the body that a request gets."""

    status: str
    headers: HeaderList
    start: int = 0
    length: int = 0


def select(
    environ: Environ, stored: StoredResponse, chosen: Representation
) -> Selection:
    """Select the part of a stored response that a GET or HEAD request gets.

    Conditions and ranges count only if the stored response is a 200 (RFC 9110, 13.2.1).
    A request for several ranges gets the whole response (14.2).
    """
    if stored.status[:3] == "200":
        match = environ.get("HTTP_IF_MATCH")
        if match is not None and not _matches(match, chosen.etag, strong=True):
            return Selection("412 Precondition Failed", _without_body(chosen))
        none = environ.get("HTTP_IF_NONE_MATCH")
        if none is not None and (none == chosen.etag or _matches(none, chosen.etag)):
            return Selection("304 Not Modified", chosen.not_modified)
        if "HTTP_RANGE" in environ and environ["REQUEST_METHOD"] == "GET":
            part = _select_range(environ, chosen)
            if part is not None:
                return part
    return Selection(stored.status, chosen.headers, 0, chosen.size)


def _select_range(environ: Environ, chosen: Representation) -> Selection | None:
    """Return the part that ``Range`` names, or ``None`` if the field is ignored."""
    size = chosen.size
    found = _range_re.match(environ["HTTP_RANGE"].strip())
    is_stale = environ.get("HTTP_IF_RANGE", chosen.etag).strip() != chosen.etag
    if is_stale or found is None or found[1] == found[2] == "":
        return None
    first, last = found[1], found[2]
    if first == "":
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
    if start >= size or end < start:
        headers = _without_body(chosen)
        headers.append(("Content-Range", f"bytes */{size}"))
        return Selection("416 Range Not Satisfiable", headers)
    length = end - start + 1
    headers = [h for h in chosen.headers if h[0] != "Content-Length"]
    headers.append(("Content-Range", f"bytes {start}-{end}/{size}"))
    headers.append(("Content-Length", str(length)))
    return Selection("206 Partial Content", headers, start, length)


def _without_body(chosen: Representation) -> HeaderList:
    """Return the header fields of an error, which must not be cached."""
    kept = [h for h in chosen.headers if h[0] in ("Accept-Ranges", "Vary")]
    return [*kept, ("Cache-Control", "no-store"), ("Content-Length", "0")]


def _matches(given: str, etag: str, *, strong: bool = False) -> bool:
    """Return True if a list of entity tags contains *etag* (RFC 9110, 8.8.3.2)."""
    if given.strip() == "*":
        return True
    position = 0
    while position < len(given):
        found = _tag_re.match(given, position)
        if found is None:
            return False
        weak = found[0].lstrip().startswith("W/")
        if found[1] == etag and not (strong and weak):
            return True
        position = found.end()
    return False


@functools.lru_cache(256)
def choose_coding(accepted: str, offered: tuple[str, ...]) -> str | None:
    """Return the content coding that ``Accept-Encoding`` ranks highest, or ``None`` for
    the plain form (RFC 9110, 12.5.3).

    :param offered: the available codings, the one with the smallest body first.
    """
    ranks = parse_accept_header(accepted[:1000])
    # 0.001 is the lowest quality above 0, so each accepted coding beats the plain form.
    best, quality = None, ranks["identity"] or 0.001
    for coding in offered:
        given = ranks[coding]
        if given > quality or (best is None and given == quality):
            best, quality = coding, given
    return best
