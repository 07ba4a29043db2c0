"""Request bodies that can be read again, or say why not."""

from __future__ import annotations

import io
import typing as t

from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import RequestEntityTooLarge

from .errors import BodyAlreadyReadError

if t.TYPE_CHECKING:
    from werkzeug.wrappers import Request

#: Forms up to this many bytes are kept, so that the same body can be read as bytes
#: and as a form in any order. Werkzeug's own limit for form fields in memory.
KEPT_FORM = 500_000
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


def has_body(environ: t.Mapping[str, t.Any]) -> bool:
    """Whether a body was sent with a method that seldom has one (RFC 9112, 6.3)."""
    length = environ.get("CONTENT_LENGTH", "0")
    return length != "0" or "HTTP_TRANSFER_ENCODING" in environ


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
    if isinstance(vars(request).get("stream"), BodyStream):
        return
    is_form = request.mimetype in FORM_TYPES
    length = request.content_length
    keeps = is_form and length is not None and length <= KEPT_FORM
    used_up = is_form and "form" in vars(request)
    vars(request)["stream"] = BodyStream(request, keeps=keeps, used_up=used_up)


class BodyStream(io.RawIOBase):
    """The body as a stream. At its end there are no more bytes, as in every stream;
    only reading all of it another time is an error."""

    def __init__(self, request: Request, *, keeps: bool, used_up: bool) -> None:
        self._request = request
        self._stream: t.IO[bytes] | None = vars(request).pop("stream", None)
        self._keeps = keeps and not used_up
        self._used_up = used_up

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to *size* bytes, or all.

        :raises BodyAlreadyReadError: all are wanted, and they were read before.
        :raises BadRequest: the body breaks off, or is framed wrongly.
        :raises RequestEntityTooLarge: it is longer than it may be.
        """
        if size is not None and size >= 0:
            return self._took("read", size)
        if self._used_up:
            raise BodyAlreadyReadError
        return self._took("read")

    def readinto(self, buffer: t.Any, /) -> int:
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._took("readline", -1 if size is None else size)

    def readall(self) -> bytes:
        return self._took("read")

    def _took(self, method: str, *size: int) -> bytes:
        try:
            chunk: bytes = getattr(self._source(), method)(*size)
        except HTTPException:
            raise
        except Exception as error:
            # Each server has exceptions of its own for a body that it cannot read.
            raise BadRequest("The body could not be read to its end.") from error
        self._used_up = self._used_up or bool(chunk)
        return chunk

    def _source(self) -> t.IO[bytes]:
        """Return Werkzeug's stream; what is to be kept is read as a whole first.

        Werkzeug makes the stream when it is first asked for, and raises 413 then.
        """
        if self._stream is None or self._keeps:
            own = vars(self._request)
            del own["stream"]
            try:
                stream = _bounded(self._request) or self._request.stream
                if self._keeps:
                    stream = io.BytesIO(self._request.get_data(cache=True))
            finally:
                own["stream"] = self
            self._stream, self._keeps = stream, False
        return self._stream


def _bounded(request: Request) -> t.IO[bytes] | None:
    """Return the stream of a body of unknown length that may not pass a limit.

    Werkzeug's own ends at the limit, silently, when all of it is read.
    """
    limit = request.max_content_length
    if limit is None or request.content_length is not None:
        return None
    if not request.environ.get("wsgi.input_terminated"):
        return None
    return t.cast("t.IO[bytes]", _BoundedStream(request.environ["wsgi.input"], limit))


class _BoundedStream(io.RawIOBase):
    """Gives what *stream* gives; raises 413 once that is more than *limit* bytes."""

    def __init__(self, stream: t.IO[bytes], limit: int) -> None:
        self._stream = stream
        self._left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        most = self._left + 1
        return self._counted(
            self._all(most)
            if size is None or size < 0
            else self._stream.read(min(size, most))
        )

    def readline(self, size: int | None = -1, /) -> bytes:
        most = self._left + 1
        if size is not None and size >= 0:
            most = min(size, most)
        return self._counted(self._stream.readline(most))

    def readinto(self, buffer: t.Any, /) -> int:
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def _all(self, most: int) -> bytes:
        chunks = []
        while most > 0 and (chunk := self._stream.read(most)):
            chunks.append(chunk)
            most -= len(chunk)
        return b"".join(chunks)

    def _counted(self, chunk: bytes) -> bytes:
        self._left -= len(chunk)
        if self._left < 0:
            raise RequestEntityTooLarge
        return chunk
