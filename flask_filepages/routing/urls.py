"""``url_for`` by route id, and collisions with the app's own routes."""

from __future__ import annotations

import contextlib
import hashlib
import re
import typing as t
from collections.abc import Iterable

from flask import Flask
from flask import has_request_context
from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map
from werkzeug.routing import Rule

from ..errors import Fault
from ..errors import closest
from ..settings import Settings
from .rules import FileRule

# A variable in a rule. Only its converter is kept, unless that is the default.
_variable_re = re.compile(r"<(?:(?:string|default):)?(?:(\w+)[^:>]*:)?\w[^>]*>")


def endpoint_name(name: str, route_id: str) -> str:
    """Return Flask's endpoint name of a route, such as ``filepages./feed·xml``.

    Flask takes the text before a dot for a blueprint, so dots become ``·``.
    """
    return f"{name}.{route_id.replace('.', '·')}"


class RouteUrls:
    """Lets ``url_for("/blog/[slug]", slug=...)`` build URLs, as one of
    ``app.url_build_error_handlers``.

    :param settings: absolute URLs begin with ``FILEPAGES_SITE``, not with the ``Host``
        that the client sent.
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        #: Endpoint names by route id, then by the name of the FilePages.
        self._routes: dict[str, dict[str, str]] = {}

    def add(self, name: str, route_ids: Iterable[str]) -> None:
        """Add the routes of the FilePages called *name*."""
        for route_id in route_ids:
            endpoint = endpoint_name(name, route_id)
            self._routes.setdefault(route_id, {})[name] = endpoint
            self._routes[f"{name}:{route_id}"] = {name: endpoint}

    def __call__(
        self, error: Exception, endpoint: str, values: dict[str, t.Any]
    ) -> str:
        found = self._routes.get(endpoint)
        if found is None:
            hint = self._hint(endpoint)
            suggested = getattr(error, "suggested", None)
            if hint is None and isinstance(suggested, FileRule):
                hint = f"Did you mean url_for({suggested.route.id!r})?"
            if hint is not None:
                # Werkzeug's own suggestion may be the endpoint name of a file.
                t.cast(t.Any, error).suggested = None
                error.add_note(hint)
            raise error
        if len(found) > 1 and has_request_context() and request.blueprint in found:
            found = {request.blueprint: found[request.blueprint]}
        if len(found) > 1:
            ways = " or ".join(f"url_for('{name}:{endpoint}')" for name in found)
            error.add_note(f"Several FilePages have {endpoint}: write {ways}.")
            raise error
        # Should a param be missing, the error for the endpoint name says so.
        t.cast(t.Any, error).suggested = None
        (name,) = found.values()
        base = self._settings.base_url
        if base is not None and values["_external"]:
            values.update(_external=False, _scheme=None)
            root = self._settings.root
            if has_request_context():
                root = request.root_path.rstrip("/")
            return base + self._app.url_for(name, **values).removeprefix(root)
        return self._app.url_for(name, **values)

    def _hint(self, endpoint: str) -> str | None:
        """Return what to write instead of *endpoint*, or ``None`` if it seems to have
        nothing to do with a route."""
        path = self._without_name(endpoint)
        other, colon, rest = endpoint.partition(":/")
        if colon and f"/{rest}" in self._routes:
            return (
                f"There is no FilePages named {other!r} with this route. Did you mean"
                f" url_for({'/' + rest!r})?"
            )
        if endpoint in self._app.view_functions:  # So a param is missing.
            if "/" not in path:
                return None
            rule = next(self._app.url_map.iter_rules(endpoint))
            params = "".join(f", {name}=..." for name in sorted(rule.arguments))
            return f"Write url_for({path.replace('·', '.')!r}{params})."
        if "/" not in path:
            return self._hint_for_view(path)
        path = path.replace("·", ".") if path.startswith("/") else f"/{path}"
        for known in _without_index(path):
            if known in self._routes:
                return f"Did you mean url_for({known!r})?"
        with contextlib.suppress(HTTPException):
            adapter = self._app.url_map.bind("localhost")
            rule, values = adapter.match(path, return_rule=True)
            if isinstance(rule, FileRule) and not set("[]<>") & set(path):
                values = {k: v for k, v in values.items() if v is not None}
                params = "".join(
                    f", {name}={value!r}" for name, value in values.items()
                )
                return f"Did you mean url_for({rule.route.id!r}{params})?"
        close = closest(path, self._routes)
        return f"Did you mean url_for({close!r})?" if close else None

    def _without_name(self, endpoint: str) -> str:
        """Return *endpoint* without the name of a FilePages, which Flask adds to
        ``url_for(".index")`` in a page."""
        for name in {name for found in self._routes.values() for name in found}:
            endpoint = endpoint.removeprefix(f"{name}.")
        return endpoint

    def _hint_for_view(self, name: str) -> str | None:
        """Return what to write for a view that is not there, such as ``auth.login``,
        which may have become a page."""
        path = f"/{name.replace('.', '/')}"
        last = [i for i in self._routes if i.rpartition("/")[2] == name]
        for known in (*_without_index(path), *last):
            if known in self._routes:
                return f"Did you mean url_for({known!r})?"
        views = [view for view in self._app.view_functions if "./" not in view]
        same = [view for view in views if view.rpartition(".")[2] == name]
        close = same[0] if same else closest(name, views)
        return f"Did you mean url_for({close!r})?" if close else None


def _without_index(path: str) -> tuple[str, ...]:
    """Return *path*, and what may be meant by it if it ends in ``index``."""
    return (path, path.removesuffix("index"), path.removesuffix("/index"))


def collisions_with_app(map: Map, name: str, rules: Iterable[FileRule]) -> list[Fault]:
    """Return a fault for every pattern that another rule of the app has too.

    :param name: the name of the FilePages whose *rules* they are.
    """
    others = {
        shape_of(rule, map): rule
        for rule in map.iter_rules()
        if not (isinstance(rule, FileRule) and rule.endpoint.startswith(f"{name}."))
        if not rule.build_only
    }
    faults = {}
    for rule in rules:
        other = others.get(shape_of(rule, map))
        if other is not None:
            faults[rule.route.id] = Fault(
                "collision",
                rule.route.name,
                f"conflicts with the app's endpoint {other.endpoint!r}: both match"
                f" {rule.rule}",
                "Rename the file, or remove the other route.",
            )
    return list(faults.values())


def shape_of(rule: Rule, map: Map) -> tuple[str, str]:
    """Return a rule without the names of its variables and its last slash."""
    text = _variable_re.sub(r"<\1>", rule.rule)
    return rule.subdomain or map.default_subdomain, text.rstrip("/") or "/"


def digest_of_rules(map: Map) -> str:
    """Return a digest of all rules of an app, and of the files behind ours.

    Equal digests mean that every request reaches the same files through the same
    middleware.
    """
    digest = hashlib.sha256()
    for rule in map.iter_rules():
        parts = [rule.rule, rule.subdomain, rule.endpoint]
        if isinstance(rule, FileRule):
            route = rule.route
            files = [source.relative for source in route.middleware]
            page = route.page.relative if route.page is not None else None
            parts += [route.name, page, route.prerender, *files]
        else:
            parts += sorted(rule.methods or ())
        digest.update(f"{parts}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]
