"""Sites made at random, and changed at random: what ``test_incremental.py`` builds.

``python tests/building/sound_site.py`` is the server of builds. It has imported Flask and these
pages, and nothing of a site; each line of its input is a command, which a fork of it
runs as ``flask`` would.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import traceback
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from random import Random

ROOT = Path(__file__).parent.parent.parent

APP = """\
import functools
import json
import os
import sqlite3

import flask
from flask import Blueprint, Flask, render_template
from flask_filepages import FilePages
from flask_filepages.markdown import render_markdown

import lib

with open("settings.json") as file:
    SETTINGS = json.load(file)

app = Flask(__name__)
app.config.update(SETTINGS, FILEPAGES_OUTPUT="hybrid", KINDS={"png", "jpg", "gif"})
app.config["AT_START"] = os.environ.get("AT_START", "unset")
POPPED = os.environ.pop("POPPED", "unset")
os.environ.setdefault("DEFAULTED", "by the app")
theme = Blueprint("theme", __name__, template_folder="theme")
app.register_blueprint(theme)
app.extensions["catalog"] = lib.Catalog("data/catalog.json")
pages = FilePages(app, renderers={".md": render_markdown})
database = sqlite3.connect("shared.db", check_same_thread=False)
app.jinja_env.filters["slurp"] = lib.read
app.jinja_env.globals["at_start"] = app.jinja_env.get_template("at_start.html")


@functools.lru_cache
def fragment(name):
    return render_template(name)


@functools.lru_cache
def template(name):
    return app.jinja_env.get_template(name)


@functools.lru_cache
def macro(name):
    return flask.get_template_attribute("macros.html", name)()


@functools.lru_cache
def streamed(name):
    return "".join(app.jinja_env.get_template(name).generate())


app.jinja_env.globals.update(fragment=fragment, macro=macro, streamed=streamed)
app.jinja_env.filters["inline"] = lambda name: template(name).render()
"""
#: What may stand in an app besides.
HOOKS = [
    """

@app.context_processor
def inject():
    return {"motd": lib.read("data/motd.txt")}
""",
    """

@functools.lru_cache
def menu():
    return app.jinja_env.get_template("menu.html").render()


@app.context_processor
def inject_menu():
    return {"menu": menu()}
""",
    """

@app.before_request
def before():
    flask.g.note = lib.cached("data/note.txt")
""",
]
LIB = '''\
import concurrent.futures
import functools
import glob
import importlib
import json
import os
import pathlib
import sqlite3
import subprocess
import threading

from flask import Response

LEVEL = {level!r}
_kept = {{}}


def text(value):
    return Response(repr(value), mimetype="text/plain")


def safe(call):
    @functools.wraps(call)
    def safely(*args):
        try:
            return call(*args)
        except OSError as error:
            return type(error).__name__

    return safely


@safe
def read(name):
    with open(name) as file:
        return file.read()


@safe
def read_path(name):
    return pathlib.Path(name).read_text()


@safe
def read_bytes_name(name):
    with open(os.fsencode(name), "rb") as file:
        return file.read()


@safe
def read_os(name):
    descriptor = os.open(name, os.O_RDONLY)
    try:
        return os.read(descriptor, 10000)
    finally:
        os.close(descriptor)


@safe
def read_beside(name):
    folder, file = os.path.split(name)
    opened = os.open(folder, os.O_RDONLY)
    descriptor = os.open(file, os.O_RDONLY, dir_fd=opened)
    try:
        return os.read(descriptor, 10000)
    finally:
        os.close(descriptor)
        os.close(opened)


@safe
def read_resolved(name):
    path = pathlib.Path(name).resolve()
    return path.name, path.read_text() if path.is_file() else sorted(os.listdir(path))


def kept(name):
    if name not in _kept:
        _kept[name] = read(name)
    return _kept[name]


@functools.lru_cache
def cached(name):
    return read(name)


def in_thread(name):
    found = []
    thread = threading.Thread(target=lambda: found.append(read(name)))
    thread.start()
    thread.join()
    return found


def in_pool(name):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(cached, name).result()


def by_program(name):
    return subprocess.run(["cat", name], capture_output=True, text=True).stdout


def sizes(name):
    with os.scandir(name) as found:
        return sorted((entry.name, entry.stat().st_size) for entry in found)


def size(name):
    return os.stat(name).st_size if os.path.exists(name) else None


def changed(name):
    return pathlib.Path(name).stat().st_mtime_ns if os.access(name, os.R_OK) else None


def walked(name):
    return [(parent, sorted(files)) for parent, _, files in sorted(os.walk(name))]


def of_descriptor(name):
    descriptor = os.open(name, os.O_RDONLY)
    try:
        return sorted(os.listdir(descriptor))
    finally:
        os.close(descriptor)


def rows(name):
    connection = sqlite3.connect(name)
    try:
        return connection.execute("SELECT value FROM t ORDER BY id").fetchall()
    finally:
        connection.close()


def attached(name):
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("ATTACH ? AS other", (name,))
        return connection.execute("SELECT value FROM other.t ORDER BY id").fetchall()
    finally:
        connection.close()


def by_uri(name):
    connection = sqlite3.connect("file:" + name + "?mode=ro", uri=True)
    try:
        return connection.execute("SELECT value FROM t ORDER BY id").fetchall()
    finally:
        connection.close()


def module(name):
    try:
        return importlib.import_module(name).VALUE
    except ImportError:
        return None


class Catalog:
    """Reads its file when it is first asked."""

    def __init__(self, file):
        self.file = file
        self._items = None

    def find(self, key):
        if self._items is None:
            with open(self.file) as file:
                self._items = json.load(file)
        return self._items.get(key)


class Post:
    """No JSON."""

    def __init__(self, title):
        self.title = title
'''
HEAD = """\
import glob
import os
import pathlib

