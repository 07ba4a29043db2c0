"""What a build keeps of the last one: nothing that would be another answer now, and
whatever would not.

Each build here is a real command, in a process of its own: only there a build knows all
that was read.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import py_compile
import shutil
import socketserver
import sqlite3
import subprocess
import sys
import sysconfig
import tempfile
import threading
import types
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

import pytest

from flask_filepages.pytest_plugin import write_files

from .sound_site import Server
from .sound_site import SoundSite

ROUNDS = int(os.environ.get("SOUND_ROUNDS", "60"))
FIRST_SEED = int(os.environ.get("SOUND_SEED", "0"))
#: Rounds of one site, before the next seed.
ROUNDS_OF_SITE = 6

APP = """\
import functools
import os

from flask import Flask, render_template
from flask_filepages import FilePages

app = Flask(__name__)
app.config["FILEPAGES_OUTPUT"] = "hybrid"
pages = FilePages(app)
"""
HEAD = """\
import functools
import glob
import os
import pathlib
import sqlite3

import flask
from flask import Response, current_app
from flask_filepages import StaticPath


def text(value):
    return Response(str(value), mimetype="text/plain")


def found(call, *args):
    try:
        return call(*args)
    except OSError as error:
        return type(error).__name__


def read(name):
    with open(name) as file:
        return file.read()


"""

Files = t.Mapping[str, str | bytes | None]


def answer(expression: str, before: str = "") -> str:
    return f"{HEAD}{before}\n\ndef GET(context):\n    return text({expression})\n"


@dataclass
class Site:
    """A site in a folder, and what its last build told."""

    root: Path
    out: Path
    env: dict[str, str] = field(default_factory=dict)
    app: str = "app"
    folder: Path | None = None
    command: t.Sequence[str] = (sys.executable, "-m", "flask")
    report: dict[str, t.Any] = field(default_factory=dict)

    def write(self, files: Files) -> None:
        """Write files; what is ``None`` is deleted."""
        for name, content in files.items():
            if content is None:
                (self.root / name).unlink()
        write_files(self.root, {k: v for k, v in files.items() if v is not None})

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        command = [*self.command, "--app", self.app, "filepages"]
        return subprocess.run(
            [*command, "build", "--json", "--out", str(self.out), *options],
            cwd=self.folder or self.root,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **self.env},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def build(self, *options: str) -> set[str]:
        """Build; return the paths that were rendered."""
        done = self.run(*options)
        assert done.returncode == 0, done.stdout + done.stderr
        self.report = json.loads(done.stdout)
        rendered = [p for p in self.report["pages"] if p["action"] == "rendered"]
        return {page["path"] for page in rendered}

    def text(self, file: str) -> str:
        return (self.out / "current" / "site" / file).read_text(encoding="utf-8")


MakeSite = Callable[..., Site]


def made(folder: Path, files: Files, app: str = APP, **env: str) -> Site:
    site = Site(folder / "site", folder / "out", env)
    site.write({"app.py": app, **files})
    return site


@pytest.fixture
def make_site(tmp_path: Path) -> MakeSite:
    """Return ``make_site(files, app, **env)``: a site that no build has seen."""
    return functools.partial(made, tmp_path)


# -- nothing changed ------------------------------------------------------------------


def test_nothing_is_rendered_or_published_where_nothing_changed(
    make_site: MakeSite,
) -> None:
    site = make_site({"pages/a.html": "a", "pages/b.py": answer("read('x')"), "x": "1"})
    first = site.build()
    current = os.readlink(site.out / "current")
    second = site.build()

    assert (first, second) == ({"/a", "/b"}, set())
    assert (site.report["release"], site.report["kept"]) == (None, 2)
    assert os.listdir(site.out / "releases") == ["000001"]
    assert os.readlink(site.out / "current") == current


KEPT: dict[str, tuple[Files, Files, str]] = {
    "a file of the project that nothing reads": ({}, {"README.rst": "new"}, ""),
    "a file that is written as it was": (
        {"pages/b.py": answer("read('x')"), "x": "1"},
        {"x": "1"},
        "",
    ),
    "a file of another suffix than a glob asks for": (
        {"pages/b.py": answer("sorted(glob.glob('d/*.txt'))"), "d/a.txt": "1"},
        {"d/a.txt": "2"},
        "",
    ),
    "a set in the configuration": (
        {},
        {},
        "app.config['ALLOWED'] = {'png', 'jpg', 'jpeg', 'gif', 'webp'}\n",
    ),
    "several trusted origins": (
        {},
        {},
        "app.config['FILEPAGES_TRUSTED_ORIGINS'] = ['https://a.example',"
        " 'https://b.example', 'https://c.example']\n",
    ),
    "a variable with a default of the app": (
        {"pages/b.py": answer("os.environ['MINE']")},
        {},
        "os.environ.setdefault('MINE', 'default')\n",
    ),
    "a template that is loaded at the start": (
        {"templates/x.html": "x", "pages/b.html": "{{ x.render() }}"},
        {},
        "app.jinja_env.globals['x'] = app.jinja_env.get_template('x.html')\n",
    ),
    "a log file that the app writes": (
        {"pages/b.py": answer("current_app.logger.warning('b')")},
        {},
        "import logging.handlers\napp.logger.addHandler("
        "logging.handlers.RotatingFileHandler('app.log', maxBytes=10_000))\n",
    ),
    "a database that is only read": (
        {"pages/b.py": answer("sqlite3.connect(':memory:').execute('select 1')")},
        {},
        "",
    ),
    "ctypes, imported": ({"pages/b.py": answer("1", "import ctypes")}, {}, ""),
    "an async handler": (
        {"pages/b.py": answer("1").replace("def GET", "async def GET")},
        {},
        "",
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_all_is_kept_with(name: str, make_site: MakeSite) -> None:
    files, change, more = KEPT[name]
    app = APP.replace("pages = ", f"{more}pages = ")
    site = make_site({"pages/a.html": "a", **files}, app)
    site.build()
    site.write(change)

    assert site.build() == set(), site.report


def test_a_new_variable_does_not_matter_where_only_others_are_read(
    make_site: MakeSite,
) -> None:
    app = APP.replace("pages = ", "app.config.from_prefixed_env()\npages = ")
    site = make_site({"pages/a.html": "a"}, app, RUN="1")
    site.build()
    site.env = {"RUN": "2"}

    assert site.build() == set(), site.report


def test_a_changed_static_file_is_copied_and_all_pages_are_kept(
    make_site: MakeSite,
) -> None:
    site = make_site({"pages/a.html": "a", "static/x.css": "1"})
    site.build()
    site.write({"static/x.css": "2"})

    assert site.build() == set()
    assert site.text("static/x.css") == "2"
    assert (site.report["copied"], site.report["kept"]) == (1, 1)


# -- templates: exactly the pages that used them ---------------------------------------

BLUEPRINT = """\
from flask import Blueprint

