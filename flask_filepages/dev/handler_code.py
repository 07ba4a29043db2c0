"""What the handlers of an endpoint do with their context, read from the text of the
file. Nothing is run."""

from __future__ import annotations

import ast
import json
import typing as t
from collections import Counter

from ..handling.handlers import ALL
from ..handling.handlers import METHODS
from ..routing.files import Source

#: Attributes of a request that are the same for every visitor of a path.
_SAME_FOR_ALL = (".method", ".path", ".url_rule", ".endpoint", ".view_args")

Names = tuple[str, ...]


class Use(t.NamedTuple):
    """One use of the context in a handler.

    :attr:`names` is ``('.params', '["id"]')`` for ``context.params["id"]``, and for
    ``context.params.get("id")``. :attr:`is_sure` is False for the latter, and where the
    function checks whether the name exists.
    """

    line: int
    handler: str
    names: Names
    is_sure: bool

    @property
    def text(self) -> str:
        return f"context{''.join(self.names)}"

    @property
    def param(self) -> str | None:
        """The name of the param that is read, if it is one."""
        first, second, *_ = (*self.names, "")
        is_param = first == ".params" and second.startswith("[")
        return json.loads(second)[0] if is_param else None

    @property
    def reads_visitor(self) -> bool:
        """True if it reads what differs between the visitors of one path."""
        first, second, *_ = (*self.names, "")
        if first == ".request":
            return second not in _SAME_FOR_ALL
        if first == ".url":
            return second == ".query"
        return first == ".session" or (first == ".cookies" and not self.sets_cookie)

    @property
    def sets_cookie(self) -> bool:
        return self.names[:2] in ((".cookies", ".set"), (".cookies", ".delete"))


def uses_of(source: Source | None) -> list[Use]:
    """Return how the handlers of an endpoint use their context, in the order of lines.

    Functions of the same file to which a handler passes the context count too.
    """
    if source is None:
        return []
    try:
        with open(source.path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return []  # The import reports it.
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = {node.name: node for node in tree.body if isinstance(node, kinds)}
    found: set[Use] = set()
    for handler in functions.keys() & {*METHODS, ALL}:
        reader = _Reader(functions, handler, _flask_names(tree))
        reader.read(functions[handler], 0)
        found |= reader.uses
    return sorted(found)


class _Reader(ast.NodeVisitor):
    """Collects the uses of the context in one handler."""

    def __init__(
        self, functions: t.Mapping[str, t.Any], handler: str, known: dict[str, Names]
    ) -> None:
        self.uses: set[Use] = set()
        self._functions = functions
        self._handler = handler
        self._known = known
        #: What variables stand for. ``()`` is the context itself.
        self._names: dict[str, Names] = {}
        self._seen: set[tuple[str, int]] = set()
        self._bound: Counter[str] = Counter()
        self._is_guarded = False

    def read(self, function: t.Any, position: int) -> None:
        """Read *function*, whose argument at *position* is the context."""
        arguments = [*function.args.posonlyargs, *function.args.args][position:]
        key = (function.name, position)
        if key in self._seen or not arguments:
            return
        self._seen.add(key)
        name = arguments[0].arg
        if name != "context" and function.decorator_list:
            return  # A decorator may call it with something else.
        before = self._names, self._bound, self._is_guarded
        self._names = {**self._known, name: ()}
        nodes = list(ast.walk(function))
        # A name that is bound a second time may be something else.
        self._bound = Counter(filter(None, map(_bound_name, nodes)))
        self._is_guarded = any(map(_is_question, nodes))
        for statement in function.body:
            self.visit(statement)
        self._names, self._bound, self._is_guarded = before

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign) -> None:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        names = node.value and self._names_of(node.value)
        is_alias = names in ((), (".params",), (".request",))
        if isinstance(target, ast.Name) and is_alias:
            self._names[target.id] = t.cast(Names, names)
        else:
            self.generic_visit(node)

    visit_AnnAssign = visit_Assign

    def generic_visit(self, node: t.Any) -> None:
        names = self._names_of(node)
        is_call = isinstance(node, ast.Call)
        called = getattr(node.func, "id", "") if is_call else ""
        function = None if self._bound[called] else self._functions.get(called)
        for position, argument in enumerate(node.args if function else ()):
            if self._names_of(argument) == ():
                self.read(function, position)
        if not names:
            super().generic_visit(node)
            return
        if not isinstance(getattr(node, "ctx", None), ast.Store):
            is_sure = not (is_call or self._is_guarded)
            self.uses.add(Use(node.lineno, self._handler, names, is_sure))
        for argument in node.args if is_call else ():
            self.visit(argument)

    def _names_of(self, node: ast.AST) -> Names | None:
        """Return the names after the context, or ``None`` for something else."""
        key: ast.AST | None = None
        name = ""
        if isinstance(node, ast.Name):
            names = self._names.get(node.id)
            is_global = node.id in self._known
            return names if self._bound[node.id] == (0 if is_global else 1) else None
        if isinstance(node, ast.Attribute):
            base, name = node.value, f".{node.attr}"
        elif isinstance(node, ast.Subscript):
            base, key = node.value, node.slice
        elif isinstance(node, ast.Call) and node.args and _is_get(node.func):
            base, key = node.func.value, node.args[0]
        else:
            return None
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            name = json.dumps([key.value])
        elif key is not None:
            return None
        names = self._names_of(base)
        return None if names is None else (*names, name)


def _bound_name(node: ast.AST) -> str | None:
    """Return the name that *node* binds, if it does."""
    if isinstance(node, ast.Name):
        return None if isinstance(node.ctx, ast.Load) else node.id
    name = getattr(node, "arg" if isinstance(node, ast.arg) else "name", None)
    return name if isinstance(name, str) else None


def _is_question(node: ast.AST) -> bool:
    """Return True for ``name in context.params``, ``hasattr()`` and ``try``."""
    return isinstance(node, (ast.In, ast.Try)) or getattr(node, "id", "") == "hasattr"


def _is_get(function: ast.expr) -> t.TypeGuard[ast.Attribute]:
    return isinstance(function, ast.Attribute) and function.attr == "get"


def _flask_names(tree: ast.Module) -> dict[str, Names]:
    """Return the names by which a file imports Flask's request and session."""
    return {
        alias.asname or alias.name: (f".{alias.name}",)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "flask"
        for alias in node.names
        if alias.name in ("request", "session")
    }
