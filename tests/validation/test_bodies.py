"""Bodies that come in pieces, break off or never end: under a real server."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request

from flask_filepages.errors import BodyAlreadyReadError
from flask_filepages.pytest_plugin import write_files
from flask_filepages.validation.bodies import make_rereadable

from ..conftest import free_port
from ..conftest import gunicorn
from ..conftest import server

APP = """\
from flask import Flask
from flask_filepages import FilePages

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1000
FilePages(app).load()
"""
WAYS = {
    "bytes": "len(context.request.get_data())",
    "stream": "len(context.request.stream.read())",
    "lines": "sum(len(line) for line in context.request.stream)",
    "json": "len(context.request.get_json())",
    "form": "len(context.request.form['a'])",
}
HANDLER = "def POST(context):\n    return context.json({})\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    root = tmp_path_factory.mktemp("bodies")
    pages = {f"pages/{name}.py": HANDLER.format(way) for name, way in WAYS.items()}
    write_files(root, {"app.py": APP, "pages/index.html": "", **pages})
    port = free_port()
    with server(gunicorn("app:app", port), f"http://127.0.0.1:{port}/", root):
        yield port


def send(port: int, url: str, kind: str, *chunks: bytes) -> int:
    """Return the status of the answer to a body in *chunks*, sent as they are."""
    head = (
        f"POST /{url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sent:
        sent.sendall(head.encode() + b"".join(chunks))
        sent.shutdown(socket.SHUT_WR)
        return int(sent.makefile("rb").readline().split()[1])


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
END = b"0\r\n\r\n"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("length", "status"), [(0, 200), (900, 200), (996, 200), (1001, 413), (5000, 413)]
)
def test_a_limit_holds_for_chunks(
    port: int, way: str, length: int, status: int
) -> None:
    around = {"json": (b'"', b'"'), "form": (b"a=", b"")}.get(way, (b"", b""))
    body = around[0] + b"x" * length + around[1]
    pieces = [chunk(body[n : n + 300]) for n in range(0, len(body), 300)]

    assert send(port, way, TYPES.get(way, "text/plain"), *pieces, END) == status


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("broken", [b"", b"zz\r\n", b"5\r\nab", b"+2\r\n{}\r\n"])
def test_a_body_that_breaks_off_is_a_bad_request(
    port: int, way: str, broken: bytes
) -> None:
    kind = TYPES.get(way, "text/plain")

    assert send(port, way, kind, chunk(b"a="), broken) == 400


def test_the_rest_of_a_stream_may_be_read() -> None:
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "8"}
    request = Request({**environ, "wsgi.input": io.BytesIO(b"abcdefgh")})
    make_rereadable(request)

    assert (request.stream.read(4), request.stream.read()) == (b"abcd", b"efgh")
    with pytest.raises(BodyAlreadyReadError):
        request.stream.read()


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=8), st.integers(0, 100))
def test_all_or_413(pieces: list[bytes], limit: int) -> None:
    class Pieces(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            piece = left.pop(0) if left else b""
            if 0 <= size < len(piece):
                left.insert(0, piece[size:])
            return piece if size < 0 else piece[:size]

    left = list(pieces)
    request = Request(
        {
            "REQUEST_METHOD": "POST",
            "wsgi.input": Pieces(),
            "wsgi.input_terminated": True,
        }
    )
    request.max_content_length = limit
    make_rereadable(request)
    whole = b"".join(pieces)
    if len(whole) > limit:
        with pytest.raises(RequestEntityTooLarge):
            request.get_data()
    else:
        assert request.get_data() == whole == request.get_data()
