"""What ``flask filepages check`` finds beyond the errors of a start: mistakes in
handlers, routes that no request reaches, and links that lead nowhere."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable
from collections.abc import Iterator

from ..building.links import LinkTargets
from ..building.links import template_links
from ..context import Values
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
#: A name after the context, and the name or the key after that.
_parts_re = re.compile(r'context\.?(\w*)(?:\.(\w+)|\["(.*?)"\])?')


def handler_faults(site: Site) -> dict[Fault, bool]:
    """Return the faults of how handlers use their context, with True for an error."""
    # Middleware may set an attribute of the context, although `locals` is for that.
    known = {*dir(make_context(app=site.app))}
    for source in walk(site.folder, {ENDPOINT_SUFFIX}, []):
        known.update(*_set_re.findall(_text_of(source)))
    faults: dict[Fault, bool] = {}
    for bound in site.routes.values():
        uses = uses_of(bound.route.endpoint)
        for use in uses:
            wrong = _fault_of(bound, use, known)
            if wrong is not None:
                faults[wrong] = use.is_sure
        faults.update(dict.fromkeys(_reads_of_visitor(bound, uses), False))
    return faults


def _text_of(source: Source) -> str:
    with open(source.path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _fault_of(bound: BoundRoute, use: Use, known: t.Container[str]) -> Fault | None:
    """Return what is wrong with a use of the context.

    :param known: the attributes of a context.
    """
    name, attribute, key = _parts_re.findall(use.text)[0]
    params = bound.route.params
    if name == "params" and key and key not in params:
        close = closest(key, params)
        problem = f"it reads {use.text}, but the route has no such param"
        fix = f'Did you mean context.params["{close}"]?'
        if close is None:
            fix = f"The params of {bound.id} are: {', '.join(params) or 'none'}."
    elif name == "params" and attribute and not hasattr(Values, attribute):
        problem = f"{use.text} does not exist"
        fix = f'Write context.params["{attribute}"].'
    elif name and name in known:
        return None
    else:
        problem, fix = "", ""
        try:
            getattr(make_context(app=bound.app), name or f'["{key}"]')
        except AttributeError as error:
            problem, _, fix = str(error).partition(". ")
        fix = fix or "Values for pages go into context.locals."
        return Fault("context", bound.route.name, problem, fix, use.line)
    return Fault("param", bound.route.name, problem, fix, use.line)


def _reads_of_visitor(bound: BoundRoute, uses: Iterable[Use]) -> Iterator[Fault]:
    """Yield a warning if the response of a handler is stored, but it reads what differs
    between requests, and does not ask ``context.is_prerendered``."""
    asks = any(use.text.startswith("context.is_prerendered") for use in uses)
    for use in uses if bound.route.prerender and not asks else ():
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
