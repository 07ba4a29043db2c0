"""The recorded attacks on builds and on what they store, and what is near them.

``TORTURE_PATHS`` is how many hostile paths one build stores while strace looks on.
"""

from __future__ import annotations

import bisect
import gzip
import itertools
import json
import logging
import os
import random
import re
import shutil
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from flask import url_for

from flask_filepages import LoadError
from flask_filepages.errors import BuildError
from flask_filepages.errors import ReleaseError
from flask_filepages.pytest_plugin import write_files

from ..conftest import ROOT
from ..conftest import MakePages
from ..conftest import fetch
from ..conftest import free_port
from ..conftest import gunicorn
from ..conftest import server
from ..conftest import until
from . import test_torture
from .torture import APP
from .torture import answers
from .torture import command
from .torture import contents
from .torture import environment
from .torture import leftovers
from .torture import published
from .torture import write_site

pytestmark = pytest.mark.long

HERE = Path(__file__).parent.parent / "attacks"
ITEMS = json.loads((HERE / "attacks.json").read_text(encoding="utf-8"))
PATHS = int(os.environ.get("TORTURE_PATHS", "1000"))

needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None and "CI" not in os.environ,
    reason="strace, which sees what a build writes, is not installed",
)


#: Which test is for which recorded scenario.
SCENARIOS = {
    "build-001": "test_a_killed_build_leaves_a_whole_site",
    "build-006": "test_a_second_build_says_so_or_waits",
    "build-007": "test_the_lock_of_a_dead_build_is_free",
    "build-008": "test_publishing_under_load_disturbs_nobody",
    "build-009": "test_folders_that_are_refused",
    "build-010": "test_a_link_is_followed_once_and_stays",
    "build-012": "test_links_in_the_project_lead_nowhere",
    "build-013": "test_links_in_the_project_lead_nowhere",
    "build-014": "test_answers_that_are_refused",
    "build-015": "test_a_content_type_is_kept_whatever_the_name_says",
    "build-017": "test_an_answer_without_end_is_refused",
    "build-018": "test_a_build_is_the_same_wherever_it_is_made",
    "build-021": "test_everything_is_on_the_disk_before_the_switch",
    "build-022": "test_the_site_holds_what_is_listed_and_nothing_of_the_project",
    "build-023": "test_the_site_holds_what_is_listed_and_nothing_of_the_project",
    "pre-050": "test_a_file_that_is_not_what_was_stored_is_answered_anew",
    "pre-052": "test_a_missing_file_of_an_error_page_changes_nothing",
    "pre-054": "test_an_emptied_folder_is_served_on_until_the_next_release",
    "pre-055": "test_a_request_opens_its_file_and_looks_at_nothing_else",
}


def items(area: str, *kinds: str) -> list[dict[str, t.Any]]:
    return [i for i in ITEMS if i["area"] == area and i["input"]["type"] in kinds]


def build_of(app: Flask, out: Path, **options: t.Any) -> t.Any:
    """Build *app* in this process; return the report."""
    from flask_filepages.building.build import Build
    from flask_filepages.building.build import Options

    made = Build(app, Options(out=str(out), **options))
    for _ in made:
        pass
    app.testing = False
    return made.report


def run(site: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``flask filepages``."""
    return subprocess.run(
        command(*words),
        cwd=site,
        env=environment(**env),
        capture_output=True,
        text=True,
    )


def test_each_scenario_has_a_test() -> None:
    recorded = [*items("build", "scenario"), *items("pre", "scenario")]
    there = vars(sys.modules[__name__]).keys() | vars(test_torture).keys()

    assert [item["id"] for item in recorded] == [*SCENARIOS]
    assert {*SCENARIOS.values()} <= there


# -- hostile params -------------------------------------------------------------------

ENDPOINT = """\
import itertools
import os
from flask_filepages import StaticPath

prerender = True


def get_static_paths():
{listing}


def GET(context):
    made = os.environ.get("MADE")
    return context.json({{"params": dict(context.params), "made": made}})
"""
GENERATORS = {
    "generator raising after 2": (
        '    yield StaticPath({"slug": "a"})\n'
        '    yield StaticPath({"slug": "b"})\n'
        '    raise RuntimeError("the database went away")'
    ),
    "generator infinite": (
        '    return (StaticPath({"slug": str(n)}) for n in itertools.count())'
    ),
}


def listing(entries: t.Any) -> str:
    """Return an endpoint that lists *entries*: params, or whatever else."""
    if isinstance(entries, str):
        return ENDPOINT.format(listing=GENERATORS[entries])
    each = "StaticPath(e) if isinstance(e, dict) else e"
    return ENDPOINT.format(listing=f"    return [{each} for e in {entries!a}]")


def value_of(item: dict[str, t.Any]) -> str:
    given = item["input"]
    return ascii(given.get("params") or given.get("list"))[:40]


@pytest.fixture
def old(tmp_path: Path, make_pages: MakePages, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build folder with a release, some folders below all that is looked at."""
    monkeypatch.setenv("MADE", "by a build")
    out = tmp_path / "deep" / "er" / "out"
    build_of(make_pages({"blog/[slug].py": listing([{"slug": "before"}])}), out)
    return out


def serving(
    make_pages: MakePages, files: dict[str, str], out: Path, **config: t.Any
) -> Flask:
    return make_pages(files, FILEPAGES_BUILD_DIR=str(out), **config)


@pytest.mark.parametrize("item", items("ssg", "static_path"), ids=value_of)
def test_params(
    tmp_path: Path,
    old: Path,
    make_pages: MakePages,
    monkeypatch: pytest.MonkeyPatch,
    item: dict[str, t.Any],
) -> None:
    """They are refused, and nothing changes; or their URL gives their page."""
    route, params = item["input"]["route"], item["input"]["params"]
    app = serving(make_pages, {route: listing([params])}, old)
    before, release = contents(tmp_path), published(old)
    try:
        build_of(app, old)
    except (BuildError, LoadError) as error:
        fault = error.faults[0]
        (name,) = params
        assert fault.file == route
        assert f"[{name}]" in fault.problem or f"{name!r}: " in fault.problem
        assert "\n" not in fault.problem
        assert contents(tmp_path) == before
        return
    assert item["expect"]["build"] == "error_or_roundtrip"
    assert published(old) != release
    outside = old.relative_to(tmp_path).as_posix()
    after = {k: v for k, v in contents(tmp_path).items() if not k.startswith(outside)}
    assert after.items() <= before.items()
    monkeypatch.setenv("MADE", "by the server")
    with app.test_request_context():
        url = url_for(f"/{route.removesuffix('.py')}", **params)
    response = app.test_client().get(url)

    assert response.status_code == 200
    assert response.json == {"params": params, "made": "by a build"}


@pytest.mark.parametrize("item", items("ssg", "static_paths_list"), ids=value_of)
def test_lists_that_are_refused(
    tmp_path: Path, old: Path, make_pages: MakePages, item: dict[str, t.Any]
) -> None:
    given = item["input"]
    app = make_pages({given["route"]: listing(given["list"])})
    before = contents(tmp_path)
    with pytest.raises((BuildError, LoadError)) as caught:
        build_of(app, old)

    assert caught.value.faults[0].file == given["route"]
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("entries", "named"),
    [
        ([{"slug": "a"}, {"slug": "a"}], ["/blog/a", "twice"]),
        ([{"slug": "straße"}, {"slug": "STRASSE"}], ["/blog/straße", "/blog/STRASSE"]),
        ([{"Slug": "a"}], ["[slug]", "'Slug'"]),
        ([{"slug": "0"}, "x"], ["entry 1"]),
        ("generator raising after 2", ["the database went away", "[slug].py:11"]),
        ("generator infinite", ["1,000,000"]),
    ],
    ids=str,
)
def test_what_the_error_names(
    tmp_path: Path, make_pages: MakePages, entries: t.Any, named: list[str]
) -> None:
    app = make_pages({"blog/[slug].py": listing(entries)})
    with pytest.raises(BuildError) as caught:
        build_of(app, tmp_path / "out")

    assert [text for text in named if text not in str(caught.value)] == []


