"""Starting: reading, registering and loading many route files, each in a process of
its own, beside the same modules imported and registered by hand."""

from __future__ import annotations

import compileall
import json
import statistics
import subprocess
import sys
import tempfile
import typing as t
from pathlib import Path

MODULE = """\
from flask import Response

TITLE = "route {n}"


def GET(context):
    return Response(TITLE)


def POST(context):
    return Response(status=204)
"""
# What is measured begins when Flask and the extension are imported.
SCRIPT = """\
import importlib, json, sys, time
import flask
from flask import Flask
import flask_filepages
way, root, names = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3]))
sys.path.insert(0, root)
app = Flask("bench", root_path=root, static_folder=None)
start = time.process_time()
if way in ("files", "files loaded"):
    pages = flask_filepages.FilePages(app)
    if way == "files loaded":
        pages.load()
elif way == "rules by hand":
    for name, rule in names:
        app.add_url_rule(rule, name, lambda **params: None, methods=["GET", "POST"])
else:
    def view(get, post):
        def answer(**params):
            return get(params) if flask.request.method == "GET" else post(params)
        return answer
    for name, rule in names:
        module = importlib.import_module("pages." + name)
        methods = ["GET", "POST"]
        app.add_url_rule(rule, name, view(module.GET, module.POST), methods=methods)
spent = time.process_time() - start
adapter = app.url_map.bind("localhost")
adapter.match(sys.argv[4])
best = 1e9
for _ in range(20):
    begin = time.process_time()
    for _ in range(200):
        adapter.match(sys.argv[4])
    best = min(best, time.process_time() - begin)
# Not ru_maxrss, which begins with the memory of the parent.
status = open("/proc/self/status").read()
peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
print(json.dumps([spent, best / 200 * 1e6, peak]))
"""
WAYS = ("files", "rules by hand", "files loaded", "modules by hand")


def make_tree(count: int) -> Path:
    """Return a folder with *count* endpoints, half of them with a param."""
    root = Path(tempfile.mkdtemp(prefix="bench"))
    names = []
    for n in range(count):
        folder, file = f"f{n % 20}", f"r{n}" if n % 2 else f"r{n}/[id]"
        path = root / "pages" / folder / f"{file}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MODULE.format(n=n))
        rule = f"/{folder}/{file}".replace("[id]", "<id>")
        names.append((f"{folder}.{file}".replace("/", "."), rule))
    (root / "names.json").write_text(json.dumps(names))
    compileall.compile_dir(root, quiet=2)
    return root


def measure(root: Path, way: str, count: int) -> list[float]:
    """Return CPU seconds, microseconds a match, and peak MB of one start."""
    last = count - 2
    url = f"/f{last % 20}/r{last}/x"
    words = [way, str(root), str(root / "names.json"), url]
    command = [sys.executable, "-c", SCRIPT, *words]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    return t.cast("list[float]", json.loads(printed.stdout))


def run(quick: bool) -> t.Iterator[str]:
    """Yield the lines of the table."""
    rounds = 2 if quick else 5
    yield "## Start"
    yield ""
    yield "CPU seconds after Flask is imported, median of"
    yield f"{rounds} processes in turn; Python's bytecode on both sides."
    yield ""
    yield "| route files | way | CPU s | peak MB | us a match |"
    yield "| --- | --- | --- | --- | --- |"
    ratios = []
    for count in (10, 1000) if quick else (10, 1000, 10_000):
        root = make_tree(count)
        runs: dict[str, list[list[float]]] = {way: [] for way in WAYS}
        for _ in range(rounds if count < 10_000 else max(2, rounds // 2)):
            for way in WAYS:
                runs[way].append(measure(root, way, count))
        middle = {
            way: [statistics.median(column) for column in zip(*rows, strict=True)]
            for way, rows in runs.items()
        }
        for way, (spent, match, peak) in middle.items():
            yield f"| {count:,} | {way} | {spent:.3f} | {peak:.0f} | {match:.1f} |"
        if count == 10:
            continue
        ratios += [
            (count, "files", "rules by hand", "<= 0.6", middle),
            (count, "files loaded", "modules by hand", "<= 1.2", middle),
        ]
    yield ""
    yield "| route files | ratio | is | goal |"
    yield "| --- | --- | --- | --- |"
    for count, one, other, goal, middle in ratios:
        ratio = middle[one][0] / middle[other][0]
        yield f"| {count:,} | {one} / {other} | {ratio:.2f} | {goal} |"
    yield ""
