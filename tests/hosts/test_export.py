"""What an export writes for each host, and which folders it touches."""

from __future__ import annotations

import json
import os
import shutil
import sys
import typing as t
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Blueprint
from flask import Flask
from flask import abort
from flask.cli import ScriptInfo
from werkzeug.test import Client

from flask_filepages import FilePages
from flask_filepages import ReleaseError
from flask_filepages import SettingsError
from flask_filepages.cli import filepages
from flask_filepages.hosts.export import Export
from flask_filepages.hosts.export import export
from flask_filepages.hosts.preview import plain_host
from flask_filepages.pytest_plugin import write_files
from flask_filepages.site import sites_of

from ..conftest import ROOT
from ..conftest import MakePages
from ..conftest import built
from ..conftest import free_port
from ..conftest import server

ENDPOINT = "from flask import Response\nprerender = True\n\n\ndef GET(context):\n"
PAGES = {
    "index.html": "home",
    "about.html": "about",
    "404.html": "nothing here",
    "data.json.py": ENDPOINT + "    return context.json([1])\n",
    "plain.py": ENDPOINT + "    return context.json([2])\n",
    "made.py": ENDPOINT + "    return context.json([3], 201)\n",
    "none.py": ENDPOINT + "    return Response(status=204)\n",
    "moved.py": ENDPOINT + "    return context.redirect('/about', 301)\n",
    "later.py": ENDPOINT + "    return context.redirect('/about', 307)\n",
    "own.html.py": ENDPOINT
    + "    return Response('own', headers=[('X-Own', '1'), ('X-Own', '2')])\n",
    "live.py": "def GET(context):\n    return context.json([4])\n".replace(
        "def", "prerender = False\n\n\ndef"
    ),
}


def exported(app: Flask, folder: Path, host: str = "plain", **options: t.Any) -> Export:
    return export(app, str(folder / "out"), host, **options)


def names_in(folder: str) -> set[str]:
    root = Path(folder)
    return {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}


@pytest.fixture
def app(make_pages: MakePages) -> Flask:
    return built(make_pages(PAGES, FILEPAGES_OUTPUT="hybrid"))


FILES = {
    *("index.html", "about/index.html", "404.html", "data.json", "plain", "made"),
    *("moved/index.html", "later/index.html", "own.html"),
}


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("plain", FILES),
        ("github-pages", FILES | {".nojekyll"}),
        ("netlify", FILES - {"moved/index.html"} | {"_headers", "_redirects"}),
        (
            "cloudflare",
            FILES - {"moved/index.html", "later/index.html"}
            | {"_headers", "_redirects"},
        ),
    ],
)
def test_the_folder_is_what_one_uploads(
    app: Flask, tmp_path: Path, host: str, names: set[str]
) -> None:
    assert names_in(exported(app, tmp_path, host).folder) == names


@pytest.mark.parametrize(
    ("host", "file", "lines"),
    [
        ("netlify", "_redirects", ["/moved /about 301!"]),
        ("cloudflare", "_redirects", ["/moved /about 301", "/moved/ /about 301"]),
        ("cloudflare", "_redirects", ["/later /about 307"]),
        ("netlify", "_headers", ["/plain", "  Content-Type: application/json"]),
        ("cloudflare", "_headers", ["/plain", "  Content-Type: application/json"]),
        ("netlify", "_headers", ["  X-Own: 1, 2"]),
        ("cloudflare", "_headers", ["  X-Own: 1, 2"]),
    ],
)
def test_a_host_is_told(
    app: Flask, tmp_path: Path, host: str, file: str, lines: list[str]
) -> None:
    text = Path(exported(app, tmp_path, host).folder, file).read_text()

    assert "\n".join(lines) in text


