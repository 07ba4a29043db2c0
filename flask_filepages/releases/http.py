"""A stored answer, and what of it one request gets: conditions, ranges, encodings.

RFC 9110, sections 8.4, 13 and 14. What can be known before a request is put into the
header lists when a release is opened; a request only chooses among them.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from dataclasses import field

Headers = list[tuple[str, str]]
Environ = t.Mapping[str, t.Any]

# Fields of a request by which it may get less than the whole answer.
_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_RANGE", "HTTP_IF_MATCH")
# A 304 has these (RFC 9110, 15.4.5) and no others.
_IN_304 = frozenset(
    ("cache-control", "content-location", "date", "etag", "expires", "vary")
)
_tag_re = re.compile(r'\s*(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|\Z)|\s*,')
_range_re = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*\Z", re.IGNORECASE | re.ASCII)
_coding_re = re.compile(
    r"\s*([\w*.-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?\Z", re.ASCII
)
_MOST_REMEMBERED = 256
_remembered: dict[tuple[str, tuple[str, ...]], str | None] = {}


@dataclass(slots=True)
class Representation:
    """One form of an answer: as it is, or compressed."""

    file: str | None
    size: int
    etag: str
    headers: Headers
    body: bytes | None = None
    not_modified: Headers = field(default_factory=list)

    def __post_init__(self) -> None:
        self.not_modified = [h for h in self.headers if h[0].lower() in _IN_304]


@dataclass(slots=True)
class Stored:
    """An answer of a release: status, and its representations by content coding."""

    path: str
    endpoint: str
    status: str
    plain: Representation
    coded: dict[str, Representation] = field(default_factory=dict)
    either_slash: bool = False

    def choose(self, environ: Environ) -> Representation:
        """Return the smallest representation that the client takes."""
        accepted = environ.get("HTTP_ACCEPT_ENCODING")
        if not self.coded or not accepted:
            return self.plain
        coding = chosen_coding(accepted, tuple(self.coded))
        return self.plain if coding is None else self.coded[coding]


class Reply(t.NamedTuple):
    """What to send: a part of a representation, or nothing but headers."""

    status: str
    headers: Headers
    start: int = 0
    length: int = 0


def reply_to(environ: Environ, stored: Stored, chosen: Representation) -> Reply:
    """Return the reply to a GET or HEAD request for *stored*.

    Only a 200 is conditional (RFC 9110, 13.2.1). Of several ranges none is sent, the
    whole is (14.2).
    """
    if stored.status[:3] == "200":
        for name in _CONDITIONS:
            if name in environ:
                return _conditional(environ, stored.status, chosen)
    return Reply(stored.status, chosen.headers, 0, chosen.size)


def _conditional(environ: Environ, status: str, chosen: Representation) -> Reply:
    etag = chosen.etag
    match = environ.get("HTTP_IF_MATCH")
    if match is not None and not _matches(match, etag, strong=True):
        return Reply("412 Precondition Failed", _without_body(chosen))
    none = environ.get("HTTP_IF_NONE_MATCH")
    if none is not None and (none == etag or _matches(none, etag)):
        return Reply("304 Not Modified", chosen.not_modified)
    wanted = environ.get("HTTP_RANGE")
    if wanted is None or environ["REQUEST_METHOD"] != "GET":
        return Reply(status, chosen.headers, 0, chosen.size)
    if environ.get("HTTP_IF_RANGE", etag).strip() != etag:
        return Reply(status, chosen.headers, 0, chosen.size)
    return _range(wanted, status, chosen)


def _range(wanted: str, status: str, chosen: Representation) -> Reply:
    size = chosen.size
    found = _range_re.match(wanted.strip())
    if found is None or found[1] == found[2] == "":
        return Reply(status, chosen.headers, 0, size)
    first, last = found[1], found[2]
    if first == "":
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return Reply(status, chosen.headers, 0, size)
    if start >= size or end < start:
        headers = _without_body(chosen)
        headers.append(("Content-Range", f"bytes */{size}"))
        return Reply("416 Range Not Satisfiable", headers)
    length = end - start + 1
    headers = [h for h in chosen.headers if h[0] != "Content-Length"]
    headers.append(("Content-Range", f"bytes {start}-{end}/{size}"))
    headers.append(("Content-Length", str(length)))
    return Reply("206 Partial Content", headers, start, length)


def _without_body(chosen: Representation) -> Headers:
    """Return the headers of an error: nobody stores it."""
    kept = [h for h in chosen.headers if h[0] in ("Accept-Ranges", "Vary")]
    return [*kept, ("Cache-Control", "no-store"), ("Content-Length", "0")]


def _matches(given: str, etag: str, *, strong: bool = False) -> bool:
    """Whether a list of tags names *etag* (RFC 9110, 8.8.3.2)."""
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


def chosen_coding(accepted: str, offered: tuple[str, ...]) -> str | None:
    """Return the first of *offered* that ``Accept-Encoding`` rates highest, or
    ``None`` for the plain form (RFC 9110, 12.5.3).

    :param offered: the smallest first.
    """
    key = (accepted, offered)
    if key in _remembered:
        return _remembered[key]
    rated = _rated(accepted)
    plain = rated.get("identity", rated.get("*", 0.0001))
    best, quality = None, plain
    for coding in offered:
        given = rated.get(coding, rated.get("*", 0.0))
        if given > 0 and (given > quality or (best is None and given == quality)):
            best, quality = coding, given
    if len(_remembered) < _MOST_REMEMBERED:
        _remembered[key] = best
    return best


def _rated(accepted: str) -> dict[str, float]:
    rated = {}
    for item in accepted[:1000].split(","):
        found = _coding_re.match(item)
        if found is not None:
            rated[found[1].lower()] = float(found[2] or 1)
    return rated
