"""A rendered response: what a build refuses, and what it stores."""

from __future__ import annotations

import contextlib
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

from flask import request
from flask import session
from werkzeug.wrappers import Response as BaseResponse

from ..releases.headers import stored_headers
from ..releases.manifest import HeaderList
from ..settings import Settings

#: Bytes of one stored body. It is held in memory while it is rendered.
LARGEST = 100 * 1024 * 1024
#: Compressing a smaller body saves no packet.
SMALLEST_COMPRESSED = 1024
_compressible_re = re.compile(
    r"text/|application/(?:json|javascript|xml|wasm|manifest)|.*\+(?:json|xml|text)\b"
    r"|image/(?:svg|bmp|x-icon|vnd\.microsoft\.icon)|font/(?:ttf|otf)",
    re.IGNORECASE,
)
_HTML = ("text/html", "application/xhtml+xml")
_public_re = re.compile(r"(?:\A|[,\s])(public|s-maxage)(?:[\s,=]|\Z)", re.IGNORECASE)
_private_re = re.compile(r"(?:\A|[,\s])(private|no-store)(?:[\s,=]|\Z)", re.IGNORECASE)


@dataclass(slots=True)
class RenderedResponse:
    """The response that was rendered for one path, as it left the middleware.

    :attr:`warning` says what may be wrong with it, :attr:`problem` why it cannot be
    stored, and :attr:`fix` what to do.
    """

    path: str
    status: str = ""
    code: int = 0
    headers: HeaderList = field(default_factory=list)
    body: bytes = b""
    digest: str = ""
    variants: dict[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0
    warning: str | None = None
    problem: str | None = None
    fix: str = ""

    @property
    def has_body(self) -> bool:
        return self.code not in (204, 205)

    @property
    def is_html(self) -> bool:
        """True for HTML, and for a redirect, whose file is an HTML page."""
        fields = _joined(tuple(self.headers))
        kind = fields.get("content-type", "").partition(";")[0].strip()
        return 300 <= self.code < 400 or kind.lower() in _HTML

    def take(self, sent: BaseResponse) -> None:
        """Copy *sent*, a response that left the middleware. Call this within the
        request.

        :raises ValueError: the body is too large.
        """
        self.status, self.code = sent.status, sent.status_code
        if session.modified:
            self.problem = "it sets the session, which every visitor would get"
            self.fix = "Set it on routes with `prerender = False`."
        headers = sent.get_wsgi_headers(request.environ)
        self.headers = stored_headers(headers)
        self.body = _read_body(sent)
        # The body was taken already; do not let Werkzeug make it twice.
        start = _ClosingOnly(sent.close), sent.status, headers.to_wsgi_list()
        vars(sent)["get_wsgi_response"] = lambda environ: start

    def complete(self, settings: Settings) -> None:
        """Give a redirect its page, and compute the digest of the body."""
        if 300 <= self.code < 400:
            location = next(v for k, v in self.headers if k.lower() == "location")
            path = settings.root + self.path
            self.body = _redirect_page(path, location, self.code, settings.site)
            self.headers = _without_type(self.headers)
            self.headers.append(("Content-Type", "text/html; charset=utf-8"))
        if not self.has_body:
            self.body = b""
            self.headers = _without_type(self.headers)
        self.digest = hashlib.sha256(self.body).hexdigest()[:32]

    def compress(self) -> None:
        """Add the compressed variants that are smaller than the body."""
        fields = _joined(tuple(self.headers))
        if "content-encoding" not in fields:
            self.variants = compressed(self.body, fields.get("content-type", ""))


class _ClosingOnly:
    """An empty body that only closes its response."""

    __slots__ = ("close",)

    def __init__(self, close: Callable[[], None]) -> None:
        self.close = close

    def __iter__(self) -> t.Iterator[bytes]:
        return iter(())


def _read_body(response: BaseResponse) -> bytes:
    """Return the whole body.

    :raises ValueError: the body is too large.
    """
    is_whole = response.is_sequence and not response.direct_passthrough
    chunks, size = [], 0
    for chunk in response.iter_encoded():
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST:
            raise ValueError(
                f"its body is over {LARGEST // 2**20} MiB; serve it on demand"
            )
    body = b"".join(chunks)
    if not is_whole:
        response.direct_passthrough = False
        response.response = [body]
    return body


def compressed(body: bytes, content_type: str) -> dict[str, bytes]:
    """Return the compressed variants of *body* that are smaller, by content coding."""
    if len(body) < SMALLEST_COMPRESSED or not _compressible_re.match(content_type):
        return {}
    variants = {coding: compress(body) for coding, compress in COMPRESSORS.items()}
    return {k: smaller for k, smaller in variants.items() if len(smaller) < len(body)}


# Most responses of a site have one of a few header lists.
@functools.lru_cache(256)
def _joined(headers: tuple[tuple[str, str], ...]) -> t.Mapping[str, str]:
    """Return the fields by lower-case name; values of the same name are joined."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found


@functools.lru_cache(256)
def refusal(
    status: str,
    headers: tuple[tuple[str, str], ...],
    is_error_page: bool,
    is_guarded: bool,
) -> tuple[str | None, str]:
    """Return why a response cannot be stored, or ``None``, and how to fix it."""
    code, fields = int(status.partition(" ")[0]), _joined(headers)
    if code >= 400 and not is_error_page:
        return f"the response is {status}", "Leave the path out, or fix the handler."
    if code < 200 or code in (205, 206, 304):
        return f"the response is {status}", "Return 200, or serve it on demand."
    if 300 <= code < 400 and "location" not in fields:
        return f"the response is {status} without Location", "Add the target."
    if "set-cookie" in fields:
        problem = "it sets a cookie, which every visitor would get"
        return problem, "Set cookies on routes with `prerender = False`."
    wrong_re = _public_re if is_guarded else _private_re
    found = wrong_re.search(fields.get("cache-control", ""))
    if found is None:
        return None, ""
    problem = f"its Cache-Control says {found[1].lower()}"
    if is_guarded:
        fix = "Write `private`, or mark the middleware @once_per_render."
        return f"{problem}, but middleware guards it", fix
    return problem, "Write `prerender = False`, or another Cache-Control."


def _without_type(headers: HeaderList) -> HeaderList:
    return [pair for pair in headers if pair[0].lower() != "content-type"]


def _redirect_page(path: str, location: str, code: int, site: str | None) -> bytes:
    """Return a page that redirects, like Astro's, for hosts that only know files."""
    delay = 2 if code == 302 else 0
    to, canonical = html.escape(location), html.escape(urljoin(site or "", location))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Redirecting to {to}</title>"
        f'<meta http-equiv="refresh" content="{delay}; url={to}">'
        '<meta name="robots" content="noindex">'
        f'<link rel="canonical" href="{canonical}"></head>'
        f'<body><a href="{to}">Redirecting from <code>{html.escape(path)}</code>'
        f" to <code>{to}</code></a></body></html>\n"
    ).encode()


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)


def _compressors() -> dict[str, Callable[[bytes], bytes]]:
    """Return the compressors by content coding. ``compress`` adds br and zstd."""
    found: dict[str, Callable[[bytes], bytes]] = {"gzip": _gzip}
    brotli = _first_module("brotli")
    if brotli is not None:
        found["br"] = lambda body: bytes(brotli.compress(body, quality=5))
    zstd = _first_module("compression.zstd", "backports.zstd")  # Python 3.14, or before
    if zstd is not None:
        found["zstd"] = lambda body: bytes(zstd.compress(body, level=6))
    return found


def _first_module(*names: str) -> t.Any:
    """Return the first of these modules that is installed, or ``None``."""
    for name in names:
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return None


COMPRESSORS = _compressors()