@pytest.mark.parametrize(
    ("host", "name", "why"),
    [
        ("plain", "moved.py", "it is sent as a page that redirects, not as 301"),
        ("netlify", "later.py", "it is sent as a page that redirects, not as 307"),
        ("plain", "made.py", "its status is sent as 200, not 201"),
        ("cloudflare", "made.py", "its status is sent as 200, not 201"),
        (
            "plain",
            "none.py",
            "it has no body (204) and so no file: the host sends 404",
        ),
        ("plain", "own.html.py", "these fields are not sent: X-Own"),
        ("plain", "live.py", "it runs on request, which needs the app"),
    ],
)
def test_what_a_host_cannot_do_is_listed(
    app: Flask, tmp_path: Path, host: str, name: str, why: str
) -> None:
    assert (name, why) in exported(app, tmp_path, host).left_out


def test_views_and_hooks_of_the_app_are_listed(
    make_pages: MakePages, tmp_path: Path
) -> None:
    def setup(app: Flask) -> None:
        app.add_url_rule("/own-view", "own", lambda: "x")
        app.after_request(add_field)

    app = built(make_pages(PAGES, setup, FILEPAGES_OUTPUT="hybrid"))
    left_out = dict(exported(app, tmp_path).left_out)

    assert left_out["/own-view"] == "it is a view of the app"
    (function,) = [name for name in left_out if name.startswith("add_field() (")]
    assert "after_request" in left_out[function]


def add_field(response: t.Any) -> t.Any:
    return response


# -- the folder -----------------------------------------------------------------------


def test_files_that_are_gone_are_removed_and_no_others(
    make_pages: MakePages, tmp_path: Path
) -> None:
    app = built(make_pages(PAGES, FILEPAGES_OUTPUT="hybrid"))
    folder = Path(exported(app, tmp_path).folder)
    (folder / "mine.txt").write_text("mine")
    (Path(app.root_path) / "pages" / "about.html").unlink()
    again = Flask(app.name, root_path=app.root_path, instance_path=app.instance_path)
    again.config["FILEPAGES_OUTPUT"] = "hybrid"
    FilePages(again)
    done = exported(built(again), tmp_path)

    assert (done.removed, done.written) == (1, 0)
    assert not (folder / "about").exists()
    assert (folder / "mine.txt").read_text() == "mine"


