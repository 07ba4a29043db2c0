"""What ``flask filepages check`` finds beyond the errors of a start: mistakes in
handlers, routes that no request reaches, and links that lead nowhere."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable
from collections.abc import Iterator

from ..building.links import LinkTargets
from ..building.links import template_links
from ..errors import Fault
from ..errors import closest
from ..handling.route import BoundRoute
from ..routing.files import ENDPOINT_SUFFIX
from ..routing.files import Source
from ..routing.files import walk
from ..routing.urls import shape_of
from ..testing import make_context
from .handler_code import Use
from .handler_code import uses_of

if t.TYPE_CHECKING:
    from ..site import Site

#: ``context.user = ...`` and ``setattr(context, "user", ...)``
_set_re = re.compile(
    r"^\s*\w+\.(\w+)(?: *:[^=\n]+)? *=(?!=)|\bsetattr\(\w+, ?[\"'](\w+)", re.MULTILINE
)
#: The methods of a mapping; ``context.params`` is one.
_METHODS = (".get", ".items", ".keys", ".values")


def handler_faults(site: Site) -> dict[Fault, bool]:
    """Return the faults of how handlers use their context, with True for an error."""
    # Middleware may set an attribute of the context, although `locals` is for that.
    known = {*dir(make_context(app=site.app))}
    for source in walk(site.folder, {ENDPOINT_SUFFIX}, []):
        known.update(*_set_re.findall(_text_of(source)))
    faults: dict[Fault, bool] = {}
    for bound in site.routes.values():
        found = uses_of(bound.route.endpoint)
        for use in found:
            first, second, *_ = (*use.names, "")
            if use.param is not None and use.param not in bound.route.params:
                faults[_unknown_param(bound, use, use.param)] = use.is_sure
            elif first == ".params" and second[:1] == "." and second not in _METHODS:
                fix = f'Write context.params["{second[1:]}"].'
                what = ("param", bound.route.name, f"{use.text} does not exist", fix)
                faults[Fault(*what, use.line)] = use.is_sure
            elif first[1:] not in known:
                faults[_unknown_name(bound, use)] = use.is_sure
        if not any(use.names[0] == ".is_prerendered" for use in found):
            faults.update(dict.fromkeys(_reads_of_visitor(bound, found), False))
    return faults


def _text_of(source: Source) -> str:
    with open(source.path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _unknown_param(bound: BoundRoute, use: Use, name: str) -> Fault:
    names = bound.route.params
    close = closest(name, names)
    fix = f'Did you mean context.params["{close}"]?'
    if close is None:
        fix = f"The params of {bound.id} are: {', '.join(names) or 'none'}."
    problem = f"it reads {use.text}, but the route has no such param"
    return Fault("param", bound.route.name, problem, fix, use.line)


def _unknown_name(bound: BoundRoute, use: Use) -> Fault:
    problem, fix = "", ""
    try:
        getattr(make_context(app=bound.app), use.names[0][1:])
    except AttributeError as error:
        problem, _, fix = str(error).partition(". ")
    fix = fix or "Values for pages go into context.locals."
    return Fault("context", bound.route.name, problem, fix, use.line)


def _reads_of_visitor(bound: BoundRoute, uses: Iterable[Use]) -> Iterator[Fault]:
    """Yield a warning if the response of a handler is stored, but it reads what differs
    between requests."""
    for use in uses if bound.route.prerender else ():
        if use.handler in ("GET", "ALL") and use.reads_visitor:
            problem = f"all visitors get one stored response, but it reads {use.text}"
            fix = "Read it with a script in the browser"
            if bound.settings.output != "static":
                fix += ", or write `prerender = False`"
            yield Fault("request", bound.route.name, problem, f"{fix}.", use.line)


def unreachable_routes(sites: Iterable[Site]) -> Iterator[Fault]:
    """Yield a warning for each route whose requests all go to another file, such as
    ``[id].py`` next to ``[id=string].py``."""
    owners: dict[t.Any, BoundRoute] = {}
    routes = (bound for site in sites for bound in site.routes.values())
    for bound in routes:
        for rule in bound.rules if not bound.route.lists_paths else ():
            first = owners.setdefault(shape_of(rule, bound.app.url_map), bound)
            if first is not bound:
                problem = f"{first.route.name} matches all requests before it"
                fix = "Rename or remove one of them."
                yield Fault("unreachable", bound.route.name, problem, fix)


def link_warnings(site: Site) -> Iterator[Fault]:
    """Yield a warning for each link in the text of a prerendered page that leads
    nowhere. Links that the template computes are skipped."""
    targets = LinkTargets(site.app, site.settings.root)
    for bound in site.prerendered.values():
        page = bound.route.page
        if page is None:
            continue
        # The app serves /about, and hosts send about/index.html at /about/.
        url = site.settings.root + (bound.url_of({}) if bound.is_static else "/")
        bases = (url, bound.file_names.url(url))
        is_markdown = not page.relative.endswith(".html")
        for line, link in template_links(_text_of(page), is_markdown=is_markdown):
            if not (bound.is_static or link.startswith("/")):
                continue  # Its path depends on the params.
            path = targets.missing_path(link, bases)
            if path is not None:
                problem = f"its link {link!r} leads to {path}, which no route has"
                yield Fault("link", page.relative, problem, targets.fix(path), line)
