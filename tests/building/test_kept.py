"""What may have been kept in memory: by the app, by threads, by this package itself.

Each case is a site and a change; after it, an incremental build gives what a clean one
does. See test_incremental for the rest.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .test_incremental import APP
from .test_incremental import HEAD
from .test_incremental import Site
from .test_incremental import answer
from .test_incremental import made

MakeSite = Callable[..., Site]
LIST = (
    "\ndef get_static_paths():\n    return [StaticPath({'x': x}) for x in 'ab']\n\n\n"
)
PAGE = f"{HEAD}incremental = 'page'\n{LIST}"
SLURP = f"""{APP}
def slurp(name):
    with open(name) as file:
        return file.read()


app.jinja_env.filters['slurp'] = slurp
"""
MARKDOWN = SLURP.replace(
    "pages = FilePages(app)",
    "from flask_filepages.markdown import render_markdown\n"
    "pages = FilePages(app, renderers={'.md': render_markdown})",
).replace("def slurp", "@functools.lru_cache\ndef slurp")
SHARED = """
_kept = {}


def shared(context):
    if not _kept:
        _kept['nav'] = context.render('nav.html').get_data(as_text=True)
    return _kept['nav']


"""
# Files of the site, and what changes of them.
CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "a render that is kept": (
        {
            "pages/[x].py": f"{HEAD}{LIST}{SHARED}def GET(context):\n"
            "    return context.render('page.html', nav=shared(context))\n",
            "templates/nav.html": "1",
            "templates/page.html": "{{ nav }}",
        },
        {"templates/nav.html": "2"},
    ),
    "a render that fails first": (
        {
            "pages/[x].py": f"{HEAD}{LIST}from jinja2 import TemplateNotFound\n\n\n"
            "def GET(context):\n    try:\n        return context.render('own.html')\n"
            "    except TemplateNotFound:\n        return context.render('all.html')\n",
            "templates/all.html": "1",
        },
        {"templates/own.html": "2"},
    ),
    "a file whose name ends as the template's": (
        {
            "app.py": SLURP,
            "pages/index.html": "{{ 'content/index.html'|slurp }}",
            "content/index.html": "1",
        },
        {"content/index.html": "2"},
    ),
    "a filter in the layout of Markdown, with a cache": (
        {
            "app.py": MARKDOWN,
            "pages/a.md": "---\nlayout: l.html\n---\n# a\n",
            "pages/b.md": "---\nlayout: l.html\n---\n# b\n",
            "templates/l.html": "{{ content }}{{ 'logo.svg'|slurp }}",
            "logo.svg": "1",
        },
        {"logo.svg": "2"},
    ),
    "a constant of a template, trusting reads": (
        {
            "app.py": SLURP,
            "pages/[x].py": f"{PAGE}def GET(context):\n"
            "    return text(flask.render_template('x.html'))\n",
            "templates/x.html": "{{ 'data.txt'|slurp }}",
            "data.txt": "1",
        },
        {"data.txt": "2"},
    ),
    "read_text of a module that is imported late": (
        {
            "pages/[x].py": f"{HEAD}{LIST}def GET(context):\n    import menu\n"
            "    return text(menu.TEXT)\n",
            "menu.py": "from app import pages\nTEXT = pages.read_text('menu.txt')\n",
            "menu.txt": "1",
        },
        {"menu.txt": "2"},
    ),
    "a thread, trusting reads": (
        {
            "pages/[x].py": f"{PAGE}from concurrent.futures import ThreadPoolExecutor\n"
            "\n\ndef GET(context):\n    with ThreadPoolExecutor(1) as pool:\n"
            "        return text(pool.submit(read, 'data.txt').result())\n",
            "data.txt": "1",
        },
        {"data.txt": "2"},
    ),
    "a database that another page opened, trusting reads": (
        {
            "pages/[x].py": f"{PAGE}@functools.lru_cache\ndef opened():\n"
            "    return sqlite3.connect('data.db', check_same_thread=False)\n\n\n"
            "def GET(context):\n"
            "    return text(opened().execute('PRAGMA user_version').fetchone())\n",
        },
        {"data.db": "2"},
    ),
    "props that this package keeps, trusting reads": (
        {
            "pages/r-[x].py": f"{PAGE}def GET(context):\n"
            "    return text(current_app.test_client().get('/p/one').text)\n",
            "pages/p/[y].py": f"{HEAD}from app import pages\n\n\n"
            "def get_static_paths():\n"
            "    return [StaticPath({'y': 'one'}, {'t': pages.read_text('data.txt')})]\n"
            "\n\ndef GET(context):\n    return text(context.props['t'])\n",
            "data.txt": "1",
        },
        {"data.txt": "2"},
    ),
}


@pytest.fixture
def make_site(tmp_path: Path) -> MakeSite:
    return functools.partial(made, tmp_path)


def database(path: Path, version: str) -> None:
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


def files_of(site: Site) -> dict[str, bytes]:
    root = site.out / "current" / "site"
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def is_as_clean(site: Site, *options: str) -> bool:
    """Build; return whether it is what a clean build makes."""
    site.build(*options)
    clean = dataclasses.replace(site, out=site.out.with_name("clean"))
    clean.build("--force")
    return files_of(site) == files_of(clean)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("name", CASES)
def test_after_a_change_of(name: str, jobs: str, make_site: MakeSite) -> None:
    files, change = CASES[name]
    site = make_site(files)
    if "data.db" in change:
        database(site.root / "data.db", "1")
    site.build("--jobs", jobs)
    before = files_of(site)
    if "data.db" in change:
        database(site.root / "data.db", change["data.db"])
    else:
        site.write(change)

    assert is_as_clean(site, "--jobs", jobs)
    assert files_of(site) != before


def test_what_was_another_thing_for_a_while_is_not_kept(make_site: MakeSite) -> None:
    listed = LIST.replace("'ab'", "'abcd'")
    site = make_site({"data.txt": "1"})
    body = (
        "def GET(context):\n    x = context.params['x']\n    path = pathlib.Path('data.txt')\n"
        "    if '--keep=9' in sys.argv and x in 'bd':\n"
        "        path.write_text('2' if x == 'b' else '1')\n"
        "    shown = path.read_text() if x in 'ac' else ''\n"
        "    time.sleep(0.06)  # a batch ends here\n"
        "    return text(shown)\n"
    )
    site.write({"pages/[x].py": f"{HEAD}import sys\nimport time\n{listed}{body}"})
    site.build("--keep=9")  # nobody notes who reads the command
    first = site.text("c")
    site.build()

    assert (first, site.text("c")) == ("2", "1")


def test_a_package_that_is_a_link_is_read_like_the_project(make_site: MakeSite) -> None:
    site = make_site({"lib/shown/__init__.py": "", "lib/shown/data.txt": "1"})
    packages = site.root / "base" / "lib" / "python" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "shown").symlink_to(site.root / "lib" / "shown")
    code = "import shown\n\n\ndef data():\n    return read(shown.__path__[0] + '/data.txt')\n"
    site.write({"pages/a.py": answer("data()", code)})
    script = (
        "import runpy, site, sys\n"
        f"site.getusersitepackages = lambda: {str(packages)!r}\n"
        f"sys.path.append({str(packages)!r})\n"
        "runpy.run_module('flask', run_name='__main__', alter_sys=True)\n"
    )
    site.write({"../run.py": script})
    site.command = (sys.executable, str(site.root.parent / "run.py"))
    site.env = {"PYTHONPATH": str(site.root)}
    site.build()
    site.write({"lib/shown/data.txt": "2"})
    site.build()

    assert site.text("a") == "2"


def test_a_compiled_module_is_a_source_file(make_site: MakeSite) -> None:
    site = make_site({"pages/a.html": "a"})
    (site.root / "fast.so").write_bytes(b"1")
    site.build()
    kept = site.build()
    (site.root / "fast.so").write_bytes(b"2")

    assert (kept, site.build()) == (set(), {"/a"})


@pytest.mark.parametrize(
    "env",
    [{"LC_MONETARY": "C.UTF-8"}, {"PYTHONPATH": "{root}/appears"}],
    ids=["a locale", "a folder of modules"],
)
def test_everything_is_rendered_where_the_process_is_another_one(
    env: dict[str, str], make_site: MakeSite
) -> None:
    site = make_site({"pages/a.html": "a"})
    if "PYTHONPATH" in env:
        site.env = {"PYTHONPATH": env["PYTHONPATH"].format(root=site.root.parent)}
    site.build()
    kept = site.build()
    if "PYTHONPATH" in env:
        (site.root.parent / "appears").mkdir()
    else:
        site.env = env

    assert (kept, site.build()) == (set(), {"/a"})


QUIET = {
    "a log that is rotated": "import logging.handlers\n"
    "logging.getLogger('x').addHandler(\n"
    "    logging.handlers.TimedRotatingFileHandler('x.log'))\n"
    "logging.getLogger('x').warning('started')\n",
    "a file of its own": "import tempfile\n"
    "with tempfile.NamedTemporaryFile() as file:\n    file.write(b'1')\n",
    "a file that is emptied first": "with open('out.txt', 'w+') as file:\n"
    "    file.write('1')\n",
}


@pytest.mark.parametrize("name", QUIET)
def test_what_is_only_written_is_no_reason(name: str, make_site: MakeSite) -> None:
    site = make_site({"pages/a.html": "a"}, f"{APP}{QUIET[name]}")
    site.build()
    site.build()

    assert site.build() == set()


def test_a_rewrite_has_the_props_of_its_target(make_site: MakeSite) -> None:
    target = (
        "def get_static_paths():\n"
        "    return [StaticPath({'y': 'one'}, {'n': 1})]\n\n\n"
        "def GET(context):\n    return text(context.props.get('n'))\n"
    )
    site = make_site({"pages/p/[y].py": f"{HEAD}{target}"})
    rewrite = "def GET(context):\n    return context.rewrite('/p/one')\n"
    site.write({"pages/a.py": f"{HEAD}{rewrite}"})
    site.build()

    assert site.text("a") == "1"
