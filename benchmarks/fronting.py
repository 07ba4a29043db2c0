"""Sending what is stored: in process and over HTTP, beside WhiteNoise and others."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from flask import Response

from flask_filepages import FilePages
from flask_filepages.releases.http import Representation
from flask_filepages.releases.release import Releases

from . import astro
from .measure import WSGI
from .measure import Batch
from .measure import environ
from .measure import interleaved
from .measure import new_folder
from .measure import spent
from .measure import timed
from .measure import write

# It has no types.
WhiteNoise: t.Any = importlib.import_module("whitenoise").WhiteNoise
SMALL, LARGE = 5_000, 40_000
#: Connections at a time.
WIDTH = 8
#: wrk asks for whole seconds: one for so many requests.
LEAST_FOR_WRK = 4_000
TEXT = "A stored answer is sent before Flask sees the request. "
PAGE = """\
from flask import Response


def GET(context):
    return Response(({text!r} * {size})[:{size}], mimetype="text/plain")
"""
LIVE = """\
from flask import Response

prerender = False


def GET(context):
    return Response("hello")
"""
PAGES = {
    "pages/small.txt.py": PAGE.format(text=TEXT, size=SMALL),
    "pages/large.txt.py": PAGE.format(text=TEXT, size=LARGE),
    "pages/live.py": LIVE,
}
SERVED = {
    **PAGES,
    "app.py": """\
from flask import Flask
from flask_filepages import FilePages

app = Flask(__name__, static_folder=None)
app.config.update(FILEPAGES_OUTPUT="hybrid", FILEPAGES_FRONT=True)
FilePages(app)
""",
    "noise.py": """\
from flask import Flask
from flask_filepages.releases.folder import BuildFolder
from whitenoise import WhiteNoise

app = Flask(__name__, static_folder=None)
site = BuildFolder("instance/site").current() + "/site"
app.wsgi_app = WhiteNoise(app.wsgi_app, root=site)
""",
    "view.py": f"""\
from flask import Flask, Response

app = Flask(__name__, static_folder=None)
BODY = ({TEXT!r} * {SMALL})[:{SMALL}]


@app.get("/small.txt")
def small():
    return Response(BODY, mimetype="text/plain")


def nobody(environ, start_response):
    start_response("200 OK", [("Content-Length", "{SMALL}")])
    return [BODY.encode()]
""",
}
ASTRO_ENDPOINT = f"""\
export const prerender = true;

export function GET() {{
  const text = {json.dumps(TEXT)}.repeat({SMALL}).slice(0, {SMALL});
  return new Response(text);
}}
"""
OPENED = """\
import gc, resource, sys, time

sys.path.insert(0, {here!r})
from flask_filepages.releases.folder import BuildFolder
from flask_filepages.releases.release import Releases
from whitenoise import WhiteNoise

way, folder, name = sys.argv[1:]


def memory():
    gc.collect()
    status = open("/proc/self/status").read()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


before, start = memory(), time.process_time()
if way == "release":
    held = Releases(folder, name)
    assert held.current() is not None
else:
    held = WhiteNoise(None, root=BuildFolder(folder).current() + "/site")