app.register_blueprint(Blueprint("theme", __name__, template_folder="theme"))
"""


def icon(text: str) -> str:
    return f"{{% macro icon() %}}{text}{{% endmacro %}}"


TEMPLATES: Files = {
    "pages/alone.html": "alone",
    "pages/extends.html": "{% extends 'base.html' %}",
    "pages/extends-more.html": "{% extends 'middle.html' %}",
    "templates/base.html": "base",
    "templates/middle.html": "{% extends 'root.html' %}",
    "templates/root.html": "root",
    "pages/includes.html": "{% include 'part.html' %}",
    "pages/includes-too.html": "{% include 'part.html' %} too",
    "templates/part.html": "part",
    "pages/in-a-loop.html": "{% for x in [1, 2] %}{% include 'item.html' %}{% endfor %}",
    "templates/item.html": "item",
    "pages/imports.html": "{% import 'macros.html' as m %}{{ m.card() }}",
    "pages/imports-too.html": "{% from 'macros.html' import card %}{{ card() }} too",
    "pages/with-context.html": "{% import 'macros.html' as m with context %}{{ m.card() }}",
    "templates/macros.html": "{% import 'icons.html' as i %}"
    "{% macro card() %}{{ i.icon() }}{% endmacro %}",
    "templates/icons.html": icon("icon"),
    "pages/shadowed.html": "{% include 'shadow.html' %}",
    "theme/shadow.html": "of the blueprint",
    "pages/unshadowed.html": "{% include 'shadowing.html' %}",
    "theme/shadowing.html": "of the blueprint",
    "templates/shadowing.html": "of the app",
    "pages/no-first.html": "{% include ['no-1.html', 'nor-1.html'] ignore missing %}",
    "pages/no-second.html": "{% include ['no-2.html', 'nor-2.html'] ignore missing %}",
    "pages/private.html": "{% include 'filepages:/_private.html' ignore missing %}",
    "pages/preferred.html": "{% include ['first.html', 'second.html'] %}",
    "templates/second.html": "second",
    "pages/named.py": f"{HEAD}def GET(context):\n    return context.render('named.html')\n",
    "templates/named.html": "named",
    "pages/docs/a.py": f"{HEAD}def GET(context):\n    return context.render()\n",
    "pages/docs/a.html": "a",
    "pages/many/[x].py": f"{HEAD}def get_static_paths():\n"
    "    return [StaticPath({'x': x}) for x in 'ab']\n",
    "pages/many/[x].html": "{% include context.params.x + '.html' %}",
    "templates/a.html": "a",
    "templates/b.html": "b",
}
TEMPLATE_CHANGES: list[tuple[str, Files, set[str]]] = [
    ("a page", {"pages/alone.html": "new"}, {"/alone"}),
    ("the page of an endpoint", {"pages/docs/a.html": "new"}, {"/docs/a"}),
    ("one that is extended", {"templates/base.html": "new"}, {"/extends"}),
    ("one at the root", {"templates/root.html": "new"}, {"/extends-more"}),
    ("a part", {"templates/part.html": "new"}, {"/includes", "/includes-too"}),
    ("a part, again", {"templates/part.html": "newer"}, {"/includes", "/includes-too"}),
    ("a part in a loop", {"templates/item.html": "new"}, {"/in-a-loop"}),
    ("a part of one path", {"templates/b.html": "new"}, {"/many/b"}),
    (
        "one that is imported by one that is imported",
        {"templates/icons.html": icon("new")},
        {"/imports", "/imports-too", "/with-context"},
    ),
    (
        "one that shadows another",
        {"templates/shadow.html": "of the app"},
        {"/shadowed"},
    ),
    ("one that shadowed another", {"templates/shadowing.html": None}, {"/unshadowed"}),
    ("the first that was missing", {"templates/no-1.html": "new"}, {"/no-first"}),
    ("the second that was missing", {"templates/nor-2.html": "new"}, {"/no-second"}),
    ("one that is preferred", {"templates/first.html": "first"}, {"/preferred"}),
    ("a private one that was missing", {"pages/_private.html": "new"}, {"/private"}),
    ("one that a handler names", {"templates/named.html": "new"}, {"/named"}),
]


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site of which each test changes other templates."""
    app = APP.replace("pages = ", f"{BLUEPRINT}pages = ")
    site = made(tmp_path_factory.mktemp("templates"), TEMPLATES, app)
    site.build()
    return site


@pytest.mark.parametrize(
    ("change", "paths"),
    [row[1:] for row in TEMPLATE_CHANGES],
    ids=[row[0] for row in TEMPLATE_CHANGES],
)
def test_exactly_the_pages_of_a_template_are_rendered(
    change: Files, paths: set[str], templates: Site
) -> None:
    templates.write(change)

    assert templates.build() == paths, templates.report["changed"]


def test_exactly_the_pages_of_a_markdown_layout_are_rendered(
    make_site: MakeSite,
) -> None:
    app = APP.replace("FilePages(app)", 'FilePages(app, renderers={".md": render})')
    layout = "---\nlayout: layout.html\n---\n# b\n"
    site = make_site(
        {
            "pages/a.md": "# a",
            "pages/b.md": layout,
            "pages/c.md": layout,
            "templates/layout.html": "{{ content }}",
        },
        f"from flask_filepages.markdown import render_markdown as render\n{app}",
    )
    site.build()
    site.write({"templates/layout.html": "new {{ content }}"})
    first = site.build()
    site.write({"pages/b.md": f"{layout}new"})

    assert (first, site.build()) == ({"/b", "/c"}, {"/b"})


# -- reads: whatever may hold what was read, and nothing before -------------------------

READS_APP = (
    APP.replace("import Flask, ", "import Flask, get_template_attribute, ")
    + """
_kept = {}


def slurp(name):
    with open(name) as file:
        return file.read()


def kept(name):
    if name not in _kept:
        _kept[name] = slurp(name)
    return _kept[name]


cached = functools.lru_cache(slurp)
fragment = functools.lru_cache(render_template)
held = functools.lru_cache(lambda name: app.jinja_env.get_template(name))


@functools.lru_cache
def macro(name):
    return get_template_attribute(name, "m")()


@functools.lru_cache
def streamed(name):
    return "".join(app.jinja_env.get_template(name).generate())


@functools.lru_cache
def nav(name):
    return app.jinja_env.get_template(name).render()


class Catalog:
    def find(self, name):
        if not hasattr(self, "items"):
            self.items = slurp(name)
        return self.items


app.extensions["catalog"] = Catalog()
app.jinja_env.globals.update(
    fragment=fragment, held=held, macro=macro, nav=nav, slurp=slurp, streamed=streamed
)
app.jinja_env.filters["slurp"] = slurp
app.jinja_env.filters["inline"] = lambda name: app.jinja_env.get_template(name).render()
"""
)
Change = Files | Callable[[Path], object]


