"""A build: what is stored, what is refused, how it is published."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from flask import Blueprint
from flask import Flask
from flask import Response
from flask import session

from flask_filepages import BuildError
from flask_filepages import FilePages
from flask_filepages import ReleaseError
from flask_filepages import TreeError
from flask_filepages.building.build import Build
from flask_filepages.building.build import Options
from flask_filepages.building.report import PageResult
from flask_filepages.pytest_plugin import write_files
from flask_filepages.releases.folder import BuildFolder
from flask_filepages.releases.manifest import Entry
from flask_filepages.releases.manifest import Manifest
from flask_filepages.site import sites_of

from ..conftest import ECHO
from ..conftest import MakePages
from ..conftest import built
from ..conftest import until

HEAD = "from flask import Response\nfrom flask_filepages import StaticPath, paginate\n"


def answer(code: str) -> str:
    return f"{HEAD}def GET(context):\n    return {code}\n"


def out_of(app: Flask) -> Path:
    return Path(sites_of(app)["filepages"].releases.folder)


def site_of(app: Flask) -> dict[str, bytes]:
    """Return the files of the current release."""
    root = out_of(app) / "current" / "site"
    files = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(files)}


def entries_of(app: Flask) -> dict[str, Entry]:
    manifest = Manifest.open(t.cast(str, BuildFolder(out_of(app)).current()))
    found = {entry.path: entry for entry in manifest.entries()}
    manifest.close()
    return found


TREE = {
    "index.html": "<h1>{{ context.url.geturl() }}</h1>",
    "about.html": "about",
    "docs/index.html": "docs",
    "404.html": "<h1>{{ context.props.error.code }}</h1>",
    "api/a.json.py": ECHO,
    "noext.py": answer("context.json({'a': 1}, 201, {'X-Own': '1'})"),
    "bin.dat.py": answer("Response(b'\\x00\\xff', mimetype='application/x-own')"),
    "stream.txt.py": answer("Response(iter(['a', 'b']), mimetype='text/plain')"),
    "none.py": answer("Response(status=204)"),
    "moved.py": answer("context.redirect('/about?a=1&b=2')"),
    "posts/[id].json.py": f"{HEAD}def get_static_paths():\n"
    "    return [StaticPath({'id': 'a b'}, {'n': 1}), StaticPath({'id': 'é'})]\n"
    "def GET(context):\n"
    "    return context.json([context.params['id'], dict(context.props)])\n",
    "list/[...page].html": "{{ context.props.page.data }}",
    "list/[...page].py": f"{HEAD}def get_static_paths():\n"
    "    return paginate(range(3), 2)\n",
    "[[lang]]/hello.html": "hello {{ context.params.lang }}",
    "[[lang]]/hello.py": f"{HEAD}def get_static_paths():\n"
    "    return [StaticPath({'lang': None}), StaticPath({'lang': 'de'})]\n",
    "live.py": f"prerender = False\n{ECHO}",
}


def test_files(make_pages: MakePages) -> None:
    app = built(
        make_pages(TREE, FILEPAGES_OUTPUT="hybrid", FILEPAGES_SITE="https://x.example")
    )
    site = site_of(app)

    assert sorted(site) == [
        *("404.html", "about/index.html", "api/a.json", "bin.dat"),
        *("de/hello/index.html", "docs/index.html", "hello/index.html", "index.html"),
        *("list/2/index.html", "list/index.html", "moved/index.html", "noext"),
        *("posts/a b.json", "posts/é.json", "stream.txt"),
    ]
    assert site["index.html"] == b"<h1>https://x.example/</h1>"
    assert site["404.html"] == b"<h1>404</h1>"
    assert site["bin.dat"] == b"\x00\xff"
    assert site["stream.txt"] == b"ab"
    assert site["posts/a b.json"] == b'["a b",{"n":1}]\n'
    assert site["list/2/index.html"] == b"[2]"
    assert site["de/hello/index.html"] == b"hello de"
    assert b"url=/about?a=1&amp;b=2" in site["moved/index.html"]


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("file", ["404.html", "a.html", "b.html", "index.html"]),
        ("preserve", ["404.html", "a.html", "b/index.html", "index.html"]),
    ],
)
def test_formats(make_pages: MakePages, form: str, names: list[str]) -> None:
    files = dict.fromkeys(["index.html", "a.html", "b/index.html", "404.html"], "x")
    app = built(
        make_pages(files, FILEPAGES_OUTPUT="static", FILEPAGES_BUILD_FORMAT=form)
    )

    assert sorted(site_of(app)) == names


def test_status_and_headers_are_kept(make_pages: MakePages) -> None:
    app = built(make_pages(TREE, FILEPAGES_OUTPUT="hybrid"))
    entries = entries_of(app)
    client = app.test_client()

    assert (entries["/none"].status, entries["/none"].file) == ("204 NO CONTENT", None)
    assert entries["/moved"].status == "302 FOUND"
    got = client.get("/noext")
    assert (got.status_code, got.headers["X-Own"]) == (201, "1")
    assert client.get("/moved").headers["Location"] == "/about?a=1&b=2"
    assert client.get("/none").status_code == 204
    assert client.get("/bin.dat").mimetype == "application/x-own"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("Response(status=404)", "GET /a.json: the response is 404 NOT FOUND"),
        ("Response(status=500)", "the response is 500"),
        ("Response(status=304)", "the response is 304"),
        ("Response(status=302)", "the response is 302 FOUND without Location"),
        ("Response(headers={'Set-Cookie': 'a=1'})", "it sets a cookie"),
        ("Response(headers={'Cache-Control': 'private'})", "says private"),
        ("Response(headers={'Cache-Control': 'max-age=1, No-Store'})", "says no-store"),
        ("{'a': 1}", "GET() returned dict, not a Response"),
        ("1 / 0", r"ZeroDivisionError: division by zero (pages/a.json.py:4)"),
        ("Response(1 / n for n in [1, 0])", "TypeError"),
    ],
)
def test_what_is_not_stored(make_pages: MakePages, code: str, problem: str) -> None:
    app = make_pages({"a.json.py": answer(code)}, FILEPAGES_OUTPUT="hybrid")
    with pytest.raises(BuildError) as error:
        built(app)

    assert problem in str(error.value)
    assert error.value.faults[0].file == "a.json.py"
    assert not (out_of(app) / "current").exists()
    assert os.listdir(out_of(app) / "releases") == []


def test_all_faults_are_told_at_once(make_pages: MakePages) -> None:
    files = {f"{name}.py": answer("Response(status=500)") for name in "abc"}
    with pytest.raises(BuildError) as error:
        built(make_pages({**files, "ok.py": ECHO}, FILEPAGES_OUTPUT="hybrid"))

    assert [fault.file for fault in error.value.faults] == ["a.py", "b.py", "c.py"]


def test_a_cookie_of_the_context_is_refused(make_pages: MakePages) -> None:
    code = "def GET(context):\n    context.cookies.set('a', '1')\n    return context.json(1)\n"
    with pytest.raises(BuildError, match="sets a cookie"):
        built(make_pages({"a.json.py": code}, FILEPAGES_OUTPUT="hybrid"))


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"a.py": ECHO, "a/b.py": ECHO},
            "its path /a is a file, but other paths begin with /a/",
        ),
        ({"A.py": ECHO, "a/b.html": ""}, "its path /A is a file"),
        ({"index.py": ECHO}, "it is the root of the site, which is a folder"),
        ({"a?b.py": ECHO}, "contains '?'"),
        ({"con.py": ECHO}, "is the name of a device"),
        (
            {"x/index.html.py": ECHO, "x.html": ""},
            "another path has its file x/index.html",
        ),
    ],
)
def test_files_that_cannot_be(
    make_pages: MakePages, files: dict[str, str], problem: str
) -> None:
    with pytest.raises(BuildError) as error:
        built(make_pages(files, FILEPAGES_OUTPUT="hybrid"))

    assert problem in str(error.value)


def listing(*params: str) -> str:
    paths = ", ".join(f"StaticPath({{'slug': {value!r}}})" for value in params)
    return (
        f"{HEAD}prerender = True\ndef get_static_paths():\n    return [{paths}]\n{ECHO}"
    )


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"[slug].py": listing("a", "a")}, "it lists the path /a twice"),
        (
            {"[slug].py": listing("a", "A")},
            "its path /A differs from /a only by case",
        ),
        ({"[slug].py": listing("b"), "b.py": ECHO}, "its URL leads to b.py"),
        (
            {"[slug].py": listing("b"), "b.py": f"prerender = True\n{ECHO}"},
            "its path /b is also a path of b.py",
        ),
        ({"[slug].py": listing("a.")}, "ends in a dot"),
        ({"[slug].py": listing("a/b")}, "it is empty, or contains '/'"),
    ],
)
def test_paths_that_cannot_be(
    make_pages: MakePages, files: dict[str, str], problem: str
) -> None:
    with pytest.raises(BuildError) as error:
        built(make_pages(files))

    assert problem in str(error.value)


def test_static_output_takes_no_live_route(make_pages: MakePages) -> None:
    files = {"a.py": f"prerender = False\n{ECHO}", "b.html": ""}
    with pytest.raises(TreeError) as error:
        make_pages(files, FILEPAGES_OUTPUT="static")

    assert [fault.file for fault in error.value.faults] == ["a.py"]


def test_a_hook_that_answers_is_named(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        app.before_request(lambda: Response("closed", 503))

    app = make_pages({"a.html": ""}, setup, FILEPAGES_OUTPUT="hybrid")
    with pytest.raises(
        BuildError,
        match=r"before_request function <lambda>\(\) \(\S+test_build.py:\d+\) responded with 503",
    ):
        built(app)


def test_a_hook_of_the_blueprint_is_named(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.html").touch()
    app = Flask("hooked", root_path=str(tmp_path), instance_path=str(tmp_path / "i"))
    app.config["FILEPAGES_OUTPUT"] = "hybrid"
    pages = FilePages(name="shop")
    pages.blueprint.before_request(lambda: Response("closed", 503))
    pages.init_app(app)
    with pytest.raises(
        BuildError, match="responded with 503 SERVICE UNAVAILABLE before the route"
    ):
        built(app)


def test_what_hooks_do_to_an_answer_is_not_stored(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        @app.after_request
        def sign(response: Response) -> Response:
            response.headers["X-Signed"] = "1"
            response.set_cookie("a", "1")
            return response

    app = built(make_pages({"a.html": ""}, setup, FILEPAGES_OUTPUT="hybrid"))

    assert "X-Signed" not in dict(entries_of(app)["/a"].headers)
    assert app.test_client().get("/a").headers["X-Signed"] == "1"


def test_a_hook_that_raises_fails_the_build(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        @app.after_request
        def sign(response: Response) -> Response:
            raise RuntimeError("no ink")

    app = make_pages({"a.html": ""}, setup, FILEPAGES_OUTPUT="hybrid", TESTING=False)
    with pytest.raises(BuildError, match="an after_request function made it 500"):
        built(app)


def test_a_build_pushes_no_context(make_pages: MakePages) -> None:
    code = (
        "from flask import g\n"
        "def GET(context):\n"
        "    g.count = g.get('count', 0) + 1\n"
        "    return context.json(g.count)\n"
    )
    app = make_pages({"a.json.py": code, "b.json.py": code}, FILEPAGES_OUTPUT="hybrid")
    with app.test_request_context("/elsewhere"):
        built(app)

    assert site_of(app) == {"a.json": b"1\n", "b.json": b"1\n"}


def test_middleware_that_is_marked_runs_in_a_build(make_pages: MakePages) -> None:
    middleware = (
        "from flask import abort\n"
        "from flask_filepages import once_per_render\n"
        "@once_per_render\n"
        "def fill(context, call_next):\n"
        "    context.locals.word = 'filled'\n"
        "    return call_next()\n"
        "def guard(context, call_next):\n"
        "    abort(401)\n"
        "middleware = [guard, fill]\n"
    )
    files = {"_middleware.py": middleware, "a.html": "{{ context.locals.word }}"}
    app = built(make_pages(files, FILEPAGES_OUTPUT="hybrid"))

    assert site_of(app) == {}
    guarded = out_of(app) / "current" / "guarded"
    assert (guarded / "a/index.html").read_bytes() == b"filled"
    assert app.test_client().get("/a").status_code == 401


def test_redirects_by_setting_are_pages_of_plain_hosts(make_pages: MakePages) -> None:
    redirects = {
        "/old": "/a",
        "/gone": ("https://e.example/x", 302),
        "/was/[slug]": "/[slug]",
        "/nowhere/[x]": "/a",
    }
    app = built(
        make_pages(
            {"a.html": "", "[slug].py": listing("s")},
            FILEPAGES_OUTPUT="hybrid",
            FILEPAGES_REDIRECTS=redirects,
        )
    )
    site = site_of(app)

    assert {"old/index.html", "gone/index.html", "was/s/index.html"} <= site.keys()
    assert b"0; url=/a" in site["old/index.html"]
    assert b"2; url=https://e.example/x" in site["gone/index.html"]
    assert app.test_client().get("/old?q=1").headers["Location"] == "/a?q=1"


def test_static_output_wants_to_know_the_paths_of_redirects(
    make_pages: MakePages,
) -> None:
    app = make_pages(
        {"a.html": ""},
        FILEPAGES_OUTPUT="static",
        FILEPAGES_REDIRECTS={"/x/[y]": "/a"},
    )
    with pytest.raises(BuildError, match="its paths are unknown"):
        built(app)


def test_static_folders_are_copied(make_pages: MakePages, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "s.js").write_text("1")

    def setup(app: Flask) -> None:
        folder = Path(t.cast(str, app.static_folder))
        (folder / "img").mkdir(parents=True)
        (folder / "img" / "a.svg").write_text("<svg/>")
        (folder / ".env").write_text("SECRET=1")
        (folder / "out.txt").symlink_to("/etc/hostname")
        blueprint = Blueprint(
            "shop", __name__, static_folder=str(shop), url_prefix="/s"
        )
        app.register_blueprint(blueprint)

    app = make_pages({"a.html": ""}, setup, FILEPAGES_OUTPUT="hybrid")
    built(app)

    assert sorted(site_of(app)) == ["a/index.html", "s/shop/s.js", "static/img/a.svg"]
    built(app, out=str(tmp_path / "bare"), static=False)
    assert not (tmp_path / "bare" / "current" / "site" / "static").exists()


def test_a_static_file_and_a_page_of_one_name(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        folder = Path(t.cast(str, app.static_folder))
        folder.mkdir()
        (folder / "a.json").write_text("1")

    app = make_pages({"static/a.json.py": ECHO}, setup, FILEPAGES_OUTPUT="hybrid")
    with pytest.raises(BuildError, match="a page has the same file name"):
        built(app)


def test_compressed_forms_lie_beside(make_pages: MakePages) -> None:
    files = {
        "big.html": "word " * 1000,
        "small.html": "word",
        "noise.dat.py": answer("Response(bytes(2000), mimetype='image/png')"),
    }
    app = built(make_pages(files, FILEPAGES_OUTPUT="hybrid"))
    site = site_of(app)

    assert sorted(site) == [
        *("big/index.html", "big/index.html.br", "big/index.html.gz"),
        *("big/index.html.zst", "noise.dat", "small/index.html"),
    ]
    got = app.test_client().get("/big", headers={"Accept-Encoding": "gzip"})
    assert got.headers["Content-Encoding"] == "gzip"
    assert got.data == site["big/index.html.gz"]


def test_old_releases_go(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_filepages.releases.folder.GRACE", -1)
    app = make_pages({"a.html": "1"}, FILEPAGES_OUTPUT="hybrid")
    for _ in range(5):
        built(app, keep=2, force=True)
    kept = out_of(app) / "releases" / "000004"
    (kept / "site" / "mine.txt").write_text("mine")
    built(app, keep=1, force=True)

    assert sorted(os.listdir(out_of(app) / "releases")) == ["000004", "000006"]
    assert sorted(p.name for p in kept.rglob("*") if p.is_file()) == [
        "manifest.sha256",
        "manifest.sqlite",
        "mine.txt",
    ]


def test_one_build_at_a_time(make_pages: MakePages) -> None:
    app = make_pages({"a.html": "1"}, FILEPAGES_OUTPUT="hybrid")
    built(app)
    with BuildFolder(out_of(app)).lock():
        with pytest.raises(ReleaseError, match="Another build is writing"):
            built(app)
    built(app)


def test_a_build_that_is_left_publishes_nothing(make_pages: MakePages) -> None:
    app = make_pages({"a.html": "1", "b.html": "2"}, FILEPAGES_OUTPUT="hybrid")
    build = iter(Build(app, Options()))
    first = next(build)
    build.close()

    assert isinstance(first, PageResult)
    assert os.listdir(out_of(app) / "releases") == []
    built(app)


@pytest.mark.parametrize(
    "where", ["/", "~", ".", "pages", "static", "pages/dist"], ids=str
)
def test_folders_that_no_build_touches(make_pages: MakePages, where: str) -> None:
    def setup(app: Flask) -> None:
        os.makedirs(t.cast(str, app.static_folder))

    app = make_pages({"a.html": "1"}, setup, FILEPAGES_OUTPUT="hybrid")
    before = sorted(Path(app.root_path).rglob("*"))
    with pytest.raises(ReleaseError, match="cannot be the build folder"):
        built(app, out=os.path.join(app.root_path, os.path.expanduser(where)))

    assert sorted(Path(app.root_path).rglob("*")) == before


def test_a_folder_of_somebody_else_is_left_alone(
    make_pages: MakePages, tmp_path: Path
) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "a.txt").write_text("1")
    app = make_pages({"a.html": "1"}, FILEPAGES_OUTPUT="hybrid")
    with pytest.raises(ReleaseError, match="is not empty, and no build made it"):
        built(app, out=str(tmp_path / "theirs"))

    assert os.listdir(tmp_path / "theirs") == ["a.txt"]


def test_a_build_through_a_link_writes_behind_it(
    make_pages: MakePages, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    built(
        make_pages({"a.html": "1"}, FILEPAGES_OUTPUT="hybrid"),
        out=str(tmp_path / "link"),
    )

    assert (tmp_path / "link").is_symlink()
    assert (
        tmp_path / "real" / "current" / "site" / "a" / "index.html"
    ).read_text() == "1"


def test_two_trees_are_one_site(tmp_path: Path) -> None:
    for folder in ("pages", "shop"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.html").write_text(
            f"{folder} {{{{ context.url.path }}}}"
        )
    app = Flask("two", root_path=str(tmp_path), instance_path=str(tmp_path / "i"))
    app.config["FILEPAGES_OUTPUT"] = "hybrid"
    pages = FilePages(app)
    FilePages(app, folder="shop", url_prefix="/shop", name="shop")
    for page in pages.build():
        assert page.action == "rendered"

    assert site_of(app) == {
        "a/index.html": b"pages /a/",
        "shop/a/index.html": b"shop /shop/a/",
    }
    assert app.test_client().get("/shop/a/").text == "shop /shop/a/"


def test_what_a_sitemap_wants_to_know(tmp_path: Path) -> None:
    code = (
        "from flask import current_app\n"
        "def GET(context):\n"
        "    pages = current_app.extensions['own_pages']\n"
        "    return context.json([list(path) for path in pages.paths()])\n"
    )
    files = {
        "sitemap.json.py": f"prerender = False\n{code}",
        "[slug].py": listing("a", "b"),
        "x/[y].py": f"prerender = False\n{ECHO}",
        "c.html": "",
        "404.html": "",
    }
    write_files(tmp_path / "pages", files)
    app = Flask("mapped", root_path=str(tmp_path), instance_path=str(tmp_path / "i"))
    app.config["FILEPAGES_OUTPUT"] = "hybrid"
    app.extensions["own_pages"] = FilePages(app)

    assert app.test_client().get("/sitemap.json").get_json() == [
        ["/c/", "/c", True, True, False],
        ["/sitemap.json", "/sitemap.json", False, False, False],
        ["/a", "/[slug]", False, True, False],
        ["/b", "/[slug]", False, True, False],
    ]


def test_a_build_is_the_same_whatever_the_surroundings(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "os.umask(int(sys.argv[2], 8))\n"
        "from flask import Flask\n"
        "from flask_filepages import FilePages\n"
        "app = Flask('same', root_path=sys.argv[1], instance_path=sys.argv[3] + '/i')\n"
        "app.config['FILEPAGES_OUTPUT'] = 'hybrid'\n"
        "for page in FilePages(app).build(): pass\n"
    )
    for name, text in TREE.items():
        path = tmp_path / "pages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = []
    for number, (seed, zone, umask) in enumerate(
        [("0", "UTC", "022"), ("1", "Asia/Tokyo", "077"), ("random", "UTC", "000")]
    ):
        out = tmp_path / f"out{number}"
        environ = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        command = [sys.executable, "-c", code, str(tmp_path), umask, str(out)]
        subprocess.run(command, env=environ, check=True)
        root = out / "dist" / "current" / "site"
        files = sorted(path for path in root.rglob("*") if path.is_file())
        found.append({str(p.relative_to(root)): p.read_bytes() for p in files})
        text = "".join(p.read_bytes().decode("latin-1") for p in files)
        assert not re.search(re.escape(str(tmp_path)) + "|context.json", text)

    assert found[0] == found[1] == found[2]


def test_many_paths_that_fail_alike_are_told_once(make_pages: MakePages) -> None:
    listed = (
        "from flask_filepages import StaticPath\n\n\ndef get_static_paths():\n"
        "    return [StaticPath({'n': str(n)}) for n in range(300)]\n\n\n"
        "def GET(context):\n    return 1 / 0\n"
    )
    with pytest.raises(BuildError) as error:
        built(make_pages({"[n].py": listed}, FILEPAGES_OUTPUT="hybrid"))

    assert len(error.value.faults) == 300
    assert str(error.value).count("ZeroDivisionError") == 5
    assert "[n].py: and 295 more like these" in str(error.value)


def test_a_page_that_ends_the_process_is_told(make_pages: MakePages) -> None:
    files = {"a.py": "def GET(context):\n    exit()\n"}
    with pytest.raises(BuildError, match=r"GET /a: it ends the process .*a\.py:2"):
        built(make_pages(files, FILEPAGES_OUTPUT="hybrid"))


def test_a_page_that_sets_the_session_is_not_stored(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        app.secret_key = "secret"

    body = (
        "def GET(context):\n    context.session['a'] = 1\n    return context.json(1)\n"
    )
    with pytest.raises(BuildError, match="it sets the session"):
        built(make_pages({"a.py": body}, setup, FILEPAGES_OUTPUT="hybrid"))


def test_an_error_within_a_library_is_told_with_the_line_of_the_page(
    make_pages: MakePages,
) -> None:
    files = {"a.py": "def GET(context):\n    return context.json(set())\n"}
    with pytest.raises(BuildError, match=r"TypeError: .*\(pages/a\.py:2\)"):
        built(make_pages(files, FILEPAGES_OUTPUT="hybrid"))


def test_a_static_file_that_was_lost_is_copied_again(
    make_pages: MakePages, tmp_path: Path
) -> None:
    app = make_pages({"a.html": "a"}, FILEPAGES_OUTPUT="hybrid")
    static = Path(app.root_path) / "static"
    static.mkdir(exist_ok=True)
    (static / "s.css").write_text("body {}")
    built(app)
    site = Path(sites_of(app)["filepages"].releases.folder) / "current" / "site"
    (site / "static" / "s.css").unlink()
    built(app)

    assert (site / "static" / "s.css").read_text() == "body {}"


LISTED = """\
import os
from flask_filepages import StaticPath
prerender = True