seconds = time.process_time() - start
print(memory() - before, seconds)
"""


# -- in process -----------------------------------------------------------------------


def built(
    files: t.Mapping[str, str], output: str = "hybrid", *, front: bool = True
) -> Flask:
    """Return an app with *files*, its release built where there is one."""
    root = write(new_folder(), files)
    app = Flask(f"front_{root.name}", root_path=str(root), static_folder=None)
    app.config.update(FILEPAGES_OUTPUT=output, FILEPAGES_BUILD_DIR=str(root / "dist"))
    app.config["FILEPAGES_FRONT"] = front
    pages = FilePages(app)
    if output != "server":
        for _ in pages.build():
            pass
    return app


def releases_of(app: Flask) -> Releases:
    return t.cast(Releases, app.extensions["filepages"]["filepages"].releases)


def representation(app: Flask, path: str) -> Representation:
    """Return the plain form of a stored answer."""
    release = releases_of(app).current()
    stored = release.find(path) if release is not None else None
    if stored is None:
        raise RuntimeError(f"{path} is not stored")
    return stored.plain


def batch(
    app: WSGI,
    path: str,
    size: int,
    expected: tuple[str, int],
    fields: t.Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> Batch:
    """Return a function that asks for *path* and consumes the answer.

    :param expected: the status and the length of the body.
    :param fields: go into the environ.
    :param before: is called before each request, and measured with it.
    """
    template = {**environ(path), **(fields or {})}
    seen: list[str] = []

    def start_response(status: str, headers: t.Any, exc_info: t.Any = None) -> None:
        seen[:] = [status]

    def once() -> bytes:
        if before is not None:
            before()
        result = app(dict(template), start_response)
        body = b"".join(result)
        close = getattr(result, "close", None)
        if close is not None:
            close()
        return body

    body = once()
    if (seen[0][:3], len(body)) != expected:
        raise RuntimeError(f"{path}: {seen[0]}, {len(body)} bytes")
    return timed(once, size)


def bare(environ: t.Any, start_response: t.Any) -> list[bytes]:
    """Answer with next to nothing: what measuring costs."""
    start_response("200 OK", [])
    return [b"a"]


def plain_view(body: bytes) -> Flask:
    app = Flask("plain_view", static_folder=None)

    @app.get("/small.txt")
    def small() -> Response:
        return Response(body, mimetype="text/plain")

    return app


def front_batches(app: Flask, size: int) -> dict[str, Batch]:
    """Return what is measured in process, by its name in the table."""
    site = Path(app.root_path) / "dist" / "current" / "site"
    small = representation(app, "/small.txt")
    # Of an app of its own: the memory of what was dropped would fill its bound.
    cold = built(PAGES)
    dropped = representation(cold, "/small.txt")
    noise = WhiteNoise(bare, root=str(site))
    view = plain_view((site / "small.txt").read_bytes())

    def evict() -> None:
        dropped.body = None

    own, whole = app.wsgi_app, ("200", SMALL)
    tag = {"HTTP_IF_NONE_MATCH": small.etag}
    dated = dict(noise.files["/small.txt"].get_response("GET", {}).headers)
    noise_tag = {"HTTP_IF_NONE_MATCH": dated["ETag"]}
    part = {"HTTP_RANGE": "bytes=100-199"}
    gzip = {"HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd"}
    coded = min(p.stat().st_size for p in site.glob("small.txt.*"))
    by_noise = (site / "small.txt.br", site / "small.txt.gz")
    noise_coded = next(p.stat().st_size for p in by_noise if p.exists())
    return {
        "measuring itself": batch(bare, "/", size, ("200", 1)),
        "5 kB from memory": batch(own, "/small.txt", size, whole),
        "WhiteNoise, 5 kB": batch(noise, "/small.txt", size, whole),
        "a Flask view, 5 kB": batch(view.wsgi_app, "/small.txt", size, whole),
        "compressed, from memory": batch(own, "/small.txt", size, ("200", coded), gzip),
        "WhiteNoise, compressed": batch(
            noise, "/small.txt", size, ("200", noise_coded), gzip
        ),
        "304": batch(own, "/small.txt", size, ("304", 0), tag),
        "WhiteNoise, 304": batch(noise, "/small.txt", size, ("304", 0), noise_tag),
        "a range of 100 bytes": batch(own, "/small.txt", size, ("206", 100), part),
        "WhiteNoise, a range": batch(noise, "/small.txt", size, ("206", 100), part),
        "304, not in memory": batch(
            *(cold.wsgi_app, "/small.txt", size, ("304", 0)),
            {"HTTP_IF_NONE_MATCH": dropped.etag},
            before=evict,
        ),
        "5 kB from disk": batch(cold.wsgi_app, "/small.txt", size, whole, before=evict),
        "40 kB, which is streamed": batch(own, "/large.txt", size, ("200", LARGE)),
        "WhiteNoise, 40 kB": batch(noise, "/large.txt", size, ("200", LARGE)),
    }


#: Of each row: whom it is measured against, and the goals in us and as a ratio.
FRONT_ROWS = {
    "5 kB from memory": ("WhiteNoise, 5 kB", "<= 3"),
    "compressed, from memory": ("WhiteNoise, compressed", ""),
    "304": ("WhiteNoise, 304", "<= 5"),
    "a range of 100 bytes": ("WhiteNoise, a range", "<= 5"),
    "304, not in memory": ("WhiteNoise, 304", "<= 5"),
    "5 kB from disk": ("WhiteNoise, 5 kB", "<= 10"),
    "40 kB, which is streamed": ("WhiteNoise, 40 kB", ""),
}


def in_process(size: int, rounds: int) -> Iterator[str]:
    cost = interleaved(front_batches(built(PAGES), size), rounds)
    for name, value in cost.items():
        other, goal = FRONT_ROWS.get(name, ("", ""))
        ratio = f"{value / cost[other]:.2f}" if other else ""
        yield f"| {name} | {value:.2f} | {goal} | {ratio} |"


def beside_front(size: int, rounds: int) -> Iterator[str]:
    """Yield what a front costs the routes that run on each request."""
    with_front, without = built(PAGES), built(PAGES, output="server")
    size = max(1, size // 10)
    hello = ("200", 5)
    batches = {
        "no front": batch(without.wsgi_app, "/live", size, hello),
        "no front again": batch(without.wsgi_app, "/live", size, hello),
        "a front": batch(with_front.wsgi_app, "/live", size, hello),
    }
    cost = interleaved(batches, rounds)
    base = cost["no front"]
    for name, value in cost.items():
        more = f"{value - base:.2f} | {value / base:.3f}"
        yield f"| {name} | {value:.1f} | {more} |"


def inside_flask(size: int, rounds: int) -> Iterator[str]:
    """Yield what stored responses cost that Flask sends, next to plain views."""
    listed = f"""\