def test_an_endpoint_above_another_is_refused(
    tmp_path: Path, old: Path, make_pages: MakePages
) -> None:
    """Frozen-Flask 1.0.2 fails half way there."""
    app = make_pages({"docs/[...path].py": listing([{"path": "a"}, {"path": "a/b"}])})
    before = contents(tmp_path)
    with pytest.raises(BuildError, match=r"/docs/a is a file"):
        build_of(app, old)

    assert contents(tmp_path) == before


@pytest.mark.parametrize("suffix", ["gz", "br", "gz/x"])
def test_a_compressed_form_above_another_path_is_refused(
    tmp_path: Path, old: Path, make_pages: MakePages, suffix: str
) -> None:
    """The page ``a`` is long, so it has a file ``a.gz``, too."""
    long = listing([{"path": "a"}, {"path": f"a.{suffix}"}]).replace(
        '"made": made', '"made": "x" * 5000'
    )
    app = make_pages({"docs/[...path].py": long})
    before = contents(tmp_path)
    with pytest.raises(
        BuildError, match=re.escape("a.gz") if "gz" in suffix else "a.br"
    ):
        build_of(app, old)

    assert contents(tmp_path) == before


# -- many hostile params --------------------------------------------------------------

PIECES = [
    *(
        "a",
        "A",
        "b",
        "0",
        "é",
        "e\u0301",
        "ß",
        "SS",
        "ſ",
        "İ",
        "ﬁ",
        "ＣＯＮ",
        "한",
        "😀",
    ),
    *(".", "..", "...", "/", "//", "\\", "~", "-rf", "$(id)", "`id`", "'", '"', "<"),
    *(
        "%",
        "%2e%2e",
        "%2F",
        "%5c",
        "%00",
        "%25",
        "?",
        "#",
        ":",
        ";",
        "&",
        "=",
        "+",
        "@",
    ),
    *("\x00", "\n", "\r", "\t", "\x1b[2J", "\x7f", " ", "\xa0", "\u202e", "\ufeff"),
    *("\u2024", "\uff0e", "\uff0f", "\u2215", "\ufffd", "\ud800", "\U0010ffff"),
    *("CON", "nul", "com1", "LPT9", "index", "index.html", ".html", ".gz", ".py"),
    *(
        "_astro",
        "site",
        "manifest.sqlite",
        ".filepages",
        "current",
        "x" * 120,
        "字" * 80,
    ),
]
ROUTES = {"blog/[slug].py": "slug", "docs/[...path].py": "path"}
FROM_A_FILE = """\
import json
from pathlib import Path
from flask_filepages import StaticPath

prerender = True
FILE = Path(__file__).parent.parent.parent / "{name}.json"


def get_static_paths():
    for value in json.loads(FILE.read_text()):
        yield StaticPath({{"{name}": value}})


def GET(context):
    return context.json(context.params["{name}"])
"""
HOSTILE = {
    "app.py": APP,
    **{
        f"pages/{route}": FROM_A_FILE.format(name=name)
        for route, name in ROUTES.items()
    },
}


def hostile(seed: int) -> Iterator[str]:
    """Yield values without end, none twice."""
    choose = random.Random(seed)
    seen = set()
    while True:
        value = "".join(choose.choices(PIECES, k=choose.randint(1, 6)))
        if value not in seen:
            seen.add(value)
            yield value


