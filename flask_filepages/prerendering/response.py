"""Make a Flask response from a stored one."""

from __future__ import annotations

import functools
import typing as t

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response as BaseResponse

from ..releases.manifest import HeaderList


def make_response(
    base: t.Any, status: str, headers: HeaderList, body: t.Iterable[bytes]
) -> BaseResponse:
    """Return a response with exactly these *headers*.

    :param base: the response class of the app.
    """
    fields = Headers()
    fields[:] = headers
    response: BaseResponse = _stored_class(base)(body, status, fields)
    if len(fields) != len(headers):  # A 304 got Werkzeug's default content type.
        fields[:] = headers
    stored = (response.status, [*fields], response.response)
    t.cast(t.Any, response).stored = stored
    return response


@functools.lru_cache(8)
def _stored_class(base: t.Any) -> t.Any:
    """Return a subclass of *base* for stored responses.

    Werkzeug copies the headers to complete them. Those of a stored response are
    complete, and the copy costs 10 % of a request. It is made if a hook has changed
    the response, or if *base* completes the headers itself.
    """

    class StoredHeadersResponse(base):  # type: ignore[misc]
        stored: t.Any = None

        def get_wsgi_headers(self, environ: t.Any) -> Headers:
            now = (self.status, [*self.headers], self.response)
            if now == self.stored and is_plain:
                return t.cast(Headers, self.headers)
            return t.cast(Headers, super().get_wsgi_headers(environ))

    is_plain = base.get_wsgi_headers is BaseResponse.get_wsgi_headers
    return StoredHeadersResponse