import flask
import lib
from flask import Response, current_app, render_template
from flask_filepages import StaticPath, paginate

"""
READERS = (
    *("read", "read_path", "read_bytes_name", "read_os", "read_beside", "kept"),
    *("cached", "in_thread", "in_pool"),
)
ASKERS = (
    *("os.path.exists", "os.path.isfile", "os.path.islink", "os.path.lexists"),
    *("lib.size", "lib.changed", "pathlib.Path"),
)
LISTERS = (
    *("sorted(os.listdir({}))", "sorted(glob.glob({} + '/*.txt'))"),
    *("sorted(map(str, pathlib.Path({}).glob('*')))", "lib.walked({})"),
    *("sorted(p.name for p in pathlib.Path({}).iterdir())", "lib.sizes({})"),
    "lib.of_descriptor({})",
)


def endpoint(expression: str, before: str = "") -> str:
    return f"{HEAD}{before}\n\ndef GET(context):\n    return lib.text({expression})\n"


@dataclass
class SoundSite:
    """A site of a seed, in a folder of its own, and what can be changed about it.

    :attr:`knobs` change one thing and say what; a site has them as often as they weigh.
    """

    root: Path
    random: Random
    env: dict[str, str] = field(default_factory=dict)
    knobs: list[Callable[[], str]] = field(default_factory=list)
    count: int = 0

    @classmethod
    def of(cls, root: Path, seed: int, *, kinds: t.Sequence[str] = ()) -> SoundSite:
        """Return a new site; *kinds* are those of its pages, instead of some."""
        site = cls(root, Random(seed))
        site._common()
        for kind in kinds or site.random.sample(sorted(KINDS), 15):
            for _ in range(site.random.randint(1, 3)):
                site.count += 1
                KINDS[kind](site, f"{site.random.choice('abyz')}{site.count}-{kind}")
        return site

    # -- changing ---------------------------------------------------------------

    def change(self) -> list[str]:
        """Change one to three things; return what was done."""
        knobs = self.random.choices(self.knobs, k=self.random.randint(1, 3))
        return [knob() for knob in knobs]

    def value(self) -> str:
        return f"v{self.random.randrange(10 ** self.random.randint(3, 5))}"

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def text(
        self,
        name: str,
        make: Callable[[str], str] = lambda value: value,
        weight: int = 2,
    ) -> str:
        """Add a file that is always there."""
        made = make(self.value())
        self.write(name, made)

        def change() -> str:
            nonlocal made
            if self.random.random() < 0.15:
                self.write(name, made)
                return f"wrote {name} as it was"
            made = make(self.value())
            self.write(name, made)
            return f"changed {name}"

        self.knobs += [change] * weight
        return name

    def maybe(
        self,
        name: str,
        make: Callable[[str], str] = lambda value: value,
        weight: int = 2,
    ) -> str:
        """Add a file that may be there."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)

        def change() -> str:
            if path.exists() and self.random.random() < 0.6:
                path.unlink()
                return f"deleted {name}"
            self.write(name, make(self.value()))
            return f"wrote {name}"

        if self.random.random() < 0.5:
            change()
        self.knobs += [change] * weight
        return name

    def folder(self, name: str, suffix: str = ".txt", make: t.Any = str) -> str:
        """Add a folder whose files come and go."""
        for i in range(self.random.randint(1, 4)):
            self.write(f"{name}/{i}{suffix}", make(self.value()))

        def change() -> str:
            i = self.random.randrange(6)
            path = self.root / name / f"{i}{suffix}"
            if path.exists() and self.random.random() < 0.4:
                path.unlink()
                return f"deleted {name}/{i}{suffix}"
            self.write(f"{name}/{i}{suffix}", make(self.value()))
            return f"wrote {name}/{i}{suffix}"

        self.knobs += [change] * 3
        return name

    def variable(self, name: str, weight: int = 2) -> str:
        def change() -> str:
            if name in self.env and self.random.random() < 0.4:
                del self.env[name]
                return f"unset {name}"
            self.env[name] = self.value()
            return f"set {name}"

        self.knobs += [change] * weight
        return name

    def database(self, name: str, weight: int = 2) -> str:
        def change() -> str:
            connection = sqlite3.connect(self.root / name)
            with connection:
                connection.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER, value)")
                if self.random.random() < 0.5:
                    connection.execute("DELETE FROM t")
                row = (self.random.randrange(100), self.value())
                connection.execute("INSERT INTO t VALUES (?, ?)", row)
            connection.close()
            return f"changed {name}"

        change()
        self.knobs += [change] * weight
        return name

    def link(self, name: str, targets: t.Sequence[str]) -> str:
        path = self.root / name

        def change() -> str:
            target = self.random.choice(targets)
            path.unlink(missing_ok=True)
            path.symlink_to(os.path.relpath(self.root / target, path.parent))
            return f"let {name} lead to {target}"

        path.parent.mkdir(parents=True, exist_ok=True)
        change()
        self.knobs += [change] * 2
        return name

    # -- what all have in common -------------------------------------------------

    def _common(self) -> None:
        hooks = [hook for hook in HOOKS if self.random.random() < 0.25]
        self.write("app.py", APP + "".join(hooks))
        self.text("lib.py", lambda value: LIB.format(level=value), weight=1)
        self.text("settings.json", lambda value: json.dumps({"SET": value}), weight=1)
        self.text("data/catalog.json", lambda value: json.dumps({"a": value}))
        self.maybe("data/motd.txt", weight=1)
        self.maybe("data/note.txt", weight=1)
        self.text("templates/at_start.html", weight=1)
        self.text("templates/base.html", _base)
        self.text("templates/menu.html", _before("{% include 'part0.html' %}"))
        self.text("templates/icon.html", _macro("icon"))
        self.text("templates/macros.html", _macros)
        self.text("static/site.css")
        self.text("README.txt")
        for i in range(5):
            inner = f"{{% include 'of-part{i}.html' ignore missing %}}"
            self.text(f"theme/part{i}.html", _before(inner))
            self.maybe(f"templates/part{i}.html")
            self.maybe(f"templates/of-part{i}.html")
        self.variable("AT_START", weight=1)
        self.variable("POPPED", weight=1)
        self.variable("UNUSED")
        self.database("shared.db", weight=1)
        self.text("pages/404.html", _before("{{ context.props.error.code }}"))

        def page() -> str:
            return self.maybe_route()

        self.knobs.append(page)

    def maybe_route(self) -> str:
        path = self.root / "pages" / "extra.html"
        if path.exists():
            path.unlink()
            return "deleted pages/extra.html"
        self.write("pages/extra.html", "extra")
        return "wrote pages/extra.html"


