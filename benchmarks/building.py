"""Storing: what a page costs in a build, beside Frozen-Flask and ``astro build``."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from . import astro
from .measure import Spent
from .measure import new_folder
from .measure import spent
from .measure import write

SHM = "/dev/shm"
FLASK = [sys.executable, "-m", "flask", "--app", "app"]
APP = {
    "app.py": """\
from flask import Flask
from flask_filepages import FilePages

app = Flask(__name__, static_folder=None)
app.config["FILEPAGES_OUTPUT"] = "static"
FilePages(app)
""",
    "pages/items/[id].json.py": """\
import os

from flask_filepages import StaticPath


def get_static_paths():
    for number in range(int(os.environ["COUNT"])):
        yield StaticPath({"id": str(number)}, version=os.environ.get("VERSION"))


def GET(context):
    id = context.params["id"]
    title = "edited" if id == os.environ.get("EDITED") else "Item"
    return context.json({"id": id, "title": f"{title} {id}", "tags": ["a", "b"]})
""",
    "freeze.py": """\
import os
import sys

from flask import Flask, jsonify
from flask_frozen import Freezer

app = Flask(__name__, static_folder=None)
app.config["FREEZER_DESTINATION"] = sys.argv[1]
freezer = Freezer(app)


@app.get("/items/<id>.json")
def item(id):
    return jsonify({"id": id, "title": f"Item {id}", "tags": ["a", "b"]})


@freezer.register_generator
def items():
    for number in range(int(os.environ["COUNT"])):
        yield "item", {"id": str(number)}


freezer.freeze()
""",
    # The peak of this process alone, not ru_maxrss, which begins with its parent's.
    "peak.py": """\
import sys

from flask.cli import cli

try:
    cli.main(["--app", "app", *sys.argv[1:]])
