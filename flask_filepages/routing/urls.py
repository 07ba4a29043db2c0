"""``url_for`` by route id, and what the pages and the app's own routes share."""

from __future__ import annotations

import difflib
import re
import typing as t
from urllib.parse import urlsplit

from flask import Flask
from flask import has_request_context
from flask import request
from werkzeug.routing import Map
from werkzeug.routing import Rule

from ..errors import Fault
from .routes import Route
from .rules import FileRule

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping

    #: The route ids of each FilePages of an app.
    Names = Mapping[str, t.Collection[str]]


# A variable of a rule: what is kept is its converter, unless that is the default.
_variable_re = re.compile(r"<(?:(?:string|default):)?(?:(\w+)[^:>]*:)?\w[^>]*>")


def endpoint_name(name: str, route_id: str) -> str:
    """Return Flask's name of a route. Dots would name a blueprint, so ``·``."""
    return f"{name}.{route_id.replace('.', '·')}"


def make_build_error_handler(
    app: Flask, names: Callable[[], Names], site: str | None
) -> Callable[[Exception, str, dict[str, t.Any]], str]:
    """Return a handler that lets ``url_for("/blog/[slug]", slug=...)`` build URLs.

    :param site: what absolute URLs begin with, instead of what the client sent as
        ``Host``.
    """

    def build_route_id(
        error: Exception, endpoint: str, values: dict[str, t.Any]
    ) -> str:
        name, colon, route_id = endpoint.partition(":/")
        tables = names()
        if colon and name in tables:
            route_id = f"/{route_id}"
            owners = [name] if route_id in tables[name] else []
        else:
            route_id = endpoint
            owners = [name for name, ids in tables.items() if route_id in ids]
        if len(owners) > 1 and has_request_context():
            owners = [name for name in owners if name == request.blueprint] or owners
        if len(owners) == 1:
            if site is not None and values.get("_external"):
                values.update(_external=False, _scheme=None)
                path = app.url_for(endpoint_name(owners[0], route_id), **values)
                return "{0.scheme}://{0.netloc}".format(urlsplit(site)) + path
            return app.url_for(endpoint_name(owners[0], route_id), **values)
        if len(owners) > 1:
            ways = " or ".join(f"url_for('{name}:{route_id}')" for name in owners)
            error.add_note(f"Several FilePages have {route_id}: write {ways}.")
        elif route_id.startswith("/"):
            ids = sorted({id for ids in tables.values() for id in ids})
            close = difflib.get_close_matches(route_id, ids, n=1)
            if close:
                error.add_note(f"Did you mean {close[0]!r}?")
        raise error

    return build_route_id


def collisions_with_app(
    map: Map, name: str, rules: t.Iterable[FileRule]
) -> list[Fault]:
    """Return a fault for every pattern that another rule of the app has too.

    :param name: of the FilePages whose *rules* they are.
    """
    own = {
        _shape(rule, map): rule
        for rule in map.iter_rules()
        if not (isinstance(rule, FileRule) and rule.endpoint.startswith(f"{name}."))
        if not rule.build_only
    }
    faults = {}
    for rule in rules:
        other = own.get(_shape(rule, map))
        if other is not None:
            faults[rule.route.id] = Fault(
                "collision",
                rule.route.name,
                f"answers {rule.rule}, and so does the app's endpoint"
                f" {other.endpoint!r}",
                "Keep one of the two: rename the file, or remove the other route.",
            )
    return list(faults.values())


def shadow_maps(
    map: Map, app_rules: t.Sequence[Rule], route: Route, rules: t.Sequence[FileRule]
) -> tuple[Map, Map] | None:
    """Return maps that tell whether a rule of the app itself goes before *route*.

    A rule of the app that answers other methods is passed over in matching, and
    a dynamic route behind it would answer a request that the app answers with 405
    today. The first map holds the app's rules that may overlap, for any method,
    and the route; the second those rules as they are. It is ``None`` if there are
    none, as for most routes.

    :param app_rules: see :func:`rules_of_app`.
    """
    if route.is_static:
        return None
    overlapping = [
        rule
        for rule in app_rules
        if rule.methods is not None
        and not rule.websocket
        and any(_may_overlap(rule.rule, own.rule) for own in rules)
    ]
    if not overlapping:
        return None
    any_method, as_they_are = _empty_copy(map), _empty_copy(map)
    paths = set()
    for rule in overlapping:
        as_they_are.add(rule.empty())
        free = rule.empty()
        free.methods = None
        if (free.rule, free.subdomain) not in paths:
            paths.add((free.rule, free.subdomain))
            any_method.add(free)
    for own in rules:
        any_method.add(own.empty())
    return any_method, as_they_are


def _empty_copy(map: Map) -> Map:
    return Map(
        default_subdomain=map.default_subdomain,
        converters=dict(map.converters),
        strict_slashes=map.strict_slashes,
        merge_slashes=map.merge_slashes,
    )


def rules_of_app(map: Map) -> list[Rule]:
    """Return the rules of the app itself: all but those of FilePages."""
    return [
        rule
        for rule in map.iter_rules()
        if not isinstance(rule, FileRule) and not rule.build_only
    ]


def _shape(rule: Rule, map: Map) -> tuple[str, str]:
    """Return a rule without the names of its variables and its last slash."""
    text = _variable_re.sub(r"<\1>", rule.rule)
    return rule.subdomain or map.default_subdomain, text.rstrip("/") or "/"


def _may_overlap(first: str, second: str) -> bool:
    """Whether two rules could match one path: they agree up to the first variable."""
    for one, other in zip(first.split("/"), second.split("/"), strict=False):
        if "<" in one or "<" in other:
            return True
        if one != other:
            return False
    return first.count("/") == second.count("/")
