"""Serve an exported folder as a plain host would."""

from __future__ import annotations

import os
import typing as t
from urllib.parse import quote

from werkzeug.security import safe_join
from werkzeug.utils import send_file
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response


class PlainHost:
    """A WSGI app that sends the files of a folder.

    ``/about/`` is ``about/index.html``, and ``/about`` redirects to it. ``/about`` is
    also ``about.html``. Other paths get ``404.html``.

    :param root: what the URLs begin with, such as ``"/repo"``.
    """

    def __init__(self, folder: str, root: str = "") -> None:
        self._folder = os.path.realpath(folder)
        self._root = root

    @classmethod
    def of(cls, folder: str, root: str) -> PlainHost:
        """Return the host of an export of an app with *root*.

        An export for Netlify or Cloudflare has the root of the app as a folder. Others
        are served below it.
        """
        has_root = os.path.isdir(os.path.join(folder, root.strip("/")))
        return cls(folder, "" if has_root else root)

    def __call__(self, environ: t.Any, start_response: t.Any) -> t.Iterable[bytes]:
        response = self._respond(Request(environ))
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(status=405, headers={"Allow": "GET, HEAD"})
        path = request.path
        if self._root and not f"{path}/".startswith(f"{self._root}/"):
            if path == "/":
                return Response(status=302, headers={"Location": f"{self._root}/"})
            return self._not_found(request)
        name = path[len(self._root) :]
        if name.endswith("/"):
            file = self._file(f"{name}index.html")
        else:
            file = self._file(name) or self._file(f"{name}.html")
            if file is None and self._file(f"{name}/index.html") is not None:
                query = request.query_string.decode("latin-1")
                location = quote(f"{path}/") + (f"?{query}" if query else "")
                return Response(status=301, headers={"Location": location})
        if file is None:
            return self._not_found(request)
        return send_file(file, request.environ, conditional=True, max_age=0)

    def _file(self, name: str) -> str | None:
        """Return the path of a file in the folder, or ``None``."""
        path = safe_join(self._folder, name.lstrip("/"))
        if path is None or "\0" in path:
            return None
        real = os.path.realpath(path)
        is_inside = real.startswith(self._folder + os.sep)
        return real if is_inside and os.path.isfile(real) else None

    def _not_found(self, request: Request) -> Response:
        file = self._file("404.html")
        if file is None:
            return Response("Not found", status=404, mimetype="text/plain")
        response = send_file(file, request.environ)
        response.status_code = 404
        return response