from flask import Response
from flask_filepages import StaticPath


def get_static_paths():
    return [StaticPath({{"name": "small"}})]


def GET(context):
    return Response(({TEXT!r} * {SMALL})[:{SMALL}], mimetype="text/plain")
"""
    stored = built({**PAGES, "pages/dynamic/[name].txt.py": listed}, front=False)
    body = (TEXT * SMALL)[:SMALL].encode()
    app = plain_view(body)

    @app.get("/dynamic/<name>.txt")
    def dynamic(name: str) -> Response:
        return Response(body, mimetype="text/plain")

    size = max(1, size // 10)
    whole = ("200", SMALL)
    rows = {"/small.txt": "<= 1.12", "/dynamic/small.txt": "<= 1.18"}
    for path, goal in rows.items():
        batches = {
            "plain view": batch(app.wsgi_app, path, size, whole),
            "plain view again": batch(app.wsgi_app, path, size, whole),
            "stored response": batch(stored.wsgi_app, path, size, whole),
        }
        cost = interleaved(batches, rounds)
        for name, value in cost.items():
            ratio = value / cost["plain view"]
            shown = goal if name == "stored response" else ""
            yield f"| `{path}` {name} | {value:.1f} | {ratio:.3f} | {shown} |"


def opened(count: int, rounds: int) -> Iterator[str]:
    """Yield what it takes to open a release."""
    files = {
        "pages/items/[id].json.py": f"""\
from flask_filepages import StaticPath


def get_static_paths():
    return [StaticPath({{"id": str(number)}}) for number in range({count})]


def GET(context):
    return context.json({{"id": context.params["id"]}})
"""
    }
    app = built(files, "static")
    folder = str(Path(app.root_path) / "dist")
    here = str(Path(__file__).parent.parent)
    for name, way in (("a release", "release"), ("WhiteNoise", "whitenoise")):
        words = [way, folder, app.name]
        command = [sys.executable, "-c", OPENED.format(here=here), *words]
        runs = [
            subprocess.run(command, capture_output=True, text=True, check=True)
            for _ in range(rounds)
        ]
        rows = [[float(word) for word in run.stdout.split()] for run in runs]
        memory, seconds = map(statistics.median, zip(*rows, strict=True))
        yield f"| {name} | {memory:.1f} | {seconds:.3f} |"


# -- over HTTP ------------------------------------------------------------------------


class Server(t.NamedTuple):
    """A server that runs: its port, and all its processes."""

    port: int
    path: str
    processes: list[int]

    def cpu(self) -> float:
        """Return the CPU seconds that all threads of its processes have had."""
        return (
            sum(
                int(found.read_text(encoding="ascii").split()[0])
                for process in self.processes
                for found in Path(f"/proc/{process}/task").glob("*/schedstat")
            )
            / 1e9
        )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def serving(
    command: list[str], cwd: Path, port: int, path: str = "/small.txt", **env: str
) -> Iterator[Server]:
    """Run a server until the end of the block.

    :raises RuntimeError: it does not answer.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while not _answers(port, path):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{command} does not answer")
            time.sleep(0.05)
        yield Server(port, path, [process.pid, *_below(process.pid)])
    finally:
        process.terminate()
        process.wait()


