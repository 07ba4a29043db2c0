"""``prerender = True``, read from the text of a file before it is run."""

from __future__ import annotations

import ast

from ..errors import Fault

_FIX = (
    "Write `prerender = True` or `prerender = False` on a line of its own: it is read"
    " before the file is run."
)


def read_prerender(path: str, relative: str) -> tuple[bool | None, list[Fault]]:
    """Return the flag of the endpoint in *path*, ``None`` without one, and faults.

    The file is parsed only if it holds the word at all. One that has a syntax
    error is left for the import to report.
    """
    try:
        with open(path, "rb") as file:
            code = file.read()
    except OSError as error:
        return None, [unreadable(relative, error)]
    if b"prerender" not in code:
        return None, []
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return None, []
    flag = None
    for statement in body:
        if not _Binds.prerender(statement):
            continue
        value = getattr(statement, "value", None)
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or not (
            isinstance(value, ast.Constant) and isinstance(value.value, bool)
        ):
            problem = "prerender is not a literal True or False"
            return None, [Fault("prerender", relative, problem, _FIX, statement.lineno)]
        flag = value.value
    return flag, []


def unreadable(relative: str, error: OSError) -> Fault:
    """Return the fault of a file or folder that the system would not let us read."""
    problem = f"it cannot be read: {error.strerror}"
    return Fault("file", relative or ".", problem, "Check its permissions.")


class _Binds(ast.NodeVisitor):
    """Whether a statement binds the name at the level of the module."""

    def __init__(self) -> None:
        self.found = False

    @classmethod
    def prerender(cls, statement: ast.stmt) -> bool:
        visitor = cls()
        visitor.visit(statement)
        return visitor.found

    def visit_Name(self, node: ast.Name) -> None:
        self.found |= node.id == "prerender" and isinstance(node.ctx, ast.Store)

    def visit_alias(self, node: ast.alias) -> None:
        self.found |= (node.asname or node.name) == "prerender"

    def _visit_definition(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    ) -> None:
        self.found |= node.name == "prerender"

    visit_FunctionDef = _visit_definition
    visit_AsyncFunctionDef = _visit_definition
    visit_ClassDef = _visit_definition

    def _pass_over(self, node: ast.AST) -> None:
        """What is bound in there belongs to another scope."""

    visit_Lambda = _pass_over
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _pass_over