def write(folder: Path, change: Change, number: str = "") -> None:
    """Write files, or do something else, below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if callable(change):
        change(folder)
        return
    for name, content in change.items():
        if content is None:
            (folder / name).unlink()
            continue
        text = str(content).replace("TEMPLATE", number)
        write_files(folder, {name: text.replace("DIR", f"templates/{number}")})


@dataclass
class Reading:
    """Pages that read, what they read below a folder of their own, and a change of it.

    ``DIR`` is that folder, ``TEMPLATE`` its name for templates.
    """

    pages: Files
    before: Change
    change: Change


def of(expression: str, before: str = "") -> Files:
    return {".py": answer(expression, before)}


def page(text: str) -> Files:
    return {".html": text}


def twice(pages: Files) -> Files:
    """Return pages of which the second gets what the first one has read."""
    return {f"-{i}{end}": text for end, text in pages.items() for i in (1, 2)}


def touch(folder: Path) -> None:
    os.utime(folder / "x", (1, 1))


def link(target: str, files: Files = types.MappingProxyType({})) -> Change:
    """Write *files*, and let ``link`` lead to *target*."""

    def change(folder: Path) -> None:
        write(folder, files)
        (folder / "link").unlink(missing_ok=True)
        (folder / "link").symlink_to(target)

    return change


def rows(name: str, value: str) -> Change:
    def change(folder: Path) -> None:
        with contextlib.closing(sqlite3.connect(folder / name)) as connection:
            if "wal" in name:
                connection.execute("PRAGMA journal_mode = WAL")
            with connection:
                connection.execute("CREATE TABLE IF NOT EXISTS t (value)")
                connection.execute("INSERT INTO t VALUES (?)", (value,))

    return change


NONE: Files = {}
ONE: Files = {"x": "1"}
TWO: Files = {"x": "22"}
FOLDER: Files = {"a": "1", "b": "22"}
OF_APP = "from app import app, cached, kept, pages\n"
THREAD = """\
import threading


def in_thread(call):
    results = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    thread.join()
    return results
"""
BY_DESCRIPTOR = """\

def with_descriptor(name, call):
    descriptor = os.open(name, os.O_RDONLY)
    try:
        return call(descriptor)
    finally:
        os.close(descriptor)


def read_below(descriptor):
    file = os.open("x", os.O_RDONLY, dir_fd=descriptor)
    try:
        return os.read(file, 9)
    finally:
        os.close(file)
"""
DATABASE = """\

def rows(name, uri=False, attach=None):
    connection = sqlite3.connect(name, uri=uri)
    try:
        if attach is not None:
            connection.execute(f"ATTACH '{attach}' AS other")
        return connection.execute("SELECT * FROM t").fetchall()
    finally:
        connection.close()
