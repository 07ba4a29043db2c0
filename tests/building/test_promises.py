"""What a build keeps: equal responses are linked, and promised ones are not rendered."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from flask_filepages import BuildError
from flask_filepages import FilePages
from flask_filepages.building.promises import differences
from flask_filepages.building.rendered import COMPRESSORS
from flask_filepages.building.report import Report
from flask_filepages.pytest_plugin import write_files

from ..conftest import MakePages
from .test_build import out_of
from .test_build import site_of
from .test_stored_attacks import build_of

APP = """\
import os
import shutil
from flask import Flask
from flask_filepages import BuildError
from flask_filepages import FilePages

app = Flask(__name__)
app.config["COLOR"] = os.environ.get("COLOR", "vermilion")
app.config["SECRET_KEY"] = os.environ.get("KEY", "1")
FilePages(app)
"""
PAGES = """\
from pathlib import Path
from flask_filepages import StaticPath

prerender = True


def get_static_paths():
    for line in Path("data.txt").read_text().splitlines():
        name, version, prop = line.split()
        yield StaticPath({"name": name}, {"prop": prop}, version=version)


def GET(context):
    extra = Path("extra.txt")
    text = extra.read_text() if extra.exists() else ""
    return context.json([context.params["name"], dict(context.props), text])
"""
SITE = {
    "app.py": APP,
    "lib.py": "",
    "data.txt": "a 1 x\nb 1 x\nc 1 x\n",
    "templates/base.html": "base",
    "pages/[name].json.py": PAGES,
    "pages/_card.html": "card",
    "pages/notes.md": "notes",
    "tests/test_app.py": "",
}

Run = Callable[..., dict[str, t.Any]]


@pytest.fixture(scope="module")
def built_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a site that was built once."""
    folder = tmp_path_factory.mktemp("once")
    _builder(folder)(SITE)
    return folder


@pytest.fixture
def run(tmp_path: Path, built_once: Path) -> Run:
    """Return a function that changes a built site, runs the command and returns its
    report."""
    shutil.copytree(built_once, tmp_path, symlinks=True, dirs_exist_ok=True)
    return _builder(tmp_path)


