"""What the handlers of an endpoint do with their context, read from the text of the
file. Nothing is run."""

from __future__ import annotations

import ast
import json
import typing as t
from collections import Counter
from collections.abc import Iterator

from ..handling.handlers import ALL
from ..handling.handlers import METHODS
from ..routing.files import Source

#: Attributes of a request that are the same for every visitor of a path.
_SAME_FOR_ALL = (".method", ".path", ".url_rule", ".endpoint", ".view_args")

Names = tuple[str, ...]
#: What a variable may stand for.
_ALIASED: tuple[Names, ...] = ((), (".params",), (".request",))


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
        return self.names[:2] == (".url", ".query") or (
            first in (".session", ".cookies") and not self.sets_cookie
        )

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
    known = _flask_names(tree)
    handlers = functions.keys() & {*METHODS, ALL}
    return sorted({use for one in handlers for use in _uses_in(one, functions, known)})


def _uses_in(
    handler: str, functions: t.Mapping[str, t.Any], known: t.Mapping[str, Names]
) -> Iterator[Use]:
    """Yield how a handler uses the context, and functions to which it passes it.

    :param known: the names of the file that stand for a part of the context.
    """
    calls = [(handler, 0)]
    for name, position in calls:  # It grows.
        function = functions[name]
        arguments = [*function.args.posonlyargs, *function.args.args][position:]
        if not arguments or (arguments[0].arg != "context" and function.decorator_list):
            continue  # A decorator may call it with something else.
        nodes = list(ast.walk(function))
        is_guarded = any(map(_is_question, nodes))
        # A name that is bound a second time may be something else.
        bound = Counter(filter(None, map(_bound_name, nodes)))
        variables = {one: known[one] for one in known if not bound[one]}
        if bound[arguments[0].arg] == 1:
            variables[arguments[0].arg] = ()
        inner: set[ast.AST] = set()  # The beginnings of longer names.
        for node in nodes:
            match node:
                case ast.Assign([ast.Name(target), *_], value) | ast.AnnAssign(
                    ast.Name(target), _, ast.expr() as value
                ):
                    names = _names_of(value, variables)
                    if names in _ALIASED and bound[target] == 1:
                        variables[target] = names
                        inner.add(value)
                case ast.Call(ast.Name(called), given) if not bound[called]:
                    for index, argument in enumerate(given):
                        call = (called, index)
                        is_context = _names_of(argument, variables) == ()
                        if is_context and called in functions and call not in calls:
                            calls.append(call)
            names = _names_of(node, variables)
            if names is not None:
                inner.add(next(ast.iter_child_nodes(node)))
            is_stored = isinstance(getattr(node, "ctx", None), ast.Store)
            is_part = node in inner or is_stored
            if names and isinstance(node, ast.expr) and not is_part:
                is_call = isinstance(node, ast.Call)
                yield Use(node.lineno, handler, names, not (is_call or is_guarded))


def _names_of(node: ast.AST, variables: t.Mapping[str, Names]) -> Names | None:
    """Return the names after the context, or ``None`` for something else.

    :param variables: what variables stand for. ``()`` is the context itself.
    """
    match node:
        case ast.Name(variable):
            return variables.get(variable)
        case ast.Attribute(base, attribute):
            name = f".{attribute}"
        case ast.Subscript(base, ast.Constant(str(key))):
            name = json.dumps([key])
        case ast.Call(ast.Attribute(base, "get"), [ast.Constant(str(key)), *_]):
            name = json.dumps([key])
        case _:
            return None
    names = _names_of(base, variables)
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


def _flask_names(tree: ast.Module) -> dict[str, Names]:
    """Return the names by which a file imports Flask's request and session."""
    return {
        alias.asname or alias.name: (f".{alias.name}",)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "flask"
        for alias in node.names
        if alias.name in ("request", "session")
    }
