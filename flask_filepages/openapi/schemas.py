"""marshmallow schemas as JSON schemas, written by apispec."""

from __future__ import annotations

import copy
import inspect
import itertools
import json
import math
import re
import typing as t
from decimal import Decimal

from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import EXCLUDE
from marshmallow import INCLUDE
from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate

from ..validation.locations import TEXTS
from ..validation.validate import as_schema

Json = dict[str, t.Any]
_DECIMAL = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([Ee][+-]?[0-9]{1,3})?$"
#: The characters that JavaScript knows after a backslash, and syntax that only Python
#: knows.
_ESCAPES = frozenset(r"dDwWsSbBfnrtv0xu^$\.*+?()[]{}|/-")
_only_python_re = re.compile(r"\(\?(?![:=!]|<[=!])|[*+?}]\+|\{,|\[\^?\]")


class Converter(OpenAPIConverter):
    """Writes the JSON schemas of fields, and the components of schemas.

    apispec tells components apart by class and ``only``. Here the direction counts as
    well, because a field may be in the request or in the response only, and so do
    ``unknown``, and a ``partial`` that nested schemas inherit.

    :param modules: the names of routes, such as ``posts_by_id``, by module. A schema
        that is defined in an endpoint is called after its route, so that the ``Body``
        of one file never changes the name of another.
    :param components: the components, to which those of schemas are added.
    """

    def __init__(self, modules: t.Mapping[t.Any, str], components: Json) -> None:
        super().__init__("3.1.0", None, t.cast(t.Any, None))
        t.cast(t.Any, self).add_parameter_attribute_function(_parameter)
        self.components = components
        #: True while what a client sends is described.
        self.is_request = False
        self._is_partial = False
        self._modules = modules
        self._names: dict[t.Any, str] = {}

    def field2property(self, field: fields.Field[t.Any]) -> Json:
        """Return the JSON schema of *field*."""
        made = super().field2property(field)
        _correct_type(field, made)
        _correct_limits(field, made)
        plain: Json = json.loads(json.dumps(made, default=_plain))
        return plain

    def resolve_nested_schema(self, schema: t.Any) -> Json:
        """Return a reference to the component of *schema*. A schema that was made from
        a dict of fields has no name; return its JSON schema instead."""
        outer = self._is_partial
        self._is_partial = outer or schema.partial is True
        made = self._reference(schema)
        self._is_partial = outer
        return {"type": "array", "items": made} if schema.many else made

    def _reference(self, schema: Schema) -> Json:
        kind = type(schema)
        if kind.__name__ == "GeneratedSchema":
            return self.object_schema(schema)
        route = in_camel(self._modules.get(kind.__module__, ""))
        own = in_camel(kind.__name__.removesuffix("Schema") or kind.__name__)
        wanted = "".join([route, own, *self._changes(schema)])
        key = (kind, wanted, schema.unknown)
        if key not in self._names:
            name = self._names[key] = free_name(wanted, self.components)
            made: Json = self.components.setdefault(name, {})  # It may contain itself.
            made |= self.object_schema(schema, name)
        return {"$ref": f"#/components/schemas/{self._names[key]}"}

    def _union(self, schema: t.Any, name: str) -> Json:
        """Return the JSON schema of a ``OneOfSchema`` of marshmallow-oneofschema."""
        mapping = {}
        for kind, given in schema.type_schemas.items():
            variant = copy.copy(as_schema(given))
            variant.unknown = schema.unknown
            made = self.object_schema(variant)
            made["properties"][schema.type_field] = {"type": "string", "enum": [kind]}
            made["required"] = [*made.get("required", ()), schema.type_field]
            own = free_name(name + in_camel(str(kind)), self.components)
            self.components[own] = made
            mapping[kind] = f"#/components/schemas/{own}"
        return {
            "oneOf": [{"$ref": reference} for reference in mapping.values()],
            "discriminator": {"propertyName": schema.type_field, "mapping": mapping},
        }

    def object_schema(self, schema: Schema, name: str = "") -> Json:
        """Return the JSON schema of *schema*, in the direction that is described.

        :param name: the name of its component, after which variants are called.
        """
        if hasattr(schema, "type_schemas"):
            return self._union(schema, name)
        known = schema.load_fields if self.is_request else schema.dump_fields
        partial = self._is_partial or schema.partial
        made: Json = t.cast(t.Any, self).fields2jsonschema(known, partial=partial)
        for name in known if partial is True else known.keys() & set(partial or ()):
            # marshmallow sets no defaults in a partial schema.
            made["properties"][known[name].data_key or name].pop("default", None)
        text = vars(type(schema)).get("__doc__")
        made |= {"description": inspect.cleandoc(text)} if text else {}
        if schema.unknown != EXCLUDE:
            made["additionalProperties"] = schema.unknown == INCLUDE
        return made

    def _changes(self, schema: Schema) -> t.Iterator[str]:
        """Yield words that tell *schema* from others of its class, such as ``Only`` and
        ``Title``."""
        if self._is_partial or schema.partial:
            names: t.Any = () if self._is_partial else schema.partial
            yield from ("Partial", *map(in_camel, names))
        for modifier in ("only", "exclude", "load_only", "dump_only"):
            own = getattr(schema.opts, modifier, None) or ()
            names = sorted(set(getattr(schema, modifier) or ()) - set(own))
            yield from map(in_camel, [modifier, *names] if names else ())
        if self.is_request and _is_one_way(schema, set()):
            yield "Request"