class Sieve:
    """Keeps the values that a build takes; it asks the build, which names the others."""

    def __init__(self, folder: Path, name: str, route: str) -> None:
        self.name = name
        self.folder = folder
        self.out = folder.with_name(f"{folder.name}-out")
        self.prefix = f"/{route.partition('/')[0]}/"
        page = FROM_A_FILE.format(name=name)
        write_files(folder, {f"pages/{route}": page})
        self.app = Flask(f"sieve_{name}", root_path=str(folder))
        from flask_filepages import FilePages

        FilePages(self.app)

    def taken(self, values: list[str]) -> list[str]:
        """Return those of *values* that are left when a build names no other."""
        while problems := self._problems(values):
            kept = [v for v in values if not self._is_named(v, problems)]
            assert len(kept) < len(values), problems
            values = kept
        return values

    def _problems(self, values: list[str]) -> list[str]:
        (self.folder / f"{self.name}.json").write_text(json.dumps(values))
        try:
            build_of(self.app, self.out, force=True)
        except BuildError as error:
            return sorted(fault.problem for fault in error.faults)
        return []

    def _is_named(self, value: str, problems: list[str]) -> bool:
        told = [
            f"get_static_paths lists { ({self.name: value})!r:.200}: ",
            f"its path {self.prefix}{value} ",
            f"GET {self.prefix}{value}: ",
        ]
        for text in told:
            index = bisect.bisect_left(problems, text)
            if index < len(problems) and problems[index].startswith(text):
                return True
        return False


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Hostile values that can be stored, by the name of their param."""
    found = {}
    for seed, (route, name) in enumerate(ROUTES.items()):
        sieve = Sieve(tmp_path_factory.mktemp(name), name, route)
        source = hostile(seed)
        values: list[str] = []
        # Some collide with those of another handful.
        while len(values) < PATHS * 0.6:
            values += sieve.taken([*itertools.islice(source, 900)])
        found[name] = sieve.taken(values)[: PATHS // 2]
    return found


#: What a system call is told to write to: its name, and what it got.
_call_re = re.compile(r"\d+ +(\w+)\((.*)\) += (?:-?\d+|\?)(?:<(.*)>)?")
_path_re = re.compile(
    r'(?:(?:AT_FDCWD|\d+)<((?:[^>\\]|\\.)*)>(?:, )?)?"((?:[^"\\]|\\.)*)"'
)
WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
CALLS = (
    *("open", "openat", "creat", "mkdir", "mkdirat", "rename", "renameat"),
    *("renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat"),
    *("rmdir", "truncate", "mknod", "mknodat", "chmod", "fchmodat"),
)


def unescaped(text: str) -> str:
    return os.fsdecode(
        text.encode("latin-1").decode("unicode_escape").encode("latin-1")
    )


def written(log: str, cwd: Path) -> Iterator[tuple[str, str]]:
    """Yield call and path of everything that was opened to be written, made, moved or
    deleted, as strace saw it."""
    for line in log.splitlines():
        found = _call_re.match(line)
        if found is None or found[1] not in CALLS:
            continue
        name, args, opened = found.groups()
        if name.startswith("open") and not WRITING.search(args):
            continue
        paths = _path_re.findall(args)
        assert paths, line
        if name.startswith("symlink"):
            paths = paths[-1:]  # the other one is what the link says
        for folder, path in paths:
            yield (
                name,
                os.path.normpath(
                    os.path.join(unescaped(folder) or cwd, unescaped(path))
                ),
            )
        if opened:
            yield f"{name}, as it is", unescaped(opened)


def traced(
    site: Path, log: Path, *words: str, **env: str
) -> subprocess.CompletedProcess[str]:
    calls = ",".join((*CALLS, "sync"))
    strace = ["strace", "-f", "-y", "-qq", "-s", "8192", "-o", str(log)]
    return subprocess.run(
        [*strace, "-e", f"trace={calls}", *command(*words)],
        cwd=site,
        env=environment(**env),
        capture_output=True,
        text=True,
    )


@needs_strace
def test_nothing_outside_is_written_for_hostile_params(
    tmp_path: Path, taken: dict[str, list[str]]
) -> None:
    site, out, scratch = tmp_path / "site", tmp_path / "out", tmp_path / "scratch"
    scratch.mkdir()
    write_files(site, HOSTILE)
    for name, values in taken.items():
        (site / f"{name}.json").write_text(json.dumps(values))
    done = traced(
        site, tmp_path / "log", "build", "--out", str(out), TMPDIR=str(scratch)
    )
    assert done.returncode == 0, done.stderr
    seen = [*written((tmp_path / "log").read_text(), site)]
    allowed = (str(out), f"{out}/", f"{scratch}/", "/dev/null", "/dev/tty")
    expected = {
        *(f"blog/{value}" for value in taken["slug"]),
        *(f"docs/{value}" for value in taken["path"]),
    }
    files = {file for _, _, _, _, file, *_ in answers(out / "current")}

    assert [(c, p) for c, p in seen if not p.startswith(allowed)] == []
    assert len(expected) >= PATHS
    assert files == expected
    assert len({path for _, path in seen}) > len(expected)
    for name in expected:
        file = out / "current" / "site" / name
        assert json.loads(file.read_bytes()) == name[5:]


def test_hostile_params_come_back_from_a_server(
    tmp_path: Path, taken: dict[str, list[str]]
) -> None:
    """What a server sends for the URL of each is its page, stored: live, nothing could
    answer there."""
    write_files(tmp_path, HOSTILE)
    for name, values in taken.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(values[:200]))
    assert run(tmp_path, "build").returncode == 0
    for name in taken:
        (tmp_path / f"{name}.json").write_text("[]")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with server(gunicorn("app:app", port), f"{base}/", tmp_path):
        for prefix, name in (("blog", "slug"), ("docs", "path")):
            for value in taken[name][:200]:
                # As url_for writes it: what the URL standard allows stays as it is.
                url = f"{base}/{prefix}/" + quote(value, safe="/!$&'()*+,:;=@")
                assert fetch(url) == (200, f"{json.dumps(value)}\n"), url


# -- builds ----------------------------------------------------------------------------


@needs_strace
def test_everything_is_on_the_disk_before_the_switch(tmp_path: Path) -> None:
    """The power loss model: flush everything, then rename."""
    site, out = tmp_path / "site", tmp_path / "out"
    write_site(site, 3)
    done = traced(site, tmp_path / "log", "build", "--out", str(out), NUMBER="1")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "log").read_text().splitlines()

    def index(pattern: str) -> int:
        return next(i for i, line in enumerate(lines) if re.search(pattern, line))

    releases = re.escape(f"{out}/releases")
    flushed = index(r" sync\(\)")
    named = index(rf' rename\("{releases}/staging-\w+", "{releases}/000001"\) = 0')
    switched = index(rf' rename\("{re.escape(str(out))}/\.current", ".*/current"\) = 0')
    last = max(
        i for i, line in enumerate(lines) if "staging-" in line and WRITING.search(line)
    )

    assert last < flushed < named < switched


SLOW = """\
import os
import time
from pathlib import Path

