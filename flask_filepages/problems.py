"""Problem documents: errors as JSON (RFC 9457)."""

from __future__ import annotations

import json
import typing as t

MIMETYPE = "application/problem+json"
#: More errors do not help the client, and cost the server.
_MOST_ERRORS = 100
#: The JSON schema of the documents of this module.
JSON_SCHEMA: dict[str, t.Any] = {
    "type": "object",
    "description": "An error (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string", "description": "The name of the status."},
        "status": {"type": "integer", "description": "The status."},
        "detail": {"type": "string", "description": "What is wrong."},
        "instance": {"type": "string", "description": "Its id in the log."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "detail"],
                "properties": {
                    "in": {"type": "string", "description": "The location."},
                    "detail": {"type": "string", "description": "What is wrong."},
                    "pointer": {
                        "type": "string",
                        "description": "The place in a JSON body (RFC 6901).",
                    },
                    "parameter": {
                        "type": "string",
                        "description": "The name of the value in another location.",
                    },
                },
            },
        },
    },
}


def document(
    status: int,
    title: str,
    *,
    detail: str | None = None,
    instance: str | None = None,
    errors: t.Sequence[t.Mapping[str, str]] = (),
) -> str:
    """Return a problem document as JSON (RFC 9457, section 3.1)."""
    required = {"type": "about:blank", "title": title, "status": status}
    optional = {"detail": detail, "instance": instance, "errors": errors}
    given = {name: value for name, value in optional.items() if value}
    return json.dumps({**required, **given}, ensure_ascii=False)


def errors_of(messages: t.Mapping[str, t.Any]) -> list[dict[str, str]]:
    """Flatten marshmallow's *messages* by location into a list of errors.

    ``{"json": {"a": ["Too short."]}}`` becomes ``[{"in": "json", "pointer": "#/a",
    "detail": "Too short."}]``. Errors outside the JSON body have a ``parameter``
    instead of a ``pointer`` (RFC 6901).
    """
    found: list[dict[str, str]] = []
    for location, tree in messages.items():
        for path, detail in _leaves(tree, ()):
            found.append(_error(location, path, detail))
            if len(found) == _MOST_ERRORS:
                return found
    return found


def _error(location: str, path: tuple[str, ...], detail: str) -> dict[str, str]:
    if location == "json":
        escaped = (name.replace("~", "~0").replace("/", "~1") for name in path)
        pointer = "/".join(["#", *escaped])
        return {"in": location, "pointer": pointer, "detail": detail}
    return {"in": location, "parameter": ".".join(path), "detail": detail}


def _leaves(
    tree: t.Any, path: tuple[str, ...]
) -> t.Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(tree, t.Mapping):
        for name, below in tree.items():
            # marshmallow's name for errors of the schema as a whole.
            yield from _leaves(below, path if name == "_schema" else (*path, str(name)))
    elif isinstance(tree, (list, tuple)):
        for below in tree:
            yield from _leaves(below, path)
    else:
        yield path, str(tree)
