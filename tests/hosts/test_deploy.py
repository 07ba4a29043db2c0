"""The configuration of plain hosts, tried with the real ones."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import threading
import typing as t
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

from flask_filepages import FilePages
from flask_filepages import ReleaseError
from flask_filepages.hosts.deploy_config import write_config
from flask_filepages.hosts.export import export
from flask_filepages.pytest_plugin import write_files
from flask_filepages.site import sites_of

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
    told: dict[str, str] = {}
    for key, value in response.getheaders():
        known = told.get(key.lower())
        told[key.lower()] = f"{known}, {value}" if known else value
    answer = response.status, told, response.read()
    connection.close()
    return answer


@pytest.mark.parametrize("name", HOSTS)
def test_a_plain_host_answers_as_the_app_does(
    make_pages: MakePages, tmp_path: Path, name: str
) -> None:
    available(name)
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
        refused = ask(port, "/about", "POST")
        assert (refused[0], refused[1]["allow"]) == (405, "GET, HEAD")
        # An answer with fields of its own is asked for again, and in part.
        own_page = f"/odd/{quote(NAMES[1])}"
        tag = ask(port, own_page)[1].pop("etag")
        assert ask(port, own_page, **{"If-None-Match": tag})[::2] == (304, b"")
        assert ask(port, own_page, Range="bytes=0-0")[::2] == (206, b"c")
        squeezed = ask(port, "/big.txt", **{"Accept-Encoding": "gzip"})
        assert squeezed[1]["content-encoding"] == "gzip"


def available(name: str) -> None:
    if shutil.which(name) is None and "CI" not in os.environ:
        pytest.skip(f"{name} is not installed")


def remade(app: Flask) -> Flask:
    """Return an app of the same files, as the next process has it."""
    again = Flask(app.name, root_path=app.root_path, instance_path=app.instance_path)
    again.config["FILEPAGES_OUTPUT"] = "hybrid"
    FilePages(again)
    return again


GUARD = """\
from flask import abort


def middleware(context, call_next):
    if context.request.args.get("key") != "yes":
        abort(401)
    return call_next()