def _builder(folder: Path) -> Run:
    def build(
        changes: t.Mapping[str, str] = {}, *words: str, code: int = 0, **env: str
    ) -> dict[str, t.Any]:
        write_files(folder, changes)
        command = [sys.executable, "-m", "flask", "--app", "app", "filepages", "build"]
        done = subprocess.run(
            [*command, "--json", *words],
            cwd=folder,
            env={**os.environ, **env},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return t.cast("dict[str, t.Any]", json.loads(done.stdout))

    return build


def counts(report: dict[str, t.Any]) -> tuple[int, int, int]:
    return report["rendered"], report["unchanged"], report["kept"]


def test_a_promised_response_is_not_rendered(run: Run) -> None:
    report = run()

    assert counts(report) == (0, 0, 3)
    assert report["release"] is None


CHANGES: dict[str, tuple[dict[str, str], dict[str, str], list[str]]] = {
    "an endpoint": (
        {"pages/[name].json.py": PAGES + "\n"},
        {},
        ["pages/[name].json.py"],
    ),
    "a module": ({"lib.py": "X = 1\n"}, {}, ["lib.py"]),
    "a new module": ({"more/other.py": ""}, {}, ["more/other.py"]),
    "a template": ({"templates/base.html": "new"}, {}, ["templates/base.html"]),
    "a part of a page": ({"pages/_card.html": "new"}, {}, ["pages/_card.html"]),
    "a route": (
        {"pages/other.py": "def GET(context): ...\n"},
        {},
        ["pages/other.py", "the routes"],
    ),
    "a config key": ({}, {"COLOR": "blue"}, ["app.config['COLOR']"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_project_ends_every_promise(run: Run, name: str) -> None:
    changes, env, reasons = CHANGES[name]
    report = run(changes, **env)

    assert counts(report) == (3, 3, 0)
    assert report["changed"] == reasons
    # The record is of the new project, although nothing was published for it.
    assert counts(run({}, **env))[2] == 3


QUIET: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "a new checkout": (SITE, {}),
    "a test": ({"tests/test_app.py": "x = 1\n", "pages/name_test.py": ""}, {}),
    "a text": ({"pages/notes.md": "new", "README.rst": "new"}, {}),
    "the locale": ({}, {"LANG": "tr_TR.UTF-8", "LC_ALL": "C", "TZ": "Asia/Tokyo"}),
    "the hash seed": ({}, {"PYTHONHASHSEED": "7"}),
    "the secret key": ({}, {"KEY": "2"}),
}


@pytest.mark.parametrize("name", QUIET)
def test_what_does_not_end_a_promise(run: Run, name: str) -> None:
    changes, env = QUIET[name]

    assert counts(run(changes, **env)) == (0, 0, 3)


@pytest.mark.parametrize(
    ("line", "expected"),
    [("b 2 x", (1, 1, 2)), ("b 1 y", (1, 0, 2)), ("b 2 y", (1, 0, 2))],
    ids=["version", "props", "both"],
)
def test_only_a_path_that_changed_is_rendered(
    run: Run, line: str, expected: tuple[int, int, int]
) -> None:
    report = run({"data.txt": f"a 1 x\n{line}\nc 1 x\n"})

    assert counts(report) == expected
    assert counts(run()) == (0, 0, 3)


@pytest.mark.parametrize("words", [(), ("--jobs=2",)], ids=["alone", "workers"])
def test_verify_names_the_paths_of_broken_promises(
    run: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    report = run({"extra.txt": "new"}, "--verify", *words, code=1)

    assert report["broken_promises"] == ["/a.json", "/b.json", "/c.json"]
    assert "new" in (tmp_path / "instance/site/current/site/a.json").read_text()


def test_verify_passes_where_promises_hold(run: Run) -> None:
    report = run({}, "--verify")

    assert (report["verified"], report["broken_promises"]) == (3, [])


def test_without_a_record_nothing_is_promised(run: Run, tmp_path: Path) -> None:
    for text in ("", "{", "[]", '{"release": "000001", "project": 1}'):
        (tmp_path / "instance/site/project.json").write_text(text)

        assert counts(run()) == (3, 3, 0)


def test_the_record_is_for_its_owner_and_in_no_release(
    run: Run, tmp_path: Path
) -> None:
    record = tmp_path / "instance/site" / "project.json"

    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert [
        p.name for p in (tmp_path / "instance/site/releases").rglob("project.json")
    ] == []
    assert "vermilion" not in record.read_text()


def test_the_command_says_what_changed(run: Run, tmp_path: Path) -> None:
    write_files(tmp_path, {f"m{n}.py": "" for n in range(5)})
    command = [sys.executable, "-m", "flask", "--app", "app", "filepages", "build"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    assert (
        "No version was used, because these changed: m0.py, m1.py, m2.py, and 2 more."
        in done.stdout
    )


def test_differences_are_named() -> None:
    before = {"a.py": "1", "the package a": "1", "the package b": "1"}
    now = {"a.py": "1", "the package a": "2", "Python": "3"}

    assert differences(before, now) == ["the package a", "Python", "the package b"]


# -- responses that are equal ----------------------------------------------------------


def site(make_pages: MakePages, files: dict[str, str]) -> tuple[Flask, Report]:
    app = make_pages(files, FILEPAGES_OUTPUT="hybrid", TEMPLATES_AUTO_RELOAD=True)
    return app, build_of(app, out_of(app))


def edit(app: Flask, name: str, text: str) -> Report:
    (Path(app.root_path) / "pages" / name).write_text(text)
    return t.cast(Report, build_of(app, out_of(app)))


def inode(app: Flask, name: str) -> int:
    return os.stat(out_of(app) / "current" / "site" / name).st_ino


FILES = {"a.html": "a" * 2000, "b.html": "b", "404.html": "none"}


def test_a_build_without_changes_publishes_nothing(make_pages: MakePages) -> None:
    app, _ = site(make_pages, FILES)
    report = build_of(app, out_of(app))

    assert (report.rendered, report.unchanged, report.release) == (3, 3, None)
    assert os.listdir(out_of(app) / "releases") == ["000001"]


def test_equal_responses_are_linked(make_pages: MakePages) -> None:
    app, _ = site(make_pages, FILES)
    names = ["a/index.html", "a/index.html.gz", "404.html", "b/index.html"]
    before = {name: inode(app, name) for name in names}
    report = edit(app, "b.html", "new")
    after = {name: inode(app, name) for name in names}

    assert (report.rendered, report.unchanged) == (3, 2)
    assert [name for name in names if before[name] != after[name]] == ["b/index.html"]
    assert site_of(app)["b/index.html"] == b"new"


def test_equal_responses_are_copied_where_links_fail(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: t.Any, **kwargs: t.Any) -> t.NoReturn:
        raise OSError("no links here")

    app, _ = site(make_pages, FILES)
    before = site_of(app)
    monkeypatch.setattr(os, "link", refuse)
    edit(app, "b.html", "new")

    assert site_of(app) == {**before, "b/index.html": b"new"}


def test_a_path_that_is_gone_is_removed(make_pages: MakePages) -> None:
    app, _ = site(make_pages, FILES)
    (Path(app.root_path) / "pages" / "b.html").unlink()
    again = Flask(app.name, root_path=app.root_path, instance_path=app.instance_path)
    again.config["FILEPAGES_OUTPUT"] = "hybrid"
    FilePages(again)
    report = build_of(again, out_of(app))

    assert (report.removed, report.unchanged) == (1, 2)
    assert "b/index.html" not in site_of(app)


def test_an_equal_body_with_other_headers_is_not_equal(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("N", "1")
    code = (
        "import os\n\n\ndef GET(context):\n"
        "    return context.json(1, headers={'X-N': os.environ['N']})\n"
    )
    app, _ = site(make_pages, {"a.json.py": code})
    monkeypatch.setenv("N", "2")
    report = build_of(app, out_of(app))

    assert (report.unchanged, report.release is None) == (0, False)
    assert app.test_client().get("/a.json").headers["X-N"] == "2"


def test_other_compressors_write_everything_anew(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = site(make_pages, FILES)
    monkeypatch.delitem(COMPRESSORS, "br")
    report = build_of(app, out_of(app))

    assert (report.unchanged, report.release is None) == (0, False)
    assert "a/index.html.br" not in site_of(app)


def test_nothing_is_compressed_that_did_not_change(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = site(make_pages, FILES)
    compressed: list[bytes] = []
    real = COMPRESSORS["gzip"]

    def gzip(body: bytes) -> bytes:
        compressed.append(body)
        return real(body)

    monkeypatch.setitem(COMPRESSORS, "gzip", gzip)
    edit(app, "b.html", "new" * 1000)

    assert compressed == [b"new" * 1000]


def test_a_new_type_of_an_equal_body_is_compressed(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIND", "image/png")
    code = (
        "import os\nfrom flask import Response\n\n\ndef GET(context):\n"
        "    return Response('x' * 5000, mimetype=os.environ['KIND'])\n"
    )
    app, _ = site(make_pages, {"a.dat.py": code})
    plain = site_of(app).keys()
    monkeypatch.setenv("KIND", "text/plain")
    build_of(app, out_of(app))

    assert (set(plain), "a.dat.gz" in site_of(app)) == ({"a.dat"}, True)


def test_a_folder_of_pages_named_tests_is_part_of_the_project(run: Run) -> None:
    name = "pages/tests/one.py"
    text = "prerender = False\n\n\ndef GET(context):\n    return 'one'\n"
    run({name: text})

    assert name in run({name: f"{text}\n"})["changed"]


def test_a_dangling_link_of_an_editor_does_not_stop_a_build(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / ".#app.py").symlink_to("user@host.1234")

    assert counts(run()) == (0, 0, 3)


def test_a_promise_of_one_route_is_not_kept_by_another(
    run: Run, tmp_path: Path
) -> None:
    route = """\
import pathlib
from flask_filepages import StaticPath
prerender = True

def get_static_paths():
    for slug in pathlib.Path({file!r}).read_text().split():
        yield StaticPath({{"slug": slug}}, version="1")

def GET(context):
    return context.json({file!r})
"""
    run(
        {
            "pages/x/[slug].py": route.format(file="one.txt"),
            "pages/x/[...slug].py": route.format(file="rest.txt"),
            "one.txt": "p",
            "rest.txt": "q",
        }
    )

    run({"one.txt": "q", "rest.txt": "p"})

    stored = tmp_path / "instance/site/current/site/x/p"
    assert "rest.txt" in stored.read_text()


@pytest.mark.parametrize("name", ["templates/base.html~", "templates/#base.html#"])
def test_backup_files_of_editors_are_not_part_of_the_project(
    run: Run, name: str
) -> None:
    assert counts(run({name: "draft"})) == (0, 0, 3)


LOADERS = {
    "choice": "ChoiceLoader([DictLoader({}), DictLoader({'a': TEXT})])",
    "prefix": "PrefixLoader({'x': DictLoader({'a': TEXT})})",
    "function": "FunctionLoader(lambda name: TEXT)",
    "folders": "ChoiceLoader([FileSystemLoader('parts')])",
}


@pytest.mark.parametrize("name", LOADERS)
def test_the_templates_of_every_loader_are_part_of_the_project(
    run: Run, name: str
) -> None:
    lines = f"""\
from jinja2 import *
TEXT = open("text.txt").read()
app.jinja_loader = {LOADERS[name]}
"""
    files = {"app.py": APP + lines, "text.txt": "a", "parts/a.html": "a"}
    run(files)

    assert counts(run({"text.txt": "b", "parts/a.html": "b"})) == (3, 3, 0)


def test_a_linked_folder_of_templates_is_part_of_the_project(
    run: Run, tmp_path: Path
) -> None:
    write_files(tmp_path, {".themes/one/page.html": "a"})
    (tmp_path / "templates/theme").symlink_to(tmp_path / ".themes/one")
    (tmp_path / "templates/loop").symlink_to(tmp_path / "templates")
    run()

    report = run({".themes/one/page.html": "b"})

    assert report["changed"] == ["templates/theme/page.html"]


def test_a_copied_project_keeps_its_responses(run: Run, tmp_path: Path) -> None:
    copy = tmp_path.with_name(f"{tmp_path.name}-copy")
    shutil.copytree(tmp_path, copy, symlinks=True)
    command = [sys.executable, "-m", "flask", "--app", "app", "filepages", "build"]
    done = subprocess.run(
        [*command, "--json"], cwd=copy, capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout)["kept"] == 3


def test_a_process_with_older_code_records_nothing(
    make_pages: MakePages,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = make_pages({"[name].json.py": PAGES}, FILEPAGES_OUTPUT="hybrid")
    root = Path(app.root_path)
    root.joinpath("data.txt").write_text("a 1 x\n")
    monkeypatch.chdir(root)
    build_of(app, out_of(app))
    assert (out_of(app) / "project.json").exists()
    (out_of(app) / "project.json").unlink()

    (root / "pages/[name].json.py").write_text(PAGES + "\n")
    build_of(app, out_of(app), force=True)

    assert not (out_of(app) / "project.json").exists()
    assert "pages/[name].json.py changed after the app was created" in caplog.text


def test_a_mark_of_ours_in_props_is_only_a_key(make_pages: MakePages) -> None:
    code = """\
from flask_filepages import StaticPath
def get_static_paths():
    return [StaticPath({"id": "1"}, {"x": {"$page": 1}, "y": [{"$page": {}}]})]
def GET(context):
    return context.json(dict(context.props))
"""
    app, _ = site(make_pages, {"[id].json.py": code})

    assert json.loads(site_of(app)["1.json"]) == {
        "x": {"$page": 1},
        "y": [{"$page": {}}],
    }


def test_props_keep_the_order_of_their_keys(make_pages: MakePages) -> None:
    code = """\
from flask_filepages import StaticPath
def get_static_paths():
    return [StaticPath({"id": "1"}, {"b": 1, "a": {"d": 1, "c": 2}})]
def GET(context):
    return context.json(str(dict(context.props)))
"""
    app, _ = site(make_pages, {"[id].txt.py": code})

    text = json.loads(site_of(app)["1.txt"])
    assert text == "{'b': 1, 'a': {'d': 1, 'c': 2}}"


def test_removed_counts_paths_and_not_files(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = site(make_pages, FILES)
    monkeypatch.delitem(COMPRESSORS, "br")

    assert build_of(app, out_of(app)).removed == 0


def test_a_new_page_with_the_file_of_an_equal_response_is_an_error(
    make_pages: MakePages,
) -> None:
    files = {"index.html.py": "def GET(context):\n    return context.json(1)\n"}
    app, _ = site(make_pages, files)
    again = make_pages({**files, "index.html": "home"}, FILEPAGES_OUTPUT="hybrid")

    with pytest.raises(BuildError, match="another path has its file index.html"):
        build_of(again, out_of(app))
