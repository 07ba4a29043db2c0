"""marshmallow schemas as JSON schemas, written by apispec."""

from __future__ import annotations

import copy
import inspect
import re
import typing as t

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from marshmallow import EXCLUDE
from marshmallow import INCLUDE
from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate

from ..validation.locations import TEXTS
from ..validation.validate import as_schema

# Part of Python's regular expressions, but not of those of JavaScript.
_only_python_re = re.compile(r"\(\?(?![:=!]|<[=!])|\\[AZ]|[*+?}]\+")
_DECIMAL = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([Ee][+-]?[0-9]{1,3})?$"


class SchemaPlugin(MarshmallowPlugin):
    """Names the components, and corrects what apispec writes.

    :param modules: the names of routes, such as ``posts_by_id``, by module. A schema
        that is defined in an endpoint is called after its route, so that the ``Body``
        of one file never changes the name of another.
    :param taken: the names of components that are not schemas of the app.
    """

    converter: t.Any

    def __init__(self, modules: t.Mapping[str | None, str], taken: set[str]) -> None:
        super().__init__(self._name_of)
        self._modules = modules
        self._taken = taken

    def init_spec(self, spec: APISpec) -> None:
        super().init_spec(spec)
        self.converter.add_attribute_function(_corrected)
        self.converter.add_parameter_attribute_function(_parameter)

    def schema_helper(  # type: ignore[override]
        self, name: str, _: t.Any, schema: t.Any = None, **kwargs: t.Any
    ) -> t.Any:
        """Return the JSON schema of the component *name*, if it is made from a
        marshmallow schema."""
        made = t.cast(t.Any, super()).schema_helper(name, _, schema, **kwargs)
        if schema is None:
            return made
        instance = resolve_schema_instance(schema)
        if hasattr(instance, "type_schemas"):
            return self._union(name, instance)
        text = vars(type(instance)).get("__doc__")
        if text:
            made.setdefault("description", inspect.cleandoc(text))
        if instance.unknown != EXCLUDE:  # apispec forgets it next to a description.
            made["additionalProperties"] = instance.unknown == INCLUDE
        return made

    def _union(self, name: str, schema: t.Any) -> dict[str, t.Any]:
        """Return the JSON schema of a ``OneOfSchema`` of marshmallow-oneofschema."""
        mapping = {}
        resolve = self.converter.resolve_nested_schema
        for kind, given in schema.type_schemas.items():
            variant = as_schema(given)
            field = fields.String(required=True, validate=validate.Equal(kind))
            own: t.Any = {schema.type_field: field, **variant.fields}
            made = Schema.from_dict(own, name=name + in_camel(kind))
            mapping[kind] = resolve(made(unknown=variant.unknown))["$ref"]
        return {
            "oneOf": [{"$ref": ref} for ref in mapping.values()],
            "discriminator": {"propertyName": schema.type_field, "mapping": mapping},
        }

    def _name_of(self, schema: t.Any) -> str:
        """Return a free name for the component of *schema*."""
        instance = resolve_schema_instance(schema)
        kind = type(instance)
        if kind.__name__ == "GeneratedSchema":
            return ""  # It is from a dict of fields.
        route = in_camel(self._modules.get(kind.__module__, ""))
        name = kind.__name__.removesuffix("Schema") or kind.__name__
        return free_name(route + name + "".join(_changes(instance)), self._taken)


def _changes(schema: Schema) -> t.Iterator[str]:
    """Yield what distinguishes *schema* from others of its class, such as ``Partial``
    and ``OnlyIdTitle``."""
    if schema.partial:
        yield "Partial"
        yield from () if schema.partial is True else map(in_camel, schema.partial)
    for modifier in ("only", "exclude", "load_only", "dump_only"):
        own = getattr(schema.opts, modifier, None) or ()
        names = sorted(set(getattr(schema, modifier) or ()) - set(own))
        yield from map(in_camel, [modifier, *names] if names else ())


def free_name(name: str, taken: set[str], separator: str = "") -> str:
    """Return *name*, with a number if it is in *taken*, and add it there."""
    free, number = name, 2
    while free in taken:
        free = f"{name}{separator}{number}"
        number += 1
    taken.add(free)
    return free


def in_camel(name: str) -> str:
    """Return *name* in camel case: ``PostsById`` for ``posts_by_id``."""
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"\W|_", name))


def as_pattern(regex: str) -> str | None:
    """Return the regular expression *regex*, which matches at the start of a text, as a
    pattern of a JSON schema, or ``None`` if JavaScript does not know it."""
    regex = re.sub(r"\\Z\Z", "$", regex.removeprefix(r"\A"))
    if _only_python_re.search(regex):
        return None
    is_anchored = regex.startswith("^") and "|" not in regex
    return regex if is_anchored else f"^(?:{regex})"


def _corrected(self: t.Any, field: t.Any, ret: dict[str, t.Any]) -> dict[str, t.Any]:
    """Correct the JSON schema of a field. apispec calls this after its own functions.

    apispec does not look into ``And``, takes every limit as inclusive, and knows
    neither that ``Regexp`` matches at the start of a text nor that a partial schema
    makes nested schemas partial.
    """
    given = field.metadata
    validators = list(_each(field.validators))
    if len(validators) != len(field.validators):
        field = copy.copy(field)
        field.validators = validators
        return t.cast("dict[str, t.Any]", self.field2property(field))
    if isinstance(field, fields.Nested) and getattr(field.root, "partial", 0) is True:
        ret.clear()  # marshmallow loads what is nested as partial, too.
        nested = copy.copy(field.schema)
        nested.partial = True
        return t.cast("dict[str, t.Any]", self.resolve_nested_schema(nested))
    for one in validators:
        if isinstance(one, validate.Range):
            inclusive = {"minimum": one.min_inclusive, "maximum": one.max_inclusive}
            for name in [n for n in inclusive if n in ret and not inclusive[n]]:
                ret[f"exclusive{name.capitalize()}"] = ret.pop(name)
        if isinstance(one, validate.Regexp) and "pattern" not in given:
            is_exact = not one.regex.flags & re.IGNORECASE
            ret["pattern"] = as_pattern(str(one.regex.pattern)) if is_exact else None
    if isinstance(field, fields.List) and "enum" in ret and "enum" not in given:
        ret["items"] = {**ret["items"], "enum": ret.pop("enum")}
    if isinstance(field, fields.Url):
        ret["format"] = given.get("format", "uri")
    if isinstance(field, fields.DateTime):
        ret.update(dict.fromkeys({"min", "example"} - given.keys()))
    if isinstance(field, fields.Decimal) and "type" not in given:
        # Flask sends a Decimal as a text, and marshmallow takes both.
        ret["type"] = ["number", "string", *(["null"] if field.allow_none else ())]
        ret.setdefault("pattern", _DECIMAL)
    for key in [k for k, value in ret.items() if value is None and k != "default"]:
        del ret[key]
    return {}


def _each(validators: t.Iterable[t.Any]) -> t.Iterator[t.Any]:
    """Yield the validators, and those in an ``And`` one by one."""
    for one in validators:
        yield from _each(one.validators) if isinstance(one, validate.And) else (one,)


def _parameter(self: t.Any, field: t.Any, ret: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what apispec does not know about the values of a parameter."""
    found: dict[str, t.Any] = {}
    if ret["in"] == "header" and "style" in ret:
        found["style"] = "simple"
    if getattr(field, "is_multiple", True) is False:  # webargs' DelimitedList.
        found["explode"] = False
    # An empty text counts as absent.
    if ret["in"] == "query" and not field.required and type(field) not in TEXTS:
        found["allowEmptyValue"] = True
    return found
