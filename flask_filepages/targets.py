"""Judge redirect targets as a browser would resolve them.

Follows the URL standard (url.spec.whatwg.org, "basic URL parser"): browsers drop
tabs and newlines anywhere, drop controls and spaces at both ends, read ``\\`` as
``/`` and take ``https:host`` for an absolute address. Targets that a browser would
change like this are refused, not repaired.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote
from urllib.parse import urlsplit

from .errors import UnsafeRedirectError

REDIRECT_STATUSES = (301, 302, 303, 307, 308)
# RFC 3986 allows these in a URL. "%" is one of them, so nothing is encoded twice.
URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
_unsafe_re = re.compile(r"[\x00-\x1f\x7f-\x9f\\]|\A[ ]|[ ]\Z")
_scheme_re = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_origin_re = re.compile(
    r"(?!http://.*:80\Z|https://.*:443\Z)"
    r"[a-z][a-z0-9+.-]*://(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?"
)
_address_re = re.compile(r"https?://[^/?#@\s]+(?:[/?#].*)?\Z", re.IGNORECASE)


def check(target: str, *, external: bool = False) -> str:
    """Return *target*, percent-encoded where needed, if it stays on this site.

    :param external: it may also be an http or https address.
    :raises UnsafeRedirectError: a browser might resolve it to another origin.
    """
    reason = _reason_to_refuse(target)
    fix = "If the address is yours, write context.redirect(target, external=True)."
    if external:
        fix = "Write a path, or an http or https address, percent-encoded."
        if _address_re.match(target) and not _unsafe_re.search(target):
            reason = None
    if reason is not None:
        raise UnsafeRedirectError(target, reason, fix)
    return encode(target)


def check_origin_text(origin: t.Any) -> str:
    """Return *origin* if browsers write origins like it (RFC 6454, section 6.1).

    :raises ValueError: it is something else; the text says what to write.
    """
    if isinstance(origin, str) and _origin_re.fullmatch(origin):
        return origin
    raise ValueError(
        f"{origin!r} is not an origin. Write scheme, host and, unless it is the"
        " default, port, in lower case: 'https://app.example',"
        " 'http://localhost:3000'."
    )


def encode(target: str) -> str:
    """Percent-encode the characters of *target* that a URL cannot hold, as UTF-8."""
    return quote(target, safe=URL_SAFE)


def _reason_to_refuse(target: str) -> str | None:
    if _unsafe_re.search(target):
        return "it contains a control character, a backslash or a space at an end"
    if _scheme_re.match(target):
        return "it names a scheme"
    if target.startswith("//"):
        return "it starts with two slashes, which names a host"
    if _without_dots(urlsplit(target).path).startswith("//"):
        return "it names a host once '..' is resolved"
    return None


def _without_dots(path: str) -> str:
    """Resolve the dot segments of *path* (RFC 3986, section 5.2.4)."""
    out: list[str] = []
    for segment in path.split("/"):
        name = re.sub("%2e", ".", segment, flags=re.IGNORECASE)
        if name == "..":
            del out[max(1, len(out) - 1) :]
        elif name != ".":
            out.append(segment)
    return "/".join(out)


_param_re = re.compile(
    r"(?P<slash>/?)\[\[?(?P<rest>\.\.\.)?(?P<name>[\w$]+)(?:=\w+)?\]\]?", re.ASCII
)


def params_in(target: str) -> list[str]:
    """Return the names of the params in a redirect target such as ``/new/[slug]``."""
    return [match["name"] for match in _param_re.finditer(target)]


def fill_params(target: str, params: t.Mapping[str, str | None]) -> str:
    """Return a redirect target with its params filled from *params*.

    Values are percent-encoded. A rest param keeps its slashes; an absent param also
    drops the slash before it. Leading slashes are collapsed, so that no value can name
    a host.
    """

    def fill(match: re.Match[str]) -> str:
        value = params.get(match["name"])
        if value is None or value == "":
            return ""
        return match["slash"] + quote(str(value), safe="/" if match["rest"] else "")

    return re.sub(r"\A/{2,}", "/", _param_re.sub(fill, target)) or "/"