def get_static_paths():
    for name in os.environ["NAMES"].split():
        yield StaticPath({"name": name}, {"shown": name.upper()})

def GET(context):
    return context.json(context.props["shown"])
"""
REWRITES = "def GET(context):\n    return context.rewrite('/p/new.json')\n"


def test_a_rewrite_gets_the_props_of_the_newest_release(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAMES", "old")
    app = make_pages({"p/[name].json.py": LISTED, "r.py": REWRITES})
    client = built(app, out=str(out_of(app))).test_client()
    assert client.get("/r").status_code == 404

    monkeypatch.setenv("NAMES", "old new")
    built(app, out=str(out_of(app)))

    # The app looks for a new release twice in a second.
    assert until(lambda: client.get("/r").json == "NEW", 5)


def test_a_second_build_lists_for_rewrites_anew(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "p/[name].json.py": LISTED.replace("name.upper()", "os.environ['SHOWN']"),
        "r.json.py": f"prerender = True\n\n\n{REWRITES}",
    }
    monkeypatch.setenv("NAMES", "new")
    app = make_pages(files)
    for shown in ("one", "two"):
        monkeypatch.setenv("SHOWN", shown)
        built(app, out=str(out_of(app)))

        assert json.loads(site_of(app)["r.json"]) == shown


def test_redirect_pages_lead_below_the_root(make_pages: MakePages) -> None:
    app = make_pages(
        {"index.html": "home"},
        FILEPAGES_OUTPUT="hybrid",
        FILEPAGES_REDIRECTS={"/old": "/", "/out": "https://example.com/"},
        APPLICATION_ROOT="/shop",
    )
    built(app, out=str(out_of(app)))

    assert b'href="/shop/"' in site_of(app)["old/index.html"]
    assert b'href="https://example.com/"' in site_of(app)["out/index.html"]


def test_a_host_that_is_not_trusted_is_named(make_pages: MakePages) -> None:
    files = {"index.html": "home"}
    app = make_pages(files, FILEPAGES_OUTPUT="hybrid", TRUSTED_HOSTS=["example.com"])

    with pytest.raises(BuildError, match="refuses the host of the build, localhost"):
        built(app, out=str(out_of(app)))

    right = make_pages(
        files,
        FILEPAGES_OUTPUT="hybrid",
        TRUSTED_HOSTS=["example.com"],
        FILEPAGES_SITE="https://example.com",
    )
    assert built(right, out=str(out_of(right)))


GUARD = """\
from flask import Response
from flask import session

