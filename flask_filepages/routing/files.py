"""The files of a folder that make routes; everything else is private."""

from __future__ import annotations

import difflib
import itertools
import os
import re
import typing as t
from dataclasses import dataclass

from ..errors import Fault
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
    def looks_like_middleware(self) -> bool:
        return os.path.basename(self.relative) in ("middleware.py", "middlewares.py")

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
    faults += _unread_middleware(entries, below)
    for entry in entries:
        is_middleware = entry.name == MIDDLEWARE_FILE
        if is_private(entry.name) and not is_middleware:
            continue
        relative = f"{below}{entry.name}"
        if not _is_inside(entry, root, linked) or (is_middleware and entry.is_dir()):
            if is_middleware:
                faults.append(_no_file(relative))
            continue
        if entry.is_dir():
            yield from _walk(root, f"{relative}/", suffixes, faults, linked)
            continue
        stem, suffix = os.path.splitext(relative)
        if suffix in suffixes and entry.is_file():
            yield Source(entry.path, relative, stem)


def _unread_middleware(entries: list[os.DirEntry[str]], below: str) -> list[Fault]:
    """Return a fault for each name that only looks like that of middleware: a guard
    that is not read guards nothing."""
    names = [entry.name for entry in entries]
    if MIDDLEWARE_FILE in names:
        return []
    private = {name.lower(): name for name in names if name[0] in "_."}
    wanted = [MIDDLEWARE_FILE, os.path.splitext(MIDDLEWARE_FILE)[0]]
    close = (difflib.get_close_matches(w, private, cutoff=0.85) for w in wanted)
    problem = "it looks like middleware, and is not read"
    fix = f"Rename it to {MIDDLEWARE_FILE}, a file."
    return [
        Fault("middleware", f"{below}{private[name]}", problem, fix)
        for name in dict.fromkeys(itertools.chain.from_iterable(close))
    ]


def _no_file(relative: str) -> Fault:
    problem = "it is no file of this folder, so nothing is behind it"
    fix = "Put a file there; a link must not lead out of the folder."
    return Fault("middleware", relative, problem, fix)


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