"""
READINGS: dict[str, Reading] = {
    "open": Reading(of("read('DIR/x')"), ONE, TWO),
    "open, missing": Reading(of("found(read, 'DIR/x')"), NONE, TWO),
    "open, deleted": Reading(of("found(read, 'DIR/x')"), ONE, {"x": None}),
    "open, by bytes": Reading(of("read(b'DIR/x')"), ONE, TWO),
    "open, through a link": Reading(
        of("read('DIR/link')"), link("x", {"x": "1", "y": "2"}), link("y")
    ),
    "Path.read_text": Reading(of("pathlib.Path('DIR/x').read_text()"), ONE, TWO),
    "Path.resolve": Reading(
        of("read(pathlib.Path('DIR/link').resolve() / 'x')"),
        link("1", {"1/x": "1", "2/x": "2"}),
        link("2"),
    ),
    "os.readlink": Reading(
        of("os.readlink('DIR/link')"), link("1", {"1/x": "", "2/x": ""}), link("2")
    ),
    "os.open": Reading(
        of("with_descriptor('DIR/x', lambda file: os.read(file, 9))", BY_DESCRIPTOR),
        ONE,
        TWO,
    ),
    "os.open, dir_fd": Reading(
        of("with_descriptor('DIR', read_below)", BY_DESCRIPTOR), ONE, TWO
    ),
    "os.listdir": Reading(of("os.listdir('DIR')"), FOLDER, {"c": "1"}),
    "os.listdir, missing": Reading(of("found(os.listdir, 'DIR/n')"), ONE, {"n/c": ""}),
    "os.listdir, descriptor": Reading(
        of("with_descriptor('DIR', os.listdir)", BY_DESCRIPTOR), FOLDER, {"c": "1"}
    ),
    "os.scandir": Reading(
        of("[entry.name for entry in os.scandir('DIR')]"), FOLDER, {"a": None}
    ),
    "os.scandir, sizes": Reading(
        of("[(entry.name, entry.stat().st_size) for entry in os.scandir('DIR')]"),
        FOLDER,
        {"a": "333"},
    ),
    "os.scandir, with a link to nowhere": Reading(
        of(
            "[e.is_symlink() or e.stat().st_size for e in os.scandir('DIR')]",
        ),
        link("nowhere", ONE),
        TWO,
    ),
    "os.walk": Reading(of("list(os.walk('DIR'))"), {"a/b/c": ""}, {"a/b/d": ""}),
    "glob": Reading(of("glob.glob('DIR/*.txt')"), FOLDER, {"c.txt": "1"}),
    "glob, recursive": Reading(
        of("glob.glob('DIR/**/*.txt', recursive=True)"), {"a/b": ""}, {"a/b.txt": "1"}
    ),
    "Path.glob": Reading(of("[*pathlib.Path('DIR').glob('*')]"), FOLDER, {"c": "1"}),
    "Path.iterdir": Reading(of("[*pathlib.Path('DIR').iterdir()]"), FOLDER, {"c": "1"}),
    "os.path.exists": Reading(of("os.path.exists('DIR/x')"), NONE, TWO),
    "os.path.exists, deleted": Reading(of("os.path.exists('DIR/x')"), ONE, {"x": None}),
    "os.path.isdir": Reading(of("os.path.isdir('DIR/x')"), NONE, {"x/y": "1"}),
    "os.path.islink": Reading(of("os.path.islink('DIR/link')"), ONE, link("x")),
    "os.path.islink, instead of a file": Reading(
        of("os.path.islink('DIR/link')"), {"link": "1", "x": "1"}, link("x")
    ),
    "os.path.lexists": Reading(of("os.path.lexists('DIR/link')"), ONE, link("nowhere")),
    "os.path.getsize": Reading(of("os.path.getsize('DIR/x')"), ONE, TWO),
    "os.path.getmtime": Reading(of("os.path.getmtime('DIR/x')"), ONE, touch),
    "os.stat": Reading(of("os.stat('DIR/x').st_size"), ONE, TWO),
    "os.access": Reading(of("os.access('DIR/x', os.R_OK)"), NONE, TWO),
    "Path.exists": Reading(of("pathlib.Path('DIR/x').exists()"), NONE, TWO),
    "Path.stat": Reading(of("pathlib.Path('DIR/x').stat().st_size"), ONE, TWO),
    "a cache": Reading(twice(of("cached('DIR/x')", OF_APP)), ONE, TWO),
    "a variable of a module": Reading(twice(of("kept('DIR/x')", OF_APP)), ONE, TWO),
    "an object of app.extensions": Reading(
        twice(of("current_app.extensions['catalog'].find('DIR/x')")), ONE, TWO
    ),
    "a thread": Reading(of("in_thread(lambda: read('DIR/x'))", THREAD), ONE, TWO),
    "a thread that fills a cache": Reading(
        twice(of("in_thread(lambda: cached('DIR/x'))", f"{THREAD}\n{OF_APP}")), ONE, TWO
    ),
    "an async handler": Reading(
        {".py": answer("read('DIR/x')").replace("def GET", "async def GET")}, ONE, TWO
    ),
    "a streamed body": Reading(
        {
            ".py": f"{HEAD}def GET(context):\n    return Response((read('DIR/x') for i in"
            " range(2)), mimetype='text/plain')\n"
        },
        ONE,
        TWO,
    ),
    "send_file": Reading(
        {
            ".py": f"{HEAD}def GET(context):\n"
            "    return flask.send_file(os.path.abspath('DIR/x'), 'text/plain')\n"
        },
        ONE,
        TWO,
    ),
    "a rendered part that is kept": Reading(
        twice(page("{{ fragment('TEMPLATE/x') }}")), ONE, TWO
    ),
    "a part of a rendered part that is kept": Reading(
        twice(page("{{ fragment('TEMPLATE/x') }}")),
        {"x": "{% include 'TEMPLATE/y' %}", "y": "1"},
        {"y": "2"},
    ),
    "a template object that is kept": Reading(
        twice(page("{{ held('TEMPLATE/x').render() }}")), ONE, TWO
    ),
    "a part of a part that is kept": Reading(
        twice(page("{{ nav('TEMPLATE/x') }}")),
        {"x": "{% include 'TEMPLATE/y' %}", "y": "1"},
        {"y": "2"},
    ),
    "a macro that Python calls": Reading(
        twice(page("{{ macro('TEMPLATE/x') }}")),
        {"x": "{% macro m() %}{% include 'TEMPLATE/y' %}{% endmacro %}", "y": "1"},
        {"y": "2"},
    ),
    "a stream that Python takes": Reading(
        twice(page("{{ streamed('TEMPLATE/x') }}")),
        {"x": "{% include 'TEMPLATE/y' %}", "y": "1"},
        {"y": "2"},
    ),
    "a template of a filter of a constant": Reading(
        twice(page("{% extends 'TEMPLATE/base' %}")),
        {"base": "{{ 'TEMPLATE/x'|inline }}", "x": "1"},
        TWO,
    ),
    "a template of a thread": Reading(
        of(
            "in_thread(lambda: app.jinja_env.get_template('TEMPLATE/x').render())",
            f"{THREAD}\n{OF_APP}",
        ),
        ONE,
        TWO,
    ),
    "a template of a string": Reading(
        of("flask.render_template_string(\"{% include 'TEMPLATE/x' %}\")"), ONE, TWO
    ),
    "a filter of a constant": Reading(twice(page("{{ 'DIR/x'|slurp }}")), ONE, TWO),
    "a function in a template": Reading(page("{{ slurp('DIR/x') }}"), ONE, TWO),
    "SQLite": Reading(of("rows('DIR/x')", DATABASE), rows("x", "1"), rows("x", "2")),
    "SQLite, with a log": Reading(
        of("rows('DIR/wal')", DATABASE), rows("wal", "1"), rows("wal", "2")
    ),
    "SQLite, by URI": Reading(
        of("rows('file:DIR/x%20y?mode=ro', uri=True)", DATABASE),
        rows("x y", "1"),
        rows("x y", "2"),
    ),
    "SQLite, attached": Reading(
        of("rows(':memory:', attach='DIR/x')", DATABASE), rows("x", "1"), rows("x", "2")
    ),
    "read_text, missing": Reading(
        of("found(pages.read_text, 'DIR/x')", OF_APP), NONE, TWO
    ),
}


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site of which each test changes other files. Its first page reads nothing."""
    site = made(tmp_path_factory.mktemp("reads"), {"pages/00.html": "0"}, READS_APP)
    for number, reading in enumerate(READINGS.values(), 10):
        write(site.root / f"templates/{number}", reading.before, str(number))
        pages = {f"pages/{number}{end}": text for end, text in reading.pages.items()}
        write(site.root, pages, str(number))
    site.build()
    return site


@pytest.mark.parametrize("name", READINGS)
def test_pages_are_rendered_that_may_have_something_from(
    name: str, readings: Site
) -> None:
    number = str([*READINGS].index(name) + 10)
    reading = READINGS[name]
    write(readings.root / f"templates/{number}", reading.change, number)
    rendered = readings.build()

    own = {f"/{number}{end.partition('.')[0]}" for end in reading.pages}
    assert rendered >= own, readings.report["changed"]
    assert not {path for path in rendered if path < f"/{number}"}


def test_what_read_text_reads_belongs_to_its_page_alone(make_site: MakeSite) -> None:
    before = "from app import pages"
    files = {
        f"pages/{x}.py": answer(f"pages.read_text('d/{x}')", before) for x in "abc"
    }
    site = make_site({**files, "d/a": "1", "d/b": "1", "d/c": "1"})
    site.build()
    site.write({"d/b": "2"})
    first = site.build()
    site.write({"d/a": "2"})

    assert (first, site.build()) == ({"/b"}, {"/a"})


def test_a_name_that_is_no_utf8_is_read_like_others(make_site: MakeSite) -> None:
    site = make_site({"pages/a.py": answer(r"found(read, b'caf\xe9')")})
    site.build()
    (site.root / os.fsdecode(b"caf\xe9")).write_text("1")

    assert (site.build(), site.text("a")) == ({"/a"}, "1")
    assert site.report["changed"] == [rf"{site.root}/caf\xe9"]


def test_what_a_context_processor_keeps_is_of_all_pages(make_site: MakeSite) -> None:
    app = APP + (
        "nav = functools.lru_cache(lambda: app.jinja_env.get_template('nav').render())\n"
        "app.context_processor(lambda: {'nav': nav()})\n"
    )
    files = {"templates/nav": "{% include 'item' %}", "templates/item": "1"}
    site = make_site({f"pages/{x}.html": "{{ nav }}" for x in "ab"} | files, app)
    site.build()
    site.write({"templates/item": "2"})

    assert site.build() == {"/a", "/b"}


