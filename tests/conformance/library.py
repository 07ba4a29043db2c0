"""Stands for the recorded sites' ``src/lib``."""

from __future__ import annotations

from flask import Response

from flask_filepages import Context


def GET(context: Context) -> Response:
    return Response("reexported", mimetype="text/plain")
