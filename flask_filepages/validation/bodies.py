"""Request bodies that can be read again, or say why not."""

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

#: Forms up to this many bytes are kept, so that the same body can be read as bytes
#: and as a form in any order. Werkzeug's own limit for form fields in memory.
KEPT_FORM = 500_000
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def make_rereadable(request: Request) -> None:
    """Let the body of *request* be read any number of times as bytes, JSON or form.

    Werkzeug keeps the bytes of ``get_data()`` and answers with nothing, silently,
    once the stream was used up by a form or by the handler. Here a form of known,
    moderate length is kept as well, and reading a used-up body as a whole raises
    :exc:`~flask_filepages.errors.BodyAlreadyReadError`; so does reading the bytes of
    a form that a hook had parsed before. Nothing is read before it is asked for.

    While it is read, a body that breaks off or is framed wrongly is 400, and one that
    passes ``MAX_CONTENT_LENGTH`` is 413, also if it comes in chunks.
    """
    own = vars(request)
    stream = own.get("stream")
    if isinstance(stream, BodyStream):
        return
    is_form = request.mimetype in FORM_TYPES
    used_up = is_form and "form" in own
    keeps = is_form and not used_up
    own["stream"] = BodyStream(
        request,
        stream,
        keeps=keeps and (request.content_length or KEPT_FORM + 1) <= KEPT_FORM,
        used_up=used_up,
    )


class BodyStream(io.RawIOBase):
    """The body as a stream. At its end there are no more bytes, as in every stream;
    only reading all of it another time is an error."""

    def __init__(
        self, request: Request, stream: t.Any, *, keeps: bool, used_up: bool
    ) -> None:
        self._request = request
        self._stream = stream
        self._keeps = keeps
        self._used_up = used_up

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to *size* bytes, or all.

        :raises BodyAlreadyReadError: all are wanted, and they were read before.
        :raises BadRequest: the body breaks off, or is framed wrongly.
        :raises RequestEntityTooLarge: it is longer than it may be.
        """
        chunk = self._took("read", size)
        if not chunk and self._used_up and (size is None or size < 0):
            raise BodyAlreadyReadError
        return chunk

    def readinto(self, buffer: t.Any, /) -> int:
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._took("readline", size)

    def readall(self) -> bytes:
        return self.read()

    def _took(self, method: str, size: int | None) -> bytes:
        try:
            read = getattr(self._stream or self._opened(), method)
            # Not every server's stream takes a size of -1.
            chunk: bytes = read() if size is None or size < 0 else read(size)
        except Exception as error:
            raise _readable(error) from error
        if chunk:
            self._used_up = True
        return chunk

    def _opened(self) -> t.Any:
        """Return the server's stream, as Werkzeug limits it.

        What is to be kept is read as a whole first. Werkzeug raises 413 here.
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


def _readable(error: Exception) -> HTTPException:
    """Return what to raise for an error of the server's stream: each server has
    exceptions of its own for a body that it cannot read."""
    if isinstance(error, HTTPException):
        return error
    return BadRequest("The body could not be read to its end.")


def _bounded(request: Request) -> t.IO[bytes] | None:
    """Return the stream of a body of unknown length that may not pass a limit.

    Werkzeug's own ends at the limit, silently, when all of it is read.
    """
    environ = request.environ
    if environ.get("CONTENT_LENGTH") or not environ.get("wsgi.input_terminated"):
        return None
    limit = request.max_content_length
    if limit is None:
        return None
    # Buffered, because not every server can read a line of a body in chunks.
    return io.BufferedReader(_BoundedStream(environ["wsgi.input"], limit))


class _BoundedStream(io.RawIOBase):
    """Gives what *stream* gives; raises 413 once that is more than *limit* bytes."""

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