prerender = True


def GET(context):
    here = Path(os.environ["HERE"])
    (here / "started").touch()
    while not (here / "go").exists():
        time.sleep(0.01)
    return context.json(1)
"""


def test_a_second_build_says_so_or_waits(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write_files(site, {"app.py": APP, "pages/slow.py": SLOW})
    env = environment(HERE=str(tmp_path))

    def start(*words: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        words = ("build", *words)
        return subprocess.Popen(
            command(*words), cwd=site, env=env, stdout=pipe, stderr=pipe, text=True
        )

    first = start()
    until((tmp_path / "started").exists, 10)
    second = start()
    _, told = second.communicate()
    third = start("--wait", "--force")
    (tmp_path / "go").touch()
    ends = [(p.communicate(), p.returncode)[1] for p in (first, third)]

    assert second.returncode == 1
    assert "Another build is writing to" in told
    assert "Traceback" not in told
    assert ends == [0, 0]
    assert os.readlink(site / "instance/site/current") == "releases/000002"
    assert len(answers(site / "instance/site/current")) == 1
    assert leftovers(site / "instance/site") == []


def test_the_lock_of_a_dead_build_is_free(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": APP, "pages/a.html": "a"})
    write_files(tmp_path, {"pages/a.py": "prerender = True\n"})
    assert run(tmp_path, "build").returncode == 0
    (tmp_path / "instance/site/lock").write_text("1\n")

    assert run(tmp_path, "build", "--force").returncode == 0


#: Folders that may be no build folder, below the folder of a test.
REFUSED = {
    "the root": "/",
    "home": "home",
    "above home": ".",
    "the project": "site",
    "the pages": "site/pages",
    "in the pages": "site/pages/blog/dist",
    "the static folder": "site/static",
    "in the static folder": "site/static/dist",
    "a folder with files": "foreign",
    "a folder with a dot file": "dotted",
    "a file": "file",
    "below a file": "file/dist",
    "a link to the project": "link",
    "a link to a folder with files": "foreign-link",
}


@pytest.fixture
def grounds(tmp_path: Path) -> Path:
    """A project, and around it what no build may touch."""
    files = {
        "site/app.py": APP,
        "site/pages/a.py": "prerender = True\n",
        "site/pages/a.html": "a",
        "site/static/style.css": "",
        "home/.bashrc": "",
        "foreign/releases/000001/precious": "",
        "foreign/releases/staging-0/precious": "",
        "foreign/current": "",
        "foreign/a/index.html": "precious",
        "dotted/.git": "",
        "file": "",
    }
    write_files(tmp_path, files)
    (tmp_path / "foreign/empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "site")
    (tmp_path / "foreign-link").symlink_to(tmp_path / "foreign")
    return tmp_path


@pytest.mark.parametrize("where", REFUSED.values(), ids=REFUSED)
def test_folders_that_are_refused(grounds: Path, where: str) -> None:
    before = contents(grounds)
    out = str(grounds / where)
    done = run(grounds / "site", "build", "--out", out, HOME=str(grounds / "home"))

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert os.path.realpath(out) in done.stderr
    assert contents(grounds) == before


def test_a_link_is_followed_once_and_stays(grounds: Path) -> None:
    (grounds / "there").mkdir()
    (grounds / "dist").symlink_to("there")
    before = contents(grounds)
    site = grounds / "site"
    ends = [run(site, "build", "--out", "../dist", "--force") for _ in range(2)]
    after = contents(grounds)

    assert [end.returncode for end in ends] == [0, 0]
    assert before.items() <= after.items()
    assert os.readlink(grounds / "there/current") == "releases/000002"
    assert all(name.startswith("there/") for name in after.keys() - before.keys())


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("releases", "foreign/releases"),
        ("releases/staging-1", "foreign/releases"),
        ("releases/000001", "foreign"),
        ("releases/000001/site", "foreign"),
        ("releases/000001/site/a", "foreign/a"),
        ("current", "foreign/releases/000001"),
        (".current", "foreign/releases/000001"),
        ("lock", "foreign/current"),
    ],
)
def test_nothing_is_changed_through_a_link_in_the_folder(
    grounds: Path, monkeypatch: pytest.MonkeyPatch, name: str, target: str
) -> None:
    """The build may fail, or replace the link. The first release is an old one."""
    from flask_filepages.releases import folder as releases

    (grounds / "foreign/current").write_text("precious")
    out = grounds / "dist"
    for _ in range(2):
        run(grounds / "site", "build", "--out", str(out), "--force").check_returncode()
    link = out / name
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)
    link.unlink(missing_ok=True)
    link.symlink_to(grounds / target)
    before = contents(grounds / "foreign")
    # So that old releases are deleted, too.
    monkeypatch.setattr(releases, "GRACE", -1)
    monkeypatch.setenv("HOME", str(grounds / "home"))
    app = Flask("through", root_path=str(grounds / "site"))
    from flask_filepages import FilePages

    FilePages(app)
    for _ in range(2):
        try:
            build_of(app, out, force=True, keep=1)
        except (OSError, ReleaseError):
            break

    assert contents(grounds / "foreign") == before


def test_nothing_is_deleted_that_no_build_wrote(
    grounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flask_filepages import FilePages
    from flask_filepages.releases import folder as releases

    monkeypatch.setattr(releases, "GRACE", -1)
    monkeypatch.setenv("HOME", str(grounds / "home"))
    app = Flask("kept", root_path=str(grounds / "site"))
    FilePages(app)
    out = grounds / "dist"
    build_of(app, out, keep=1)
    precious = ["releases/000001/note", "releases/000001/site/note", "note"]
    write_files(out, dict.fromkeys(precious, "precious"))
    for _ in range(2):
        build_of(app, out, keep=1, force=True)
    found = contents(out)

    assert [name for name in precious if name not in found] == []
    assert "releases/000001/site/a/index.html" not in found
    assert "releases/000002" not in found
    assert "releases/000003/site/a/index.html" in found


def test_a_release_stays_for_those_who_read_it(
    grounds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However old the one is that never became the current one."""
    from flask_filepages import FilePages
    from flask_filepages.releases import folder as releases

    monkeypatch.setattr(releases, "GRACE", 0.3)
    monkeypatch.setenv("HOME", str(grounds / "home"))
    app = Flask("stays", root_path=str(grounds / "site"))
    FilePages(app)
    out = grounds / "dist"
    build_of(app, out, keep=1)
    with monkeypatch.context() as patched:
        patched.setattr(os, "symlink", fail)
        patched.setattr(os, "replace", fail)
        with pytest.raises(OSError):
            build_of(app, out, keep=1, force=True)
    abandoned = out / "releases/000002"
    until(lambda: time.time() - abandoned.stat().st_ctime > 0.4, 2)
    build_of(app, out, keep=1, force=True)

    assert os.readlink(out / "current") == "releases/000003"
    assert (out / "releases/000001/site/a/index.html").exists()