def _base(value: str) -> str:
    return f"{value} {{% block body %}}{{% endblock %}} {{{{ motd }}}} {{{{ menu }}}}"


def _before(text: str) -> Callable[[str], str]:
    return lambda value: f"{value} {text}"


def _macro(name: str) -> Callable[[str], str]:
    return lambda value: f"{{% macro {name}() %}}{value}{{% endmacro %}}"


def _macros(value: str) -> str:
    return (
        "{% import 'icon.html' as icons %}"
        f"{{% macro card() %}}{value} {{{{ icons.icon() }}}}{{% endmacro %}}"
    )


# -- kinds of pages ------------------------------------------------------------------


def _html(site: SoundSite, name: str) -> None:
    part = f"part{site.random.randrange(5)}.html"
    body = [
        f"{{% include '{part}' %}}",
        f"{{% include ['optional/{name}.html', '{part}'] %}}",
        f"{{% include ['optional/{name}.html'] ignore missing %}}",
        f"{{% include ['filepages:/_{name}.html'] ignore missing %}}",
        "{% import 'macros.html' as macros %}{{ macros.card() }}",
        "{% from 'macros.html' import card with context %}{{ card() }}",
        "{{ at_start.render() }}",
    ]
    site.maybe(f"templates/optional/{name}.html")
    site.maybe(f"pages/_{name}.html")
    chosen = " ".join(site.random.sample(body, 3))

    def make(value: str) -> str:
        if int(value[1:]) % 2:
            return f"{value} {chosen}"
        block = f"{{% block body %}}{chosen}{{% endblock %}}"
        return f"{{% extends 'base.html' %}}{block}"

    site.text(f"pages/{name}.html", make)


