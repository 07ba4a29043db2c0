"""What the handlers of an endpoint do with their context, read from the text of the
file. Nothing is run."""

from __future__ import annotations

import ast
import json
import re
import typing as t
from collections import Counter
from collections.abc import Iterator

from ..handling.handlers import ALL
from ..handling.handlers import METHODS
from ..routing.files import Source

#: What differs between the visitors of one path.
_of_visitor_re = re.compile(
    r"context\.(?:session|url\.query|cookies(?!\.(?:set|delete)\b)"
    r"|request(?!\.(?:method|path|url_rule|endpoint|view_args)\b))\b"
)
#: What a variable may stand for.
_ALIASED = ("context", "context.params", "context.request")


class Use(t.NamedTuple):
    """One use of the context in a handler.

    :attr:`text` is ``context.params["id"]``, also for ``context.params.get("id")``.
    :attr:`is_sure` is False for the latter, and where the function checks whether the
    name exists.
    """

    line: int
    handler: str
    text: str
    is_sure: bool

    @property
    def reads_visitor(self) -> bool:
        """True if it reads what differs between the visitors of one path."""
        return _of_visitor_re.match(self.text) is not None

    @property
    def sets_cookie(self) -> bool:
        return self.text in ("context.cookies.set", "context.cookies.delete")


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
    handler: str, functions: t.Mapping[str, t.Any], known: t.Mapping[str, str]
) -> Iterator[Use]:
    """Yield how a handler uses the context, and functions to which it passes it.

    :param known: what the names of the file stand for.
    """
    calls = [(handler, 0)]
    for name, position in calls:  # The loop extends the list.
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
            variables[arguments[0].arg] = "context"
        inner: set[ast.AST] = set()  # The beginnings of longer expressions.
        for node in nodes:
            text = _text_of(node, variables)
            if text is not None:
                inner.add(next(ast.iter_child_nodes(node)))
            match node:
                case ast.Assign([ast.Name(target), *_], value) | ast.AnnAssign(
                    ast.Name(target), _, ast.expr() as value
                ):
                    meant = _text_of(value, variables)
                    if meant in _ALIASED and bound[target] == 1:
                        variables[target] = meant
                        inner.add(value)
                case ast.Call(ast.Name(called), given) if called in functions:
                    texts = [_text_of(one, variables) for one in given]
                    found = [(called, i) for i, s in enumerate(texts) if s == "context"]
                    calls += [c for c in found if c not in calls and not bound[called]]
            is_stored = isinstance(getattr(node, "ctx", None), ast.Store)
            is_part = text == "context" or node in inner or is_stored
            if isinstance(node, ast.expr) and text is not None and not is_part:
                is_sure = not (is_guarded or isinstance(node, ast.Call))
                yield Use(node.lineno, handler, text, is_sure)


def _text_of(node: ast.AST, variables: t.Mapping[str, str]) -> str | None:
    """Return what *node* reads of the context, or ``None`` for something else.

    :param variables: what variables stand for.
    """
    match node:
        case ast.Name(variable):
            return variables.get(variable)
        case ast.Attribute(base, attribute):
            name = f".{attribute}"
        case ast.Subscript(base, ast.Constant(str(key))) | ast.Call(
            ast.Attribute(base, "get"), [ast.Constant(str(key)), *_]
        ):
            name = json.dumps([key], ensure_ascii=False)
        case _:
            return None
    text = _text_of(base, variables)
    return None if text is None else text + name


def _bound_name(node: ast.AST) -> str | None:
    """Return the name that *node* binds, if it does."""
    if isinstance(node, ast.Name):
        return None if isinstance(node.ctx, ast.Load) else node.id
    name = getattr(node, "arg" if isinstance(node, ast.arg) else "name", None)
    return name if isinstance(name, str) else None


def _is_question(node: ast.AST) -> bool:
    """Return True for ``name in context.params``, ``hasattr()`` and ``try``."""
    return isinstance(node, (ast.In, ast.Try)) or getattr(node, "id", "") == "hasattr"


def _flask_names(tree: ast.Module) -> dict[str, str]:
    """Return the names by which a file imports Flask's request and session, and what
    they stand for."""
    return {
        alias.asname or alias.name: f"context.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "flask"
        for alias in node.names
        if alias.name in ("request", "session")
    }
