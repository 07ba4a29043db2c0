"""JavaScript expressions of recorded ``getStaticPaths``, said in Python.

Only the few forms that listings are written in: literals, objects, calls of known
functions, and arrow functions.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable

_token_re = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`$\\]*`)
    |(?P<number>\d+(?:\.\d+)?)n?
    |(?P<name>[A-Za-z_$][\w$]*)
    |(?P<mark>=>|\.\.\.|[-+!?:;,.(){}\[\]])
    )""",
    re.VERBOSE,
)
_WORDS = {
    "null": "None",
    "undefined": "None",
    "true": "True",
    "false": "False",
    "NaN": "math.nan",
    "Infinity": "math.inf",
}
#: What the function is given there; here it gets no arguments.
GIVEN = "opts"
_OPTIONS = {"pageSize": "page_size", "params": "params", "props": "props"}


class UntranslatedError(ValueError):
    """A source that has no counterpart here, or that nobody wrote down yet."""


class _Object(str):
    """Python for a JavaScript object; its values are at hand by name."""

    fields: t.Mapping[str, str]


def python_expression(source: str) -> str:
    """Return *source* in Python.

    :raises UntranslatedError: it holds something else than the known forms.
    """
    tokens, end = [], 0
    source = source.strip()
    while end < len(source):
        found = _token_re.match(source, end)
        if found is None:
            raise UntranslatedError(source)
        tokens.append((t.cast(str, found.lastgroup), found[found.lastgroup or 0]))
        end = found.end()
    parser = _Parser(tokens)
    made = parser.expression()
    if parser.rest:
        raise UntranslatedError(source)
    return made


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.rest = tokens
        self.known = {"paginate", GIVEN}

    def next(self, text: str | None = None) -> tuple[str, str]:
        if not self.rest or text not in (None, self.rest[0][1]):
            raise UntranslatedError(str(self.rest[:1]))
        return self.rest.pop(0)

    def sees(self, *texts: str) -> bool:
        seen = [text for _, text in self.rest[: len(texts)]]
        return seen == list(texts)

    def takes(self, text: str) -> bool:
        if self.sees(text):
            self.next()
            return True
        return False

    # -- expressions --------------------------------------------------------------

    def expression(self) -> str:
        made = self.unary()
        while self.takes("+"):
            made = f"({made} + {self.unary()})"
        return made

    def unary(self) -> str:
        if self.takes("!"):
            return f"(not {self.unary()})"
        if self.takes("-"):
            return f"(-{self.unary()})"
        if self.takes("await"):
            return self.unary()
        if self.takes("new"):
            name, given = self.next()[1], []
            if self.takes("("):
                given = self.items(")")
            return self.made(name, given)
        return self.postfix(self.primary())

    def primary(self) -> str:
        parameters = self.arrow()
        if parameters is not None:
            return self.function(parameters)
        if self.takes("function"):
            if not self.sees("("):
                self.next()
            self.next("(")
            return self.function(self.items(")", names=True), is_arrow=False)
        kind, text = self.next()
        if kind == "string":
            return repr(re.sub(r"\\(.)", r"\1", text[1:-1]))
        if kind == "number":
            return text
        if text == "[":
            return f"[{', '.join(self.items(']'))}]"
        if text == "{":
            return self.object()
        if text == "(":
            made = self.expression()
            self.next(")")
            return made if isinstance(made, _Object) else f"({made})"
        if text in _WORDS:
            return _WORDS[text]
        if text in self.known:
            return "{}" if text == GIVEN else text
        if text in _CALLS and self.rest[:1] in ([("mark", ".")], [("mark", "(")]):
            return text
        raise UntranslatedError(text)

    def arrow(self) -> list[str] | None:
        """Take the parameters of an arrow function, if one begins here."""
        texts = [text for _, text in self.rest]
        if texts[1:2] == ["=>"] and self.rest[0][0] == "name":
            self.rest = self.rest[2:]
            return texts[:1]
        if texts[:1] != ["("] or ")" not in texts:
            return None
        end = texts.index(")")
        names = [text for text in texts[1:end] if text != ","]
        if texts[end + 1 : end + 2] != ["=>"] or not all(
            n.isidentifier() for n in names
        ):
            return None
        self.rest = self.rest[end + 2 :]
        return names

    def function(self, parameters: list[str], *, is_arrow: bool = True) -> str:
        self.known |= set(parameters)
        names = ", ".join(f"{name}=None" for name in parameters)
        if not self.takes("{") and is_arrow:
            return f"(lambda {names}: {self.expression()})"
        if self.takes("throw"):
            body = f"throw({self.expression()})"
        else:
            self.next("return")
            body = self.expression()
        self.takes(";")
        self.next("}")
        return f"(lambda {names}: {body})"

    def items(self, end: str, *, names: bool = False) -> list[str]:
        found = []
        while not self.takes(end):
            spread = self.takes("...")
            made = self.next()[1] if names else self.expression()
            found.append(f"*{made}" if spread else made)
            if not self.sees(end):
                self.next(",")
        return found

    def object(self) -> str:
        fields: dict[str, str] = {}
        while not self.takes("}"):
            kind, key = self.next()
            key = key[1:-1] if kind == "string" else key
            fields[key] = self.expression() if self.takes(":") else key
            if fields[key] == key and key not in self.known:
                raise UntranslatedError(key)
            if not self.sees("}"):
                self.next(",")
        if "params" in fields:
            given = ", ".join(fields[k] for k in ("params", "props") if k in fields)
            made = _Object(f"StaticPath({given})")
        else:
            pairs = ", ".join(f"{key!r}: {value}" for key, value in fields.items())
            made = _Object(f"{{{pairs}}}")
        made.fields = fields
        return made

    def postfix(self, made: str) -> str:
        while True:
            if self.takes("."):
                name = self.next()[1]
                if self.takes("("):
                    made = self.called(f"{made}.{name}", made, name)
                elif made == "{}":
                    made = f"{made}.get({name!r})"
                else:
                    raise UntranslatedError(name)
            elif self.takes("("):
                made = self.called(made, made, "")
            else:
                return made

    def called(self, whole: str, of: str, name: str) -> str:
        if whole == "paginate":
            return self.pages()
        given = self.items(")")
        if whole in _CALLS:
            return _CALLS[whole](*given)
        if name in _METHODS:
            return _METHODS[name](of, *given)
        if of.startswith(("(lambda", "((lambda")):
            return f"{of}({', '.join(given)})"
        raise UntranslatedError(whole)

    def pages(self) -> str:
        given = self.expression()
        if self.takes(","):
            options = self.expression()
            fields = options.fields if isinstance(options, _Object) else {"": ""}
            for name, value in fields.items():
                if name not in _OPTIONS:
                    raise UntranslatedError(name)
                given += f", {_OPTIONS[name]}={value}"
        self.next(")")
        return f"paginate({given})"

    def made(self, name: str, given: list[str]) -> str:
        if name not in _MADE:
            raise UntranslatedError(name)
        return _MADE[name](*given)


_CALLS: dict[str, Callable[..., str]] = {
    "Promise.resolve": lambda value: value,
    "Promise.reject": lambda error: f"throw({error})",
    "Object.keys": lambda value: f"[*{value}]",
    "String": lambda value: f"str({value})",
    "Symbol": lambda *given: "object()",
    "Promise": lambda: "Promise",
    "Object": lambda: "Object",
}
_METHODS: dict[str, Callable[..., str]] = {
    "map": lambda of, function: f"[*map({function}, {of})]",
    "flatMap": lambda of, function: f"[x for y in map({function}, {of}) for x in y]",
    "filter": lambda of, function: f"[*filter({function}, {of})]",
    "concat": lambda of, other: f"[*{of}, *{other}]",
    "sort": lambda of: f"sorted({of})",
    "toString": lambda of: f"str({of})",
}
_MADE: dict[str, Callable[..., str]] = {
    "Date": lambda *given: f"datetime.fromtimestamp({', '.join(given) or 0})",
    "Error": lambda message="''": f"RuntimeError({message})",
    "TypeError": lambda message="''": f"TypeError({message})",
    "Set": lambda items="()": f"{{*{items}}}",
    "Map": lambda *given: "{}",
    "Array": lambda *given: "[]",
}