"""
SECRET = {
    "index.html": "home",
    "club/index.html": "SECRET page",
    "club/list.json.py": HEAD
    + "def GET(context):\n    return context.json('SECRET')\n",
    "club/[n].txt.py": HEAD
    + "from flask_filepages import StaticPath\n"
    + "def get_static_paths():\n    return [StaticPath({'n': '1'})]\n"
    + "def GET(context):\n"
    + "    return Response('SECRET ' * 500, mimetype='text/plain')\n",
}
SECRET_URLS = ("/club", "/club/", "/club/index.html", "/club/list.json", "/club/1.txt")


def secrets_below(folder: str) -> list[str]:
    return [
        str(path)
        for path in Path(folder).rglob("*")
        if path.is_file() and ("club" in str(path) or b"SECRET" in path.read_bytes())
    ]


@pytest.mark.parametrize("name", HOSTS)
def test_a_new_guard_leaves_nothing_public(
    make_pages: MakePages, tmp_path: Path, name: str
) -> None:
    available(name)
    app = built(make_pages(SECRET, FILEPAGES_OUTPUT="hybrid"))
    out = str(tmp_path / "out")
    export(app, out, "plain")
    build_folder = sites_of(app)["filepages"].releases.folder
    current = os.path.join(build_folder, "current", "site")
    assert len(secrets_below(current)) > 3
    assert len(secrets_below(out)) == 3
    middleware = Path(app.root_path, "pages", "club", "_middleware.py")
    middleware.write_text(GUARD)
    app = remade(app)
    for write in (partial(export, app, out, "plain"), partial(write_config, app, name)):
        with pytest.raises(ReleaseError, match="guards club/.*Build again"):
            write()
    live = app.test_client().get("/club/1.txt")
    assert (live.status_code, b"SECRET" in live.data) == (401, False)
    app = built(app)
    export(app, out, "plain")

    assert secrets_below(f"{current}/") == []
    assert secrets_below(out) == []
    with host(name, app, tmp_path) as port:
        for url in SECRET_URLS:
            for encoding in ("identity", "gzip"):
                status, _, body = ask(port, url, **{"Accept-Encoding": encoding})
                assert (status, b"SECRET" in body) == (404, False)
    client = app.test_client()
    assert client.get("/club/1.txt").status_code == 401
    assert client.get("/club/1.txt?key=yes").text.startswith("SECRET")


@pytest.mark.parametrize("name", HOSTS)
def test_what_no_file_matches_goes_to_the_app(
    make_pages: MakePages, tmp_path: Path, name: str
) -> None:
    available(name)
    code = "def GET(context):\n    return context.json(['app', context.url.path])\n"
    post = code.replace("GET", "POST")
    tree = {
        "index.html": "home",
        "live.py": f"prerender = False\n{code}{post}",
        "a/[x].txt.py": HEAD.replace("True", "'auto'")
        + "from flask_filepages import StaticPath\n"
        + "def get_static_paths():\n    return [StaticPath({'x': '1'})]\n"
        + "def GET(context):\n    return Response(context.url.path,"
        + " headers={'X-Own': '1'}, mimetype='text/plain')\n",
    }
    app = built(make_pages(tree, FILEPAGES_OUTPUT="hybrid", APPLICATION_ROOT="/repo"))
    port = free_port()
    with serving(app, port), host(name, app, tmp_path, f"http://127.0.0.1:{port}") as p:
        assert ask(p, "/repo/")[2] == b"home"
        assert ask(p, "/repo/a/1.txt")[1]["x-own"] == "1"
        assert ask(p, "/repo/a/2.txt")[2] == b"/repo/a/2.txt"
        assert json.loads(ask(p, "/repo/live")[2]) == ["app", "/repo/live"]
        assert json.loads(ask(p, "/repo/live", "POST")[2]) == ["app", "/repo/live"]
        assert ask(p, "/repo/none")[0] == 404
        assert ask(p, "/repo")[0] == 301
        assert ask(p, "/elsewhere")[0] == 404


@contextmanager
def serving(app: Flask, port: int) -> Iterator[None]:
    mounted = DispatcherMiddleware(NotFound(), {"/repo": app.wsgi_app})
    with plain_serving(mounted, port):
        yield


@pytest.mark.parametrize("name", HOSTS)
def test_a_404_page_counts_below_its_prefix(tmp_path: Path, name: str) -> None:
    available(name)
    write_files(tmp_path / "pages", {"404.html": "nothing", "a.html": "a"})
    write_files(tmp_path / "shop", {"404.html": "no such thing", "a.html": "b"})
    write_files(tmp_path / "static", {"big.css": "body {} " * 1000})
    app = Flask("shops", root_path=str(tmp_path), instance_path=str(tmp_path / "i"))
    app.config["FILEPAGES_OUTPUT"] = "static"
    FilePages(app)
    FilePages(app, folder="shop", url_prefix="/shop", name="shop")
    with host(name, built(app), tmp_path) as port:
        assert ask(port, "/none")[::2] == (404, b"nothing")
        assert ask(port, "/shop/none")[::2] == (404, b"no such thing")
        assert ask(port, "/shopping")[::2] == (404, b"nothing")
        assert ask(port, "/shop/a")[::2] == (200, b"b")
        # Copied static files are compressed, too.
        static = ask(port, "/static/big.css", **{"Accept-Encoding": "gzip"})
        assert static[1]["content-encoding"] == "gzip"


@pytest.mark.parametrize("with_app", [False, True], ids=["alone", "with the app"])
@pytest.mark.parametrize("root", ["/", "/repo"])
@pytest.mark.parametrize("name", HOSTS)
def test_an_error_page_is_never_sent_as_200(
    make_pages: MakePages, tmp_path: Path, name: str, root: str, with_app: bool
) -> None:
    available(name)
    tree = {"index.html": "home", "404.html": "nothing", "500.html": "broken"}
    app = built(make_pages(tree, FILEPAGES_OUTPUT="static", APPLICATION_ROOT=root))
    port = free_port()
    upstream = f"http://127.0.0.1:{port}" if with_app else None
    prefix = root.rstrip("/")
    urls = ["/404", "/404.html", "/500", "/500.html", "/none"]
    app_server = serving(app, port) if prefix else plain_serving(app, port)
    with app_server, host(name, app, tmp_path, upstream) as own:
        found = {url: ask(own, prefix + url)[::2] for url in urls}

        assert ask(own, f"{prefix}/")[2] == b"home"
    assert found["/none"] == found["/404"] == (404, b"nothing")
    assert all(status in (404, 500) for status, _ in found.values())


IMAGES = {
    "index.html": "home",
    "img/[n].png.py": HEAD
    + "from flask_filepages import StaticPath\n"
    + "def get_static_paths():\n"
    + "    return [StaticPath({'n': str(n)}) for n in range(3000)]\n"
    + "def GET(context):\n    return Response(b'x', mimetype='image/png',"
    + " headers={'Cache-Control': 'public, max-age=31536000, immutable'})\n",
}


@pytest.mark.parametrize("name", HOSTS)
def test_images_of_one_route_are_one_rule(make_pages: MakePages, name: str) -> None:
    app = built(make_pages(IMAGES, FILEPAGES_OUTPUT="hybrid"))
    config, _ = write_config(app, name)

    assert config.count("\n") < 60
    assert config.count("immutable") == 1


@pytest.mark.parametrize("name", HOSTS)
def test_a_201_is_sent_whole(make_pages: MakePages, tmp_path: Path, name: str) -> None:
    available(name)
    app = built(make_pages(TREE, FILEPAGES_OUTPUT="hybrid"))
    with host(name, app, tmp_path) as port:
        _, told, body = ask(port, "/own.json")
        tag = told.get("etag", '"x"')

        assert ask(port, "/own.json", **{"If-None-Match": tag})[::2] == (201, body)
        assert ask(port, "/own.json", Range="bytes=0-0")[::2] == (201, body)


@pytest.mark.parametrize("name", HOSTS)
def test_a_percent_sign_is_part_of_a_name(
    make_pages: MakePages, tmp_path: Path, name: str
) -> None:
    available(name)
    code = (
        "from flask_filepages import StaticPath\nprerender = True\n"
        "def get_static_paths():\n"
        "    return [StaticPath({'n': n}) for n in ('%', '%41', 'A', '%2e')]\n"
    )
    tree = {"p/[n].py": code, "p/[n].html": "<{{ context.params['n'] }}>"}
    app = built(make_pages(tree))
    with host(name, app, tmp_path) as port:
        for value in ("%", "%41", "A", "%2e"):
            assert ask(port, f"/p/{quote(value)}")[::2] == (200, f"<{value}>".encode())


def test_a_field_that_caddy_cannot_set_is_left_out(make_pages: MakePages) -> None:
    fields = "[('+X-Own', '1'), ('-X-Own', '2'), ('X-Own', '3')]"
    code = f"{HEAD}def GET(context):\n    return Response('x', headers={fields})\n"
    app = built(make_pages({"a.py": code}))
    config, left_out = write_config(app, "caddy")

    assert ("a.py", "Caddy cannot set the field '+X-Own'") in left_out
    assert 'header X-Own "3"' in config
    assert "header +X-Own" not in config
    assert "add_header +X-Own" in write_config(app, "nginx")[0]


@pytest.mark.parametrize(
    "upstream",
    ["127.0.0.1:8000", "http://a b", "ftp://a", "http://a/path", "http://a;"],
)
def test_an_upstream_that_is_no_url_is_refused(
    make_pages: MakePages, upstream: str
) -> None:
    app = built(make_pages(TREE, FILEPAGES_OUTPUT="hybrid"))
    with pytest.raises(ReleaseError, match="is not the URL of an app"):
        write_config(app, "nginx", upstream)


OVERLAPPING = {
    "index.html": "home",
    "about.html": "about",
    "404.html": "nothing here",
    "_middleware.py": "from flask_filepages import headers\n"
    "middleware = headers({'X-Frame-Options': 'DENY'})\n",
    "[n].py": HEAD
    + "from flask_filepages import StaticPath\n"
    + "def get_static_paths():\n    return [StaticPath({'n': 'j'})]\n"
    + "def GET(context):\n    return context.json([1])\n",
    "img/[n].png.py": IMAGES["img/[n].png.py"].replace("3000", "3"),
    "img/latest.png.py": HEAD
    + "def GET(context):\n    return Response(b'new', mimetype='image/png')\n",
    "odd.py": HEAD
    + "def GET(context):\n    return Response('odd ' * 999, headers={'X-Odd': '1'})\n",
    "own.py": HEAD
    + "def GET(context):\n    fields = [('Link', '</a>'), ('Link', '</b>'),"
    + " ('X-Own', '{uri} ${uri} {$HOME} $host')]\n"
    + "    return Response('own', headers=fields)\n",
}


@pytest.mark.parametrize("name", HOSTS)
@pytest.mark.parametrize(
    ("url", "status", "expected"),
    [
        ("/about", 200, {"content-type": "text/html; charset=utf-8"}),
        ("/j", 200, {"content-type": "application/json"}),
        ("/typo", 404, {"content-type": "text/html; charset=utf-8"}),
        ("/typo", 404, {"cache-control": "no-store", "x-frame-options": "DENY"}),
        ("/img/none.png", 404, {"content-type": "text/html; charset=utf-8"}),
        ("/img/none.png", 404, {"cache-control": "no-store"}),
        ("/img/1.png", 200, {"cache-control": "public, max-age=31536000, immutable"}),
        (
            "/img/latest.png",
            200,
            {"cache-control": "public, max-age=0, must-revalidate"},
        ),
        ("/own", 200, {"link": "</a>, </b>", "x-own": "{uri} ${uri} {$HOME} $host"}),
        ("/old?q=1", 301, {"location": "/about?q=1"}),
        ("/old", 301, {"location": "/about"}),
    ],
)
def test_each_path_has_its_own_fields(
    overlapping: dict[str, int],
    name: str,
    url: str,
    status: int,
    expected: dict[str, str],
) -> None:
    available(name)
    got, told, _ = ask(overlapping[name], url)

    assert got == status
    assert {key: told.get(key) for key in expected} == expected


@pytest.mark.parametrize("name", HOSTS)
def test_a_response_with_its_own_fields_is_compressed(
    overlapping: dict[str, int], name: str
) -> None:
    available(name)
    _, told, body = ask(overlapping[name], "/odd", **{"Accept-Encoding": "gzip"})

    assert (told["content-encoding"], told["x-odd"]) == ("gzip", "1")
    assert len(body) < 100


@pytest.fixture(scope="module")
def overlapping(tmp_path_factory: t.Any) -> Iterator[dict[str, int]]:
    """Yield the ports of the hosts that serve :data:`OVERLAPPING`."""
    folder = tmp_path_factory.mktemp("overlapping")
    write_files(folder / "pages", OVERLAPPING)
    app = Flask("overlapping", root_path=str(folder), instance_path=str(folder / "i"))
    app.config["FILEPAGES_OUTPUT"] = "hybrid"
    app.config["FILEPAGES_REDIRECTS"] = {"/old": "/about"}
    FilePages(app)
    built(app)
    with ExitStack() as running:
        ports = {}
        for name in HOSTS:
            if shutil.which(name) is not None:
                (folder / name).mkdir()
                ports[name] = running.enter_context(host(name, app, folder / name))
        yield ports


@pytest.mark.parametrize("name", HOSTS)
def test_a_path_that_became_live_goes_to_the_app(
    make_pages: MakePages, tmp_path: Path, name: str
) -> None:
    available(name)
    own = "def GET(context):\n    return Response('x', 201, [('X-Own', '1')])\n"
    files = {"own.py": HEAD + own, "a.html": ""}
    app = built(make_pages(files, add_probe, FILEPAGES_OUTPUT="hybrid"))
    port = free_port()
    with (
        plain_serving(app, port),
        host(name, app, tmp_path, f"http://127.0.0.1:{port}") as p,
    ):
        current = Path(sites_of(app)["filepages"].releases.folder, "current", "site")
        (current / "own" / "index.html").unlink()

        assert ask(p, "/own")[::2] == (201, b"x")
        assert ask(p, "/probe")[::2] == (200, b"probe")


def add_probe(app: Flask) -> None:
    app.add_url_rule("/probe", "probe", lambda: "probe")


@contextmanager
def plain_serving(app: t.Any, port: int) -> Iterator[None]:
    running = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield
    finally:
        running.shutdown()
        thread.join()
        running.server_close()
