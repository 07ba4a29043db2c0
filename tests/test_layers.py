"""Imports go down the floors of the house, and never up."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import flask_filepages

FLOORS = [
    {
        *("answers", "errors", "expressions", "outputs", "patterns", "problems"),
        *("representations", "settings", "signatures", "strict_json", "targets"),
        "version",
    },
    {
        *("prerender", "sources", "discovery", "modules", "imports"),
        *("digests", "incremental", "installed", "listening", "manifest"),
        *("page_reads", "reads", "releases"),
        *("served", "staging", "template_reads"),
    },
    {
        *("answer_schemas", "bodies", "context", "cookies", "decimals", "failures"),
        *("handlers", "locations", "markdown", "middleware", "origins", "rendering"),
        *("listing", "responses", "static_paths", "validation"),
    },
    {
        *("converters", "dispatch", "error_pages", "redirects", "rewrites"),
        *("routing", "urls"),
    },
    {
        *("assembly", "devtools", "front", "live", "state", "stored"),
        *("build", "copies", "epoch", "making", "plan", "redirect_pages", "render"),
        *("notes", "pool", "reports", "survey", "workers"),
    },
    {"extension"},
    {
        *("build_cli", "cli", "cli_app", "deploy", "executors", "testing"),
        *("pytest_plugin", "__init__"),
    },
]
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}
# What may stand beside each other on one floor: who imports whom.
BESIDE = {
    "errors": {"problems"},
    "patterns": {"errors"},
    "expressions": {"patterns"},
    "settings": {"errors", "targets"},
    "targets": {"errors"},
    "outputs": {"settings"},
    "context": {"cookies"},
    "rendering": {"context"},
    "markdown": {"context", "rendering"},
    "responses": {"context"},
    "failures": {"context"},
    "middleware": {"context", "failures", "responses"},
    "origins": {"context", "middleware"},
    "locations": {"bodies", "context"},
    "validation": {"context", "decimals", "locations"},
    "answer_schemas": {"context", "responses", "validation"},
    "handlers": {"context"},
    "listing": {"static_paths"},
    "urls": {"routing"},
    "error_pages": {"routing"},
    "dispatch": {"routing"},
    "routing": {"converters"},
    "rewrites": {"routing"},
    "redirects": {"converters", "dispatch", "routing"},
    "sources": {"prerender"},
    "discovery": {"prerender", "sources"},
    "imports": {"modules", "sources"},
    "incremental": {"digests", "manifest", "reads"},
    "listening": {"digests", "reads", "template_reads"},
    "reads": {"digests", "installed"},
    "releases": {"manifest", "staging"},
    "page_reads": {"digests", "reads"},
    "template_reads": {"page_reads", "reads"},
    "served": {"manifest", "reads", "releases", "staging"},
    "live": {"devtools"},
    "assembly": {"live"},
    "stored": {"front", "live"},
    "state": {"assembly", "devtools", "front", "live", "stored"},
    "survey": {"live", "state", "stored"},
    "redirect_pages": {"live", "state", "stored"},
    "plan": {"live", "stored"},
    "render": {"front", "stored"},
    "workers": {"epoch", "render", "state"},
    "making": {
        *("copies", "notes", "plan", "pool", "render", "reports", "stored"),
        "workers",
    },
    "notes": {"workers"},
    "pool": {"workers"},
    "build": {
        *("copies", "epoch", "making", "plan", "pool", "redirect_pages"),
        *("reports", "state", "workers"),
    },
    "build_cli": {"cli_app", "deploy", "executors"},
    "cli": {"build_cli", "cli_app"},
}
MODULES = sorted(Path(flask_filepages.__file__).parent.glob("*.py"))


def imported(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    froms = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.level == 1]
    direct = {n.module.split(".")[0] for n in froms if n.module}
    return direct | {a.name for n in froms if not n.module for a in n.names}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_go_down(path: Path) -> None:
    floor = FLOOR[path.stem]
    upward = {
        name
        for name in imported(path)
        if FLOOR[name] >= floor and name not in BESIDE.get(path.stem, ())
    }

    assert upward - ({"extension"} if floor == 6 else set()) == set()


@pytest.mark.parametrize(
    "path", [p for p in MODULES if FLOOR[p.stem] <= 1], ids=lambda path: path.stem
)
def test_the_lower_floors_know_no_flask(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]

    assert not any(name == "flask" or name.startswith("flask.") for name in names)


def test_every_module_has_its_floor() -> None:
    assert {path.stem for path in MODULES} == set(FLOOR)


def test_the_house_is_drawn_as_it_is() -> None:
    text = (Path(__file__).parent.parent / "CONTRIBUTING.rst").read_text("utf-8")
    drawn = re.split(r"^    F\d  ", text.partition("A request goes")[0], flags=re.M)[1:]

    assert [set(floor.split()) for floor in drawn] == [f - {"__init__"} for f in FLOORS]
