"""Two blogs, built once, and every URL asked of the app and of all kinds of hosts."""

from __future__ import annotations

import http.client
import os
import shutil
import sys
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from urllib.parse import unquote
from urllib.parse import urlsplit

import pytest
from flask import Flask

from flask_filepages.hosts.export import Export
from flask_filepages.hosts.export import export
from flask_filepages.hosts.published import Published

from ..blogs import paper
from ..blogs import wind
from ..conftest import ROOT
from ..conftest import built
from ..conftest import free_port
from ..conftest import server
from .test_deploy import HOSTS
from .test_deploy import host

BLOGS: dict[str, t.Callable[..., Flask]] = {
    "paper": paper.create_app,
    "wind": wind.create_app,
}
Lacks = t.Callable[[str, str], bool]
EXPORTS = ("plain", "netlify", "cloudflare", "github-pages")
#: Fields that depend on the file or on the server, not on the handler.
NOT_OWN = {
    *("accept-ranges", "connection", "content-encoding", "content-length"),
    *("content-type", "date", "etag", "location", "server", "vary"),
}
#: Hosts do not redirect the paths of a pattern that no target lists, which an export
#: says, so none of these is one.
UNKNOWN = ("/none", "/tags/none/9", "/static/none.css", "/api/none")


@dataclass
class Answer:
    """What a host answered: status, type, other fields, target and body."""

    status: int
    type: str
    fields: dict[str, str]
    location: str | None
    body: bytes


class Blog:
    """A blog that was built, and what its app answers from inside Flask."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.app = self.make()
        built(self.app)
        self.client = self.app.test_client()
        published = Published(self.app)
        self.routes = {
            path: sent.name for sent in published.responses for path in sent.paths
        }
        self.static = [f"/{name}" for name in published.static]

    def make(self, **config: t.Any) -> Flask:
        return BLOGS[self.name](30, instance_path=str(self.folder / "i"), **config)

    def expected(self, path: str) -> Answer:
        response = self.client.get(quote(path))
        body = response.data
        response.close()
        headers = {name.lower(): value for name, value in response.headers}
        fields = {k: v for k, v in headers.items() if k not in NOT_OWN}
        location = headers.get("location")
        kind = headers.get("content-type", "")
        return Answer(response.status_code, kind, fields, location, body)


@pytest.fixture(scope="module", params=BLOGS)
def blog(request: pytest.FixtureRequest, tmp_path_factory: t.Any) -> Blog:
    return Blog(request.param, tmp_path_factory.mktemp(request.param))


def ask(port: int, path: str) -> Answer:
    """Ask for a path, and follow a redirect that only changes its last slash."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        for _ in range(3):
            connection.request("GET", quote(path))
            response = connection.getresponse()
            body = response.read()
            headers = {k.lower(): v for k, v in response.getheaders()}
            location = headers.get("location")
            target = unquote(urlsplit(location or "").path)
            if target.rstrip("/") != path.rstrip("/") or target == path:
                break
            path = target
    finally:
        connection.close()
    kind = headers.get("content-type", "")
    return Answer(response.status, kind, headers, location, body)


def differences(
    blog: Blog, port: int, lacks: Lacks = lambda route, what: False
) -> list[str]:
    """Return how a host differs from the app.

    :param lacks: ``lacks(route, what)`` is true for what an export said it leaves out.
    """
    found = []
    for path in (*blog.routes, *blog.static, *UNKNOWN):
        expected, got = blog.expected(path), ask(port, path)
        route = blog.routes.get(path, path)
        for what, is_same in compared(path in blog.routes, expected, got):
            if not is_same and not lacks(route, what):
                found.append(f"{path}: {what}: {got} instead of {expected}"[:400])
    return found


def compared(
    is_stored: bool, expected: Answer, got: Answer
) -> Iterator[tuple[str, bool]]:
    """Yield what must be equal, by name."""
    yield f"status {expected.status}", got.status == expected.status
    yield "Location", got.location == expected.location
    if expected.status == 200:
        yield "Content-Type", same_type(got.type, expected.type)
        yield "body", got.body == expected.body
    if is_stored:
        for name, value in expected.fields.items():
            what = "cache of redirects" if expected.location else name
            yield what, got.fields.get(name) == value


def same_type(one: str, other: str) -> bool:
    def plain(kind: str) -> str:
        kind = kind.lower().replace(" ", "").replace(";charset=utf-8", "")
        return kind.replace("text/xml", "application/xml")

    return plain(one) == plain(other)


# -- with the app ---------------------------------------------------------------------


@contextmanager
def front(blog: Blog) -> Iterator[int]:
    port = free_port()
    folder = ROOT / "tests"
    target = f"tests.blogs.{blog.name}:create_app(30, instance_path='{blog.folder / 'i'}', FILEPAGES_FRONT=True)"
    command = [
        *(sys.executable, "-m", "gunicorn", "--no-control-socket"),
        *("-b", f"127.0.0.1:{port}", target),
    ]
    with server(command, f"http://127.0.0.1:{port}/", folder.parent):
        yield port


def test_the_front_answers_as_flask_does(blog: Blog) -> None:
    with front(blog) as port:
        assert differences(blog, port) == []


@pytest.mark.parametrize("name", HOSTS)
def test_a_web_server_answers_as_the_app_does(
    blog: Blog, tmp_path: Path, name: str
) -> None:
    if shutil.which(name) is None and "CI" not in os.environ:
        pytest.skip(f"{name} is not installed")
    with host(name, blog.app, tmp_path) as port:
        assert differences(blog, port) == []


# -- exports --------------------------------------------------------------------------


def command_of(name: str, folder: str, port: int) -> list[str]:
    if name == "plain":
        python = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]
        return [*python, "--directory", folder, str(port)]
    return [sys.executable, "-m", "tests.hosts.static_hosts", name, folder, str(port)]


def left_out_by(made: Export) -> Lacks:
    def lacks(route: str, what: str) -> bool:
        # The cache control of a redirect, and of hosts that cannot be told one, is the
        # host's own.
        is_told = made.host not in ("plain", "github-pages")
        if what == "cache of redirects" or (what == "cache-control" and not is_told):
            return True
        told = " ".join(why for name, why in made.left_out if name == route).lower()
        if "a page that redirects" in told:
            return what == "Location" or what.startswith("status")
        return what.lower() in told or ("a 204" in told and "204" in what)

    return lacks


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_answers_as_the_app_does(
    blog: Blog, tmp_path: Path, name: str
) -> None:
    made = export(blog.app, str(tmp_path / "out"), name)
    port = free_port()
    command = command_of(name, made.folder, port)
    with server(command, f"http://127.0.0.1:{port}/", ROOT):
        found = differences(blog, port, left_out_by(made))

    assert found == []