def test_what_a_filter_gives_when_a_template_is_compiled_is_of_all_its_paths(
    make_site: MakeSite,
) -> None:
    app = APP + (
        "def inline(name):\n    return app.jinja_env.get_template(name).render()\n\n\n"
        "app.jinja_env.filters['inline'] = inline\n"
    )
    paths = "def get_static_paths():\n    return [StaticPath({'x': x}) for x in 'ab']\n"
    site = make_site(
        {
            "pages/[x].html": "{{ 'icon'|inline }}",
            "pages/[x].py": HEAD + paths,
            "templates/icon": "1",
        },
        app,
    )
    site.build()
    site.write({"templates/icon": "2"})

    assert site.build() == {"/a", "/b"}


def test_a_template_of_another_loader_is_no_other_template(make_site: MakeSite) -> None:
    app = APP + (
        "from jinja2 import FileSystemLoader\n"
        "other = app.jinja_env.overlay(loader=FileSystemLoader('other'))\n"
    )
    expression = "other.get_template('x').render()"
    files = {"pages/a.py": answer(expression, "from app import other")}
    site = make_site({**files, "templates/x": "1", "other/x": "1"}, app)
    site.build()
    site.write({"other/x": "2"})

    assert (site.build(), site.text("a")) == ({"/a"}, "2")


def test_a_path_that_leads_out_of_the_standard_library_is_read_like_others(
    make_site: MakeSite,
) -> None:
    expression = "read(f'{os.path.dirname(os.__file__)}{\"/..\" * 20}{os.getcwd()}/x')"
    site = make_site({"pages/a.py": answer(expression), "x": "1"})
    site.build()
    site.write({"x": "2"})

    assert site.build() == {"/a"}


# -- what all pages are made from -------------------------------------------------------