def test_a_folder_that_no_export_made_needs_force(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").write_text("mine")
    (tmp_path / "out" / "other.html").write_text("mine")
    with pytest.raises(ReleaseError, match="is not empty, and no export made it"):
        exported(app, tmp_path)
    assert (tmp_path / "out" / "index.html").read_text() == "mine"

    exported(app, tmp_path, force=True)
    assert (tmp_path / "out" / "index.html").read_text() == "home"
    assert (tmp_path / "out" / "other.html").read_text() == "mine"


@pytest.mark.parametrize("where", ["", "pages/x", "static/x", "instance/site/x", "/"])
def test_a_folder_of_the_project_is_refused(app: Flask, where: str) -> None:
    with pytest.raises(ReleaseError, match="Name another folder"):
        export(app, os.path.join(app.root_path, where), "plain", force=True)


def test_nothing_is_written_through_a_link(app: Flask, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "about").symlink_to(outside)
    with pytest.raises(ReleaseError, match="lies behind a link"):
        exported(app, tmp_path, force=True)

    assert list(outside.iterdir()) == []


def test_a_list_that_somebody_changed_deletes_nothing_outside(
    app: Flask, tmp_path: Path
) -> None:
    exported(app, tmp_path)
    (tmp_path / "keep.txt").write_text("keep")
    (exports,) = Path(sites_of(app)["filepages"].releases.folder, "exports").iterdir()
    with exports.open("a") as file:
        file.write("../keep.txt\n/etc/none\n")
    exported(app, tmp_path)

    assert (tmp_path / "keep.txt").read_text() == "keep"


def test_a_file_that_the_host_would_read_is_an_error(
    make_pages: MakePages, tmp_path: Path
) -> None:
    code = ENDPOINT.replace(
        "prerender", "from flask_filepages import StaticPath\nprerender"
    ) + (
        "    return context.json(1)\n\n\n"
        "def get_static_paths():\n    return [StaticPath({'x': '_headers'})]\n"
    )
    app = built(make_pages({"[x].py": code}))
    with pytest.raises(ReleaseError, match="The site has a file _headers"):
        exported(app, tmp_path, "netlify")


def test_without_a_release_there_is_no_export(
    make_pages: MakePages, tmp_path: Path
) -> None:
    with pytest.raises(ReleaseError, match="has no release. Run `flask filepages"):
        exported(make_pages(PAGES), tmp_path)


def test_never_a_slash_needs_files_of_that_form(
    make_pages: MakePages, tmp_path: Path
) -> None:
    slash = {"FILEPAGES_OUTPUT": "hybrid", "FILEPAGES_TRAILING_SLASH": "never"}
    with pytest.raises(ReleaseError, match="FILEPAGES_BUILD_FORMAT = 'file'"):
        exported(built(make_pages(PAGES, **slash)), tmp_path)

    app = make_pages(PAGES, **slash, FILEPAGES_BUILD_FORMAT="file")
    assert "about.html" in names_in(exported(built(app), tmp_path).folder)


@pytest.mark.parametrize(
    ("count", "problem"), [(100, None), (101, "at most 100 header rules")]
)
def test_cloudflare_has_limits(
    make_pages: MakePages, tmp_path: Path, count: int, problem: str | None
) -> None:
    own = "    return Response('x', headers={{'X-Own': '{}'}})\n"
    pages = {f"p{n}.html.py": ENDPOINT + own.format(n) for n in range(count)}
    app = built(make_pages({**pages, "404.html": ""}))
    if problem is None:
        exported(app, tmp_path, "cloudflare")
        return
    with pytest.raises(ReleaseError, match=problem):
        exported(app, tmp_path, "cloudflare")


LISTED = """

def get_static_paths():
    from flask_filepages import StaticPath
    return [StaticPath({'n': n}) for n in ('j', 'k')]
"""
OVERLAPPING = {
    "about.html": "about",
    "404.html": "nothing here",
    "[n].py": ENDPOINT + "    return context.json([1])\n" + LISTED,
    "[n].txt.py": ENDPOINT
    + "    return Response('t', mimetype='text/plain', headers={'Cache-Control':"
    + " 'public, max-age=9'})\n"
    + LISTED,
    "sub/deep/c.txt.py": ENDPOINT + "    return Response('c', mimetype='text/plain')\n",
    "[m]/[n].py": ENDPOINT
    + "    return context.json([2])\n"
    + LISTED.replace("{'n': n}", "{'n': n, 'm': 'a'}"),
}


@pytest.mark.parametrize("host", ["netlify", "cloudflare"])
@pytest.mark.parametrize(
    ("path", "kind", "cache"),
    [
        ("/about/", "text/html", "public, max-age=0, must-revalidate"),
        ("/j", "application/json", "public, max-age=0, must-revalidate"),
        ("/j.txt", "text/plain", "public, max-age=9"),
        ("/sub/deep/c.txt", "text/plain", "public, max-age=0, must-revalidate"),
        ("/a/j", "application/json", "public, max-age=0, must-revalidate"),
        ("/static/s.css", "text/css", "public, max-age=0, must-revalidate"),
    ],
)
def test_a_rule_of_a_route_is_not_for_other_files(
    make_pages: MakePages, tmp_path: Path, host: str, path: str, kind: str, cache: str
) -> None:
    def setup(app: Flask) -> None:
        write_files(Path(app.root_path), {"static/s.css": "body {}"})

    app = built(make_pages(OVERLAPPING, setup, FILEPAGES_OUTPUT="hybrid"))
    folder = exported(app, tmp_path, host).folder
    port = free_port()
    command = [sys.executable, "-m", "tests.hosts.static_hosts"]
    with server([*command, host, folder, str(port)], f"http://127.0.0.1:{port}/", ROOT):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as response:
            told = response.headers

    assert told["Content-Type"].partition(";")[0] == kind
    assert told["Cache-Control"] == cache


@pytest.mark.parametrize(
    ("host", "name", "why"),
    [
        ("netlify", "a.html.py", "Netlify does not send the field X-Empty: ''"),
        ("cloudflare", "a.html.py", "Cloudflare does not send the field X-Word: 'é'"),
        ("cloudflare", "functions/b", "Cloudflare Pages does not upload files"),
        ("netlify", "x/.hidden", "Netlify does not upload dot files"),
    ],
)
def test_what_a_host_would_ignore_is_listed(
    make_pages: MakePages, tmp_path: Path, host: str, name: str, why: str
) -> None:
    files = {
        "a.html.py": ENDPOINT
        + "    return Response('x', headers=[('X-Empty', ''), ('X-Word', 'é')])\n",
        "functions/b.py": ENDPOINT + "    return context.json(1)\n",
        "x/[n].py": ENDPOINT
        + "    return context.json(1)\n"
        + LISTED.replace("('j', 'k')", "['.hidden']"),
    }
    app = built(make_pages(files, FILEPAGES_OUTPUT="hybrid"))
    left_out = exported(app, tmp_path, host).left_out

    assert any(one.name == name and one.why.startswith(why) for one in left_out)


def test_netlify_refuses_a_number_sign(make_pages: MakePages, tmp_path: Path) -> None:
    code = ENDPOINT + "    return context.json(1)\n" + LISTED.replace("'k'", "'c#'")
    app = built(make_pages({"[n].py": code}))
    with pytest.raises(ReleaseError, match="because of the # in c#. Rename it"):
        exported(app, tmp_path, "netlify")


def test_a_foreign_folder_of_a_known_name_is_foreign(
    app: Flask, tmp_path: Path
) -> None:
    folder = Path(exported(app, tmp_path).folder)
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "index.html").write_text("mine")
    with pytest.raises(ReleaseError, match="no export made it"):
        exported(app, tmp_path)

    assert (folder / "index.html").read_text() == "mine"


