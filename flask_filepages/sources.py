"""The files of a folder that make routes; everything else is private."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass

from .errors import Fault
from .patterns import Segment
from .prerender import unreadable

ENDPOINT_SUFFIX = ".py"
#: Is around all routes of its folder and below, and is none itself.
MIDDLEWARE_FILE = "_middleware.py"


@dataclass(slots=True)
class Source:
    """One file below the folder, and what its name says."""

    path: str
    relative: str
    stem: str
    segments: tuple[Segment, ...] = ()

    @property
    def is_endpoint(self) -> bool:
        return self.relative.endswith(ENDPOINT_SUFFIX)

    @property
    def is_middleware(self) -> bool:
        return os.path.basename(self.relative) == MIDDLEWARE_FILE

    @property
    def folders(self) -> list[str]:
        """The folders that it lies in, outermost first: ``""``, ``"api/"``, ..."""
        parts = self.relative.split("/")[:-1]
        return [
            "".join(f"{part}/" for part in parts[:n]) for n in range(len(parts) + 1)
        ]

    def line_of(self, name: str) -> int | None:
        """Return the number of the line that seems to define *name*."""
        start = re.compile(rf"(?:(?:async\s+)?def|class)\s+{name}\b|{name}\s*[:=]")
        with open(self.path, encoding="utf-8", errors="replace") as lines:
            numbered = enumerate(lines, 1)
            return next((n for n, line in numbered if start.match(line)), None)


def is_private(name: str) -> bool:
    """Whether a file or folder of this name makes no route, whatever is in it."""
    if name.startswith("_") or (name.startswith(".") and name != ".well-known"):
        return True
    return name.endswith(ENDPOINT_SUFFIX) and (
        name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"
    )


def walk(
    folder: str, suffixes: t.Collection[str], faults: list[Fault]
) -> t.Iterator[Source]:
    """Yield the files of *folder* that make routes, and those of middleware, sorted,
    sub-folders included.

    Links that lead out of the folder are passed over, and so is a second link to
    the same folder. What cannot be read is added to *faults*.
    """
    yield from _walk(os.path.realpath(folder), "", suffixes, faults, set())


def _walk(
    root: str,
    below: str,
    suffixes: t.Collection[str],
    faults: list[Fault],
    linked: set[str],
) -> t.Iterator[Source]:
    try:
        with os.scandir(os.path.join(root, below)) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        faults.append(unreadable(below, error))
        return
    for entry in entries:
        is_passed_over = is_private(entry.name) and entry.name != MIDDLEWARE_FILE
        if is_passed_over or not _is_inside(entry, root, linked):
            continue
        relative = f"{below}{entry.name}"
        if entry.is_dir():
            yield from _walk(root, f"{relative}/", suffixes, faults, linked)
            continue
        stem, suffix = os.path.splitext(relative)
        if suffix in suffixes and entry.is_file():
            yield Source(entry.path, relative, stem)


def _is_inside(entry: os.DirEntry[str], root: str, linked: set[str]) -> bool:
    if not entry.is_symlink():
        return True
    real = os.path.realpath(entry.path)
    if not real.startswith(root + os.sep) or not os.path.exists(real) or real in linked:
        return False
    if entry.path.startswith(real + os.sep):
        return False
    if os.path.isdir(real):
        linked.add(real)
    return True