finally:
    status = open("/proc/self/status").read()
    print(status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
""",
}
MARKDOWN = {
    "app.py": """\
from flask import Flask
from flask_filepages import FilePages
from flask_filepages.markdown import render_markdown

app = Flask(__name__, static_folder=None)
app.config["FILEPAGES_OUTPUT"] = "static"
FilePages(app, renderers={".md": render_markdown})
""",
    "templates/post.html": "<title>{{ frontmatter.title }}</title>{{ content }}",
    "pages/posts/[id].md": "---\ntitle: A post\nlayout: post.html\n---\n"
    + "# A post\n\nSome *text* with a [link](/posts/1), and `code`.\n\n" * 30,
    "pages/posts/[id].py": """\
import os

from flask_filepages import StaticPath


def get_static_paths():
    for number in range(int(os.environ["COUNT"])):
        yield StaticPath({"id": str(number)})


def GET(context):
    id = context.params["id"]
    response = context.render()
    title = "edited" if id == os.environ.get("EDITED") else "Post"
    response.set_data(response.get_data() + f"<p>{title} {id}</p>".encode())
    return response
""",
}
ASTRO_ENDPOINT = """\
export function getStaticPaths() {
  const count = Number(process.env.COUNT);
  return Array.from({ length: count }, (_, n) => ({ params: { id: String(n) } }));
}

export function GET({ params }) {
  const { id } = params;
  return Response.json({ id, title: `Item ${id}`, tags: ["a", "b"] });
}
"""
SLOW = {
    "app.py": APP["app.py"],
    "pages/items/[id].json.py": """\
import os

from flask_filepages import StaticPath

TURNS = int(os.environ["TURNS"])


def get_static_paths():
    for number in range(int(os.environ["COUNT"])):
        yield StaticPath({"id": str(number)})


def GET(context):
    made = sum(number * number for number in range(TURNS))
    return context.json({"id": context.params["id"], "made": made})
""",
    # The same work without a build: what two processes gain on this machine.
    "work.py": """\
import os
import sys

for _ in range(int(sys.argv[1])):
    sum(number * number for number in range(int(os.environ["TURNS"])))
""",
}


def media() -> dict[str, str]:
    """Return folders to build in, by the kind of their file system."""
    here, temporary = os.getcwd(), tempfile.gettempdir()
    found = {"disk": here if _is_memory(temporary) else temporary}
    if os.access(SHM, os.W_OK):
        found["tmpfs"] = SHM
    return found


def _is_memory(folder: str) -> bool:
    """Whether *folder* lies in memory; ``False`` where nobody tells."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    except OSError:
        return False
    real = os.path.realpath(folder)
    kinds = {place: kind for _, place, kind, *_ in map(str.split, mounts.splitlines())}
    while real not in kinds and real != "/":
        real = os.path.dirname(real)
    return kinds.get(real) in ("tmpfs", "ramfs")


def filepages(app: Path, out: Path, count: int, *words: str, **env: str) -> Spent:
    """Build *count* pages with the command."""
    command = [*FLASK, "filepages", "build", "--out", str(out), *words]
    return spent(command, app, COUNT=str(count), **env)


def frozen(app: Path, out: Path, count: int) -> Spent:
    """Build *count* pages with Frozen-Flask."""
    return spent([sys.executable, "freeze.py", str(out)], app, COUNT=str(count))


def per_page(costs: t.Mapping[int, list[float]]) -> float:
    """Return the seconds that one more page costs, from builds of two sizes."""
    (few, base), (many, whole) = costs.items()
    return (statistics.median(whole) - statistics.median(base)) / (many - few)


def cold(app: Path, sizes: tuple[int, int], rounds: int) -> t.Iterator[str]:
    """Yield what a page costs in a folder that is new."""
    builders = {"flask filepages build": filepages, "Frozen-Flask": frozen}
    goals = {"disk": ">= 2", "tmpfs": ">= 2.5"}
    for medium, below in media().items():
        root = new_folder(below)
        costs: dict[str, dict[int, list[float]]] = {
            name: {size: [] for size in sizes} for name in builders
        }
        for number in range(rounds):
            for size in sizes:
                for name, build in builders.items():
                    out = root / f"{build.__name__}-{size}-{number}"
                    costs[name][size].append(build(app, out, size).cpu)
        own, other = (per_page(costs[name]) * 1e6 for name in builders)
        ratio = f"{other / own:.2f} | {goals[medium]}"
        yield f"| {medium} | flask filepages build | {own:.0f} | {ratio} |"
        yield f"| {medium} | Frozen-Flask | {other:.0f} | 1 | |"


def beside_astro(app: Path, sizes: tuple[int, int]) -> t.Iterator[str]:
    """Yield what a page costs in ``astro build`` of the same endpoint."""
    files = {"src/pages/items/[id].json.ts": ASTRO_ENDPOINT}
    made = astro.project({**files, "astro.config.mjs": "export default {};"})
    if made is None:
        yield "| disk | astro build: npm cannot install it here | | | |"
        return
    root = new_folder(media()["disk"])
    own: dict[int, list[float]] = {size: [] for size in sizes}
    other: dict[int, list[float]] = {size: [] for size in sizes}
    for size in sizes:
        for number in range(3):
            out = root / f"own-{size}-{number}"
            own[size].append(filepages(app, out, size).cpu)
            # Below the project, or it does not find its own packages.
            command = made.command("build", "--outDir", f"out-{size}-{number}")
            env = {"COUNT": str(size), **astro.QUIET}
            other[size].append(spent([*command, "--silent"], made.folder, **env).cpu)
    cost_own, cost_other = per_page(own) * 1e6, per_page(other) * 1e6
    ratio = f"{cost_other / cost_own:.2f} | >= 4"
    yield f"| disk | flask filepages build again | {cost_own:.0f} | {ratio} |"
    yield f"| disk | astro {made.version} build | {cost_other:.0f} | 1 | |"


def unchanged(app: Path, count: int, rounds: int) -> t.Iterator[str]:
    """Yield what a build costs whose paths all have a version, and nothing to do."""
    out = new_folder(media()["disk"]) / "site"
    filepages(app, out, count, VERSION="1")
    costs: dict[str, list[float]] = {"build": [], "routes": [], "import": []}
    for _ in range(rounds):
        costs["build"].append(filepages(app, out, count, VERSION="1").cpu)
        command = [*FLASK, "routes"]
        costs["routes"].append(spent(command, app, COUNT=str(count)).cpu)
        command = [sys.executable, "-c", "import app"]
        costs["import"].append(spent(command, app).cpu)
    build, routes, imported = map(statistics.median, costs.values())
    pages = f"{count:,} pages"
    yield f"| {pages}, nothing changed | {build:.3f} | | |"
    more = f"{build - routes:.3f} | <= 0.15"
    yield f"| `flask routes`, which only loads the app | {routes:.3f} | {more} |"
    yield f"| `python -c 'import app'` | {imported:.3f} | {build - imported:.3f} | |"


def rebuilt(
    app: Path, count: int, rounds: int, what: str, goal: str
) -> t.Iterator[str]:
    """Yield what a build costs after one without a change, and after one edit, without
    versions, as a ratio to a cold one."""
    root = new_folder(media()["disk"])
    costs: dict[str, list[float]] = {"cold": [], "nothing changed": [], "one edit": []}
    for number in range(rounds):
        out = root / str(number)
        costs["cold"].append(filepages(app, out, count).cpu)
        costs["nothing changed"].append(filepages(app, out, count).cpu)
        costs["one edit"].append(filepages(app, out, count, EDITED="7").cpu)
    medians = {name: statistics.median(values) for name, values in costs.items()}
    for name, value in medians.items():
        ratio = value / medians["cold"]
        shown = goal if name != "cold" else ""
        yield f"| {what}, {name} | {value:.2f} | {ratio:.2f} | {shown} |"


def peak(app: Path, count: int) -> float:
    """Return the most memory, in MB, that a build of *count* pages had."""
    out = new_folder(media()["disk"]) / "site"
    command = [sys.executable, "peak.py", "filepages", "build", "--out", str(out)]
    environment = {**os.environ, "COUNT": str(count)}
    printed = subprocess.run(
        command,
        cwd=app,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(printed.stderr.split()[-1]) / 1024


def memory(app: Path, sizes: tuple[int, int]) -> t.Iterator[str]:
    """Yield the peak memory of builds of two sizes."""
    few, many = (peak(app, size) for size in sizes)
    yield f"| {sizes[0]:,} | {few:.0f} | | |"
    yield f"| {sizes[1]:,} | {many:.0f} | {many - few:.0f} | <= 40 |"


def turns(milliseconds: float) -> int:
    """Return how many turns of the handler's loop take so long here."""
    count = 20_000
    best = 1e9
    for _ in range(20):
        start = time.process_time()
        sum(number * number for number in range(count))
        best = min(best, time.process_time() - start)
    return int(count * milliseconds / 1000 / best)


def _work(app: Path, counts: tuple[int, ...], env: dict[str, str]) -> float:
    """Return the wall seconds of processes that do nothing but the pages' work."""
    start = time.perf_counter()
    processes = [
        subprocess.Popen([sys.executable, "work.py", str(count)], cwd=app, env=env)
        for count in counts
    ]
    if any(process.wait() for process in processes):
        raise RuntimeError("work.py failed")
    return time.perf_counter() - start


def two_processes(count: int, times: tuple[int, ...], rounds: int) -> t.Iterator[str]:
    """Yield how much sooner two processes have built pages that take a while."""
    app = write(new_folder(), SLOW)
    root = new_folder(media()["disk"])
    for milliseconds in times:
        env = {"TURNS": str(turns(milliseconds))}
        walls: dict[str, list[float]] = {"1": [], "2": [], "work 1": [], "work 2": []}
        for number in range(rounds):
            for jobs in ("1", "2"):
                out = root / f"{milliseconds}-{jobs}-{number}"
                cost = filepages(app, out, count, "--jobs", jobs, **env)
                walls[jobs].append(cost.wall)
            both = {**os.environ, **env}
            walls["work 1"].append(_work(app, (count,), both))
            walls["work 2"].append(_work(app, (count // 2,) * 2, both))
        one, two, bare, bares = map(statistics.median, walls.values())
        cells = f"{one:.2f} | {two:.2f} | {one / two:.2f} | >= 1.6 | {bare / bares:.2f}"
        yield f"| {milliseconds} ms | {cells} |"


def run(
    quick: bool, *, with_astro: bool = False, most_pages: int = 200_000
) -> t.Iterator[str]:
    """Yield the lines of the tables."""
    app = write(new_folder(), APP)
    sizes, rounds = ((20, 500), 1) if quick else ((100, 10_000), 5)
    yield "## A build"
    yield ""
    yield f"{sizes[1]:,} small JSON endpoints, one process, into a new folder. CPU of"
    yield "the whole command: what one page more costs, by builds of"
    yield f"{sizes[0]:,} and {sizes[1]:,} pages, median of {rounds} in turn."
    yield ""
    yield "| on | builder | us a page | times as fast | goal |"
    yield "| --- | --- | --- | --- | --- |"
    yield from cold(app, sizes, rounds)
    if with_astro and not quick:
        yield from beside_astro(app, sizes)
    yield ""
    yield "CPU seconds of whole commands when all paths have the version of the last"
    yield "build, and what the build costs beyond loading the app."
    yield ""
    yield "| command | CPU s | the build is more by | goal |"
    yield "| --- | --- | --- | --- |"
    yield from unchanged(app, sizes[1], 2 if quick else 9)
    yield ""
    yield "CPU seconds of whole commands without versions: into a new folder, again,"
    yield "and after an edit of one page. Equal responses are linked."
    yield ""
    yield "| build | CPU s | of the cold one | goal |"
    yield "| --- | --- | --- | --- |"
    count, times = (300, 1) if quick else (10_000, 5)
    yield from rebuilt(app, count, times, f"{count:,} JSON endpoints", "<= 1.05")
    posts = write(new_folder(), MARKDOWN)
    count = 100 if quick else 5_000
    yield from rebuilt(posts, count, times, f"{count:,} Markdown pages", "<= 0.8")
    yield ""
    yield "Peak memory of the build of an iterator's pages."
    yield ""
    yield "| pages | MB | more | goal |"
    yield "| --- | --- | --- | --- |"
    yield from memory(app, (500, 5_000) if quick else (2_000, most_pages))
    yield ""
    count, waits = (50, (2,)) if quick else (2_000, (2, 5))
    yield f"`--jobs 2` for {count:,} pages that take a while: wall seconds of the whole"
    yield "command. The machine is shared; the last column is what two plain processes"
    yield "that do only the pages' work gain over one, measured in turn."
    yield ""
    yield "| a page | 1 process | 2 | ratio | goal | without a build |"
    yield "| --- | --- | --- | --- | --- | --- |"
    yield from two_processes(count, waits, 1 if quick else 3)
    yield ""
