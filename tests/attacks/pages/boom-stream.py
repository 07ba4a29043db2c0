from collections.abc import Iterator

from flask import Response

from flask_filepages import Context


def _chunks() -> Iterator[str]:
    raise RuntimeError("SECRET-TOKEN-abc")
    yield ""


def GET(context: Context) -> Response:
    return Response(_chunks(), mimetype="text/plain")