def middleware(context, call_next):
    if "letmein" not in context.cookies:
        return Response("no", 401)
    return call_next()
"""


def test_a_guarded_stored_response_is_private(make_pages: MakePages) -> None:
    app = make_pages(
        {"in/_middleware.py": GUARD, "in/a.html": "a", "b.html": "b"},
        FILEPAGES_OUTPUT="hybrid",
    )
    client = built(app, out=str(out_of(app))).test_client()
    refused = client.get("/in/a")
    client.set_cookie("letmein", "1")

    assert (refused.status_code, refused.headers["Cache-Control"]) == (401, "no-store")
    guarded, public = client.get("/in/a"), client.get("/b")
    assert guarded.headers["Cache-Control"] == "private, max-age=0, must-revalidate"
    assert public.headers["Cache-Control"] == "public, max-age=0, must-revalidate"


@pytest.mark.parametrize("value", ["private", "no-store", "private, max-age=60"])
def test_a_guarded_response_may_be_private(make_pages: MakePages, value: str) -> None:
    code = answer(f"Response('a', headers={{'Cache-Control': {value!r}}})")
    app = make_pages(
        {"in/_middleware.py": GUARD, "in/a.txt.py": code}, FILEPAGES_OUTPUT="hybrid"
    )

    built(app, out=str(out_of(app)))

    assert dict(entries_of(app)["/in/a.txt"].headers)["Cache-Control"] == value


@pytest.mark.parametrize("says", ["public", "s-maxage"])
def test_a_guarded_response_cannot_be_public(make_pages: MakePages, says: str) -> None:
    value = {"public": "public, max-age=60", "s-maxage": "max-age=0, s-maxage=60"}[says]
    code = answer(f"Response('a', headers={{'Cache-Control': '{value}'}})")
    app = make_pages(
        {"in/_middleware.py": GUARD, "in/a.txt.py": code}, FILEPAGES_OUTPUT="hybrid"
    )

    with pytest.raises(BuildError, match=f"says {says}, but middleware guards it"):
        built(app, out=str(out_of(app)))


@pytest.mark.parametrize(
    ("middleware", "field"),
    [
        ("headers({'X-Frame-Options': 'DENY'})", "X-Frame-Options"),
        ("cors('*')", "Access-Control-Allow-Origin"),
    ],
    ids=["headers", "cors"],
)
def test_middleware_that_guards_nothing_leaves_stored_responses_public(
    make_pages: MakePages, middleware: str, field: str
) -> None:
    file = f"from flask_filepages import cors, headers\nmiddleware = {middleware}\n"
    app = make_pages({"_middleware.py": file, "a.html": "a"}, FILEPAGES_OUTPUT="hybrid")
    client = built(app, out=str(out_of(app))).test_client()
    route = sites_of(app)["filepages"].routes["/a"]
    stored = client.get("/a")

    assert route.guards == []
    assert field in stored.headers
    assert stored.headers["Cache-Control"].startswith("public")
    assert "Origin" not in stored.headers.get("Vary", "")


# -- what is of one visitor -------------------------------------------------------------

SHOWS = {
    "a handler": {"a.py": "context.session.get('user')"},
    "flask.session": {"a.py": "__import__('flask').session.get('user')"},
    "cookies": {"a.py": "context.cookies.get('a')"},
    "request.cookies": {"a.py": "context.request.cookies.get('a')"},
    "a template": {"a.html": "{% if session.user %}{% endif %}"},
    "Flask-Login": {"a.html": "{{ current_user.name }}"},
    "cookies in a template": {"a.html": "\n{{ request.cookies.a }}"},
    "messages": {"a.html": "{{ get_flashed_messages() }}"},
    "context.request": {"a.html": "{{ context.request.cookies.a }}"},
    "an item": {"a.html": "{{ request['cookies'].a }}"},
    "g.user": {"a.html": "{{ g.user }}"},
    "a layout": {
        "a.html": "{% extends './_b.html' %}",
        "_b.html": "{{ session.user }}",
    },
}


@pytest.mark.parametrize("name", SHOWS)
def test_a_stored_page_that_shows_what_is_of_one_visitor_is_warned_of(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    files = {
        file: code
        if file.endswith(".html")
        else f"def GET(context):\n    {code}\n    return context.json(1)\n"
        for file, code in SHOWS[name].items()
    }
    app = make_pages(files, FILEPAGES_OUTPUT="hybrid", SECRET_KEY="x")
    app.context_processor(lambda: {"current_user": Page})
    built(app, out=str(out_of(app)))

    (message,) = [m for m in caplog.messages if "`prerender = False`" in m]
    assert message.startswith(f"{next(iter(files))}:")


class Page:
    name = "somebody"


def test_a_guard_that_is_marked_as_once_per_render_is_warned_of(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    guard = (
        "from flask_filepages import once_per_render\n\n\n"
        "@once_per_render\ndef guard(context, call_next):\n"
        "    return context.redirect('/login')\n\n\nmiddleware = guard\n"
    )
    files = {"in/_middleware.py": guard, "in/a.html": ""}
    app = make_pages(files, FILEPAGES_OUTPUT="hybrid")
    built(app, out=str(out_of(app)))

    assert (
        "in/a.html: GET /in/a: guard() (in/_middleware.py:4) responded" in caplog.text
    )


@pytest.mark.parametrize("text", ["{% set session = 1 %}{{ session }}", "{{ g.x }}"])
def test_names_of_the_template_itself_are_not_warned_of(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    app = make_pages({"a.html": text}, FILEPAGES_OUTPUT="hybrid")
    built(app, out=str(out_of(app)))

    assert "is stored, but" not in caplog.text


def test_other_pages_are_not_warned_of(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    code = "def GET(context):\n    return context.json(context.request.path)\n"
    app = make_pages(
        {"a.py": code, "b.html": "{{ request.path }}"},
        FILEPAGES_OUTPUT="hybrid",
        SECRET_KEY="x",
    )
    # As Flask-Login: the session is read for every template.
    app.context_processor(lambda: {"n": len(session)})
    built(app, out=str(out_of(app)))

    assert [m for m in caplog.messages if "prerender" in m] == []