def fail(*args: object, **kwargs: object) -> t.NoReturn:
    raise OSError("it is the disk")


def test_links_in_the_project_lead_nowhere(tmp_path: Path) -> None:
    site, outside = tmp_path / "site", tmp_path / "outside"
    endpoint = (
        "prerender = True\n\n\ndef GET(context):\n    return context.json('EXPOSED')\n"
    )
    write_files(outside, {"secret.py": endpoint, "deep/secret.py": endpoint})
    write_files(outside, {"secret.txt": "EXPOSED", "deep/secret.txt": "EXPOSED"})
    a = {"pages/a.py": "prerender = True\n", "pages/a.html": "a"}
    write_files(site, {"app.py": APP, "static/style.css": "", **a})
    (site / "pages/file.py").symlink_to(outside / "secret.py")
    (site / "pages/folder").symlink_to(outside / "deep")
    (site / "pages/loop").symlink_to(site / "pages")
    (site / "pages/self.py").symlink_to(site / "pages/self.py")
    (site / "static/file.txt").symlink_to(outside / "secret.txt")
    (site / "static/folder").symlink_to(outside / "deep")
    (site / "static/loop").symlink_to(site / "static")
    (site / "static/gone.txt").symlink_to(site / "nowhere")
    done = run(site, "build")

    assert done.returncode == 0, done.stderr
    assert sorted(
        n for n in contents(site / "instance/site/current/site") if "." in n
    ) == [
        "a/index.html",
        "static/style.css",
    ]


ANSWERS = {
    "500": ("context.json(1, 500)", "the response is 500"),
    "404": ("context.json(1, 404)", "the response is 404"),
    "raises": ("1 / 0", "ZeroDivisionError"),
    "a cookie": ('context.json(1, headers={"Set-Cookie": "a=b"})', "cookie"),
    "private": ('context.json(1, headers={"Cache-Control": "private"})', "private"),
    "no-store": (
        'context.json(1, headers={"Cache-Control": "max-age=9, No-Store"})',
        "no-store",
    ),
    "two fields": (
        'context.json(1, headers=[("Cache-Control", "no-store"), ("Cache-Control", "public")])',
        "no-store",
    ),
    "broken off": (
        "context.app.response_class(str(1 // (1 - i)) for i in range(3))",
        "ZeroDivisionError",
    ),
    "304": ("context.app.response_class(status=304)", "the response is 304"),
    "no target": ("context.app.response_class(status=302)", "without Location"),
}


@pytest.mark.parametrize(("answer", "told"), ANSWERS.values(), ids=ANSWERS)
def test_answers_that_are_refused(
    tmp_path: Path, old: Path, make_pages: MakePages, answer: str, told: str
) -> None:
    page = f"prerender = True\n\n\ndef GET(context):\n    return {answer}\n"
    app = make_pages(
        {"deep/bad.py": page, "good.html": "good", "good.py": "prerender = True\n"}
    )
    before = contents(tmp_path)
    with pytest.raises(BuildError, match=told) as caught:
        build_of(app, old)

    assert caught.value.faults[0].file == "deep/bad.py"
    assert "GET /deep/bad: " in caught.value.faults[0].problem
    assert contents(tmp_path) == before


def test_a_redirect_is_stored_with_its_status(old: Path, make_pages: MakePages) -> None:
    page = "prerender = True\n\n\ndef GET(context):\n    return context.redirect('/x?a=<b>')\n"
    app = serving(make_pages, {"old.py": page}, old)
    build_of(app, old)
    response = app.test_client().get("/old")

    assert (response.status_code, response.location) == (302, "/x?a=%3Cb%3E")
    assert b"<b>" not in (old / "current/site/old/index.html").read_bytes()


