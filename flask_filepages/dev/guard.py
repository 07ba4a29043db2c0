"""Decide who may see the development tools: the developer, on this machine."""

from __future__ import annotations

import re
import typing as t

_HOSTS = r"localhost|(?:[a-z0-9-]+\.)+localhost|127\.0\.0\.1|\[::1\]"
_host_re = re.compile(rf"(?:{_HOSTS})(?::[0-9]{{1,5}})?", re.IGNORECASE | re.ASCII)
#: The addresses of this machine, as the socket writes them.
_loopback_re = re.compile(r"(?:::ffff:)?127(?:\.[0-9]{1,3}){3}|::1")
_SAME_SITE = (None, "none", "same-origin")
#: What proxies add to the requests that they pass on.
_FORWARDED = (
    *("HTTP_FORWARDED", "HTTP_X_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP"),
    *("HTTP_X_CLIENT_IP", "HTTP_TRUE_CLIENT_IP", "HTTP_CF_CONNECTING_IP"),
)
#: Where Werkzeug's ProxyFix keeps what the socket said.
_ORIGINAL = "werkzeug.proxy_fix.orig"


def refusal(environ: dict[str, t.Any], hosts: t.Container[str] | None) -> str | None:
    """Return why a request gets none of the development tools, or ``None``.

    A page of another site cannot read them, because its requests say so
    (``Sec-Fetch-Site``). It cannot use a name of its own for this machine either (DNS
    rebinding), because ``Host`` is checked.

    :param hosts: ``FILEPAGES_DEV_HOSTS``. They replace the checks of address and host.
    """
    # By default nginx adds no field, but passes requests on as HTTP/1.0.
    is_old = environ.get("SERVER_PROTOCOL") == "HTTP/1.0"
    if is_old or any(key.startswith(_FORWARDED) for key in environ):
        return "a proxy has forwarded the request"
    # Waitress, for example, removes the fields of proxies.
    server = environ.get("SERVER_SOFTWARE", "Werkzeug")
    if hosts is None and not server.startswith("Werkzeug"):
        return "the server is not the development server"
    host = environ.get("HTTP_HOST", "")
    address = environ.get(_ORIGINAL, environ).get("REMOTE_ADDR") or ""
    if hosts is not None:
        if re.sub(r":[0-9]*\Z", "", host).lower() not in hosts:
            return f"the host {host!r} is not in FILEPAGES_DEV_HOSTS"
    elif not _loopback_re.fullmatch(address):
        return "the request comes from another machine"
    elif not _host_re.fullmatch(host):
        return f"the host {host!r} is not a name of this machine"
    if environ.get("HTTP_SEC_FETCH_SITE") not in _SAME_SITE:
        return "a page of another site has sent the request"
    return None
