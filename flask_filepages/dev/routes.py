"""Describe routes, and which of them handles a request, as data for people and
programs."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Iterator
from urllib.parse import unquote
from urllib.parse import urlsplit

from flask import Flask
from marshmallow import Schema
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound
from werkzeug.routing import Map
from werkzeug.routing import RequestRedirect
from werkzeug.routing import Rule

from ..context import current_request
from ..functions import location_of
from ..functions import name_of
from ..handling import responses
from ..handling import route as routes
from ..handling.debug import build_time
from ..handling.handlers import ALL
from ..handling.middleware import MIDDLEWARE_NAME
from ..handling.middleware import Link
from ..handling.origins import SAFE_METHODS
from ..handling.redirects import make_redirect_view
from ..handling.redirects import redirect_slash
from ..handling.templates import state_of_visitor
from ..handling.view import closest_path
from ..handling.view import match_path
from ..prerendering.stored import PrerenderedRoute
from ..routing.files import STATIC_PATHS
from ..routing.rules import FileRule
from ..routing.rules import matched_path
from ..validation.responds import declared_responses
from ..validation.validate import schemas_of
from .handler_code import uses_of

BoundRoute = routes.BoundRoute
Info = dict[str, t.Any]


def describe_route(bound: BoundRoute) -> Info:
    """Return what is known about a route. This loads its files; ``errors`` has the
    reasons if that fails."""
    route = bound.route
    with bound.site.lock:
        faults = bound.load()
    own = bound.functions.items()
    return {
        "filepages": bound.site.name,
        "folder": f"{os.path.relpath(bound.site.folder)}/{os.path.dirname(route.name)}",
        "file": route.name,
        "page": route.page.relative if route.page and route.endpoint else None,
        "route": route.id,
        "urls": [rule.rule for rule in bound.rules],
        "endpoint": bound.endpoint,
        "redirects_to": route.redirect.target if route.redirect else None,
        "methods": [] if faults else list(bound.methods()),
        "prerender": route.prerender or False,
        "sent": sent_by(bound),
        "middleware": [*map(_name_of_link, bound.links)],
        "validates": [
            f"{method} {location}: {_name_of_schema(schema)}"
            for method, function in own
            for location, schema in schemas_of(function).items()
        ],
        "responds": [
            f"{method} {status}: {_name_of_schema(one.schema or one.mimetype)}"
            for method, function in own
            for status, one in declared_responses(function).items()
        ],
        "errors": [str(fault) for fault in faults],
    }


def sent_by(bound: BoundRoute) -> str | None:
    """Return where the stored responses of a route are sent, if it has some."""
    if not isinstance(bound, PrerenderedRoute):
        return None
    if bound.guards:
        return "inside Flask, behind middleware"
    return "front" if bound.site.front is not None else "inside Flask"


def _name_of_link(link: Link) -> str:
    file, line = location_of(link.function) or ("", 0)
    source = link.source
    if file != source.path:  # It comes from a library, or from another file.
        line = source.line_of(MIDDLEWARE_NAME) or 1
    runs = "once per render" if link.is_once_per_render else "on every response"
    return f"{name_of(link.function)} ({os.path.relpath(source.path)}:{line}), {runs}"


def _name_of_schema(schema: t.Any) -> str:
    if isinstance(schema, Schema):
        return f"{type(schema).__name__} ({', '.join(schema.fields)})"
    return schema or "no body"


# -- one request --------------------------------------------------------------------


def explain(app: Flask, method: str, url: str) -> Info:
    """Return what happens to a request. ``candidates`` has the rules that could match,
    each with the reason why it does or does not: files in the order in which they are
    tried, then views of the app.

    :param url: a path, or a whole URL.
    """
    root = (app.config["APPLICATION_ROOT"] or "/").rstrip("/")
    path = unquote(urlsplit(url).path)
    path = path if path.startswith("/") else f"/{path}"
    if f"{path}/".startswith(f"{root}/"):
        path = path[len(root) :] or "/"
    winner: Rule | None = None
    params: Info = {}
    try:
        winner, params = match_path(app, path, method)
        result = f"the view {winner.endpoint!r} of the app"
    except RequestRedirect as error:
        result = f"{error.code}, redirect to {urlsplit(error.new_url).path}"
    except HTTPException as error:
        result = f"{error.code}, no file matches"
    found: Info = {"request": f"{method} {path}", "response": result}
    if isinstance(winner, FileRule):
        bound = winner.bound
        about = describe_route(bound)
        found["response"] = _response(winner, method, path, params)
        if about["errors"]:
            found["response"] = "500, its files cannot be loaded"
        found |= {name: about[name] for name in ("route", "file", "page", "errors")}
        found["params"] = {**bound.absent_params, **params}
        found |= {name: about[name] for name in ("middleware", "validates", "responds")}
        is_handled = method in bound.methods()
        if is_handled and method not in SAFE_METHODS and bound.settings.check_origin:
            found["origin_check"] = "refuses requests from pages of other sites"
        if method in ("GET", "HEAD"):
            found |= _storing(bound, path)
    found["candidates"] = list(_candidates(app, method, path, winner))
    close = closest_path(app, path)
    if winner is None and not found["candidates"] and close:
        found["response"] += f". Did you mean {close}?"
    return found


def _response(rule: FileRule, method: str, path: str, params: Info) -> str:
    """Return who makes the response, or which one needs no handler."""
    bound = rule.bound
    environ = {"PATH_INFO": path.encode().decode("latin-1")}
    context = bound.app.test_request_context
    with context(method=method, environ_overrides=environ):
        # Flask itself sets none if TRUSTED_HOSTS lacks the host of this context.
        current_request().url_rule = rule
        try:
            redirect = redirect_slash(current_request())
        except NotFound:
            return "404, because of FILEPAGES_TRAILING_SLASH"
        if bound.route.redirect is not None:
            redirect = make_redirect_view(bound.route.redirect)(**params)
    if redirect is not None:
        return f"{redirect.status_code}, redirect to {redirect.headers['Location']}"
    names = (method, ALL, "GET") if method == "HEAD" else (method, ALL)
    handler = next((name for name in names if name in bound.functions), None)
    if handler is None:
        status = 204 if method == "OPTIONS" else 405
        return f"{status} with Allow: {', '.join(bound.methods())}"
    function, page = bound.functions[handler], bound.route.page
    if function is routes.GET and page is not None:
        return f"{handler} in {os.path.relpath(page.path)}"
    file, line = location_of(function) or (name_of(function), 0)
    return f"{handler} in {os.path.relpath(file)}:{line}"


def _storing(bound: BoundRoute, path: str) -> Info:
    """Return whether the response is stored, and in which release, or why it is not."""
    if not isinstance(bound, PrerenderedRoute):
        return {"stored": "no", "because": list(_why_not_stored(bound))}
    cache = responses.DEFAULT_CACHE_CONTROL
    found: Info = {
        "stored": "no release yet; run `flask filepages build`",
        "default": responses.GUARDED_CACHE_CONTROL if bound.guards else cache,
        "sent": sent_by(bound),
    }
    releases = bound.site.releases
    release = releases.current() if releases.build_folder.current() else None
    if release is not None:
        stored = bound.find_stored(release, path)
        name = os.path.basename(release.folder)
        when = f"release {name}, built {build_time(release.folder)}"
        found["stored"] = f"{stored.status} in {when}" if stored else f"not in {when}"
        headers = stored.plain.headers if stored else []
        found["headers"] = [": ".join(one) for one in headers]
    return found


def _why_not_stored(bound: BoundRoute) -> Iterator[str]:
    """Yield why a route is not prerendered, and what stands in the way of it."""
    route, source = bound.route, bound.route.endpoint
    line = source.line_of("prerender") if source else None
    if line is not None:
        yield f"{route.name}:{line}: `prerender = False`"
    elif route.source is not None:
        file, output = f"{route.source.stem}.py", bound.settings.output
        yield f"FILEPAGES_OUTPUT is {output!r}, and {file} has no `prerender = True`"
    for name in bound.functions:
        if name == ALL or name not in SAFE_METHODS:
            number = source.line_of(name) if source else None
            yield f'{route.name}:{number}: {name} needs `prerender = "auto"`'
    for use in uses_of(source):
        if use.handler in ("GET", ALL) and (use.reads_visitor or use.sets_cookie):
            yield f"{route.name}:{use.line}: {use.handler} uses {use.text}"
    if route.page is not None:
        template = bound.site.template_name(route.page)
        shown = state_of_visitor(bound.app, template, {})
        if shown is not None:
            yield f"the template shows {shown}"
    if source and not bound.is_static and source.line_of(STATIC_PATHS) is None:
        yield f"it has params, and no {STATIC_PATHS} lists their values"


def _candidates(
    app: Flask, method: str, path: str, winner: Rule | None
) -> Iterator[dict[str, str]]:
    rules: list[Rule] = [
        rule
        for site in app.extensions["filepages"].values()
        for bound in site.routes.values()
        for rule in bound.rules
        if f"{path}/".startswith(f"{rule.prefix}/")
        and rule.pattern.fits([*filter(None, path[len(rule.prefix) :].split("/"))])
    ]
    rules += [r for r in app.url_map.iter_rules() if not isinstance(r, FileRule)]
    for rule in rules:
        why = _why(app, rule, method, path, winner)
        if why is not None:
            name = rule.route.name if isinstance(rule, FileRule) else rule.endpoint
            yield {"url": rule.rule, "file": name, "why": why}


def _why(
    app: Flask, rule: Rule, method: str, path: str, winner: Rule | None
) -> str | None:
    """Return why *rule* handles the path or not, or ``None`` for a rule of the app that
    has nothing to do with it."""
    if rule is winner:
        return "it matches"
    is_file = isinstance(rule, FileRule)
    alone = Map([rule.empty()], converters=app.url_map.converters)
    try:
        alone.bind("localhost").match(path)
    except NotFound:
        return "a matcher does not accept the value" if is_file else None
    except HTTPException:
        pass  # It matches, but for another method or with another slash.
    if isinstance(rule, FileRule):
        token = matched_path.set(path)
        is_listed = rule.bound.accepts_path()
        matched_path.reset(token)
        return (
            "it is less specific" if is_listed else f"{STATIC_PATHS} does not list it"
        )
    handled = sorted(rule.methods or (method,))
    if method not in handled:
        return f"it handles only {', '.join(handled)}"
    return "it is less specific" if winner else "it has another final slash"
