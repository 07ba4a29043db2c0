"""What a build stores of an answer: which ones, their digest, and their other forms."""

from __future__ import annotations

import functools
import gzip
import hashlib
import html
import importlib
import re
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import urljoin

Headers = list[tuple[str, str]]

#: Bytes that one stored answer may have; it is held in memory while it is made.
LARGEST = 100 * 1024 * 1024
#: Below, compression saves no packet.
SMALLEST_COMPRESSED = 1024
# Said by whoever sends the answer, or about another form of it.
_NOT_KEPT = frozenset(
    {
        *("accept-ranges", "age", "connection", "content-length", "date", "etag"),
        *("keep-alive", "server", "trailer", "transfer-encoding", "upgrade"),
    }
)
_compressible_re = re.compile(
    r"text/|application/(?:json|javascript|xml|wasm|manifest)|.*\+(?:json|xml|text)\b"
    r"|image/(?:svg|bmp|x-icon|vnd\.microsoft\.icon)|font/(?:ttf|otf)",
    re.IGNORECASE,
)
_private_re = re.compile(r"(?:\A|[,\s])(private|no-store)(?:[\s,=]|\Z)", re.IGNORECASE)


@dataclass(slots=True)
class Answer:
    """Status, headers and body of one path, as they left the middleware.

    :attr:`problem` says why they cannot be stored, :attr:`fix` what to do about it.
    :attr:`uses` and :attr:`position` are what the next build asks.
    """

    path: str
    status: str = ""
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    digest: str = ""
    variants: dict[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str | None = None
    fix: str = ""
    line: int | None = None
    uses: list[tuple[str, str, str | None]] | None = None
    position: int = 0

    @property
    def has_body(self) -> bool:
        return self.status[:3] not in ("204", "205")


def kept(headers: t.Iterable[tuple[str, str]]) -> Headers:
    """Return the headers that are stored."""
    return [pair for pair in headers if pair[0].lower() not in _NOT_KEPT]


def joined(headers: t.Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the values of fields by lower-case name; those of one name as one."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


# Most answers of a site have the same few lists of header fields.
@functools.lru_cache(256)
def why_not(
    status: str, headers: tuple[tuple[str, str], ...], *, is_error_page: bool
) -> tuple[str, str] | None:
    """Return why an answer cannot be stored, and what to do about it."""
    code = int(status[:3]) if status[:3].isdigit() else 0
    names = joined(headers)
    if code >= 400 and not is_error_page:
        return f"it answers {status}", "Leave the path out, or mend the handler."
    if code < 200 or code in (205, 206, 304):
        return f"it answers {status}", "Answer 200, or serve it on demand."
    if 300 <= code < 400 and "location" not in names:
        return f"it answers {status} without Location", "Name the target."
    if "set-cookie" in names:
        problem = "it sets a cookie, which everybody would get"
        return problem, "Set cookies on routes with `prerender = False`."
    private = _private_re.search(names.get("cache-control", ""))
    if private:
        problem = f"its Cache-Control says {private[1].lower()}, so it is not for all"
        return problem, "Write `prerender = False`, or another Cache-Control."
    return None


def completed(answer: Answer, path: str, site: str | None) -> None:
    """Give *answer* its digest and its compressed forms; a redirect, a page."""
    if answer.status[0] == "3":
        location = next(v for k, v in answer.headers if k.lower() == "location")
        answer.body = redirect_page(path, location, answer.status, site)
        answer.headers = _without_type(answer.headers)
        answer.headers.append(("Content-Type", "text/html; charset=utf-8"))
    if not answer.has_body:
        answer.body = b""
        answer.headers = _without_type(answer.headers)
    answer.digest = hashlib.sha256(answer.body).hexdigest()[:32]
    if len(answer.body) < SMALLEST_COMPRESSED:
        return
    names = joined(answer.headers)
    if "content-encoding" in names:
        return
    if _compressible_re.match(names.get("content-type", "")):
        for coding, compress in COMPRESSORS.items():
            smaller = compress(answer.body)
            if len(smaller) < len(answer.body):
                answer.variants[coding] = smaller


def _without_type(headers: Headers) -> Headers:
    return [pair for pair in headers if pair[0].lower() != "content-type"]


def redirect_page(path: str, location: str, status: str, site: str | None) -> bytes:
    """Return a page that leads to *location*, for hosts that only know files (Astro,
    rule 122)."""
    delay = 2 if status[:3] == "302" else 0
    to, canonical = html.escape(location), html.escape(urljoin(site or "", location))
    return (
        f"<!doctype html><title>Redirecting to {to}</title>"
        f'<meta http-equiv="refresh" content="{delay};url={to}">'
        f'<meta name="robots" content="noindex"><link rel="canonical"'
        f' href="{canonical}"><body><a href="{to}">Redirecting from'
        f" <code>{html.escape(path)}</code> to <code>{to}</code></a></body>"
    ).encode()


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


def _compressors() -> dict[str, Callable[[bytes], bytes]]:
    """Return the compressors there are: the extra ``compress`` brings two more."""
    found: dict[str, Callable[[bytes], bytes]] = {"gzip": _gzip}
    try:
        brotli: t.Any = importlib.import_module("brotli")
    except ImportError:
        pass
    else:
        found["br"] = lambda body: bytes(brotli.compress(body, quality=5))
    try:
        zstandard: t.Any = importlib.import_module("zstandard")
    except ImportError:
        pass
    else:
        found["zstd"] = lambda body: bytes(
            zstandard.ZstdCompressor(level=6).compress(body)
        )
    return found


COMPRESSORS = _compressors()
