"""Imports between the rooms of the house go in one direction."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import flask_filepages

PACKAGE = Path(flask_filepages.__file__).parent

# One line for each allowed direction: a room, and the rooms that it may import. A room is
# a package, or a module next to the packages.
ALLOWED = """
errors: problems
targets: errors
settings: errors targets
cookies: errors
context: cookies errors settings targets
routing: errors settings targets
validation: context errors functions
handling: context cookies errors functions problems routing settings targets validation
releases: errors settings
prerendering: context errors functions handling releases routing settings
site: context errors handling prerendering releases routing settings
building: errors functions handling prerendering releases routing settings site targets
dev: building context errors functions handling prerendering releases routing settings targets testing validation
sitemaps: errors site
openapi: errors handling problems routing settings site validation
hosts: errors functions handling prerendering releases routing site
extension: building dev errors handling openapi prerendering releases routing settings site
markdown: context errors handling
testing: context handling settings validation
cli: building dev errors hosts openapi releases routing site
"""
ROOMS = {
    room: set(others.split())
    for room, _, others in (line.partition(":") for line in ALLOWED.split("\n") if line)
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imported_rooms(path: Path) -> set[str]:
    """Return the rooms that a module imports, late imports included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    checking = {
        id(node)
        for test in ast.walk(tree)
        if isinstance(test, ast.If) and "TYPE_CHECKING" in ast.unparse(test.test)
        for node in ast.walk(test)
    }
    depth = len(path.relative_to(PACKAGE).parts)
    rooms = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or id(node) in checking:
            continue
        if node.level == depth:  # counted from the package itself
            names = [node.module] if node.module else [a.name for a in node.names]
            rooms |= {str(name).partition(".")[0] for name in names}
    rooms -= {"__version__"}
    return rooms


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_in_the_allowed_direction(path: Path) -> None:
    room = room_of(path)

    assert imported_rooms(path) - {room} <= ROOMS.get(room, set())


def test_the_directions_have_no_cycle() -> None:
    left = dict(ROOMS)
    while free := [room for room, others in left.items() if not others & left.keys()]:
        for room in free:
            del left[room]

    assert left == {}


# What measures coverage imports sqlite3 before the program starts.
IMPORTS = """
import sys
before = set(sys.modules)
import flask_filepages.cli
import flask_filepages.pytest_plugin
imported = sys.modules.keys() - before
names = [name for name in imported if name.startswith("flask_filepages.")]
print(*sorted(names), *({"flask", "marshmallow", "sqlite3", "jinja2"} & imported))
"""


def test_commands_and_pytest_import_nothing_of_the_package() -> None:
    """Every ``flask`` command and every pytest run of the environment imports these."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True
    )

    assert done.stdout.split() == [
        "flask_filepages.cli",
        "flask_filepages.pytest_plugin",
    ]


def test_every_public_name_is_found_and_listed() -> None:
    assert all(getattr(flask_filepages, name) for name in flask_filepages.__all__)
    assert set(flask_filepages.__all__) <= set(dir(flask_filepages))
    modules = {path.stem for path in PACKAGE.iterdir()}
    assert modules & set(flask_filepages.__all__) == set()


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nope'"):
        _ = flask_filepages.Nope  # type: ignore[attr-defined]
