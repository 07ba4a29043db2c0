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
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def make_rereadable(request: Request) -> None:
    """Let the body of *request* be read any number of times as bytes, JSON or form.

    Werkzeug keeps the bytes of ``get_data()`` and answers with nothing, silently,
    once the stream was used up by a form or by the handler. Here a form of known,
    moderate length is kept as well, and reading a used-up body as a whole raises
    :exc:`~flask_filepages.errors.BodyAlreadyReadError`; so does reading the bytes of
    a form that a hook had parsed before. Nothing is read before it is asked for.
    """
    is_form = request.mimetype in _FORMS
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
        """
        if size is not None and size >= 0:
            return self._took(self._source().read(size))
        if self._used_up:
            raise BodyAlreadyReadError
        return self._took(self._source().read())

    def readinto(self, buffer: t.Any, /) -> int:
        chunk = self.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._took(self._source().readline(-1 if size is None else size))

    def readall(self) -> bytes:
        return self._took(self._source().read())

    def _took(self, chunk: bytes) -> bytes:
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
                stream = self._request.stream
                if self._keeps:
                    stream = io.BytesIO(self._request.get_data(cache=True))
            finally:
                own["stream"] = self
            self._stream, self._keeps = stream, False
        return self._stream
