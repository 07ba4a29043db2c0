"""The file names of HTML, collisions that show only when all names are known, and the
root of the app in URLs."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from flask import Flask

from flask_filepages import BuildError
from flask_filepages import FilePages
from flask_filepages import SettingsError
from flask_filepages.building.build import Build
from flask_filepages.building.build import Options
from flask_filepages.pytest_plugin import write_files
from flask_filepages.site import sites_of

from ..conftest import MakePages
from ..conftest import built

HEAD = "from flask import Response\nfrom flask_filepages import StaticPath\nprerender = True\n\n\n"
HTML = f"{HEAD}def GET(context):\n    return Response('<p>x')\n"
JSON = f"{HEAD}def GET(context):\n    return context.json([1])\n"
MOVED = f"{HEAD}def GET(context):\n    return context.redirect('/x')\n"


def listing(name: str, *values: str, body: str = HTML) -> str:
    paths = ", ".join(f"StaticPath({{{name!r}: {value!r}}})" for value in values)
    return f"{body}\n\ndef get_static_paths():\n    return [{paths}]\n"


def names_in(app: Flask, folder: str = "site") -> list[str]:
    root = Path(sites_of(app)["filepages"].releases.folder, "current", folder)
    found = (path for path in root.rglob("*") if path.is_file())
    return sorted(path.relative_to(root).as_posix() for path in found)


@pytest.mark.parametrize(
    ("file", "code", "build_format", "name"),
    [
        ("about.py", HTML, "directory", "about/index.html"),
        ("about.py", HTML, "file", "about.html"),
        ("about.py", HTML, "preserve", "about.html"),
        ("docs/index.py", HTML, "directory", "docs/index.html"),
        ("docs/index.py", HTML, "file", "docs.html"),
        ("docs/index.py", HTML, "preserve", "docs/index.html"),
        ("index.py", HTML, "directory", "index.html"),
        ("index.py", HTML, "file", "index.html"),
        ("v1.2.py", HTML, "directory", "v1.2/index.html"),
        ("v1.2.py", HTML, "file", "v1.2.html"),
        ("v1.2.py", JSON, "directory", "v1.2"),
        ("moved.py", MOVED, "directory", "moved/index.html"),
        ("moved.py", MOVED, "file", "moved.html"),
        ("plain.py", JSON, "directory", "plain"),
        ("feed.xml.py", HTML, "directory", "feed.xml"),
        ("page.html.py", HTML, "directory", "page.html"),
        ("old.xml.py", MOVED, "directory", "old.xml"),
        ("[x].py", listing("x", "a.b"), "directory", "a.b/index.html"),
        ("[x].json.py", listing("x", "a"), "directory", "a.json"),
    ],
)
def test_html_of_an_endpoint_has_the_file_name_of_a_page(
    make_pages: MakePages, file: str, code: str, build_format: str, name: str
) -> None:
    app = built(make_pages({file: code}, FILEPAGES_BUILD_FORMAT=build_format))

    assert names_in(app) == [name]


def test_the_build_says_so_once_for_each_route(make_pages: MakePages) -> None:
    files = {"[x].py": listing("x", "a", "b"), "plain.py": JSON, "p.html": ""}
    build = Build(make_pages(files, FILEPAGES_OUTPUT="hybrid"), Options())
    list(build)

    assert build.report.named_as_pages == {"[x].py": "a/index.html"}


def test_an_endpoint_that_turns_to_html_moves_its_file(make_pages: MakePages) -> None:
    code = (
        f"{HEAD}def GET(context):\n    kind = context.app.config['KIND']\n"
        "    return Response('<p>x', mimetype=kind)\n"
    )
    app = built(make_pages({"a.py": code}, KIND="text/plain"))
    assert names_in(app) == ["a"]
    again = Flask(app.name, root_path=app.root_path, instance_path=app.instance_path)
    again.config["KIND"] = "text/html"
    FilePages(again)
    again = built(again)

    assert names_in(again) == ["a/index.html"]
    assert again.test_client().get("/a").text == "<p>x"


def test_a_page_sees_and_lists_its_url_as_hosts_serve_it(make_pages: MakePages) -> None:
    shows = "{{ context.url.path }}"
    endpoint = f"{HEAD}def GET(context):\n    return Response(context.url.path)\n"
    files = {
        **dict.fromkeys(["index.html", "a.html", "d/index.html", "404.html"], shows),
        "e.py": endpoint,
        "f.txt.py": endpoint,
    }
    app = built(make_pages(files, FILEPAGES_OUTPUT="hybrid", APPLICATION_ROOT="/repo"))
    root = Path(sites_of(app)["filepages"].releases.folder, "current", "site")
    seen = {name: (root / name).read_text() for name in names_in(app)}
    listed = {path.url for path in sites_of(app)["filepages"].listed_paths()}

    assert seen == {
        "index.html": "/repo/",
        "a/index.html": "/repo/a/",
        "d/index.html": "/repo/d/",
        "404.html": "/repo/404",
        "e/index.html": "/repo/e",
        "f.txt": "/repo/f.txt",
    }
    assert listed == {"/repo/", "/repo/a/", "/repo/d/", "/repo/e", "/repo/f.txt"}


# -- collisions -----------------------------------------------------------------------


def faults_of(app: Flask, **options: t.Any) -> list[str]:
    with pytest.raises(BuildError) as caught:
        list(Build(app, Options(**options)))
    folder = Path(sites_of(app)["filepages"].releases.folder)
    assert not (folder / "current").exists()
    assert list((folder / "releases").iterdir()) == []
    return [str(fault) for fault in caught.value.faults]


STATIC = {"static/c.json": "1", "static/d/e": "1", "static/g": "1"}


@pytest.mark.parametrize(
    ("files", "static", "words"),
    [
        ({"a.py": JSON, "a/b.html": ""}, {}, ["a.py", "/a", "/a/b"]),
        ({"A.py": JSON, "a/b.html": ""}, {}, ["A.py", "/A", "/a/b"]),
        ({"a.html": "", "a/index.html.py": HTML}, {}, ["/a", "/a/index.html"]),
        ({"a.py": HTML, "a/index.html.py": HTML}, {}, ["/a", "a.py"]),
        ({"static/c.json.py": JSON}, STATIC, ["static/c.json", "/static/c.json"]),
        ({"static/d.py": JSON}, STATIC, ["static/d/e", "/static/d"]),
        ({"static/g.html": ""}, STATIC, ["static/g", "/static/g"]),
        (
            {
                "b.txt.py": HTML.replace("'<p>x'", "'word ' * 999"),
                "b.txt.gz.py": JSON,
            },
            {},
            ["b.txt.gz", "/b.txt"],
        ),
    ],
    ids=lambda value: " ".join(value),
)
def test_files_that_cannot_lie_together_are_named(
    make_pages: MakePages, files: t.Any, static: t.Any, words: list[str]
) -> None:
    def setup(app: Flask) -> None:
        write_files(Path(app.root_path), static)

    (fault,) = faults_of(make_pages(files, setup, FILEPAGES_OUTPUT="hybrid"))
    assert fault.startswith(words[0].partition(" ")[0]) or words[0] in fault
    assert all(word in fault for word in words)


def test_all_collisions_are_found_at_once(make_pages: MakePages) -> None:
    files = {
        "a.py": JSON,
        "a/b.html": "",
        "c.html": "",
        "c/index.html.py": HTML,
        "d.py": JSON,
        "d/e.html": "",
        "fine.py": JSON,
    }
    app = make_pages(files, FILEPAGES_OUTPUT="hybrid")

    assert len(faults_of(app)) == 3
    assert len(faults_of(app, force=True)) == 3


def test_html_next_to_its_folder_is_no_collision(make_pages: MakePages) -> None:
    files = {"a.py": HTML, "a/[x].py": listing("x", "1"), "a/b.html": ""}
    app = built(make_pages(files, FILEPAGES_OUTPUT="hybrid"))

    assert names_in(app) == ["a/1/index.html", "a/b/index.html", "a/index.html"]


def test_what_is_guarded_lies_apart(make_pages: MakePages) -> None:
    guard = "def middleware(context, call_next):\n    return call_next()\n"
    files = {"a.html": "a", "b/_middleware.py": guard, "b/c.html": "c " * 1000}
    app = built(make_pages(files, FILEPAGES_OUTPUT="hybrid"))

    assert names_in(app) == ["a/index.html"]
    assert "b/c/index.html.gz" in names_in(app, "guarded")
    assert app.test_client().get("/b/c").text == "c " * 1000


# -- the root of the app --------------------------------------------------------------

PAGED = """\
from flask_filepages import paginate
prerender = True


