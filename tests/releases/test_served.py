"""Stored responses as they are sent: by the front, from inside Flask, or made live."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import shutil
import sqlite3
import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import flask
import pytest
from flask import Flask
from flask import Response
from flask.testing import FlaskClient
from werkzeug.middleware.proxy_fix import ProxyFix

from flask_filepages import FilePages
from flask_filepages import ReleaseError
from flask_filepages import SettingsError
from flask_filepages.prerendering.build_request import RENDER
from flask_filepages.prerendering.front import Front
from flask_filepages.pytest_plugin import write_files
from flask_filepages.releases import release as served
from flask_filepages.releases.folder import BuildFolder
from flask_filepages.releases.manifest import VERSION
from flask_filepages.releases.manifest import Manifest
from flask_filepages.site import sites_of

from ..conftest import ECHO
from ..conftest import MakePages
from ..conftest import built
from ..conftest import until

HEAD = "from flask_filepages import StaticPath\nprerender = True\n"
POSTS = (
    f"{HEAD}def get_static_paths():\n"
    "    return [StaticPath({'id': 'a'}, {'n': 1}), StaticPath({'id': 'é b'}, {'n': 2})]\n"
    "def GET(context):\n"
    "    return context.json([context.params['id'], dict(context.props), 'stored'])\n"
)
TREE = {
    "index.html": "home",
    "about.html": "about",
    "feed.xml.py": f"{HEAD}{ECHO}",
    "posts/[id].py": POSTS,
    "posts/[other].py": ECHO,
    "mix/[id].py": POSTS,
    "mix/[...rest].py": ECHO,
    "live.py": ECHO,
    "404.html": "<h1>not here</h1>",
}


@pytest.fixture(params=["front", "inside", "live", "debug"])
def client(make_pages: MakePages, request: pytest.FixtureRequest) -> FlaskClient:
    """Return clients of one tree, whichever way its stored answers are sent."""

    def setup(app: Flask) -> None:
        app.debug = request.param == "debug"

    files = {"about.py": "prerender = True\n", "index.py": "prerender = True\n"}
    front = request.param == "front"
    app = make_pages({**TREE, **files}, setup, FILEPAGES_FRONT=front)
    if request.param != "live":
        built(app)
    client = app.test_client()
    client.environ_base["HTTP_SEC_FETCH_DEST"] = "empty"  # In debug, not a page.
    return client


@pytest.mark.parametrize("url", ["/", "/about", "/about/", "/feed.xml"])
def test_stored_paths_answer(client: FlaskClient, url: str) -> None:
    got = client.get(url)

    assert got.status_code == 200
    assert got.headers["Cache-Control"] == "public, max-age=0, must-revalidate"


def test_listed_paths_have_their_props(client: FlaskClient) -> None:
    assert client.get("/posts/a").get_json() == ["a", {"n": 1}, "stored"]
    assert client.get("/posts/%C3%A9%20b").get_json() == ["é b", {"n": 2}, "stored"]


def test_other_paths_go_on_to_the_next_route(client: FlaskClient) -> None:
    assert client.get("/posts/z").get_json()["id"] == "/posts/[other]"
    assert client.get("/mix/z").get_json()["id"] == "/mix/[...rest]"
    assert client.get("/mix/a/b").get_json()["id"] == "/mix/[...rest]"


@pytest.mark.parametrize("url", ["/feed.xml/", "/none", "/about/x", "/index.html"])
def test_nothing_else_answers(client: FlaskClient, url: str) -> None:
    assert client.get(url).status_code in (404, 308)


def test_head_has_no_body(client: FlaskClient) -> None:
    got = client.head("/about")

    assert (got.status_code, got.data, got.content_length) == (200, b"", 5)


@pytest.mark.parametrize("url", ["/about", "/posts/a"])
def test_methods_that_are_not_there(client: FlaskClient, url: str) -> None:
    got = client.post(url)

    assert (got.status_code, got.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert client.options(url).headers["Allow"] == "GET, HEAD, OPTIONS"


def test_the_query_does_not_matter(client: FlaskClient) -> None:
    assert client.get("/about?a=1").text == "about"


def test_error_pages_are_made_for_the_error(client: FlaskClient) -> None:
    got = client.get("/none", headers={"Accept": "text/html"})

    assert (got.status_code, got.text) == (404, "<h1>not here</h1>")


# -- a release ----------------------------------------------------------------------


def built_site(make_pages: MakePages, **config: t.Any) -> Flask:
    return built(
        make_pages({"a.html": "a", "b.html": "b"}, FILEPAGES_OUTPUT="hybrid", **config)
    )


def folder_of(app: Flask) -> Path:
    return Path(sites_of(app)["filepages"].releases.folder)


def test_conditions_and_ranges(make_pages: MakePages) -> None:
    client = built_site(make_pages).test_client()
    tag = client.get("/a").headers["ETag"]

    assert client.get("/a", headers={"If-None-Match": tag}).status_code == 304
    part = client.get("/a", headers={"Range": "bytes=0-0"})
    assert (part.status_code, part.data) == (206, b"a")


@pytest.mark.parametrize("front", [True, False])
def test_a_big_answer_is_streamed(make_pages: MakePages, front: bool) -> None:
    files = {"big.html": "0123456789" * 10_000, "big.py": ""}
    app = built(make_pages(files, FILEPAGES_OUTPUT="hybrid", FILEPAGES_FRONT=front))
    client = app.test_client()

    assert client.get("/big").data == b"0123456789" * 10_000
    part = client.get("/big", headers={"Range": "bytes=99990-"})
    assert (part.status_code, part.data) == (206, b"0123456789")


def test_a_new_release_is_seen_without_a_restart(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "_LOOK_AGAIN", 0.01)
    app = built_site(make_pages)
    client = app.test_client()
    assert client.get("/a").text == "a"
    other = make_pages(
        {"a.html": "new"},
        lambda other: setattr(other, "name", app.name),
        FILEPAGES_OUTPUT="hybrid",
    )
    built(other, out=str(folder_of(app)))

    until(lambda: client.get("/a").text == "new", 5)


def test_without_a_release_the_last_one_is_served_on(
    make_pages: MakePages,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(served, "_LOOK_AGAIN", 0)
    app = built_site(make_pages)
    client = app.test_client()
    stored = client.get("/a")
    os.unlink(folder_of(app) / "current")
    again = client.get("/a")

    assert again.headers["ETag"] == stored.headers["ETag"]
    assert client.get("/a").status_code == 200
    assert sum("has no release any more" in m for m in caplog.messages) == 1


def test_a_release_of_another_version_is_not_served(
    make_pages: MakePages,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = built_site(make_pages)
    monkeypatch.setattr("flask_filepages.releases.manifest.VERSION", 99)
    got = app.test_client().get("/a")

    assert got.text == "a"
    assert "ETag" not in got.headers
    assert any("Cannot serve" in message for message in caplog.messages)


@pytest.mark.parametrize("front", [True, False])
def test_a_file_that_is_gone_is_made_anew(
    make_pages: MakePages, front: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = built_site(make_pages, FILEPAGES_FRONT=front)
    shutil.rmtree(folder_of(app) / "current" / "site" / "a")
    got = app.test_client().get("/a")

    assert (got.status_code, got.text) == (200, "a")
    assert any("Rendering /a instead" in message for message in caplog.messages)


def test_a_link_in_place_of_a_file_is_not_followed(
    make_pages: MakePages, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("s")
    app = built_site(make_pages)
    file = folder_of(app) / "current" / "site" / "a" / "index.html"
    file.unlink()
    file.symlink_to(tmp_path / "secret")

    assert app.test_client().get("/a").text == "a"


def test_many_answers_stay_on_the_disk(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "MOST_IN_MEMORY", 1)
    app = built(make_pages(TREE, FILEPAGES_OUTPUT="server"))
    client = app.test_client()

    assert client.get("/posts/%C3%A9%20b").get_json()[2] == "stored"
    assert "ETag" in client.get("/posts/a").headers
    assert client.get("/posts/%ff").status_code == 404


def test_bodies_in_memory_are_bounded(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "_MOST_BYTES", 30_000)
    files = {f"{n}.html": str(n) * 10_000 for n in range(9)}
    app = built(make_pages(files, FILEPAGES_OUTPUT="hybrid"))
    client = app.test_client()
    for n in range(9):
        assert client.get(f"/{n}").text == str(n) * 10_000
    release = sites_of(app)["filepages"].releases.current()

    assert release is not None
    kept = [n for n in range(9) if t.cast(t.Any, release.find(f"/{n}")).plain.body]
    assert kept == [6, 7, 8]


# -- the front ----------------------------------------------------------------------


def front_of(app: Flask) -> Front:
    return t.cast(Front, sites_of(app)["filepages"].front)


@pytest.mark.parametrize(
    "config", [{}, {"FILEPAGES_OUTPUT": "hybrid"}, {"FILEPAGES_FRONT": True}]
)
def test_nothing_is_wrapped_unless_the_front_is_on(
    make_pages: MakePages, config: dict[str, t.Any]
) -> None:
    app = make_pages({"a.html": "a"}, **config)

    assert "wsgi_app" not in vars(app)


def wrap(app: Flask) -> None:
    vars(app)["wsgi_app"] = ProxyFix(app.wsgi_app)


class Careful(flask.Request):
    trusted_hosts = ["example.com"]  # noqa: RUF012 - as Werkzeug has it


@pytest.mark.parametrize(
    ("setup", "problem"),
    [
        (wrap, "wrapped before"),
        (lambda app: app.config.update(TRUSTED_HOSTS=["localhost"]), "by host"),
        (lambda app: setattr(app, "subdomain_matching", True), "by host"),
        (lambda app: setattr(app, "request_class", Careful), "by host"),
    ],
    ids=["wrapped", "TRUSTED_HOSTS", "subdomain_matching", "trusted_hosts"],
)
def test_the_front_is_refused_where_something_must_see_requests_first(
    make_pages: MakePages, setup: t.Any, problem: str
) -> None:
    with pytest.raises(SettingsError, match=problem):
        make_pages(
            {"a.html": "a"}, setup, FILEPAGES_OUTPUT="hybrid", FILEPAGES_FRONT=True
        )


@pytest.mark.parametrize("name", ["debug", "testing"])
def test_everything_is_live_in_debug_and_tests(
    make_pages: MakePages, name: str
) -> None:
    app = built_site(make_pages, FILEPAGES_FRONT=True)
    client = app.test_client()
    stored = "ETag" in client.get("/a").headers
    setattr(app, name, True)

    assert (stored, "ETag" in client.get("/a").headers) == (True, False)


def test_the_front_stands_down_where_the_routes_have_changed(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    app = built_site(make_pages)
    again = Flask(app.name, root_path=app.root_path, instance_path=app.instance_path)
    again.config.update(FILEPAGES_OUTPUT="hybrid", FILEPAGES_FRONT=True)
    again.before_request(lambda: Response("hook"))
    again.add_url_rule("/a/<new>", "new", lambda new: new)
    FilePages(again)
    client = again.test_client()

    assert [client.get("/a").text for _ in range(2)] == ["hook", "hook"]
    assert sum("have changed since that build" in m for m in caplog.messages) == 1


def test_the_front_does_not_send_what_is_guarded(make_pages: MakePages) -> None:
    guard = "from flask import abort\n\n\ndef middleware(context, call_next):\n    abort(403)\n"
    files = {"_middleware.py": guard, "a.html": "a"}
    app = built(make_pages(files, FILEPAGES_OUTPUT="hybrid", FILEPAGES_FRONT=True))

    assert app.test_client().get("/a").status_code == 403


def test_load_logs_what_the_front_sends(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    pages = FilePages()
    app = make_pages({"x.py": ECHO})
    write_files(Path(app.root_path) / "more", {"a.html": "a", "b/_x.html": "b"})
    again = Flask("again", root_path=app.root_path)
    again.config.update(FILEPAGES_OUTPUT="hybrid", FILEPAGES_FRONT=True)
    again.logger.setLevel(logging.INFO)
    pages = FilePages(again, folder="more")
    pages.load()

    assert "The front sends the stored responses of: /a" in caplog.messages


def test_front_true_goes_before_hooks(make_pages: MakePages) -> None:
    seen = []

    def setup(app: Flask) -> None:
        app.before_request(lambda: seen.append(1))

    app = make_pages(
        {"a.html": "a"}, setup, FILEPAGES_OUTPUT="hybrid", FILEPAGES_FRONT=True
    )
    built(app)
    seen.clear()

    assert app.test_client().get("/a").text == "a"
    assert seen == []


def test_another_script_root_goes_round_it(make_pages: MakePages) -> None:
    app = built_site(make_pages, FILEPAGES_FRONT=True)
    client = app.test_client()

    assert "ETag" in client.get("/a").headers
    for root in ("/public", "//evil.example"):
        environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": root, "PATH_INFO": "/a"}
        called: list[str] = []
        front_of(app)._wsgi_app = _noting(called)
        assert list(front_of(app)(environ, None)) == []
        assert called == ["/a"]


def _noting(called: list[str]) -> t.Any:
    def wsgi_app(environ: dict[str, t.Any], start_response: t.Any) -> tuple[()]:
        called.append(environ["PATH_INFO"])
        return ()

    return wsgi_app


def test_guards_run_over_stored_answers(make_pages: MakePages) -> None:
    guard = (
        "from flask import abort\n"
        "def middleware(context, call_next):\n"
        "    if 'user' not in context.cookies:\n"
        "        abort(403)\n"
        "    response = call_next()\n"
        "    response.headers['X-Guard'] = context.route_id\n"
        "    return response\n"
    )
    once = (
        "from flask_filepages import once_per_render\n"
        "@once_per_render\n"
        "def middleware(context, call_next):\n"
        "    response = call_next()\n"
        "    response.set_data(response.get_data() + b'!')\n"
        "    return response\n"
    )
    files = {
        "admin/_middleware.py": guard,
        "admin/a.html": "a",
        "once/_middleware.py": once,
        "once/b.html": "b",
    }
    app = built(make_pages(files, FILEPAGES_OUTPUT="hybrid"))
    client = app.test_client()

    assert client.get("/once/b").text == "b!"
    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        for url in ("/admin/a", "/admin/a/", "/admin//a", "/admin/%61"):
            response = client.open(url, method=method, follow_redirects=True)
            assert response.status_code == 403, (method, url)
    client.set_cookie("user", "ann")
    got = client.get("/admin/a")
    assert (got.text, got.headers["X-Guard"]) == ("a", "/admin/a")
    assert "ETag" in got.headers
    tag = {"If-None-Match": got.headers["ETag"]}
    assert client.get("/admin/a", headers=tag).status_code == 304


# -- live ---------------------------------------------------------------------------


def test_in_debug_the_list_is_asked_each_time(
    make_pages: MakePages, tmp_path: Path
) -> None:
    names = tmp_path / "names.txt"
    names.write_text("a")
    code = (
        f"{HEAD}from pathlib import Path\n"
        "def get_static_paths():\n"
        f"    names = Path({str(names)!r}).read_text().split()\n"
        "    return [StaticPath({'id': name}) for name in names]\n" + ECHO
    )
    app = make_pages({"[id].py": code}, lambda app: setattr(app, "debug", True))
    client = app.test_client()

    assert [client.get(url).status_code for url in ("/a", "/b")] == [200, 404]
    names.write_text("a b")
    assert client.get("/b").status_code == 200


def test_a_rewrite_leads_to_listed_paths_only(make_pages: MakePages) -> None:
    rewrite = "def GET(context):\n    return context.rewrite('/posts/' + context.params['id'])\n"
    files = {**TREE, "to/[id].py": rewrite}
    app = make_pages(files)
    client = app.test_client()

    assert client.get("/to/a").get_json() == ["a", {"n": 1}, "stored"]
    assert client.get("/to/z").get_json()["id"] == "/posts/[other]"


def test_a_list_that_fails_is_a_failure_of_its_route(make_pages: MakePages) -> None:
    files = {
        "[id].py": f"{HEAD}def get_static_paths():\n    return 1 / 0\n{ECHO}",
        "ok.py": ECHO,
    }
    app = make_pages(files, TESTING=False)
    client = app.test_client()

    assert client.get("/ok").status_code == 200
    assert client.get("/a").status_code == 500


def test_async_lists(make_pages: MakePages) -> None:
    code = (
        f"{HEAD}async def get_static_paths():\n"
        "    return [StaticPath({'id': 'a'})]\n" + ECHO
    )
    client = built(make_pages({"[id].py": code})).test_client()

    assert [client.get(url).status_code for url in ("/a", "/b")] == [200, 404]


def test_a_broken_file_is_told_by_flask(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    files = {"a.html": "a", "b.py": "import nothing_of_this_name\n"}
    app = make_pages(files, FILEPAGES_OUTPUT="hybrid", TESTING=False)
    client = app.test_client()

    assert [client.get("/a").status_code for _ in range(2)] == [500, 500]
    assert "nothing_of_this_name" in caplog.text


GUARD = (
    "from flask import abort\n\n\ndef middleware(context, call_next):\n    abort(403)\n"
)


@pytest.mark.parametrize(
    ("newer", "status"),
    [
        ({"a.py": f"prerender = False\n{ECHO}", "_middleware.py": GUARD}, 403),
        ({"a.html": None, "b.html": "b"}, 404),
        ({"a.html": "b", "_middleware.py": GUARD}, 403),
    ],
    ids=["runs on request, and is guarded", "deleted", "guarded"],
)
@pytest.mark.parametrize("front", [True, False])
def test_code_that_is_newer_than_the_release_decides(
    make_pages: MakePages, newer: dict[str, str | None], status: int, front: bool
) -> None:
    files = {"a.html": "a", "other.html": "other"}
    app = built(make_pages(files, FILEPAGES_OUTPUT="hybrid", FILEPAGES_FRONT=front))
    folder = Path(app.root_path) / "pages"
    for name, text in newer.items():
        (folder / name).unlink(missing_ok=True)
        if text is not None:
            (folder / name).write_text(text, encoding="utf-8")
    again = Flask("again", root_path=app.root_path, instance_path=app.instance_path)
    again.config["FILEPAGES_OUTPUT"] = "hybrid"
    again.config["FILEPAGES_FRONT"] = front
    FilePages(again)

    assert again.test_client().get("/a").status_code == status


def test_under_another_root_pages_are_made_for_it(make_pages: MakePages) -> None:
    app = make_pages(
        {"a.html": "{{ url_for('static', filename='x') }}"}, FILEPAGES_OUTPUT="hybrid"
    )
    client = built(app).test_client()
    elsewhere = client.get("/a", environ_overrides={"SCRIPT_NAME": "/sub"})

    assert (client.get("/a").text, elsewhere.text) == ("/static/x", "/sub/static/x")


def test_a_manifest_that_cannot_be_read_is_not_served(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    app = built(make_pages({"a.html": "a"}, FILEPAGES_OUTPUT="hybrid"))
    manifest = Path(app.instance_path) / "site" / "current" / "manifest.sqlite"
    with contextlib.closing(sqlite3.connect(manifest)) as connection:
        connection.execute("UPDATE responses SET headers = 'x'")
        connection.commit()

    assert app.test_client().get("/a").text == "a"
    assert "is damaged: its digest is wrong" in caplog.text


def hooked(make_pages: MakePages, hook: t.Callable[[Response], Response]) -> Response:
    """Return a stored response that *hook* changed."""
    app = make_pages(
        {"a.py": f"{HEAD}{ECHO}"}, lambda app: app.after_request(hook) and None
    )
    return t.cast(Response, built(app).test_client().get("/a"))


def test_a_hook_changes_the_status_of_a_stored_response(make_pages: MakePages) -> None:
    def empty(response: Response) -> Response:
        response.status_code = 204
        return response

    got = hooked(make_pages, empty)

    assert "Content-Length" not in got.headers


def test_a_hook_changes_the_location_of_a_stored_response(
    make_pages: MakePages,
) -> None:
    def move(response: Response) -> Response:
        response.headers["Location"] = "/日本"
        return response

    got = hooked(make_pages, move)

    assert got.headers["Location"] == "/%E6%97%A5%E6%9C%AC"


# -- releases and the requests that see them --------------------------------------------

LISTED = (
    f"import os\n{HEAD}def get_static_paths():\n"
    "    return [StaticPath({'id': n}, {'n': n}) for n in os.environ['IDS'].split()]\n"
    "def GET(context):\n    return context.json(context.props['n'])\n"
)


def test_the_first_requests_of_many_threads_see_the_release(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDS", " ".join(map(str, range(2000))))
    app = built(make_pages({"p/[id].py": LISTED}))
    monkeypatch.setenv("IDS", "")
    fresh = Flask("fresh", root_path=app.root_path, instance_path=app.instance_path)
    fresh.name = app.name
    FilePages(fresh)
    together = threading.Barrier(8)

    def ask(number: int) -> int:
        together.wait()
        return fresh.test_client().get(f"/p/{number}").status_code

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {200}


def test_one_request_sees_one_release(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDS", "a")
    app = make_pages({"p/[id].py": LISTED}, TRAP_HTTP_EXCEPTIONS=False)
    out = str(sites_of(app)["filepages"].releases.folder)
    seen: list[object] = []

    @app.before_request
    def publish() -> None:
        if RENDER in flask.request.environ or len(seen) > 1:
            return
        releases = sites_of(app)["filepages"].releases
        seen.append(releases.for_request(flask.request.environ))
        monkeypatch.setenv("IDS", "b")
        built(app, out=out)
        releases._next_look = 0.0
        releases.current()
        seen.append(releases.for_request(flask.request.environ))

    client = built(app, out=out).test_client()

    assert client.get("/p/a").json == "a"
    assert seen[0] is seen[1]
    assert client.get("/p/a").status_code == 404
    assert client.get("/p/b").json == "b"


@pytest.mark.parametrize("name", ["../../../../outside.txt", "/outside.txt", "a\\b"])
def test_a_name_in_a_manifest_never_leads_out(
    make_pages: MakePages, tmp_path: Path, name: str
) -> None:
    app = built(make_pages({"a.html": "live"}, FILEPAGES_OUTPUT="hybrid"))
    outside = tmp_path / "outside.txt"
    outside.write_text("live")
    release = Path(app.instance_path) / "site" / "current"
    change_manifest(release, f"UPDATE responses SET file = '{name}'")
    prunable = release.resolve()
    os.utime(prunable, (0, 0))

    assert app.test_client().get("/a").text == "live"
    BuildFolder(prunable.parent.parent).prune(0)
    assert outside.exists()


ROWS = [
    "UPDATE responses SET headers = 'xx'",
    "UPDATE responses SET headers = '[1]'",
    "UPDATE responses SET headers = '[[\"a\", 1]]'",
    "UPDATE responses SET status = 'abc'",
    "UPDATE responses SET variants = '[1]'",
    "UPDATE responses SET variants = '{\"lzma\": 3}'",
    "UPDATE responses SET size = 'x'",
    "UPDATE responses SET file = x'00ff'",
    "UPDATE responses SET path = x'ff'",
    "UPDATE responses SET served_at = 'everywhere'",
    "UPDATE meta SET value = '[]' WHERE key = 'owner'",
    "DELETE FROM meta",
    "DROP TABLE responses",
    "DROP TABLE static_files",
]


@pytest.mark.parametrize("front", [False, True], ids=["inside", "front"])
@pytest.mark.parametrize("statement", ROWS)
def test_a_manifest_with_wrong_content_is_refused(
    make_pages: MakePages,
    caplog: pytest.LogCaptureFixture,
    statement: str,
    front: bool,
) -> None:
    settings = {"FILEPAGES_OUTPUT": "hybrid", "FILEPAGES_FRONT": front}
    app = built(make_pages({"a.html": "live"}, **settings))
    change_manifest(Path(app.instance_path) / "site" / "current", statement)
    client = app.test_client()

    assert [client.get("/a").text for _ in range(2)] == ["live", "live"]
    assert caplog.text.count("Cannot serve") == 1
    assert built(app).test_client().get("/a").headers["ETag"]


def test_a_file_behind_a_link_to_another_folder_is_not_served(
    make_pages: MakePages, tmp_path: Path
) -> None:
    app = built(make_pages({"a.html": "live"}, FILEPAGES_OUTPUT="hybrid"))
    site = Path(app.instance_path) / "site" / "current" / "site"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.html").write_text("evil")
    (site / "a" / "index.html").unlink()
    (site / "a").rmdir()
    (site / "a").symlink_to(tmp_path / "other")

    assert app.test_client().get("/a").text == "live"


def change_manifest(release: Path, statement: str) -> None:
    """Change a manifest as somebody would who can also write its digest."""
    with contextlib.closing(sqlite3.connect(release / "manifest.sqlite")) as connection:
        connection.execute(statement)
        connection.commit()
    digest = hashlib.sha256((release / "manifest.sqlite").read_bytes()).hexdigest()
    (release / "manifest.sha256").write_text(f"{VERSION} {digest}\n")


def test_a_manifest_that_was_still_being_copied_is_tried_again(
    make_pages: MakePages,
) -> None:
    app = built(make_pages({"a.html": "a"}, FILEPAGES_OUTPUT="hybrid"))
    release = Path(app.instance_path) / "site" / "current"
    whole = (release / "manifest.sha256").read_text()
    (release / "manifest.sha256").unlink()
    client = app.test_client()
    client.get("/a")
    assert sites_of(app)["filepages"].releases.current() is None

    (release / "manifest.sha256").write_text(whole)

    assert until(lambda: sites_of(app)["filepages"].releases.current(), 5)


def test_a_manifest_that_grows_in_its_place_is_tried_again(
    make_pages: MakePages,
) -> None:
    app = built(make_pages({"a.html": "a"}, FILEPAGES_OUTPUT="hybrid"))
    release = Path(app.instance_path) / "site" / "current"
    whole = (release / "manifest.sqlite").read_bytes()
    (release / "manifest.sqlite").write_bytes(whole[:5000])
    releases = sites_of(app)["filepages"].releases
    assert releases.current() is None

    # The folder itself does not change.
    (release / "manifest.sqlite").write_bytes(whole)

    assert until(releases.current, 5)


def test_a_refused_manifest_is_read_once(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = built(make_pages({"a.html": "a"}, FILEPAGES_OUTPUT="hybrid"))
    release = Path(app.instance_path) / "site" / "current"
    (release / "manifest.sqlite").write_bytes(b"damaged")
    opened: list[str] = []
    real = Manifest.open

    def count(folder: str) -> Manifest:
        opened.append(folder)
        return real(folder)

    monkeypatch.setattr(Manifest, "open", count)
    releases = sites_of(app)["filepages"].releases
    for _ in range(3):
        releases._next_look = 0.0
        assert releases.current() is None

    assert len(opened) == 1


def test_a_release_that_could_not_be_opened_is_tried_again(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: str) -> t.NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    app = built(make_pages({"a.html": "a"}, FILEPAGES_OUTPUT="hybrid"))
    releases = sites_of(app)["filepages"].releases
    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "open", refuse)
        assert releases.current() is None

    assert until(releases.current, 5)


def test_the_release_of_another_app_is_refused(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    app = built(make_pages({"a.html": "{{ config.X }}"}, FILEPAGES_OUTPUT="hybrid"))
    other = Flask("other", root_path=app.root_path, instance_path=app.instance_path)
    other.config.update(X="other", FILEPAGES_OUTPUT="hybrid")
    FilePages(other)

    assert other.test_client().get("/a").text == "other"
    assert f"it belongs to the app {app.name!r}, and this app is 'other'" in caplog.text
    with pytest.raises(ReleaseError, match=f"belongs to the app {app.name!r}"):
        built(other)
    with pytest.raises(ReleaseError, match="and this app is 'other'"):
        built(other, force=True)


def test_a_release_of_other_pages_is_refused(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    app = built(make_pages({"a.html": "a"}, FILEPAGES_OUTPUT="hybrid"))
    other = Flask(app.name, root_path=app.root_path, instance_path=app.instance_path)
    other.config["FILEPAGES_OUTPUT"] = "hybrid"
    FilePages(other, url_prefix="/new")
    other.test_client().get("/new/a")

    assert "had the prefix and the folder ['', 'pages']" in caplog.text


def test_a_file_and_a_path_that_are_gone_are_not_found(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDS", "a")
    app = built(make_pages({"p/[id].py": LISTED}))
    monkeypatch.setenv("IDS", "b")
    (Path(app.instance_path) / "site/current/site/p/a").unlink()

    assert app.test_client().get("/p/a").status_code == 404


def test_tests_see_the_code_and_not_the_release(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (
        "import os\nprerender = True\n"
        "def GET(context):\n    return context.json(os.environ['A'])\n"
    )
    monkeypatch.setenv("A", "old")
    app = built(make_pages({"a.py": code}))
    monkeypatch.setenv("A", "new")
    client = app.test_client()
    assert client.get("/a").json == "old"

    app.testing = True

    assert client.get("/a").json == "new"
