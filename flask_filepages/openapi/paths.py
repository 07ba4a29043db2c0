"""Paths as OpenAPI writes them: ``/posts/{id}``, their params, names and tags."""

from __future__ import annotations

import itertools
import os
import re
import typing as t
from urllib.parse import quote
from urllib.parse import unquote

from werkzeug.routing import BaseConverter
from werkzeug.routing import FloatConverter
from werkzeug.routing import IntegerConverter
from werkzeug.routing import Map
from werkzeug.routing import UUIDConverter

from ..handling.route import BoundRoute
from ..routing.converters import SEGMENT_SAFE
from ..routing.converters import IntConverter
from ..routing.converters import make_matcher
from ..routing.patterns import Part
from ..routing.rules import FileRule
from .schemas import as_pattern

param_re = re.compile(r"\{([\w$]+)\}", re.ASCII)
_not_name_re = re.compile(r"[^A-Za-z0-9]+")


def template_of(rule: FileRule) -> str:
    """Return the path of *rule* as a template, such as ``/posts/{id}``."""
    text = quote(rule.prefix, safe=f"{SEGMENT_SAFE}/")
    for segment in rule.pattern.segments:
        text += "/"
        for part in segment.parts:
            is_param = part.kind != "text"
            text += f"{{{part.text}}}" if is_param else quote(part.text, SEGMENT_SAFE)
    return f"{text}/" if rule.rule.endswith("/") or not text else text


def name_of(template: str) -> str:
    """Return a name for the path: ``posts_by_id`` for ``/posts/{id}``."""
    words = _not_name_re.sub("_", param_re.sub(r"_by_\1_", unquote(template)))
    return words.strip("_") or "index"


def tag_of(bound: BoundRoute) -> str:
    """Return the folder of the route, without groups and up to the first param, below
    its prefix: ``api-posts`` for ``api/posts/[id].py``. For a file of the pages folder
    itself, return the name of that folder.

    Client generators name modules after it, and leave out slashes.
    """
    folders = f"{bound.site.url_prefix}/{bound.route.name}".split("/")[:-1]
    static = itertools.takewhile(lambda name: "[" not in name, folders)
    names = [name for name in static if name and not name.startswith("(")]
    return "-".join(names) or os.path.basename(bound.site.folder)


def path_parameter(part: Part, map: Map) -> dict[str, t.Any]:
    """Return the parameter object of a param of the path."""
    matcher = make_matcher(map, part.matcher) if part.matcher else None
    schema: t.Any = _type_of(matcher) if matcher else {"type": "string"}
    found = {"name": part.text, "in": "path", "required": True, "schema": schema}
    if part.kind == "rest":
        found["description"] = "One or more segments of the path."
    return found


def _type_of(converter: BaseConverter) -> dict[str, t.Any]:
    """Return the JSON schema of the values of a matcher."""
    if isinstance(converter, (IntConverter, IntegerConverter)):
        return {"type": "integer"}
    if isinstance(converter, FloatConverter):
        return {"type": "number"}
    if isinstance(converter, UUIDConverter):
        return {"type": "string", "format": "uuid"}
    pattern = as_pattern(converter.regex)
    return {"type": "string", **({"pattern": f"{pattern}$"} if pattern else {})}
