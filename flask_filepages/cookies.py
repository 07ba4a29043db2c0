"""The cookies of one request: those it brought, and those it sets."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import datetime

from werkzeug.http import dump_cookie

from .errors import CookieError

if t.TYPE_CHECKING:
    from werkzeug.wrappers import Response

# RFC 6265, section 4.1.1: cookie-name is a token of RFC 2616.
_name_re = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_path_re = re.compile(r"/[^\x00-\x1f\x7f;]*")
_domain_re = re.compile(r"\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_LONGEST = 4096


class Cookies(Mapping[str, str]):
    """A mapping of cookie names to values that includes its own changes.

    Values are as the browser sent them. Changes are written to the response after the
    middleware has run, and are lost if the handler raises an exception.
    """

    __slots__ = ("_secure", "_values", "_written")

    def __init__(self, values: Mapping[str, str], *, secure: bool = False) -> None:
        self._values = dict(values)
        self._secure = secure
        self._written: dict[tuple[str, str, str | None], str] = {}

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __setitem__(self, name: str, value: str) -> t.NoReturn:
        raise TypeError(f"Write context.cookies.set({name!r}, {value!r}).")

    def __delitem__(self, name: str) -> t.NoReturn:
        raise TypeError(f"Write context.cookies.delete({name!r}).")

    def set(
        self,
        name: str,
        value: str,
        *,
        max_age: int | None = None,
        expires: datetime | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool | None = None,
        httponly: bool = True,
        samesite: t.Literal["Lax", "Strict", "None"] | None = "Lax",
        partitioned: bool = False,
    ) -> None:
        """Set a cookie with the response to this request.

        :param max_age: seconds until the cookie expires. Without *max_age* or
            *expires*, the cookie lasts for the browser session.
        :param secure: send it over HTTPS only. The default is True if the request or
            ``FILEPAGES_SITE`` uses HTTPS.
        :raises CookieError: if a browser would misread the name, value, path or domain
            (RFC 6265), or the cookie exceeds 4,096 bytes.
        """
        if not isinstance(value, str):
            raise CookieError(
                f"The value of cookie {name!r} is {type(value).__name__}, not str."
                " Write str(value), or app.json.dumps(value) for structured data."
            )
        if isinstance(expires, str):
            raise CookieError(
                f"expires of cookie {name!r} is a str. Write a datetime, or max_age in"
                " seconds."
            )
        if secure is None:
            must = (
                str(samesite).lower() == "none" or partitioned or name.startswith("__")
            )
            secure = self._secure or must
        _check(name, path, domain, secure)
        header = dump_cookie(
            name,
            value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
            max_size=0,
        )
        if len(header) > _LONGEST:
            raise CookieError(
                f"Cookie {name!r} takes {len(header)} bytes; browsers keep"
                f" {_LONGEST}. Keep the data on the server and a key in the cookie."
            )
        self._written[name, path, domain] = header
        self._values[name] = value

    def delete(
        self,
        name: str,
        *,
        path: str = "/",
        domain: str | None = None,
        secure: bool | None = None,
        partitioned: bool = False,
    ) -> None:
        """Tell the browser to delete the cookie with this name, path and domain.

        :raises CookieError: if a browser would misread the name, path or domain.
        """
        self.set(
            name,
            "",
            max_age=0,
            path=path,
            domain=domain,
            secure=secure,
            partitioned=partitioned,
        )
        del self._values[name]

    def write(self, response: Response) -> None:
        """Add a ``Set-Cookie`` for each name, path and domain that was written."""
        for header in self._written.values():
            response.headers.add("Set-Cookie", header)


def _check(name: str, path: str, domain: str | None, secure: bool) -> None:
    if not _name_re.fullmatch(name):
        raise CookieError(
            f"{name!r} is not a cookie name. Use only ASCII letters, digits and"
            " !#$%&'*+.^_`|~-."
        )
    if not _path_re.fullmatch(path):
        raise CookieError(
            f"{path!r} is not a cookie path. Start it with '/' and leave out ';'."
        )
    if domain is not None and not _domain_re.fullmatch(domain):
        raise CookieError(f"{domain!r} is not a cookie domain, such as 'example.com'.")
    if name.startswith("__Host-") and not (secure and path == "/" and domain is None):
        raise CookieError(
            f"{name!r}: a __Host- cookie needs secure=True, path='/' and no domain."
        )
    if name.startswith("__Secure-") and not secure:
        raise CookieError(f"{name!r}: a __Secure- cookie needs secure=True.")
