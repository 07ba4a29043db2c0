"""Judging a redirect target as a browser would resolve it.

Follows the URL standard (url.spec.whatwg.org, "basic URL parser"): browsers drop
tab and newline anywhere and controls and spaces at both ends, read ``\\`` as
``/`` and take ``https:host`` for an address. Whatever would be changed that way
is refused instead of repaired.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote
from urllib.parse import urlsplit

from .errors import UnsafeRedirectError

# What RFC 3986 allows in a URL as it stands, '%' included: nothing is encoded twice.
URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
_unsafe_re = re.compile(r"[\x00-\x1f\x7f-\x9f\\]|\A[ ]|[ ]\Z")
_scheme_re = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_origin_re = re.compile(
    r"(?!http://.*:80\Z|https://.*:443\Z)"
    r"[a-z][a-z0-9+.-]*://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?"
)
_address_re = re.compile(r"https?://[^/?#@\s]+(?:[/?#].*)?\Z", re.IGNORECASE)


def check_local(target: str) -> str:
    """Return *target*, percent-encoded where needed, if it stays on this site.

    :raises UnsafeRedirectError: a browser might resolve it to another origin.
    """
    reason = _leaves(target)
    if reason is not None:
        raise UnsafeRedirectError(target, reason)
    return encode(target)


def check_external(target: str) -> str:
    """Return *target*, percent-encoded where needed: a path or an http(s) address.

    :raises UnsafeRedirectError: it is neither.
    """
    if _unsafe_re.search(target):
        raise UnsafeRedirectError(target, "it holds a control character or a backslash")
    if not _address_re.match(target):
        return check_local(target)
    return encode(target)


def check_origin_text(origin: t.Any) -> str:
    """Return *origin* if it is one, as browsers write it (RFC 6454, section 6.1).

    :raises ValueError: it is something else; the text says what to write.
    """
    if isinstance(origin, str) and _origin_re.fullmatch(origin):
        return origin
    raise ValueError(
        f"{origin!r} is no origin. Write scheme, host and, unless it is the default,"
        " port, in lower case: 'https://app.example', 'http://localhost:3000'."
    )


def encode(target: str) -> str:
    """Return *target* with whatever a URL cannot hold percent-encoded as UTF-8."""
    return quote(target, safe=URL_SAFE)


def _leaves(target: str) -> str | None:
    if _unsafe_re.search(target):
        return "it holds a control character, a backslash or a space at an end"
    if _scheme_re.match(target):
        return "it names a scheme"
    if target.startswith("//"):
        return "it starts with two slashes, which names a host"
    if _collapsed(urlsplit(target).path).startswith("//"):
        return "it names a host once '..' is resolved"
    return None


def _collapsed(path: str) -> str:
    """Return *path* with its dot segments resolved (RFC 3986, section 5.2.4)."""
    out: list[str] = []
    for segment in path.split("/"):
        name = re.sub("%2e", ".", segment, flags=re.IGNORECASE)
        if name == "..":
            del out[max(1, len(out) - 1) :]
        elif name != ".":
            out.append(segment)
    return "/".join(out)


_blank_re = re.compile(
    r"(?P<slash>/?)\[\[?(?P<rest>\.\.\.)?(?P<name>[\w$]+)(?:=\w+)?\]\]?", re.ASCII
)


def blanks(template: str) -> list[str]:
    """Return the names of the params that a redirect target wants filled."""
    return [match["name"] for match in _blank_re.finditer(template)]


def fill(template: str, params: t.Mapping[str, str | None]) -> str:
    """Return a redirect target with its params filled from *params*.

    Values are percent-encoded; a rest keeps its slashes, and an absent value takes
    the slash before it along. Leading slashes are collapsed, so no value can name
    a host.
    """

    def put(match: re.Match[str]) -> str:
        value = params.get(match["name"])
        if value is None or value == "":
            return ""
        return match["slash"] + quote(str(value), safe="/" if match["rest"] else "")

    return re.sub(r"\A/{2,}", "/", _blank_re.sub(put, template)) or "/"
