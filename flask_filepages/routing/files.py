"""Find the files of a pages folder that make routes, and read their ``prerender``."""

from __future__ import annotations

import ast
import os
import re
import typing as t
from dataclasses import dataclass

from ..errors import Fault
from ..errors import closest

if t.TYPE_CHECKING:
    from ..settings import Prerender

ENDPOINT_SUFFIX = ".py"
#: Runs around all routes of its folder and below; it is not a route itself.
MIDDLEWARE_FILE = "_middleware.py"
#: The function of a prerendered endpoint that lists its paths.
STATIC_PATHS = "get_static_paths"
_may_be_prerender_re = re.compile(
    rb"prerender|^\w*pre_?r\w*\s*[:=]", re.IGNORECASE | re.MULTILINE
)
_NEAR_MISSES = ("prerender", "prerendered", "prerendering")
_PRERENDER_FIX = (
    'Write `prerender = True`, `prerender = False` or `prerender = "auto"` on a line of'
    " its own. It is read before the file is run."
)


@dataclass(slots=True)
class Source:
    """One file of the pages folder.

    :attr:`relative` is its path below the folder, :attr:`stem` the same without suffix.
    """

    path: str
    relative: str
    stem: str

    @property
    def is_endpoint(self) -> bool:
        return self.relative.endswith(ENDPOINT_SUFFIX)

    @property
    def is_middleware(self) -> bool:
        return os.path.basename(self.relative) == MIDDLEWARE_FILE

    @property
    def folders(self) -> list[str]:
        """The folders of the file, outermost first: ``""``, ``"api/"``, ..."""
        parts = self.relative.split("/")[:-1]
        return [
            "".join(f"{part}/" for part in parts[:n]) for n in range(len(parts) + 1)
        ]

    def line_of(self, name: str) -> int | None:
        """Return the number of the first line that seems to define *name*."""
        start = re.compile(rf"(?:(?:async\s+)?def|class)\s+{name}\b|{name}\s*[:=]")
        with open(self.path, encoding="utf-8", errors="replace") as lines:
            numbered = enumerate(lines, 1)
            return next((n for n, line in numbered if start.match(line)), None)


def is_private(name: str) -> bool:
    """Return True if a file or folder of this name never makes a route."""
    if name.startswith("_") or (name.startswith(".") and name != ".well-known"):
        return True
    return name.endswith(ENDPOINT_SUFFIX) and (
        name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"
    )


def walk(
    folder: str, suffixes: t.Collection[str] | None, faults: list[Fault]
) -> t.Iterator[Source]:
    """Yield the route and middleware files of *folder* and its subfolders, sorted.

    Links that lead out of the folder are skipped, and so is a second link to the same
    folder. Files that cannot be read are added to *faults*.

    :param suffixes: the suffixes of files that make routes, or ``None`` for all files.
    """
    yield from _walk(os.path.realpath(folder), "", suffixes, faults, set())


def _walk(
    root: str,
    below: str,
    suffixes: t.Collection[str] | None,
    faults: list[Fault],
    linked: set[str],
) -> t.Iterator[Source]:
    try:
        with os.scandir(os.path.join(root, below)) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        faults.append(_unreadable(below, error))
        return
    faults += _misnamed_middleware(entries, below)
    for entry in entries:
        is_middleware = entry.name == MIDDLEWARE_FILE
        if is_private(entry.name) and not is_middleware:
            continue
        relative = f"{below}{entry.name}"
        if not _is_inside(entry, root, linked) or (is_middleware and entry.is_dir()):
            if is_middleware:
                problem = "it is not a file of this folder, so it protects no route"
                fix = "Put a file there. A link must not lead out of the folder."
                faults.append(Fault("middleware", relative, problem, fix))
            continue
        if entry.is_dir():
            yield from _walk(root, f"{relative}/", suffixes, faults, linked)
            continue
        stem, suffix = os.path.splitext(relative)
        if (suffixes is None or suffix in suffixes) and entry.is_file():
            yield Source(entry.path, relative, stem)


def _misnamed_middleware(
    entries: list[os.DirEntry[str]], below: str
) -> t.Iterator[Fault]:
    """Yield a fault for each near miss of ``_middleware.py``: a guard with a typo in
    its name would guard nothing."""
    names = [entry.name for entry in entries]
    wanted = [MIDDLEWARE_FILE, os.path.splitext(MIDDLEWARE_FILE)[0]]
    fix = f"Rename it to {MIDDLEWARE_FILE}."
    for name in names if MIDDLEWARE_FILE not in names else ():
        problem = ""
        if name.startswith(f"{wanted[1]}.") and not name.endswith(".pyc"):
            problem = "nothing reads middleware from a file of this name"
        elif name[0] in "_." and closest(name.lower(), wanted, 0.85):
            problem = "it looks like middleware, but nothing reads a file of this name"
        if problem:
            yield Fault("middleware", f"{below}{name}", problem, fix)


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


# -- prerender ----------------------------------------------------------------------


def read_prerender(
    source: Source, faults: list[Fault], warnings: list[Fault]
) -> Prerender | None:
    """Return ``prerender`` of an endpoint, or ``None``. Add its faults to *faults*, and
    near misses to *warnings*.

    The file is parsed, not run, and only if it contains the word. A syntax error is
    left to the import, which reports it.
    """
    try:
        with open(source.path, "rb") as file:
            code = file.read()
        body = ast.parse(code).body if _may_be_prerender_re.search(code) else []
    except OSError as error:
        faults.append(_unreadable(source.relative, error))
        return None
    except (SyntaxError, ValueError):
        return None
    flag = None
    for statement in body:
        if not _binds_prerender(statement):
            warnings += _near_misses(statement, source)
            continue
        value = getattr(statement, "value", None)
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or not (
            isinstance(value, ast.Constant)
            and (isinstance(value.value, bool) or value.value == "auto")
        ):
            problem = 'prerender is not a literal True, False or "auto"'
            if hasattr(statement, "body"):
                problem = "prerender is not a literal of the module: it is indented"
            where = ("prerender", source.relative)
            faults.append(Fault(*where, problem, _PRERENDER_FIX, statement.lineno))
            return None
        flag = t.cast("Prerender", value.value)
    return flag


def _near_misses(statement: ast.stmt, source: Source) -> t.Iterator[Fault]:
    """Yield a warning for ``PRERENDER = True`` and the like."""
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.Constant):
        return
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    for target in targets:
        name = target.id if isinstance(target, ast.Name) else ""
        plain = name.lower().replace("_", "").removeprefix("is")
        is_bool = isinstance(value.value, bool)
        if is_bool and closest(plain, _NEAR_MISSES, 0.8):
            problem, fix = f"{name} means nothing", "Did you mean `prerender`?"
            yield Fault("near-miss", source.relative, problem, fix, statement.lineno)


def _unreadable(relative: str, error: OSError) -> Fault:
    problem = f"it cannot be read: {error.strerror}"
    return Fault("file", relative or ".", problem, "Check its permissions.")


def _binds_prerender(node: ast.AST) -> bool:
    """Return True if *node* binds the name in the scope of the module."""
    if isinstance(node, ast.Name):
        return node.id == "prerender" and isinstance(node.ctx, ast.Store)
    if isinstance(node, ast.alias):
        return (node.asname or node.name) == "prerender"
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return node.name == "prerender"
    # Lambdas and comprehensions have a scope of their own.
    if isinstance(
        node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    ):
        return False
    return any(map(_binds_prerender, ast.iter_child_nodes(node)))
