"""Builds that are killed, starved and disturbed: the tools of ``test_torture.py``.

The answers of a site here hold a number, which is an input of its build. A release is
whole if it is, byte for byte, what an undisturbed build makes of one number.

``python -m tests.building.torture KIND SITE OUT`` disturbs one build after the other, until one
ends undisturbed; ``kills SITE OUT COUNT SEED`` kills them. It looks at the build folder
after each, and writes what it found as JSON.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import hashlib
import importlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import field
from functools import partial
from pathlib import Path
from random import Random

from flask_filepages.pytest_plugin import write_files

APP = """\
from flask import Flask
from flask_filepages import FilePages

app = Flask(__name__)
pages = FilePages(app)
"""
#: An answer holds its number many times, and says it in a header field, too.
PAGES = """\
import os
from pathlib import Path
from flask_filepages import StaticPath

prerender = True


def get_static_paths():
    number = os.environ["NUMBER"]
    for i in range({paths}):
        props = {{"number": number if i % 3 == 0 else "0"}}
        yield StaticPath({{"name": f"p{{i}}"}}, props, version=props["number"])


def GET(context):
    number = context.props["number"]
    response = context.json([number] * {count})
    response.headers["X-Number"] = number
    return response
"""


def write_site(folder: Path, paths: int) -> None:
    """Write a project of many small answers, a third of which hold the number, a big
    one, a page of HTML, an error page, and static files."""
    write_files(
        folder,
        {
            "app.py": APP,
            "static/style.css": "body { color: #123 }\n" * 100,
            "static/deep/er/logo.svg": "<svg/>",
            "pages/small/[name].py": PAGES.format(paths=paths, count=3),
            "pages/big/[name].py": PAGES.format(paths=1, count=20_000),
            "pages/about.py": "prerender = True\n",
            "pages/about.html": "<p>about</p>\n" * 200,
            "pages/404.py": "prerender = True\n",
            "pages/404.html": "<p>nothing here</p>",
        },
    )


# -- looking at a build folder --------------------------------------------------------


def contents(folder: Path) -> dict[str, str]:
    """Return what lies below *folder*: digests of files, targets of links, by name."""
    found: dict[str, str] = {}
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            key = path.relative_to(folder).as_posix()
            if path.is_symlink():
                found[key] = f"-> {os.readlink(path)}"
            elif path.is_dir():
                found[key] = "folder"
            else:
                found[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def answers(release: Path) -> list[tuple[t.Any, ...]]:
    """Return what the manifest of *release* says of its answers and copies; what they
    were made from is left out.

    :raises sqlite3.DatabaseError: it is no whole manifest.
    """
    connection = sqlite3.connect(f"file:{release}/manifest.sqlite?mode=ro", uri=True)
    try:
        if connection.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise sqlite3.DatabaseError("it is not whole")
        columns = (
            "path, endpoint, status, headers, file, size, digest, variants, served_at"
        )
        query = f"SELECT {columns} FROM responses ORDER BY path"
        rows = connection.execute(query).fetchall()
        return (
            rows
            + connection.execute("SELECT * FROM static_files ORDER BY 1").fetchall()
        )
    finally:
        connection.close()


def published(out: Path) -> str:
    """Return a digest of the release that is current in *out*, of its manifest and all
    its files; ``"none"`` if there is none, and what is wrong with one that is broken."""
    current = out / "current"
    if not os.path.lexists(current):
        return "none"
    try:
        release = out / os.readlink(current)
        told = [answers(release), sorted(contents(release / "site").items())]
    except (OSError, sqlite3.DatabaseError) as error:
        return f"broken: {error}"
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def leftovers(out: Path) -> list[str]:
    """Return what a build leaves behind that did not end."""
    names = [p.name for p in out.glob("releases/*") if not p.name.isdigit()]
    return names + [p.name for p in out.glob(".current*")]


# -- real builds ----------------------------------------------------------------------


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "flask", "--app", "app", "filepages", *words]


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which a build writes no other files than its own."""
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **more}


