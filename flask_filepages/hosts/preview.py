"""Serve an exported folder as a plain host would."""

from __future__ import annotations

import os
import posixpath
import typing as t
from urllib.parse import quote

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join
from werkzeug.utils import redirect
from werkzeug.utils import send_file
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response


def plain_host(folder: str, root: str) -> t.Callable[..., t.Iterable[bytes]]:
    """Return a WSGI app that sends the files of an exported folder.

    ``/about/`` is ``about/index.html``, and ``/about`` redirects to it. ``/about`` is
    also ``about.html``. Other paths get ``404.html``.

    :param root: the root of the exported app, such as ``"/repo"``. An export for
        Netlify or Cloudflare has it as a folder. Others are served below it.
    """
    folder = os.path.realpath(folder)
    if os.path.isdir(os.path.join(folder, root.strip("/"))):
        root = ""

    def find(name: str) -> str | None:
        path = safe_join(folder, name)
        if path is None or not os.path.isfile(path):
            return None
        real = os.path.realpath(path)
        return real if real.startswith(folder + os.sep) else None

    @Request.application
    def respond(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(["GET", "HEAD"])
        path = request.path
        if f"{path}/".startswith(f"{root}/"):
            name = path[len(root) :].lstrip("/")
            index = find(posixpath.join(name, "index.html"))
            file = index if path[-1] == "/" else find(name) or find(f"{name}.html")
            if file is not None:
                return send_file(file, request.environ, conditional=True, max_age=0)
            if index is not None:
                query = request.query_string.decode("latin-1")
                location = quote(f"{path}/") + (f"?{query}" if query else "")
                return redirect(location, 301)
        elif path == "/":
            return redirect(f"{root}/")
        page = find("404.html")
        if page is None:
            raise NotFound
        response = send_file(page, request.environ)
        response.status_code = 404
        return response

    return respond
