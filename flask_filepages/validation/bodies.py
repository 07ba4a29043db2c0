"""Let the body of a request be read more than once."""

from __future__ import annotations

import io
import typing as t

from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from ..errors import BodyAlreadyReadError

if t.TYPE_CHECKING:
    from werkzeug.wrappers import Request

#: Forms up to this many bytes are kept, so that a body can be read as bytes and as a
#: form, in any order. Werkzeug has the same limit for form fields in memory.
KEPT_FORM = 500_000
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def make_rereadable(request: Request) -> None:
    """Let the body of *request* be read any number of times as bytes, JSON or form.

    Werkzeug keeps the bytes of ``get_data()``, but returns nothing, silently, once a
    form or the handler has consumed the stream. We also keep forms of known, moderate
    length, and raise :exc:`~flask_filepages.errors.BodyAlreadyReadError` when the whole
    of a consumed body is read again, or the bytes of a form that a hook parsed before.
    Nothing is read before the handler asks for it.

    Reading raises 400 if the body breaks off or is framed wrongly, and 413 if it is
    longer than ``MAX_CONTENT_LENGTH``, even if it comes in chunks.
    """
    own = vars(request)
    stream = own.get("stream")
    if isinstance(stream, BodyStream):
        return
    is_form = request.mimetype in FORM_TYPES
    consumed = is_form and "form" in own
    keeps = is_form and not consumed
    own["stream"] = BodyStream(
        request,
        stream,
        keeps=keeps and (request.content_length or KEPT_FORM + 1) <= KEPT_FORM,
        consumed=consumed,
    )


class BodyStream(io.RawIOBase):
    """The body as a stream. Only reading all of it a second time is an error; reading
    on at its end returns no bytes, as with every stream."""

    def __init__(
        self, request: Request, stream: t.Any, *, keeps: bool, consumed: bool
    ) -> None:
        self._request = request
        self._stream = stream
        self._keeps = keeps
        self._consumed = consumed

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to *size* bytes, or all.

        :raises BodyAlreadyReadError: the whole body is wanted and was read before.
        :raises BadRequest: the body breaks off, or is framed wrongly.
        :raises RequestEntityTooLarge: the body is longer than the limit.
        """
        chunk = self._read("read", size)
        if not chunk and self._consumed and (size is None or size < 0):
            raise BodyAlreadyReadError
        return chunk

    def readinto(self, buffer: t.Any, /) -> int:
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._read("readline", size)

    def readall(self) -> bytes:
        return self.read()

    def _read(self, method: str, size: int | None) -> bytes:
        try:
            read = getattr(self._stream or self._open(), method)
            # Not every server's stream takes a size of -1.
            chunk: bytes = read() if size is None or size < 0 else read(size)
        except HTTPException:
            raise
        except Exception as error:  # Each server has its own exceptions.
            raise BadRequest("The body could not be read to its end.") from error
        if chunk:
            self._consumed = True
        return chunk

    def _open(self) -> t.Any:
        """Return the server's stream, limited by Werkzeug.

        A form that is kept is read as a whole first. Werkzeug raises 413 here.
        """
        request = self._request
        stream = _bounded(request) or get_input_stream(
            request.environ, max_content_length=request.max_content_length
        )
        if self._keeps:
            self._keeps = False
            own = vars(request)
            own["stream"] = stream
            try:
                stream = io.BytesIO(request.get_data(cache=True))
            finally:
                own["stream"] = self
        self._stream = stream
        return stream


def _bounded(request: Request) -> t.IO[bytes] | None:
    """Return a limited stream for a body of unknown length, else ``None``.

    Werkzeug's own stream silently ends at the limit when the whole body is read.
    """
    environ = request.environ
    if environ.get("CONTENT_LENGTH") or not environ.get("wsgi.input_terminated"):
        return None
    limit = request.max_content_length
    if limit is None:
        return None
    # Buffered, because some servers cannot read a line of a chunked body.
    return io.BufferedReader(_BoundedStream(environ["wsgi.input"], limit))


class _BoundedStream(io.RawIOBase):
    """Reads from *stream*, and raises 413 after more than *limit* bytes."""

    def __init__(self, stream: t.IO[bytes], limit: int) -> None:
        self._stream = stream
        self._left = limit

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any, /) -> int:
        chunk = self._stream.read(min(len(buffer), self._left + 1))
        self._left -= len(chunk)
        if self._left < 0:
            raise RequestEntityTooLarge
        buffer[: len(chunk)] = chunk
        return len(chunk)