def _markdown(site: SoundSite, name: str) -> None:
    layout = f"layout-{name}.html"
    site.text(f"templates/{layout}", _before("{{ content }}"))
    site.text(
        f"pages/{name}.md", lambda value: f"---\nlayout: {layout}\n---\n# {value}\n"
    )


def _fragment(site: SoundSite, name: str) -> None:
    part = f"part{site.random.randrange(5)}.html"
    made = [
        f"{{{{ fragment('{part}') }}}}",
        f"{{{{ streamed('{part}') }}}}",
        f"{{{{ '{part}'|inline }}}}",
        "{{ macro('card') }}",
    ]
    site.write(f"pages/{name}.html", site.random.choice(made))


def _held(site: SoundSite, name: str) -> None:
    part = f"part{site.random.randrange(5)}.html"
    before = "from app import template\n"
    site.write(f"pages/{name}.py", endpoint(f"template({part!r}).render()", before))


def _folded(site: SoundSite, name: str) -> None:
    file = site.maybe(f"data/{name}.txt")
    site.write(f"pages/{name}.html", f"{{{{ '{file}'|slurp }}}}")


def _of_string(site: SoundSite, name: str) -> None:
    text = f"{{% include 'part{site.random.randrange(5)}.html' %}}"
    site.write(f"pages/{name}.py", endpoint(f"flask.render_template_string({text!r})"))


def _file(site: SoundSite, name: str) -> None:
    make = site.text if site.random.random() < 0.5 else site.maybe
    file = make(f"data/{site.random.choice([name, 'one', 'two'])}.txt")
    reader = site.random.choice(READERS)
    site.write(f"pages/{name}.py", endpoint(f"lib.{reader}({file!r})"))


def _read_text(site: SoundSite, name: str) -> None:
    file = site.maybe(f"data/{name}.txt")
    before = "from app import pages\nread = lib.safe(pages.read_text)\n"
    site.write(f"pages/{name}.py", endpoint(f"read({file!r})", before))


def _asked(site: SoundSite, name: str) -> None:
    file = site.maybe(f"data/{name}.txt")
    asker = site.random.choice(ASKERS)
    end = ".exists()" if asker == "pathlib.Path" else ""
    site.write(f"pages/{name}.py", endpoint(f"{asker}({file!r}){end}"))


def _listed(site: SoundSite, name: str) -> None:
    folder = site.folder(f"data/{name}")
    lister = site.random.choice(LISTERS).format(repr(folder))
    site.write(f"pages/{name}.py", endpoint(lister))


def _linked(site: SoundSite, name: str) -> None:
    targets = [site.text(f"data/{name}-{i}/x.txt") for i in range(2)]
    file = site.random.random() < 0.5
    folders = targets if file else [os.path.dirname(target) for target in targets]
    link = site.link(f"data/{name}", folders)
    tail = "" if file else "/x.txt"
    reader = site.random.choice(["read", "read_resolved"])
    site.write(f"pages/{name}.py", endpoint(f"lib.{reader}({link + tail!r})"))


def _database(site: SoundSite, name: str) -> None:
    file = site.database(f"data/{name} x.db" if site.count % 2 else f"data/{name}.db")
    reader = site.random.choice(["rows", "attached", "by_uri"])
    told = file.replace(" ", "%20") if reader == "by_uri" else file
    site.write(f"pages/{name}.py", endpoint(f"lib.{reader}({told!r})"))


def _shared_database(site: SoundSite, name: str) -> None:
    query = "SELECT value FROM t ORDER BY id"
    before = "from app import database\n"
    expression = f"database.execute({query!r}).fetchall()"
    site.write(f"pages/{name}.py", endpoint(expression, before))


