"""What can be told of a pages folder in an app without any request."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from .errors import Fault
from .handling.route import LiveRoute
from .handling.templates import page_fault
from .prerendering.stored import StoredRoute
from .site import PagesState


class ListedPath(t.NamedTuple):
    """A path of these pages: its URL path, and what answers it."""

    url: str
    route_id: str
    is_page: bool
    is_prerendered: bool


def listed_paths(state: PagesState) -> Iterator[ListedPath]:
    """Yield the paths that are known: of routes without params, and the listed ones.

    :raises BuildError: a ``get_static_paths`` failed.
    """
    for live in state.routes.values():
        route = live.route
        if route.redirect is not None or live.is_error_page:
            continue
        state.prepare(live)
        stored = state.stored.get(live.endpoint)
        if stored is None and not route.is_static:
            continue
        is_page = route.page is not None
        listed = stored or StoredRoute(state.app, live)
        for path in listed.paths():
            url = listed.url_of(path.params)
            yield ListedPath(url, route.id, is_page, stored is not None)


def sent_from(state: PagesState, live: LiveRoute) -> str | None:
    """Return where the stored answers of a route are sent from, and why; ``None`` for
    one that stores none."""
    if live.endpoint not in state.stored:
        return None
    if live.guards:
        return "inside: middleware guards it"
    reason = state.front.closed_by() if state.front is not None else None
    return "in front of Flask" if reason is None else f"inside: {reason}"


def template_faults(state: PagesState) -> list[Fault]:
    """Return what is wrong with the Jinja pages, without rendering any."""
    pages = [live.route.page for live in state.routes.values() if live.route.page]
    faults = (page_fault(state.app, state.name, page.relative) for page in pages)
    return [fault for fault in faults if fault is not None]