def build(site: Path, out: Path, number: int, *words: str) -> None:
    """Build with the command; it works."""
    done = subprocess.run(
        command("build", "--out", str(out), *words),
        cwd=site,
        env=environment(NUMBER=str(number)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


# -- builds in which something fails --------------------------------------------------

#: What a build calls of the system: what it writes, and what it looks at for that.
CALLS = (
    *("open", "write", "mkdir", "link", "rename", "replace", "symlink", "unlink"),
    *("rmdir", "sync", "listdir", "scandir", "readlink"),
)
CODES = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EMFILE)


@dataclass
class Faults:
    """Makes one call fail of all that a build makes, once the app is there.

    :attr:`seen` are the names of the calls that were made.
    """

    wanted: int
    code: int
    seen: list[str] = field(default_factory=list)

    def install(self) -> None:
        """Begin with the next :class:`~flask_filepages.building.build.Build`."""
        from flask_filepages.building.build import Build

        real = Build.__init__

        def begin(*args: t.Any) -> None:
            real(*args)
            self._begin()

        t.cast(t.Any, Build).__init__ = begin

    def _begin(self) -> None:
        for name in CALLS:
            self._wrap(os, name)
        self._wrap(builtins, "open")

    def _wrap(self, module: t.Any, name: str) -> None:
        real = getattr(module, name)

        def call(*args: t.Any, **kwargs: t.Any) -> t.Any:
            self.seen.append(name)
            if len(self.seen) == self.wanted:
                raise OSError(self.code, os.strerror(self.code), name)
            return real(*args, **kwargs)

        setattr(module, name, call)


def short_writes() -> None:
    """Let each write take half of what it was given."""
    real = os.write

    def write(descriptor: int, data: t.Any) -> int:
        return real(descriptor, data[: max(1, len(data) // 2)])

    os.write = write


def small_files(size: int) -> None:
    """Let no file grow beyond *size* bytes, none of SQLite either."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


def few_descriptors(count: int) -> None:
    """Let the process open only *count* more descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    there = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (there + count, hard))


@dataclass
class Trial:
    """One disturbed build: what failed, how it ended, what was published before and
    after it, and how the next build ended."""

    name: str
    number: str
    status: int
    before: str
    published: str
    next_status: int
    next_published: str
    leftovers: list[str]


@dataclass
class Ended:
    """How a build in a fork ended. :attr:`failed` is the call that failed."""

    status: int
    failed: str = ""
    modules: list[str] = field(default_factory=list)


class Bench:
    """Builds of one site into one folder, each from the state that this is in now.

    Each is the command, run in a fork of this process. Their imports are made here,
    once: they take most of the time of a build.
    """

    def __init__(self, site: Path, out: Path) -> None:
        self.site = site
        self.out = out
        self.before = out.with_name(f"{out.name}-before")
        if out.exists():
            shutil.copytree(out, self.before, symlinks=True)
        for name in self.build(lambda: None).modules:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)

    def trial(self, disturb: Callable[[], Faults | None], name: str) -> Trial:
        """Return what a disturbed build does, and the next one."""
        if self.out.exists():
            shutil.rmtree(self.out)
        if self.before.exists():
            shutil.copytree(self.before, self.out, symlinks=True)
        before = published(self.out)
        ended = self.build(disturb)
        return self.trial_of(f"{name} {ended.failed}".strip(), ended.status, before)

    def trial_of(self, name: str, status: int, before: str) -> Trial:
        """Return what a build left that ended with *status*; build once more."""
        left = published(self.out)
        following = self.build(lambda: None)
        return Trial(
            name=name,
            number=os.environ["NUMBER"],
            status=status,
            before=before,
            published=left,
            next_status=following.status,
            next_published=published(self.out),
            leftovers=leftovers(self.out),
        )

    def build(self, disturb: Callable[[], Faults | None]) -> Ended:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            tell = os.write
            try:
                ended = self._run(disturb)
                tell(writing, json.dumps(asdict(ended)).encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as told:
            text = told.read()
        os.waitpid(child, 0)
        return Ended(**json.loads(text))

    def _run(self, disturb: Callable[[], Faults | None]) -> Ended:
        from flask.cli import main

        there = set(sys.modules)
        os.chdir(self.site)
        sys.path.insert(0, "")
        sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")
        sys.argv = command("build", "--out", str(self.out))[2:]
        faults = disturb()
        status = 0
        try:
            main()
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        except BaseException:
            status = 1
        new = [name for name in {*sys.modules} - there if self._is_installed(name)]
        if faults is None:
            return Ended(status, "", new)
        is_hit = len(faults.seen) >= faults.wanted
        return Ended(status, faults.seen[faults.wanted - 1] if is_hit else "nothing")

    def _is_installed(self, name: str) -> bool:
        spec = getattr(sys.modules[name], "__spec__", None)
        file = str(getattr(spec, "origin", None) or "")
        return not file.startswith(str(self.site)) and spec is not None


def failing_calls(bench: Bench, codes: t.Sequence[int]) -> Iterator[Trial]:
    """Let the first call fail, the second, and so on; with *codes* by turns."""
    for wanted in range(1, 100_000):
        code = codes[wanted % len(codes)]

        def disturb(wanted: int = wanted, code: int = code) -> Faults:
            faults = Faults(wanted, code)
            faults.install()
            return faults

        trial = bench.trial(disturb, f"{wanted} {errno.errorcode[code]}")
        yield trial
        if trial.name.endswith("nothing"):
            return


def all_failing_calls(bench: Bench) -> Iterator[Trial]:
    """Let each call fail with each code."""
    for code in CODES:
        yield from failing_calls(bench, [code])


def limited(
    bench: Bench, limit: Callable[[int], None], values: t.Iterable[int]
) -> Iterator[Trial]:
    """Limit a resource to each of *values*, until a build has enough of it."""
    for value in values:
        trial = bench.trial(partial(limit, value), str(value))
        yield trial
        if trial.status == 0:
            return


def sizes() -> Iterator[int]:
    size = 0
    while size < 1 << 24:
        yield size
        size += 256 + size // 8


# -- builds that are killed -----------------------------------------------------------


def kills(bench: Bench, count: int, seed: int) -> Iterator[Trial]:
    """Kill *count* builds, each at a random moment: the last ones went on for as long
    as a build takes. Each begins where the one before left off, or with nothing.

    The number is 1 and 2 by turns, so that each build has something to do.
    """
    random = Random(seed)
    span = min(_span(bench, str(1 + turn % 2)) for turn in range(4))
    for turn in range(count):
        os.environ["NUMBER"] = str(1 + turn % 2)
        if random.random() < 0.1:
            shutil.rmtree(bench.out)
        before = published(bench.out)
        words = random.choice([[], [], ["--force"], ["--keep", "1"]])
        moment = random.uniform(-0.1, 1.0) * span
        status = _killed(bench, words, moment)
        name = f"{moment:.4f} of {span:.4f} s {' '.join(words)}"
        yield bench.trial_of(name, status, before)


def _started(bench: Bench, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command("build", "--out", str(bench.out), *words),
        cwd=bench.site,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _span(bench: Bench, number: str) -> float:
    """Return how long a build has the folder."""
    os.environ["NUMBER"] = number
    process = _started(bench)
    begin = _when_locked(process)
    process.wait()
    return time.perf_counter() - begin


def _when_locked(process: subprocess.Popen[bytes]) -> float:
    """Wait until a build holds its folder, and return when."""
    while not _is_locking(process.pid) and process.poll() is None:
        time.sleep(0.0002)
    return time.perf_counter()


def _is_locking(pid: int) -> bool:
    lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    held = ["FLOCK", "ADVISORY", "WRITE", str(pid)]
    return any(line.split()[1:5] == held for line in lines)


def _killed(bench: Bench, words: list[str], moment: float) -> int:
    """Start a build and kill it, *moment* seconds after it got the folder: before that
    if that is negative. Return its status."""
    process = _started(bench, *words)
    if moment >= 0:
        _when_locked(process)
        time.sleep(moment)
    else:
        time.sleep(-moment)
    process.kill()
    return process.wait()


KINDS: dict[str, Callable[..., Iterator[Trial]]] = {
    "calls": lambda bench: failing_calls(bench, CODES),
    "all-calls": all_failing_calls,
    "file-size": lambda bench: limited(bench, small_files, sizes()),
    "descriptors": lambda bench: limited(bench, few_descriptors, range(100)),
    "short-writes": lambda bench: iter([bench.trial(short_writes, "half")]),
    "kills": kills,
}


def main(kind: str, site: str, out: str, *numbers: str) -> None:
    bench = Bench(Path(site), Path(out))
    made = KINDS[kind](bench, *map(int, numbers))
    json.dump([asdict(trial) for trial in made], sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