@pytest.mark.parametrize("kind", ["text/plain", "application/pdf", "image/svg+xml"])
def test_a_content_type_is_kept_whatever_the_name_says(
    old: Path, make_pages: MakePages, kind: str
) -> None:
    page = f"prerender = True\n\n\ndef GET(context):\n    return context.json(1, headers={{'Content-Type': '{kind}'}})\n"
    app = serving(make_pages, {"data.html.py": page}, old)
    build_of(app, old)

    assert app.test_client().get("/data.html").headers["Content-Type"] == kind
    assert (old / "current/site/data.html").read_bytes() == b"1\n"


STREAM = """\
import gc
import resource

prerender = True


def GET(context):
    def chunks():
        for _ in range(2048):
            yield b"x" * 2**20

    return context.app.response_class({body})
"""


@pytest.mark.parametrize(
    "body", ["chunks()", 'b"x" * (101 * 2**20)'], ids=["a stream", "bytes"]
)
def test_an_answer_without_end_is_refused(tmp_path: Path, body: str) -> None:
    """Two gigabytes, in a process that may have one."""
    write_files(tmp_path, {"app.py": APP, "pages/big.py": STREAM.format(body=body)})
    limited = ["sh", "-c", 'ulimit -v 1048576; exec "$@"', "sh", *command("build")]
    done = subprocess.run(
        limited, cwd=tmp_path, env=environment(), capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "big.py: GET /big: " in done.stderr
    assert "100 MiB" in done.stderr
    assert not (tmp_path / "instance/site/current").exists()


VARIED: dict[str, tuple[dict[str, str], list[str], int]] = {
    "hash 0": ({"PYTHONHASHSEED": "0"}, [], 0o022),
    "hash 1": ({"PYTHONHASHSEED": "1"}, [], 0o022),
    "another zone": ({"TZ": "Pacific/Kiritimati"}, [], 0o022),
    "another language": ({"LANG": "tr_TR.UTF-8", "LC_ALL": "C"}, [], 0o022),
    "another umask": ({}, [], 0o077),
    "processes": ({}, ["--jobs", "2"], 0o022),
    "optimized": ({"PYTHONOPTIMIZE": "1"}, [], 0o022),
}


def test_a_build_is_the_same_wherever_it_is_made(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write_site(site, 30)
    told: dict[str, t.Any] = {}
    for name, (env, words, mask) in VARIED.items():
        out = tmp_path / name
        done = subprocess.run(
            command("build", "--out", str(out), *words),
            cwd=site,
            env=environment(NUMBER="1", **env),
            umask=mask,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        told[name] = (answers(out / "current"), contents(out / "current/site"))

    assert [name for name in told if told[name] != told["hash 0"]] == []
    assert len(told["hash 0"][0]) == 30 + 1 + 2 + 2


@pytest.mark.parametrize(
    "raised",
    ["\x1b[2J", "\x1b]0;title\x07", "\x9b2J", "\u202etxt.exe", "a\rb", "\ud800"],
    ids=ascii,
)
def test_what_goes_wrong_writes_nothing_on_the_terminal(
    tmp_path: Path, make_pages: MakePages, raised: str
) -> None:
    page = (
        f"prerender = True\n\n\ndef GET(context):\n    raise ValueError({raised!a})\n"
    )
    with pytest.raises(BuildError, match="ValueError") as caught:
        build_of(make_pages({"a.py": page}), tmp_path / "out")

    assert [c for c in str(caught.value) if not c.isprintable() and c != "\n"] == []


LITTER = {
    "app.py": APP + "# SECRET-SOURCE\n",
    ".env": "SECRET-FILE",
    "pages/index.py": "# SECRET-SOURCE\nprerender = True\n",
    "pages/index.html": "{# SECRET-SOURCE #}<p>hello</p>" + "<p>more</p>" * 200,
    "pages/_layout.html": "SECRET-SOURCE",
    "pages/_lib.py": "# SECRET-SOURCE",
    "pages/.env": "SECRET-FILE",
    "pages/notes.txt": "SECRET-FILE",
    "pages/old.py~": "SECRET-FILE",
    "pages/live.py": "def GET(context):\n    return context.json('SECRET-SOURCE')\n",
    "pages/api/data.json.py": "prerender = True\n\n\ndef GET(context):\n    return context.json(1)\n",
    "pages/404.html": "<p>nothing</p>",
    "pages/404.py": "prerender = True\n",
    "static/style.css": "p { margin: 0 }",
    "static/.env": "SECRET-FILE",
    "static/.git/config": "SECRET-FILE",
    "templates/base.html": "SECRET-SOURCE",
}


def test_the_site_holds_what_is_listed_and_nothing_of_the_project(
    tmp_path: Path,
) -> None:
    write_files(tmp_path, LITTER)
    done = run(tmp_path, "build", PYTHONDONTWRITEBYTECODE="")
    assert done.returncode == 0, done.stderr
    site = tmp_path / "instance/site/current/site"
    names = sorted(n for n, kind in contents(site).items() if kind != "folder")
    texts = [(site / n).read_bytes() for n in names]
    texts += [
        gzip.decompress((site / n).read_bytes()) for n in names if n.endswith(".gz")
    ]
    secrets = (b"SECRET", os.fsencode(tmp_path), os.fsencode(sys.prefix), b"# ")

    assert names == [
        "404.html",
        "api/data.json",
        "index.html",
        "index.html.br",
        "index.html.gz",
        "index.html.zst",
        "static/style.css",
    ]
    assert [s for s in secrets if any(s in text for text in texts)] == []
    beside = {p.name for p in (tmp_path / "instance/site").iterdir()}
    assert beside == {".filepages", "lock", "current", "releases"}
    assert {p.name for p in site.parent.iterdir()} == {
        *("manifest.sha256", "manifest.sqlite"),
        *("guarded", "site"),
    }


# -- what is served ----------------------------------------------------------------------

SERVERS = {
    "sync": ["gunicorn", "--no-control-socket", "-b", "{}"],
    "granian": ["granian", "--interface=wsgi", "--port={port}"],
}
#: More of the kind: each names a file of the build folder that no URL is for.
MORE = [
    *("/current/site/about/index.html", "/releases/000001/site/about/index.html"),
    *("/releases/000001/manifest.sqlite", "/manifest.sqlite", "/../manifest.sqlite"),
    *("/..%2fmanifest.sqlite", "/.filepages", "/lock", "/about/index.html", "/big.gz"),
    *("/site/about", "/link/", "/LINK", "/About", "/big%00", "/big%2f..%2fabout"),
    *("/blog/..", "/blog/%2e%2e/about", "/blog/..%5cabout", "/blog/%c3", "/blog/%ff"),
    *("/blog/e%cc%81", "/blog/%E9", "/blog/%25C3%25A9", "/%C3%A9", "/about;x", "/404"),
    *("/404.html", "/about%3Fx", "/big%0a", "/big ", "/blog/a/..", "/./big"),
]
FROM_THE_BUILD = ("/about", "/about/", "/big", "/blog/a", "/blog/%C3%A9")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder of the fixture app, with a secret beside it, and a link to that in
    the site."""
    folder = tmp_path_factory.mktemp("stored")
    write_files(folder, {"out-secret/s.txt": "SECRET-FILE"})
    env = environment(STORED_BUILD=str(folder / "out"), STORED_MADE="by a build")
    words = command("build")
    words[words.index("app")] = "tests.attacks.stored"
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    secret = folder / "out-secret/s.txt"
    (folder / "out/current/site/link").symlink_to(secret)
    assert (folder / "out/current/site/link").read_text() == "SECRET-FILE"
    return folder / "out"


def more() -> list[dict[str, t.Any]]:
    expect = {
        "status": [400, 404],
        "not_status": [500],
        "body_not": ["SECRET-FILE", "by a build", "SQLite"],
    }
    request = {"type": "http", "method": "GET", "headers": [], "server": "any"}
    return [
        {
            "id": f"more-{target}",
            "area": "pre",
            "input": {**request, "target": target},
            "expect": expect,
        }
        for target in MORE
    ]


@pytest.mark.skipif(
    shutil.which("node") is None and "CI" not in os.environ,
    reason="node, which the replay asks, is not installed",
)
@pytest.mark.parametrize("name", SERVERS)
def test_requests(built: Path, tmp_path: Path, name: str) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    words = [w.format(f"127.0.0.1:{port}", port=port) for w in SERVERS[name]]
    start = [sys.executable, "-m", *words, "tests.attacks.stored:app"]
    sent = [*items("pre", "http"), *more()]
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps(sent))
    replay = [sys.executable, str(HERE / "replay.py"), f"127.0.0.1:{port}", str(cases)]
    env = {"STORED_BUILD": str(built), "STORED_MADE": "by the server"}
    with server(start, f"{base}/about", ROOT, **env):
        result = subprocess.run(replay, capture_output=True, text=True)
        stored = {path: fetch(base + path) for path in FROM_THE_BUILD}
        live = fetch(f"{base}/live")

    assert f"{len(sent)} passed, 0 failed" in result.stdout, result.stdout
    for path, (status, text) in stored.items():
        assert (status, "by a build" in text) == (200, True), path
    assert (live[0], "by the server" in live[1]) == (200, True)


#: A small answer, which a server keeps in memory, and one that it sends from the file.
SERVED = {
    f"{name}.py": (
        "import os\n\nprerender = True\n\n\ndef GET(context):\n"
        f"    return context.json([os.environ['MADE']] * {count})\n"
    )
    for name, count in {"small": 1, "big": 5000}.items()
}


@pytest.fixture
def served(
    tmp_path: Path, make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> tuple[Flask, Path]:
    """An app with a release, and the folder of its builds."""
    out = tmp_path / "out"
    write_files(tmp_path, {"out-secret": "SECRET-FILE"})
    app = serving(make_pages, SERVED, out)
    monkeypatch.setenv("MADE", "by a build")
    build_of(app, out)
    monkeypatch.setenv("MADE", "by the server")
    return app, out


def by(app: Flask, name: str) -> t.Any:
    response = app.test_client().get(f"/{name}")
    assert response.status_code == 200
    assert response.json is not None
    assert len(set(response.json)) == 1
    return response.json[0]


def gone(file: Path) -> None:
    file.unlink()


def a_link(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.parents[4] / "out-secret")


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def shorter(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def longer(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"SECRET")


def in_time(pipe: Path, function: t.Callable[[], t.Any]) -> t.Any:
    """Return what *function* does. It fails if it waits for somebody who writes to
    *pipe*: there is one at last."""
    with ThreadPoolExecutor() as pool:
        future = pool.submit(function)
        try:
            return future.result(timeout=5)
        except TimeoutError:
            writer = os.open(pipe, os.O_RDWR)
            future.result(timeout=5)
            os.close(writer)
            raise


@pytest.mark.parametrize("name", ["small", "big"])
@pytest.mark.parametrize(
    "change",
    [gone, a_link, a_folder, a_pipe, shorter, longer],
    ids=lambda f: f.__name__,
)
def test_a_file_that_is_not_what_was_stored_is_answered_anew(
    served: tuple[Flask, Path],
    caplog: pytest.LogCaptureFixture,
    change: t.Callable[[Path], None],
    name: str,
) -> None:
    app, out = served
    file = out / "current/site" / name
    change(file)

    assert in_time(file, lambda: by(app, name)) == "by the server"
    assert f"Rendering /{name} instead" in caplog.text
    others = {"small", "big"} - {name}
    assert [by(app, other) for other in others] == ["by a build"]


@pytest.mark.parametrize(
    "change", [gone, a_link, a_folder, shorter], ids=lambda f: f.__name__
)
def test_a_build_mends_a_file_that_it_would_keep(
    tmp_path: Path, change: t.Callable[[Path], None]
) -> None:
    site, out, only = tmp_path / "site", tmp_path / "out", tmp_path / "only"
    write_files(tmp_path, {"out-secret": "SECRET-FILE"})
    write_site(site, 6)
    assert run(site, "build", "--out", str(only), NUMBER="2").returncode == 0
    assert run(site, "build", "--out", str(out), NUMBER="1").returncode == 0
    # The file of a page that does not depend on the number.
    change(out / "current/site/small/p1")
    done = run(site, "build", "--out", str(out), NUMBER="2")

    assert done.returncode == 0, done.stderr
    assert " kept" in done.stdout
    assert published(out) == published(only)


@pytest.mark.parametrize("most", [1, 100_000], ids=["in SQLite", "in memory"])
def test_what_is_stored_is_found_by_its_path_alone(
    served: tuple[Flask, Path], monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    from flask_filepages.releases import release as module

    monkeypatch.setattr(module, "MOST_IN_MEMORY", most)
    app, _ = served
    client = app.test_client()
    others = [
        "/SMALL",
        "/small%00",
        "/small%ff",
        "/sm%61ll%2f",
        "/small%0a",
        "//small%20",
    ]

    assert [by(app, name) for name in ("small", "big")] == ["by a build"] * 2
    assert client.get("/sm%61ll").status_code == 200
    assert [url for url in others if "by a build" in client.get(url).text] == [
        "/sm%61ll%2f"
    ]


@pytest.mark.parametrize("front", [True, False], ids=["in front", "inside"])
def test_a_missing_file_of_an_error_page_changes_nothing(
    tmp_path: Path,
    make_pages: MakePages,
    monkeypatch: pytest.MonkeyPatch,
    front: bool,
) -> None:
    files = {"404.html": "gone fishing", "404.py": "prerender = True\n", **SERVED}
    out = tmp_path / "out"
    app = serving(make_pages, files, out, FILEPAGES_FRONT=front)
    monkeypatch.setenv("MADE", "by a build")
    build_of(app, out)
    (out / "current/site/404.html").unlink()
    response = app.test_client().get("/nothing")

    assert (response.status_code, response.text) == (404, "gone fishing")


def test_without_an_error_page_the_status_is_right(served: tuple[Flask, Path]) -> None:
    response = served[0].test_client().get("/nothing")

    assert response.status_code == 404
    assert "by a build" not in response.text


def forget_the_clock(app: Flask) -> None:
    """Let the next request look for a release at once."""
    for state in app.extensions["filepages"].values():
        state.releases._next_look = 0.0


@pytest.mark.parametrize("emptied", ["an empty folder", "no folder"])
def test_an_emptied_folder_is_served_on_until_the_next_release(
    served: tuple[Flask, Path],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    emptied: str,
) -> None:
    app, out = served
    assert by(app, "small") == "by a build"
    shutil.rmtree(out)
    if emptied == "an empty folder":
        out.mkdir()
    forget_the_clock(app)

    assert by(app, "small") == "by a build"
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert "has no release" in caplog.text
    monkeypatch.setenv("MADE", "by the next build")
    build_of(app, out)
    monkeypatch.setenv("MADE", "by the server")
    forget_the_clock(app)
    assert by(app, "small") == by(app, "big") == "by the next build"


@pytest.mark.parametrize(
    "text", [b"", b"garbage", b"SQLite format 3\0" + b"\0" * 4080], ids=["0", "1", "2"]
)
def test_a_broken_manifest_is_not_served(
    served: tuple[Flask, Path], caplog: pytest.LogCaptureFixture, text: bytes
) -> None:
    app, out = served
    assert by(app, "small") == "by a build"
    broken = out / "releases/000002"
    shutil.copytree(out / "releases/000001", broken)
    (broken / "manifest.sqlite").write_bytes(text)
    (out / "current").unlink()
    (out / "current").symlink_to("releases/000002")
    forget_the_clock(app)

    assert by(app, "small") == "by a build"
    assert "Cannot serve" in caplog.text
    assert "000002" in caplog.text


MANY = """\
from flask_filepages import StaticPath

prerender = True


def get_static_paths():
    return (StaticPath({"n": str(n)}) for n in range(10_000))


def GET(context):
    return context.json(context.params["n"])
"""
ASK = """\
import os
import sys
from app import app

client = app.test_client()
client.get("/many/0")
os.stat("/begin")
for n in range(1, 10_000, 100):
    assert client.get(f"/many/{n}").json == str(n)
for n in range(100):
    assert client.get(f"/many/x{n}").status_code == 404
"""


@needs_strace
def test_a_request_opens_its_file_and_looks_at_nothing_else(tmp_path: Path) -> None:
    """Of ten thousand."""
    ask = ASK.replace('os.stat("/begin")', 'os.path.exists("/begin")')
    write_files(tmp_path, {"app.py": APP, "ask.py": ask, "pages/many/[n].py": MANY})
    assert run(tmp_path, "build").returncode == 0
    log = tmp_path / "log"
    strace = [
        "strace",
        "-f",
        "-qq",
        "-y",
        "-o",
        str(log),
        "-e",
        "trace=%file,getdents64",
    ]
    subprocess.run(
        [*strace, sys.executable, "ask.py"], cwd=tmp_path, env=environment(), check=True
    )
    lines = log.read_text().splitlines()
    begin = next(i for i, line in enumerate(lines) if '"/begin"' in line)
    calls = [line.split(maxsplit=1)[1] for line in lines[begin + 1 :]]
    opened = [
        call for call in calls if call.startswith("openat(") and "/releases/" in call
    ]

    assert len(opened) == 100
    assert [call for call in calls if call.startswith("getdents64")] == []
    # A look for another release, twice a second.
    others = [c for c in calls if "/instance/" in c and "AT_EMPTY_PATH" not in c]
    told = {call.partition("(")[0] for call in others}
    assert told <= {"openat", "readlink", "readlinkat"}