def _answers(port: int, path: str) -> bool:
    try:
        ask(port, path, 1)
    except OSError:
        return False
    return True


def _below(process: int) -> Iterator[int]:
    """Yield the processes that *process* started, and theirs."""
    for found in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = found.read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == process:
            child = int(found.parent.name)
            yield child
            yield from _below(child)


def load(port: int, path: str, count: int) -> int:
    """Send *count* requests, or for as long as they may take with wrk, where it is;
    return how many there were."""
    wrk = shutil.which("wrk")
    if wrk is None or count < LEAST_FOR_WRK:
        return ask(port, path, count)
    return _wrk(wrk, f"http://127.0.0.1:{port}{path}", count // LEAST_FOR_WRK)


def ask(port: int, path: str, count: int, width: int = WIDTH) -> int:
    """Send *count* requests, over *width* connections at a time that are kept where
    the server keeps them; return how many there were.

    :raises OSError: an answer is not the whole file.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    open_ones: list[socket.socket] = []
    for _ in range(-(-count // width)):
        while len(open_ones) < min(width, count):
            open_ones.append(socket.create_connection(("127.0.0.1", port), timeout=5))
        for one in open_ones:
            one.sendall(request)
        # At once: gunicorn's worker waits for the client to close, too.
        open_ones = [one for one in open_ones if _is_kept(one)]
    for one in open_ones:
        one.close()
    return -(-count // width) * min(width, count)


def _is_kept(one: socket.socket) -> bool:
    """Take one answer; close the connection if the server does."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(one)
    head, _, body = received.partition(b"\r\n\r\n")
    lowered = head.lower()
    if b" 200 " not in head[:14] or b"content-length: 5000" not in lowered:
        raise OSError(f"another answer: {head!r}")
    length = len(body)
    while length < SMALL:
        length += len(_more(one))
    is_kept = b"connection: close" not in lowered
    if not is_kept:
        one.close()
    return is_kept


def _more(one: socket.socket) -> bytes:
    data = one.recv(65536)
    if not data:
        raise OSError("the connection ended before the answer did")
    return data


def _wrk(wrk: str, url: str, seconds: int) -> int:
    command = [wrk, "-t1", f"-c{WIDTH}", f"-d{seconds}s", url]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+) requests in", printed)
    if found is None or "Non-2xx" in printed:
        raise OSError(printed)
    return int(found[1])


def per_request(
    servers: t.Mapping[str, Server], count: int, rounds: int
) -> dict[str, float]:
    """Return the CPU microseconds of a request, the servers asked in turn: medians."""
    cost: dict[str, list[float]] = {name: [] for name in servers}
    for server in servers.values():
        ask(server.port, server.path, WIDTH * 20)
    for _ in range(rounds):
        for name, server in servers.items():
            before = server.cpu()
            asked = load(server.port, server.path, count)
            cost[name].append((server.cpu() - before) / asked * 1e6)
    return {name: statistics.median(values) for name, values in cost.items()}


def gunicorn(target: str, port: int) -> list[str]:
    python = [sys.executable, "-m", "gunicorn", "--no-control-socket"]
    return [*python, "-k", "sync", "-w", "1", "-b", f"127.0.0.1:{port}", target]


def granian(target: str, port: int) -> list[str]:
    words = ["--interface", "wsgi", "--workers", "1", "--blocking-threads", "1"]
    words += ["--runtime-mode", "st", "--no-ws", "--log-level", "error"]
    python = [sys.executable, "-m", "granian", "--host", "127.0.0.1"]
    return [*python, "--port", str(port), *words, target]


SERVERS = {"gunicorn sync": (gunicorn, "<= 0.77"), "granian": (granian, "<= 0.5")}
SITES = {
    "flask_filepages": "app:app",
    "WhiteNoise": "noise:app",
    "a Flask view": "view:app",
    "the bytes, by nobody": "view:nobody",
}