def _environment(site: SoundSite, name: str) -> None:
    variable = site.variable(
        site.random.choice(["NOTE", "DEFAULTED", f"N{site.count}"])
    )
    expression = site.random.choice(
        [
            f"os.environ.get({variable!r})",
            f"os.getenvb({os.fsencode(variable)!r})",
            f"{variable!r} in os.environ",
            f"sorted(k for k in os.environ if k == {variable!r})",
            f"{{k: v for k, v in os.environ.items()}}.get({variable!r})",
        ]
    )
    site.write(f"pages/{name}.py", endpoint(expression))


def _config(site: SoundSite, name: str) -> None:
    expression = "current_app.config['SET'], current_app.config['AT_START'], POPPED"
    before = "from app import POPPED\n"
    site.write(f"pages/{name}.py", endpoint(f"({expression}, lib.LEVEL)", before))


def _module(site: SoundSite, name: str) -> None:
    make = site.text if site.random.random() < 0.5 else site.maybe
    module = name.replace("-", "_")
    make(f"{module}.py", lambda value: f"VALUE = {value!r}\n", 1)
    site.write(f"pages/{name}.py", endpoint(f"lib.module({module!r})"))


def _posts(site: SoundSite, name: str) -> None:
    folder = site.folder(f"data/{name}", ".json", lambda v: json.dumps({"title": v}))
    site.write(
        f"pages/{name}/[id].py",
        f"{HEAD}import json\n\n\ndef get_static_paths():\n"
        f"    for path in sorted(pathlib.Path({folder!r}).glob('*.json')):\n"
        "        yield StaticPath({'id': path.stem}, json.loads(path.read_text()))\n\n\n"
        "def GET(context):\n    return context.render(title=context.props['title'])\n",
    )
    site.text(f"pages/{name}/[id].html", _before("{{ title }}"))


def _documents(site: SoundSite, name: str) -> None:
    folder = site.folder(f"data/{name}", ".md")
    trusts = site.random.choice(["", "incremental = 'page'\n"])
    site.write(
        f"pages/{name}/[id].py",
        f"{HEAD}from app import pages\n\n{trusts}\n\ndef get_static_paths():\n"
        f"    names = sorted(os.listdir({folder!r}))\n"
        "    return [StaticPath({'id': name}) for name in names]\n\n\n"
        "def GET(context):\n"
        f"    return lib.text(pages.read_text({folder!r} + '/' + context.params['id']))\n",
    )


def _paginated(site: SoundSite, name: str) -> None:
    items = site.text(
        f"data/{name}.json", lambda v: json.dumps([v] * (int(v[1:]) % 9 + 1))
    )
    site.write(
        f"pages/{name}/[...page].py",
        f"{HEAD}import json\n\n\ndef get_static_paths():\n"
        f"    return paginate(json.loads(lib.read({items!r})), 2)\n",
    )
    text = "{{ context.props.page.data }} {{ context.props.page.urls }}"
    site.write(f"pages/{name}/[...page].html", text)


def _objects(site: SoundSite, name: str) -> None:
    folder = site.folder(f"data/{name}")
    version = site.random.choice(["None", "post.title"])
    site.write(
        f"pages/{name}/[id].py",
        f"{HEAD}\n\ndef get_static_paths():\n"
        f"    for name in sorted(os.listdir({folder!r})):\n"
        f"        post = lib.Post(lib.read({folder!r} + '/' + name))\n"
        f"        yield StaticPath({{'id': name}}, {{'post': post}}, {version})\n\n\n"
        "def GET(context):\n    return lib.text(context.props['post'].title)\n",
    )


def _extension(site: SoundSite, name: str) -> None:
    expression = "current_app.extensions['catalog'].find('a')"
    site.write(f"pages/{name}.py", endpoint(expression))


def _asking(site: SoundSite, name: str) -> None:
    site.text(f"pages/{name}-of.html", _before("{{ fragment('part1.html') }}"))
    expression = f"current_app.test_client().get('/{name}-of').text"
    site.write(f"pages/{name}.py", endpoint(expression))


def _rules(site: SoundSite, name: str) -> None:
    expression = "sorted(rule.rule for rule in current_app.url_map.iter_rules())"
    site.write(f"pages/{name}.py", endpoint(expression))


