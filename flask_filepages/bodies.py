"""Request bodies that can be read again, or say why not."""

from __future__ import annotations

import io
import typing as t

from .errors import BodyAlreadyReadError

if t.TYPE_CHECKING:
    from werkzeug.wrappers import Request

#: Forms up to this many bytes are kept, so that the same body can be read as bytes
#: and as a form in any order. Werkzeug's own limit for form fields in memory.
KEPT_FORM = 500_000


def make_rereadable(request: Request) -> None:
    """Let the body of *request* be read any number of times as bytes, JSON or form.

    Werkzeug keeps the bytes of ``get_data()`` and answers with nothing, silently,
    once the stream was used up by a form or by the handler. Here a form of known,
    moderate length is kept as well, and reading a used-up stream raises
    :exc:`~flask_filepages.errors.BodyAlreadyReadError`.
    """
    length = request.content_length
    is_form = request.mimetype in (
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    )
    stream = request.stream
    if is_form and length is not None and length <= KEPT_FORM:
        stream = io.BytesIO(request.get_data(cache=True))
    request.__dict__["stream"] = BodyStream(stream)


class BodyStream(io.RawIOBase):
    """The body as a stream; reading on behind its end is an error."""

    def __init__(self, stream: t.IO[bytes]) -> None:
        self._stream = stream
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any, /) -> int:
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return *size* bytes, or all; ``b""`` once at the end, then raise."""
        if self._ended:
            raise BodyAlreadyReadError
        whole = size is None or size < 0
        chunk = self._stream.read(-1 if size is None else size)
        self._ended = whole or (not chunk and size != 0)
        return chunk

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line, or ``b""`` once at the end, then raise."""
        if self._ended:
            raise BodyAlreadyReadError
        line = self._stream.readline(-1 if size is None else size)
        self._ended = not line and size != 0
        return line

    def readall(self) -> bytes:
        return self.read()