WHOLE_APP = (
    APP.replace("app = ", "import lib\n\napp = ")
    + """
POPPED = os.environ.pop("POPPED", None)
with open("at-start.txt") as file:
    app.config["AT_START"] = file.read()
"""
)
WHOLE: Files = {
    "at-start.txt": "1",
    "lib.py": "VALUE = 1\n",
    "late.py": "VALUE = 1\n",
    "dynamic.py": "VALUE = 1\n",
    "pages/a.html": "a",
    "pages/b.py": answer(
        "[rule.rule for rule in current_app.url_map.iter_rules()]",
        "def late():\n    import late\n    return late.VALUE\n",
    ),
    "pages/c.py": answer(
        "importlib.import_module('dyna' + 'mic').VALUE", "import importlib"
    ),
    "pages/d.py": answer("os.environb.get(b'OF_BYTES')"),
}
#: What changes, as the report tells it, and what else the environment has then.
WHOLE_CHANGES: dict[str, tuple[Files, dict[str, str], str]] = {
    "a module": ({"lib.py": "VALUE = 2\n"}, {}, "the source files changed"),
    "a module that is imported late": (
        {"late.py": "VALUE = 2\n"},
        {},
        "the source files changed",
    ),
    "a module that is imported by its name": (
        {"dynamic.py": "VALUE = 2\n"},
        {},
        "the source files changed",
    ),
    "an endpoint": ({"pages/d.py": answer("1")}, {}, "the source files changed"),
    "a middleware": (
        {"pages/_middleware.py": "def middleware(context, n):\n    return n()\n"},
        {},
        "the source files changed",
    ),
    "a new module": ({"new.py": ""}, {}, "the source files changed"),
    "a new route": ({"pages/new.html": ""}, {}, "the routes changed"),
    "a file that is read at the start": (
        {"at-start.txt": "2"},
        {},
        "app.config changed",
    ),
    "a package": (
        {"../packages/other-2.0.dist-info/METADATA": ""},
        {},
        "the installed packages changed",
    ),
    "the environment, popped at the start": ({}, {"POPPED": "1"}, ""),
    "the time zone": ({}, {"TZ": "Asia/Tokyo"}, ""),
    "the path of modules": ({}, {"PYTHONPATH": "elsewhere"}, ""),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site of which each test changes something that all pages are made from."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "packages").mkdir()
    site = made(folder, WHOLE, WHOLE_APP)
    site.env = {"PYTHONPATH": str(folder / "packages")}
    return site


@pytest.mark.parametrize("name", WHOLE_CHANGES)
def test_everything_is_rendered_after_a_change_of(name: str, whole: Site) -> None:
    change, env, reason = WHOLE_CHANGES[name]
    before = dict(whole.env)
    whole.build()
    kept = whole.build()
    whole.write(change)
    whole.env = {**before, **env}
    rendered = whole.build()
    report = whole.report
    whole.env = before

    assert kept == set()
    assert rendered >= {"/a", "/b", "/c", "/d"}
    assert (report["kept"], report["reason"] or "") == (
        0,
        reason or report["reason"] or "",
    )


def test_a_package_around_the_pages_is_read_like_others(make_site: MakeSite) -> None:
    app = APP.replace("FilePages(app)", "FilePages(app, folder='web/pages')")
    files = {"web/__init__.py": "VALUE = open('x').read()\n", "x": "1"}
    site = make_site(
        {**files, "web/pages/a.py": answer("web.VALUE", "import web")}, app
    )
    site.build()
    site.write({"x": "2"})

    assert site.build() == {"/a"}


def test_bytecode_without_a_source_is_a_file_like_others(make_site: MakeSite) -> None:
    site = make_site({"pages/a.py": answer("secret.VALUE", "import secret")})
    source = site.root / "secret.txt"
    source.write_text("VALUE = 1\n")
    py_compile.compile(str(source), str(site.root / "secret.pyc"))
    site.build()
    source.write_text("VALUE = 2\n")
    py_compile.compile(str(source), str(site.root / "secret.pyc"))

    assert (site.build(), site.text("a")) == ({"/a"}, "2")


def test_zones_of_one_name_are_told_apart(make_site: MakeSite) -> None:
    expression = "time.localtime(0).tm_hour"
    site = make_site({"pages/a.py": answer(expression, "import time")}, TZ="AAA-1")
    site.build()
    site.env = {"TZ": "AAA-2"}

    assert (site.build(), site.text("a")) == ({"/a"}, "2")


def test_everything_is_rendered_from_another_folder(make_site: MakeSite) -> None:
    site = make_site({"pages/a.py": answer("read('x')"), "x": "1", "below/x": "2"})
    site.app = str(site.root / "app.py")
    site.build()
    site.folder = site.root / "below"

    assert (site.build(), site.text("a")) == ({"/a"}, "2")


def test_everything_is_rendered_with_another_argument_of_the_factory(
    make_site: MakeSite,
) -> None:
    made_by = APP.replace("app = Flask(__name__)\n", "")
    lines = "".join(f"    {line}\n" for line in made_by.splitlines()[5:])
    factory = (
        "from flask import Flask\nfrom flask_filepages import FilePages\n\n\n"
        "def create_app(language):\n    app = Flask(__name__)\n"
        f"    app.language = language\n{lines}    return app\n"
    )
    site = make_site({"pages/a.py": answer("current_app.language")}, factory)
    site.app = "app:create_app('en')"
    site.build()
    site.app = "app:create_app('de')"

    assert (site.build(), site.text("a")) == ({"/a"}, "de")


def test_a_variable_is_read_by_bytes_too(make_site: MakeSite) -> None:
    site = make_site({"pages/a.py": answer("os.environb.get(b'NOTE')")}, NOTE="1")
    site.build()
    site.env = {"NOTE": "2"}

    assert site.build() == {"/a"}


VALUES = [
    "os.environ.get('NOTE')",
    "os.getenv('NOTE')",
    "dict(os.environ).get('NOTE')",
    "os.environ.pop('NOTE', None)",
]
NAMES = ["'NOTE' in os.environ", "[name for name in os.environ if name == 'NOTE']"]


@pytest.mark.parametrize(
    ("expression", "env"),
    [
        *((expression, {"NOTE": "2"}) for expression in VALUES),
        *((expression, {}) for expression in [*VALUES, *NAMES]),
    ],
)
def test_a_variable_that_a_page_reads(
    expression: str, env: dict[str, str], make_site: MakeSite
) -> None:
    site = make_site({"pages/a.html": "", "pages/b.py": answer(expression)}, NOTE="1")
    site.build()
    site.env = env

    assert site.build() == {"/b"}


@pytest.mark.parametrize("option", ["", "-O"])
def test_a_module_outside_of_the_project_that_is_imported_late(
    option: str, make_site: MakeSite, tmp_path: Path
) -> None:
    late = "try:\n    import outside_{0}\nexcept ImportError:\n    outside_{0} = None\n"
    files = {
        f"pages/{x}.py": answer(
            "value()",
            "def value():\n"
            + "".join(f"    {line}\n" for line in late.format(x).splitlines())
            + f"    return getattr(outside_{x}, 'VALUE', None)\n",
        )
        for x in "bc"
    }
    write_files(tmp_path / "modules", {"outside_b.py": "VALUE = 1\n"})
    env = {"PYTHONPATH": str(tmp_path / "modules"), "PYTHONDONTWRITEBYTECODE": ""}
    site = make_site({"pages/a.html": "", **files}, **env)
    site.env["PYTHONOPTIMIZE"] = option[1:]
    for options in [(), ("--force",)]:  # the second one finds bytecode
        site.build(*options)
    write_files(tmp_path / "modules", {"outside_b.py": "VALUE = 2000\n"})
    first = site.build()
    write_files(tmp_path / "modules", {"outside_c.py": "VALUE = 3\n"})

    assert first >= {"/b"}
    assert site.build() >= {"/c"}


# -- paths and props --------------------------------------------------------------------


def listed(props: str, shown: str, more: str = "incremental = 'page'") -> Files:
    """Return a route that lists the keys of a file; ``title`` is what they hold."""
    code = (
        f"{HEAD}import json\n\n{more}\n\n\n"
        "class Post:\n    def __init__(self, title):\n        self.title = title\n\n\n"
        "def get_static_paths():\n"
        "    for name, title in json.loads(read('paths.json')).items():\n"
        f"        yield StaticPath({{'name': name}}, {props})\n\n\n"
        f"def GET(context):\n    return text({shown})\n"
    )
    return {"pages/[name].py": code}


JSON_PROPS = listed("{'title': title}", "context.props['title']")
OBJECTS = listed("{'post': Post(title)}", "context.props['post'].title")
VOUCHED = listed("{'post': Post(title)}, title", "context.props['post'].title")
PATHS = '{"a": "1", "b": "2"}'


@pytest.mark.parametrize(
    ("files", "paths", "rendered"),
    [
        (JSON_PROPS, '{"a": "1", "b": "3"}', {"/b"}),
        (JSON_PROPS, '{"a": "1", "b": "2", "c": "3"}', {"/c"}),
        (JSON_PROPS, '{"b": "2"}', set()),
        (JSON_PROPS, '{"b": "2", "a": "1"}', set()),
        (JSON_PROPS, '{"a": 1, "b": "2"}', {"/a"}),
        (JSON_PROPS, '{"a": "1", "b": 2.0}', {"/b"}),
        (OBJECTS, PATHS, {"/a", "/b"}),
        (OBJECTS, '{"a": "3", "b": "2"}', {"/a", "/b"}),
        (VOUCHED, PATHS, set()),
        (VOUCHED, '{"a": "3", "b": "2"}', {"/a"}),
        (VOUCHED, '{"a": "2", "b": "1"}', {"/a", "/b"}),
    ],
    ids=[
        *("a value", "a new path", "a path less", "another order", "a type"),
        *("a type, too", "objects", "objects, changed", "objects with a version"),
        *("a version", "versions, exchanged"),
    ],
)
def test_the_paths_with_other_props_are_rendered(
    files: Files, paths: str, rendered: set[str], make_site: MakeSite
) -> None:
    site = make_site({**files, "paths.json": PATHS})
    site.build()
    site.write({"paths.json": paths})

    assert site.build() == rendered
    left = {path.name for path in (site.out / "current" / "site").iterdir()}
    assert left == set(json.loads(paths))


def test_props_that_a_page_may_have_kept_are_read_again(make_site: MakeSite) -> None:
    files = listed("{'title': title}", "context.props['title']", more="")
    site = make_site({**files, "paths.json": PATHS})
    site.build()
    site.write({"paths.json": '{"a": "1", "b": "3"}'})

    assert site.build() >= {"/b"}
    assert site.text("b") == "3"


# -- what cannot be seen ----------------------------------------------------------------


class Database(socketserver.ThreadingTCPServer):
    """A server with rows, as a program would ask one."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, rows: dict[str, tuple[str, str]]) -> None:
        super().__init__(("127.0.0.1", 0), _Rows)
        self.rows = rows


class _Rows(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        rows = t.cast(Database, self.server).rows
        self.wfile.write(json.dumps(rows).encode())


@pytest.fixture
def database() -> Iterator[Database]:
    with Database({"a": ("v1", "one"), "b": ("v1", "two")}) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


ASKING = f"""\
{HEAD}
import json
import socket


def rows():
    with socket.create_connection(("127.0.0.1", int(os.environ["PORT"]))) as peer:
        return json.load(peer.makefile())


def get_static_paths():
    return [StaticPath({{"name": k}}, {{}}, VERSION) for k, row in rows().items()]


def GET(context):
    return text(rows()[context.params["name"]][1])
"""


def test_what_asks_a_server_is_always_rendered(
    make_site: MakeSite, database: Database
) -> None:
    files = {"pages/x/[name].py": ASKING.replace("VERSION", "None")}
    site = make_site(files, PORT=str(database.server_address[1]))
    site.build()
    database.rows["b"] = ("v1", "three")

    assert site.build() == {"/x/a", "/x/b"}
    assert site.text("x/b") == "three"


@pytest.mark.parametrize("more", ["", "incremental = 'page'"])
def test_a_version_vouches_for_what_a_server_tells(
    more: str, make_site: MakeSite, database: Database
) -> None:
    files = {"pages/x/[name].py": ASKING.replace("VERSION", "row[0]") + more}
    site = make_site(files, PORT=str(database.server_address[1]))
    site.build()
    kept = site.build()
    database.rows["b"] = ("v2", "three")

    assert (kept, site.build()) == (set(), {"/x/b"})
    assert site.text("x/b") == "three"


def test_verify_finds_a_version_that_did_not_change_with_its_row(
    make_site: MakeSite, database: Database
) -> None:
    files = {"pages/x/[name].py": ASKING.replace("VERSION", "row[0]")}
    site = make_site(files, PORT=str(database.server_address[1]))
    site.build()
    database.rows["b"] = ("v1", "three")
    done = site.run("--verify")

    assert (done.returncode, json.loads(done.stdout)["unsound"]) == (1, ["/x/b"])


@pytest.mark.parametrize(
    ("expression", "before"),
    [
        ("subprocess.run(['true']).returncode", "import subprocess"),
        ("os.system('true')", ""),
        ("os.popen('true').read()", ""),
        ("spawn.Pool(1).map(abs, [-1])", "import multiprocessing"),
        ("fork.Pool(1).map(abs, [-1])", "import multiprocessing"),
        ("socket.getaddrinfo('127.0.0.1', 80)", "import socket"),
    ],
    ids=["run", "system", "popen", "spawn", "fork", "host name"],
)
def test_after_what_no_log_can_see_everything_is_rendered_each_time(
    expression: str, before: str, make_site: MakeSite
) -> None:
    for kind in ("spawn", "fork"):
        context = f"multiprocessing.get_context('{kind}')"
        expression = expression.replace(f"{kind}.", f"{context}.")
    files = {"pages/b.py": answer(expression, before), "pages/c.html": "c"}
    site = make_site({"pages/a.html": "a", **files})
    site.build()

    assert site.build() == {"/b", "/c"}


@pytest.mark.parametrize("name", ["x", "wal"])
def test_a_database_that_is_opened_at_the_start(name: str, make_site: MakeSite) -> None:
    more = f"database = sqlite3.connect({name!r}, check_same_thread=False)\n"
    query = "database.execute('SELECT * FROM t').fetchall()"
    site = make_site(
        {"pages/a.py": answer(query, "from app import database")},
        f"import sqlite3\n{APP}{more}",
    )
    write(site.root, rows(name, "1"))
    site.build()
    kept = site.build()
    write(site.root, rows(name, "2"))

    assert (kept, site.build()) == (set(), {"/a"})


# -- trusting, and verifying ------------------------------------------------------------


def test_a_page_that_trusts_its_reads_is_rendered_for_them_alone(
    make_site: MakeSite,
) -> None:
    trusting = "incremental = 'page'\n"
    files = {f"pages/{x}.py": answer(f"read('d/{x}')", trusting) for x in "abc"}
    site = make_site({**files, "d/a": "1", "d/b": "1", "d/c": "1"})
    site.build()
    site.write({"d/b": "2"})
    first = site.build()
    site.write({"d/a": "2"})

    assert (first, site.build()) == ({"/b"}, {"/a"})


def test_verify_finds_pages_that_trust_their_reads_and_have_a_cache(
    make_site: MakeSite,
) -> None:
    before = "incremental = 'page'\nfrom app import cached\n"
    page = answer("cached('x')", before)
    site = make_site({"pages/a.py": page, "pages/b.py": page, "x": "1"}, READS_APP)
    site.build()
    site.write({"x": "2"})
    done = site.run("--verify")

    assert (done.returncode, json.loads(done.stdout)["unsound"]) == (1, ["/b"])


def test_verify_finds_what_no_log_sees(make_site: MakeSite) -> None:
    site = make_site({"pages/a.html": "a", "pages/b.py": answer("os.urandom(9)")})
    site.build()
    done = site.run("--verify")

    assert (done.returncode, json.loads(done.stdout)["unsound"]) == (1, ["/b"])
    assert "unsound" not in site.run().stderr


def test_verify_renders_everything_and_ends_well_where_all_is_sound(
    make_site: MakeSite,
) -> None:
    files = {"pages/a.html": "a", "pages/b.py": answer("read('x')"), "x": "1"}
    site = make_site(files)
    site.build()
    site.write({"x": "2"})

    assert site.build("--verify") == {"/a", "/b"}
    assert site.report["unsound"] == []


def test_what_was_built_without_the_command_is_not_kept(make_site: MakeSite) -> None:
    site = make_site({"pages/a.html": "a"})
    code = f"import app; list(app.pages.build(out={str(site.out)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=site.root, check=True, timeout=60)

    assert (site.build(), site.build()) == ({"/a"}, set())


def test_what_its_workers_built_without_the_command_is_not_kept_either(
    make_site: MakeSite,
) -> None:
    site = make_site({"pages/a.py": answer("app.START", "import app"), "start": "1"})
    more = "START = open('start').read()\n"
    site.write({"app.py": APP + more, "main.py": MAIN.format(out=str(site.out))})
    command = [sys.executable, "main.py"]
    subprocess.run(command, cwd=site.root, check=True, timeout=60)
    site.write({"start": "2"})

    assert site.build() == {"/a"}


MAIN = """\
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import app


def pool():
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


if __name__ == "__main__":
    options = dict(out={out!r}, app_import="app", jobs=1, make_executor=pool)
    list(app.pages.build(**options))
"""


@pytest.mark.parametrize(
    "expression",
    ["ask()", "ThreadPoolExecutor(1).submit(ask).result()"],
    ids=["itself", "in a thread"],
)
def test_a_page_that_asks_the_app_for_another_one_gets_the_new_one(
    expression: str, make_site: MakeSite
) -> None:
    before = (
        "from concurrent.futures import ThreadPoolExecutor\nfrom app import app\n\n\n"
        "def ask():\n    return app.test_client().get('/b').text\n"
    )
    site = make_site({"pages/a.py": answer(expression, before), "pages/b.html": "1"})
    site.out = site.root / "dist"
    site.build()
    site.write({"pages/b.html": "2"})

    assert site.build() == {"/a", "/b"}
    assert site.text("a") == "2"


@pytest.mark.parametrize(
    "harm",
    [Path.unlink, lambda path: path.write_text("other")],
    ids=["deleted", "changed"],
)
def test_a_file_of_the_release_that_was_harmed_is_not_kept(
    harm: Callable[[Path], object], make_site: MakeSite
) -> None:
    site = make_site({"pages/a.html": "a", "pages/b.html": "b", "pages/c.html": "c"})
    site.build()
    harm(site.out / "current" / "site" / "a" / "index.html")
    site.write({"pages/b.html": "new"})

    assert site.build() == {"/a", "/b"}
    assert site.text("a/index.html") == "a"


@pytest.mark.parametrize(
    ("asked", "made"),
    [
        ("os.path.exists('late')", "open('late', 'w').close()"),
        ("importlib.util.find_spec('late') is not None", "os.mkdir('late')"),
    ],
    ids=["exists", "import"],
)
def test_what_appears_while_the_build_runs_was_not_there_before(
    asked: str, made: str, make_site: MakeSite
) -> None:
    before = "import importlib.util\n"
    making = f"if not os.path.lexists('late'):\n    {made}\n"
    site = make_site({"pages/a.py": answer(asked, before), "pages/b.py": answer("1")})
    site.write({"pages/b.py": answer("make()", f"def make():\n    {indented(making)}")})
    site.build()
    first = site.text("a")
    site.build()

    assert (first, site.text("a")) == ("False", "True")


def indented(code: str) -> str:
    return code.replace("\n", "\n    ")


def test_an_installed_project_is_read_whole(make_site: MakeSite) -> None:
    site = make_site({})
    base = site.root / "base"
    packages = Path(
        sysconfig.get_path("purelib", "posix_user", {"userbase": str(base)})
    )
    files = {"__init__.py": APP, "data.txt": "1"}
    files["pages/a.py"] = answer("read(current_app.root_path + '/data.txt')")
    write_files(packages / "shop", files)
    site.env = {"PYTHONUSERBASE": str(base), "PYTHONPATH": str(packages)}
    site.app = "shop"
    site.build()
    kept = site.build()
    write_files(packages / "shop", {"data.txt": "2"})

    assert (kept, site.build(), site.text("a")) == (set(), {"/a"}, "2")


# -- workers ----------------------------------------------------------------------------


def test_workers_tell_what_their_pages_used(make_site: MakeSite) -> None:
    files = {f"pages/{x}.html": f"{{% include '{x}.html' %}}" for x in "abc"}
    files |= {f"templates/{x}.html": "1" for x in "abc"}
    site = make_site({**files, "pages/d.py": answer("read('x')"), "x": "1"})
    site.build("--jobs", "2")
    kept = site.build("--jobs", "2")
    site.write({"templates/b.html": "2"})
    first = site.build("--jobs", "2")
    site.write({"x": "2"})
    second = site.build()

    assert (kept, first) == (set(), {"/b"})
    assert second >= {"/d"}


def test_workers_get_the_environment_as_the_command_got_it(make_site: MakeSite) -> None:
    app = APP + (
        "POPPED = os.environ.pop('POPPED', None)\n"
        "os.environ.setdefault('MINE', 'default')\nMINE = os.environ['MINE']\n"
    )
    expression = "(app.POPPED, app.MINE)"
    site = make_site({"pages/a.py": answer(expression, "import app")}, app, POPPED="1")
    site.build("--jobs", "2")
    first = site.text("a")
    kept = site.build("--jobs", "2")
    site.env = {"POPPED": "2"}

    assert (first, kept) == ("('1', 'default')", set())
    assert (site.build("--jobs", "2"), site.text("a")) == ({"/a"}, "('2', 'default')")


def test_workers_of_the_script_tell_what_they_read(make_site: MakeSite) -> None:
    site = make_site({"pages/a.py": answer("read('x')"), "x": "1"})
    site.command = [str(Path(sys.executable).with_name("flask"))]
    site.build("--jobs", "2")

    assert site.build("--jobs", "2") == set()


def test_props_that_travel_to_workers_say_all(make_site: MakeSite) -> None:
    files = listed("{'title': title}", "context.props['title']", more="")
    site = make_site({**files, "paths.json": PATHS})
    site.build("--jobs", "2")
    site.write({"paths.json": '{"a": "1", "b": "3", "c": "4"}'})

    assert site.build("--jobs", "2") == {"/b", "/c"}


# -- sites at random --------------------------------------------------------------------


@dataclass
class Sound:
    """A site that is changed and built: what is kept is compared with a clean build."""

    server: Server
    site: SoundSite
    folder: Path
    kept: int = 0
    total: int = 0

    def build(self, out: str, *options: str) -> dict[str, t.Any]:
        words = ["--app", "app", "filepages", "build", "--json", "--out"]
        told = self.server.run(
            self.site.root, [*words, str(self.folder / out), *options], self.site.env
        )
        return t.cast(dict[str, t.Any], json.loads(told))

    def round(self, *options: str) -> tuple[list[str], dict[str, t.Any]]:
        """Change the site and build it; return what was done, and what is unsound."""
        done = self.site.change()
        report = self.build("kept", *options)
        shutil.rmtree(self.folder / "clean", ignore_errors=True)
        self.build("clean", "--force")
        self.kept += report["kept"]
        self.total += report["total"]
        kept, clean = self.found("kept"), self.found("clean")
        names = sorted(kept.keys() | clean.keys())
        return done, {
            name: (kept.get(name), clean.get(name))
            for name in names
            if kept.get(name) != clean.get(name)
        }

    def found(self, out: str) -> dict[str, t.Any]:
        """Return the files of a release, and status, headers and digest of its answers."""
        release = self.folder / out / "current"
        root = release / "site"
        found: dict[str, t.Any] = {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }
        query = "SELECT path, status, headers, digest FROM answers"
        manifest = sqlite3.connect(f"file:{release}/manifest.sqlite?mode=ro", uri=True)
        with contextlib.closing(manifest):
            found |= {path: tuple(row) for path, *row in manifest.execute(query)}
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def fast_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: a build waits for the disk."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def sound_rounds(
    server: Server, folder: Path, seed: int, rounds: int, *options: str
) -> Sound:
    """Build the site of a seed for some rounds; all of them are sound."""
    sound = Sound(server, SoundSite.of(folder / "site", seed), folder)
    sound.build("kept", *options)
    for number in range(rounds):
        done, differs = sound.round(*options)
        told = "; ".join(done)
        assert differs == {}, f"SOUND_SEED={seed}, round {number}: {told}"
    return sound


def test_what_is_kept_is_what_a_clean_build_makes(
    server: Server, fast_folder: Path, record_property: Callable[[str, object], None]
) -> None:
    seeds = -(-ROUNDS // ROUNDS_OF_SITE)
    kept = total = 0
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        sound = sound_rounds(server, fast_folder / str(seed), seed, ROUNDS_OF_SITE)
        kept, total = kept + sound.kept, total + sound.total
        shutil.rmtree(fast_folder / str(seed))
    record_property("kept", f"{kept / total:.0%} of {total} pages")

    # A build that keeps nothing is sound, too.
    assert kept > total / 4


def test_what_is_kept_of_workers_is_what_a_clean_build_makes(
    server: Server, fast_folder: Path
) -> None:
    sound = sound_rounds(server, fast_folder, FIRST_SEED, 3, "--jobs", "2")

    assert sound.kept