def _paths(site: SoundSite, name: str) -> None:
    before = "from app import pages\n"
    expression = "sorted(path.url for path in pages.paths())"
    site.write(f"pages/{name}.py", endpoint(expression, before))


def _trusting(site: SoundSite, name: str) -> None:
    file = site.maybe(f"data/{name}.txt")
    before = "incremental = 'page'\n"
    site.write(f"pages/{name}.py", endpoint(f"lib.read({file!r})", before))


def _around(site: SoundSite, name: str) -> None:
    file = site.maybe(f"data/{name}.txt")
    site.write(
        f"pages/{name}/_middleware.py",
        "import lib\nfrom flask_filepages import once_per_render\n\n\n@once_per_render\n"
        "def middleware(context, call_next):\n"
        f"    context.locals.note = lib.read({file!r})\n    return call_next()\n",
    )
    for end in "ab":
        site.write(f"pages/{name}/{end}.py", endpoint("context.locals.note"))


def _moved(site: SoundSite, name: str) -> None:
    file = site.maybe(f"data/{name}.txt")
    site.write(
        f"pages/{name}.py",
        f"{HEAD}\n\ndef GET(context):\n    found = lib.read({file!r})\n"
        "    if found.startswith('v1'):\n        return Response(status=204)\n"
        "    if found.startswith('v2'):\n"
        "        return Response(found, 201, {'X-Note': found})\n"
        "    return context.redirect('/' + found)\n",
    )


def _program(site: SoundSite, name: str) -> None:
    file = site.text(f"data/{name}.txt")
    site.write(f"pages/zz-{name}.py", endpoint(f"lib.by_program({file!r})"))


def _async(site: SoundSite, name: str) -> None:
    file = site.text(f"data/{name}.txt")
    site.write(
        f"pages/{name}.py",
        f"{HEAD}\n\nasync def GET(context):\n    return lib.text(lib.read({file!r}))\n",
    )


KINDS: dict[str, Callable[[SoundSite, str], None]] = {
    "around": _around,
    "asked": _asked,
    "asking": _asking,
    "async": _async,
    "config": _config,
    "database": _database,
    "documents": _documents,
    "environment": _environment,
    "extension": _extension,
    "file": _file,
    "folded": _folded,
    "fragment": _fragment,
    "held": _held,
    "html": _html,
    "linked": _linked,
    "listed": _listed,
    "markdown": _markdown,
    "module": _module,
    "moved": _moved,
    "objects": _objects,
    "of-string": _of_string,
    "paginated": _paginated,
    "paths": _paths,
    "posts": _posts,
    "program": _program,
    "read-text": _read_text,
    "rules": _rules,
    "shared-database": _shared_database,
    "trusting": _trusting,
}


# -- the server of builds ------------------------------------------------------------


class Server:
    """Runs ``flask`` commands, each in a fork of one process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, folder: Path, words: t.Sequence[str], env: t.Mapping[str, str]
    ) -> str:
        """Return what a command wrote.

        :raises RuntimeError: it ended with something else than 0.
        """
        job = {"folder": str(folder), "words": list(words), "env": dict(env)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(job)}\n")
        self._process.stdin.flush()
        code, text = json.loads(self._process.stdout.readline())
        if code != 0:
            raise RuntimeError(f"flask {' '.join(words)} ended with {code}:\n{text}")
        return str(text)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()


def _serve() -> None:
    cli = importlib.import_module("flask.cli").cli
    for name in ("building.build", "cli", "extension", "markdown"):
        importlib.import_module(f"flask_filepages.{name}")
    cli._load_plugin_commands()
    gc.freeze()
    with tempfile.TemporaryDirectory() as folder:
        outs = [os.path.join(folder, name) for name in ("out", "errors")]
        for line in sys.stdin:
            child = os.fork()
            if child == 0:
                os._exit(_run(cli, json.loads(line), outs))
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            told = [Path(out).read_text() for out in outs]
            print(
                json.dumps([code, told[0] if code == 0 else "".join(told)]), flush=True
            )


def _run(cli: t.Any, job: t.Mapping[str, t.Any], outs: t.Sequence[str]) -> int:
    """Run one command in this process, as ``python -m flask`` does."""
    for number, out in enumerate(outs, 1):
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["folder"])
    sys.path[0] = job["folder"]
    # Bytecode goes by whole seconds, and changes here are quicker than that.
    sys.dont_write_bytecode = True
    try:
        cli.main(args=job["words"], prog_name="flask")
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 70


if __name__ == "__main__":
    _serve()
