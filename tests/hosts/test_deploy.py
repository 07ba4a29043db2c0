"""The configuration of plain hosts, tried with the real ones."""

from __future__ import annotations

import http.client
import os
import shutil
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from flask_filepages.hosts.deploy_config import write_config

from ..conftest import MakePages
from ..conftest import built
from ..conftest import free_port
from ..conftest import server

HEAD = "from flask import Response\nprerender = True\n"
TREE = {
    "index.html": "<!doctype html><h1>Home</h1>",
    "about.html": "<!doctype html><h1>About</h1>",
    "404.html": "<!doctype html><h1>Nothing here</h1>",
    "api/plain.py": HEAD + "def GET(context):\n    return context.json({'a': 1})\n",
    "api/a.json.py": HEAD + "def GET(context):\n    return context.json([1])\n",
    "api/b.json.py": HEAD + "def GET(context):\n    return context.json([2])\n",
    "own.json.py": HEAD
    + "def GET(context):\n"
    + "    return Response('{}', 201, [('X-Own', 'a $b \"c\"')], mimetype='application/x-own')\n",
    "moved.py": HEAD
    + "def GET(context):\n    return context.redirect('/about?x=1', 301)\n",
    "nothing.py": HEAD + "def GET(context):\n    return Response(status=204)\n",
    "big.txt.py": HEAD
    + "def GET(context):\n    return Response('word ' * 1000, mimetype='text/plain')\n",
    "sp ace.json.py": HEAD + "def GET(context):\n    return context.json('space')\n",
    "é.txt.py": HEAD
    + "def GET(context):\n    return Response('é', mimetype='text/plain')\n",
}
#: What would be syntax in one of the configurations.
NAMES = [
    "x.y; } return 403; types { a",
    "c d",
    "a[b]",
    "{x}",
    "50%",
    "a$b",
    "it's",
    "café",
]
TREE["odd/[name].py"] = (
    HEAD
    + f"from flask_filepages import StaticPath\nNAMES = {NAMES!r}\n"
    + "def get_static_paths():\n    return [StaticPath({'name': n}) for n in NAMES]\n"
    + "def GET(context):\n    return Response(context.params['name'], 200,"
    + " [('X-Own', '{$HOME} $host')])\n"
)
TREE["moved-[name].py"] = (
    HEAD
    + f"from flask_filepages import StaticPath\nNAMES = {NAMES!r}\n"
    + "def get_static_paths():\n    return [StaticPath({'name': n}) for n in NAMES]\n"
    + "def GET(context):\n    return context.redirect('/about', 301)\n"
)
URLS = [
    *("/", "/about", "/about/", "/api/plain", "/api/a.json", "/api/b.json"),
    *("/own.json", "/moved", "/nothing", "/big.txt", "/sp%20ace.json", "/%C3%A9.txt"),
    *("/none", "/api/none.json"),
    *(f"/{place}{quote(name)}" for name in NAMES for place in ("odd/", "moved-")),
]
COMPARED = ("content-type", "cache-control", "x-own", "location", "content-encoding")


def nginx(config: str, port: int, folder: Path) -> list[str]:
    config = config.replace("listen 8080", f"listen 127.0.0.1:{port}")
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = (
        f"daemon off; pid {folder}/pid; error_log stderr;"
        f"{'user root;' if os.getuid() == 0 else ''}"
        f"events {{}} http {{ access_log off; {temporary} {config} }}"
    )
    (folder / "nginx.conf").write_text(whole, encoding="utf-8")
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(config: str, port: int, folder: Path) -> list[str]:
    options = (
        f"{{\n    admin off\n    default_bind 127.0.0.1\n    http_port {port}\n}}\n"
    )
    config = options + config.replace(":8080 {", f":{port} {{", 1)
    (folder / "Caddyfile").write_text(config, encoding="utf-8")
    return ["caddy", "run", "--adapter=caddyfile", f"--config={folder}/Caddyfile"]


HOSTS: dict[str, t.Callable[[str, int, Path], list[str]]] = {
    "nginx": nginx,
    "caddy": caddy,
}


@contextmanager
def host(
    name: str, app: Flask, folder: Path, upstream: str | None = None
) -> Iterator[int]:
    """Run a host with what a build of *app* stored; yield its port."""
    port = free_port()
    config, _ = write_config(app, name, upstream)
    command = HOSTS[name](config, port, folder)
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with server(command, f"http://127.0.0.1:{port}/", folder, **home):
        yield port


def ask(
    port: int, url: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, url, headers=headers)
    response = connection.getresponse()
    told = {k.lower(): v for k, v in response.getheaders()}
    answer = response.status, told, response.read()
    connection.close()
    return answer


@pytest.mark.parametrize("name", HOSTS)
def test_a_plain_host_answers_as_the_app_does(
    make_pages: MakePages, tmp_path: Path, name: str
) -> None:
    if shutil.which(name) is None and "CI" not in os.environ:
        pytest.skip(f"{name} is not installed")
    static = tmp_path / "static"
    static.mkdir()
    (static / "s.css").write_text("body {}")
    app = built(make_pages(TREE, FILEPAGES_OUTPUT="hybrid"))
    client = app.test_client()
    with host(name, app, tmp_path) as port:
        for url in URLS:
            status, told, body = ask(port, url)
            told = {k: v for k, v in told.items() if k in COMPARED}
            expected = client.get(url)
            own = {k: v for k, v in expected.headers.items() if k.lower() in COMPARED}

            assert status == expected.status_code, url
            if status == 404:
                assert body == expected.data
                continue
            if status == 301:
                own.pop("Content-Type")
                told.pop("content-type", None)
                assert told.pop("location").endswith(own.pop("Location"))
            assert told == {k.lower(): v for k, v in own.items()}, url
            assert status == 301 or body == expected.data, url
        assert ask(port, "/about", "POST")[0] == 405
        # An answer with fields of its own is asked for again, and in part.
        own_page = f"/odd/{quote(NAMES[1])}"
        tag = ask(port, own_page)[1].pop("etag")
        assert ask(port, own_page, **{"If-None-Match": tag})[::2] == (304, b"")
        assert ask(port, own_page, Range="bytes=0-0")[::2] == (206, b"c")
        squeezed = ask(port, "/big.txt", **{"Accept-Encoding": "gzip"})
        assert squeezed[1]["content-encoding"] == "gzip"