def _is_one_way(schema: Schema, seen: set[type]) -> bool:
    """Return True if a field of *schema*, or of a nested one, is only loaded or only
    dumped."""
    seen.add(type(schema))
    every = schema.fields.values()
    inner = [getattr(field, "inner", field) for field in every]
    nested = [field.schema for field in inner if isinstance(field, fields.Nested)]
    return any(field.load_only or field.dump_only for field in every) or any(
        _is_one_way(one, seen) for one in nested if type(one) not in seen
    )


def free_name(name: str, taken: t.Container[str], separator: str = "") -> str:
    """Return *name*, with a number if it is in *taken*."""
    numbered = (f"{name}{separator}{number}" for number in itertools.count(2))
    return name if name not in taken else next(n for n in numbered if n not in taken)


def in_camel(name: str) -> str:
    """Return *name* in camel case, and in ASCII: ``PostsById`` for ``posts_by_id``."""
    words = re.split("[^A-Za-z0-9]", name)
    return "".join(word[:1].upper() + word[1:] for word in words)


def as_pattern(regex: str) -> str | None:
    """Return the regular expression *regex*, which matches at the start of a text, as a
    pattern of a JSON schema, or ``None`` if JavaScript does not know its syntax."""
    regex = re.sub(r"(?<!\\)\\Z\Z", "$", regex.removeprefix(r"\A"))
    if _only_python_re.search(regex) or set(re.findall(r"\\(.)", regex)) - _ESCAPES:
        return None
    is_anchored = regex.startswith("^") and "|" not in regex
    return regex if is_anchored else f"^(?:{regex})"


def _correct_type(field: t.Any, ret: Json) -> None:
    """Correct what apispec says about the type of *field*."""
    given = field.metadata
    if isinstance(field, fields.List) and "enum" in ret and "enum" not in given:
        ret["items"] = {**ret["items"], "enum": ret.pop("enum")}
    elif isinstance(field, fields.Url):
        ret["format"] = "uri-reference" if field.relative else "uri"
    elif isinstance(field, fields.DateTime):
        # apispec writes the `min` and `example` of a timestamp as texts.
        ret |= dict.fromkeys({"min", "example"} - given.keys())
    elif isinstance(field, fields.Decimal) and "type" not in given:
        # Flask sends a Decimal as a text, and marshmallow takes both.
        ret["type"] = ["number", "string", *(["null"] if field.allow_none else ())]
        ret.setdefault("pattern", _DECIMAL)


def _correct_limits(field: t.Any, ret: Json) -> None:
    """Correct the limits of *field*. apispec takes each as inclusive, and does not know
    that ``Regexp`` matches at the start of a text."""
    for one in field.validators:
        if isinstance(one, validate.Range):
            inclusive = {"minimum": one.min_inclusive, "maximum": one.max_inclusive}
            for name, limit in {"minimum": one.min, "maximum": one.max}.items():
                if name in ret and ret[name] == limit and not inclusive[name]:
                    ret[f"exclusive{name.capitalize()}"] = ret.pop(name)
        if isinstance(one, validate.Regexp) and "pattern" not in field.metadata:
            is_plain = not one.regex.flags & ~(re.UNICODE | re.ASCII)
            ret["pattern"] = as_pattern(str(one.regex.pattern)) if is_plain else None
        if isinstance(getattr(one, "choices", None), (set, frozenset)):
            ret["enum"] = sorted(ret["enum"], key=str)
    for key, value in list(ret.items()):
        is_endless = isinstance(value, float) and not math.isfinite(value)
        if is_endless or (value is None and key != "default"):
            del ret[key]


def _plain(value: object) -> object:
    """Return a value of a schema, such as a date, as plain JSON."""
    return float(value) if isinstance(value, Decimal) else str(value)


def _parameter(self: t.Any, field: t.Any, ret: Json) -> Json:
    """Return what apispec does not know about the values of a parameter."""
    found: Json = {"required": True} if ret["in"] == "path" else {}
    if ret["in"] in ("header", "path") and "style" in ret:
        found["style"] = "simple"
    if getattr(field, "is_multiple", True) is False:  # It splits one text itself.
        found["explode"] = False
    # An empty text counts as absent.
    is_text = type(getattr(field, "inner", field)) in TEXTS
    if ret["in"] == "query" and not (field.required or is_text):
        found["allowEmptyValue"] = True
    return found