def get_static_paths():
    return paginate(range(4), 2)


def GET(context):
    return context.json(vars_of(context.props["page"].urls))


def vars_of(urls):
    return [urls.current, urls.first, urls.next, urls.last]
"""


@pytest.mark.parametrize("run", [built, lambda app: app], ids=["stored", "live"])
@pytest.mark.parametrize("root", ["", "/repo", "/a/b"])
def test_urls_of_pages_begin_with_the_root(
    make_pages: MakePages, run: t.Callable[[Flask], Flask], root: str
) -> None:
    app = run(make_pages({"p/[page].json.py": PAGED}, APPLICATION_ROOT=root or "/"))
    urls = app.test_client().get("/p/1.json", base_url=f"http://x{root}").get_json()

    assert urls == [f"{root}/p/1.json", None, f"{root}/p/2.json", f"{root}/p/2.json"]


def test_below_another_root_all_runs_live_with_one_warning(
    make_pages: MakePages, caplog: pytest.LogCaptureFixture
) -> None:
    app = built(make_pages({"p/[page].json.py": PAGED}, APPLICATION_ROOT="/repo"))
    client = app.test_client()
    caplog.clear()
    for _ in range(2):
        response = client.get("/p/1.json", base_url="http://x/other")
        assert response.get_json()[0] == "/other/p/1.json"
        assert "ETag" not in response.headers

    assert len(caplog.records) == 1
    assert "SCRIPT_NAME '/other'" in caplog.text
    assert "ETag" in client.get("/p/1.json", base_url="http://x/repo").headers


def test_redirect_pages_begin_with_the_root(make_pages: MakePages) -> None:
    app = built(
        make_pages(
            {"a.html": ""},
            FILEPAGES_OUTPUT="static",
            FILEPAGES_REDIRECTS={"/old": "/a"},
            FILEPAGES_SITE="https://x.example/repo",
            APPLICATION_ROOT="/repo",
        )
    )
    folder = sites_of(app)["filepages"].releases.folder
    page = Path(folder, "current/site/old/index.html").read_text()

    assert 'content="0; url=/repo/a"' in page
    assert 'href="https://x.example/repo/a"' in page
    assert "<code>/repo/old</code>" in page
    assert page.startswith('<!doctype html>\n<html lang="en"><head><meta charset=')


@pytest.mark.parametrize("root", [None, "/", "/other"])
def test_a_path_of_the_site_must_be_the_root(
    make_pages: MakePages, root: str | None
) -> None:
    config: dict[str, t.Any] = {"FILEPAGES_SITE": "https://x.example/repo"}
    if root is not None:
        config["APPLICATION_ROOT"] = root
    with pytest.raises(SettingsError, match=r"Set APPLICATION_ROOT = '/repo'"):
        make_pages({"a.html": ""}, **config)


@pytest.mark.parametrize("root", ["/", "/repo"])
@pytest.mark.parametrize("site", [None, "https://x.example"])
def test_links_to_the_host_of_a_build_are_warned_of(
    make_pages: MakePages,
    caplog: pytest.LogCaptureFixture,
    site: str | None,
    root: str,
) -> None:
    code = (
        f"{HEAD}def GET(context):\n    from flask import url_for\n"
        "    return Response(url_for('/a', _external=True))\n"
    )
    built(make_pages({"a.py": code}, FILEPAGES_SITE=site, APPLICATION_ROOT=root))
    told = f"its body has http://localhost{root.rstrip('/')}/, because FILEPAGES_SITE"

    assert (told in caplog.text) is (site is None)


# -- the command ----------------------------------------------------------------------


def test_the_report_counts_the_files(make_pages: MakePages) -> None:
    guard = "def middleware(context, call_next):\n    return call_next()\n"
    files = {"a.html": "a", "b/_middleware.py": guard, "b/c.html": "c"}
    app = make_pages(files, FILEPAGES_OUTPUT="static")
    app.add_url_rule("/own", "own", lambda: "x")
    app.add_url_rule("/a", "old", build_only=True)
    for _ in range(2):
        build = Build(app, Options())
        list(build)
        report = build.report

        assert (report.site_files, report.guarded_files) == (1, 1)
        assert report.own_views == ["/own"]
        assert report.current is not None
        assert report.current.endswith("000001")
        assert json.dumps(report.named_as_pages) == "{}"