def over_http(count: int, rounds: int, *, with_astro: bool) -> Iterator[str]:
    folder = write(new_folder(), SERVED)
    spent([sys.executable, "-m", "flask", "--app", "app", "filepages", "build"], folder)
    for server, (command, goal) in SERVERS.items():
        with contextlib.ExitStack() as running:
            servers = {}
            for name, target in SITES.items():
                port = free_port()
                made = serving(command(target, port), folder, port)
                servers[name] = running.enter_context(made)
            cost = per_request(servers, count, rounds)
        own = cost["flask_filepages"]
        for name, value in cost.items():
            shown = goal if name == "WhiteNoise" else ""
            yield f"| {server} | {name} | {value:.1f} | {own / value:.2f} | {shown} |"
    if with_astro:
        yield from beside_astro(folder, count, rounds)


def beside_astro(folder: Path, count: int, rounds: int) -> Iterator[str]:
    """Yield what Astro's own server takes for a file that it prerendered."""
    made = astro.project({"src/pages/small.txt.ts": ASTRO_ENDPOINT})
    if made is None:
        yield "| node | Astro: npm cannot install it here | | | |"
        return
    spent(made.command("build", "--silent"), made.folder, **astro.QUIET)
    with contextlib.ExitStack() as running:
        port = free_port()
        own = serving(granian("app:app", port), folder, port)
        servers = {"flask_filepages again": running.enter_context(own)}
        port = free_port()
        entry = [made.node, "dist/server/entry.mjs"]
        env = {"HOST": "127.0.0.1", "PORT": str(port)}
        name = f"Astro {made.version}, @astrojs/node"
        node = serving(entry, made.folder, port, **env)
        servers[name] = running.enter_context(node)
        cost = per_request(servers, count, rounds)
    ours, theirs = cost.values()
    yield f"| granian | flask_filepages again | {ours:.1f} | 1.00 | |"
    yield f"| node | {name} | {theirs:.1f} | {ours / theirs:.2f} | <= 0.4 |"


def run(quick: bool, *, with_astro: bool = False) -> Iterator[str]:
    """Yield the lines of the tables."""
    size, rounds = (100, 20) if quick else (1_000, 200)
    yield "## The front"
    yield ""
    yield f"CPU of a stored answer in process, batches of {size}, 10th percentile of"
    yield f"{rounds} in turn. WhiteNoise sends the same files of the release."
    yield "*From disk*: its body is dropped from memory before each request, as by the"
    yield "bound on all bodies. *Measuring itself* is in each row."
    yield ""
    yield "| request | us | goal | of WhiteNoise's |"
    yield "| --- | --- | --- | --- |"
    yield from in_process(size, rounds)
    yield ""
    yield "A route that runs on each request, in an app with stored answers and in one"
    yield "without."
    yield ""
    yield "| app | us | more | ratio |"
    yield "| --- | --- | --- | --- |"
    yield from beside_front(size, rounds)
    yield ""
    yield "Stored responses that Flask sends, next to a view of the same bytes."
    yield ""
    yield "| request | us | ratio | goal |"
    yield "| --- | --- | --- | --- |"
    yield from inside_flask(size, rounds * 4)
    yield ""
    count = 300 if quick else 10_000
    yield f"Opening a release of {count:,} answers."
    yield ""
    yield "| what | MB | CPU s |"
    yield "| --- | --- | --- |"
    yield from opened(count, 1 if quick else 3)
    yield ""
    asked = 400 if quick else LEAST_FOR_WRK
    client = "wrk" if shutil.which("wrk") and not quick else "a client in Python"
    yield "Over HTTP: CPU of the server's processes for 5 kB, one worker, asked in turn"
    yield f"by {client} with {WIDTH} connections (kept, but not by gunicorn sync)."
    yield "*By nobody*: a WSGI function that returns the bytes, so the server itself."
    yield ""
    yield "| server | what | us a request | flask_filepages / it | goal |"
    yield "| --- | --- | --- | --- | --- |"
    astro_too = with_astro and not quick
    yield from over_http(asked, 1 if quick else 11, with_astro=astro_too)
    yield ""