# -- below a root ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "file"),
    [
        ("plain", "about/index.html"),
        ("github-pages", "about/index.html"),
        ("netlify", "repo/about/index.html"),
        ("cloudflare", "repo/about/index.html"),
    ],
)
def test_files_lie_where_the_links_lead(
    make_pages: MakePages, tmp_path: Path, host: str, file: str
) -> None:
    app = built(make_pages(PAGES, FILEPAGES_OUTPUT="hybrid", APPLICATION_ROOT="/repo"))
    folder = exported(app, tmp_path, host).folder
    client = Client(plain_host(folder, "/repo"))

    assert file in names_in(folder)
    assert "404.html" in names_in(folder)
    assert client.get("/repo/about/", buffered=True).text == "about"


def test_redirects_begin_with_the_root(make_pages: MakePages, tmp_path: Path) -> None:
    app = built(
        make_pages(
            {"about.html": ""},
            FILEPAGES_OUTPUT="hybrid",
            FILEPAGES_REDIRECTS={"/old": "/about"},
            APPLICATION_ROOT="/repo",
        )
    )
    text = Path(exported(app, tmp_path, "netlify").folder, "_redirects").read_text()

    assert text == "/repo/old /repo/about 301!\n"


# -- preview --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/", 200, "home"),
        ("/about/", 200, "about"),
        ("/about", 301, None),
        ("/data.json", 200, "[1]\n"),
        ("/none", 404, "nothing here"),
        ("/../index.html", 404, "nothing here"),
        ("/%2e%2e/secret", 404, "nothing here"),
        ("/about%00", 404, "nothing here"),
    ],
)
def test_preview_sends_files_as_a_plain_host_does(
    app: Flask, tmp_path: Path, path: str, status: int, text: str | None
) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = exported(app, tmp_path).folder
    response = Client(plain_host(folder, "")).get(path, buffered=True)

    assert response.status_code == status
    assert text is None or response.text == text


def test_for_a_program(app: Flask, tmp_path: Path) -> None:
    info = ScriptInfo(create_app=lambda: app)
    words = ["export", str(tmp_path / "out"), "--json"]
    done = CliRunner().invoke(filepages, words, obj=info)
    told = json.loads(done.stdout)

    assert (done.exit_code, told["files"], told["removed"]) == (0, len(FILES), 0)
    live = {"name": "live.py", "why": "it runs on request, which needs the app"}
    assert live in told["left_out"]


@pytest.mark.parametrize(
    ("middleware", "hint"),
    [
        ("def middleware(c, call_next):\n    return call_next()\n", True),
        ("from flask_filepages import cors\nmiddleware = cors('https://a.b')\n", False),
    ],
    ids=["a function", "cors"],
)
def test_an_export_of_nothing_says_why(
    make_pages: MakePages, tmp_path: Path, middleware: str, hint: bool
) -> None:
    files = {"a.html": "a", "_middleware.py": middleware}
    app = built(make_pages(files, FILEPAGES_OUTPUT="static"), static=False)
    info = ScriptInfo(create_app=lambda: app)
    done = CliRunner().invoke(filepages, ["export", str(tmp_path / "out")], obj=info)

    assert "There is nothing to upload." in done.stdout
    assert "runs whenever it is sent, which needs the app" in done.stderr
    assert ("@once_per_render" in done.stderr) == hint


@pytest.mark.parametrize("words", [["export", "out"], ["deploy-config", "nginx"]])
def test_a_failure_for_a_program(make_pages: MakePages, words: list[str]) -> None:
    info = ScriptInfo(create_app=lambda: make_pages(PAGES))
    done = CliRunner().invoke(filepages, [*words, "--json"], obj=info)

    assert done.exit_code == 1
    assert "has no release" in json.loads(done.stdout)["error"]


def test_a_changed_file_that_is_gone_from_the_site_is_listed(
    make_pages: MakePages, tmp_path: Path
) -> None:
    app = built(make_pages(PAGES, FILEPAGES_OUTPUT="hybrid"))
    folder = Path(exported(app, tmp_path).folder)
    (folder / "about" / "index.html").write_text("changed")
    (Path(app.root_path) / "pages" / "about.html").unlink()
    again = Flask(app.name, root_path=app.root_path, instance_path=app.instance_path)
    again.config["FILEPAGES_OUTPUT"] = "hybrid"
    FilePages(again)
    again = built(again)
    for _ in range(2):
        left_out = dict(exported(again, tmp_path).left_out)

        assert "was changed here" in left_out["about/index.html"]
    assert (folder / "about" / "index.html").read_text() == "changed"


def test_a_release_of_files_that_are_gone_is_not_exported(
    app: Flask, tmp_path: Path
) -> None:
    (Path(app.root_path) / "pages" / "about.html").unlink()
    again = Flask(app.name, root_path=app.root_path, instance_path=app.instance_path)
    again.config["FILEPAGES_OUTPUT"] = "hybrid"
    FilePages(again)
    with pytest.raises(
        ReleaseError, match="has /about, which no file of the app makes"
    ):
        exported(again, tmp_path)


def test_static_files_of_a_guarded_blueprint_are_not_public(
    make_pages: MakePages, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def setup(app: Flask) -> None:
        write_files(Path(app.root_path), {"priv/s.txt": "SECRET"})
        priv = Blueprint(
            "priv",
            __name__,
            url_prefix="/p",
            static_folder=str(Path(app.root_path, "priv")),
            static_url_path="/files",
        )
        priv.before_request(lambda: abort(403))
        app.register_blueprint(priv)

    app = built(make_pages(PAGES, setup, FILEPAGES_OUTPUT="hybrid"))

    assert app.test_client().get("/p/files/s.txt").status_code == 403
    assert "p/files is not copied" in caplog.text
    assert not any("s.txt" in name for name in names_in(exported(app, tmp_path).folder))


@pytest.mark.parametrize("root", ["repo", "repo/"])
def test_a_root_without_a_slash_is_an_error(make_pages: MakePages, root: str) -> None:
    with pytest.raises(SettingsError, match="begins with a slash: write '/repo'"):
        make_pages(PAGES, APPLICATION_ROOT=root)
