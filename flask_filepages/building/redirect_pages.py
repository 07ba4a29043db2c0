"""Redirects by setting, as pages for hosts that only know files."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from .. import targets
from ..errors import BuildError
from ..errors import Fault
from ..handling.route import LiveRoute
from ..prerendering.static_paths import StaticPath
from ..prerendering.stored import StoredRoute
from ..releases.manifest import Entry
from ..releases.names import file_name
from . import answers
from .answers import Answer

if t.TYPE_CHECKING:
    from ..site import PagesState


def redirect_answers(
    states: t.Iterable[PagesState], stored: t.Mapping[str, StoredRoute]
) -> list[tuple[Entry, Answer]]:
    """Return a page for each path that ``FILEPAGES_REDIRECTS`` leads elsewhere. The app
    itself goes on answering them.

    :raises BuildError: the output is static, and the paths of one cannot be known.
    """
    made: list[tuple[Entry, Answer]] = []
    faults: list[Fault] = []
    for state in states:
        if state.settings.output == "server":
            continue
        by_id = {one.live.route.id: one for one in stored.values()}
        for live in state.routes.values():
            if live.route.redirect is None:
                continue
            target = by_id.get(live.route.redirect.target)
            if live.route.is_static:
                made += _answers_of(state, live, None)
            elif target is not None and _params(live) == _params(target.live):
                made += _answers_of(state, live, target)
            elif state.settings.output == "static":
                problem = "its paths cannot be known, and the output is static"
                fix = "Let it lead to a prerendered route with the same params."
                faults.append(Fault("prerender", live.route.name, problem, fix))
    if faults:
        raise BuildError("FILEPAGES_REDIRECTS", faults)
    return made


def _params(live: LiveRoute) -> set[str]:
    return {part.text for pattern in live.route.patterns for part in pattern.params}


def _answers_of(
    state: PagesState, live: LiveRoute, target: StoredRoute | None
) -> Iterator[tuple[Entry, Answer]]:
    redirect = t.cast(t.Any, live.route.redirect)
    own = StoredRoute(state.app, live)
    listed = iter([StaticPath({})]) if target is None else target.paths()
    for params in [path.params for path in listed]:
        path = own.path_of(params)
        location = targets.encode(targets.fill(redirect.target, params))
        answer = Answer(path, f"{redirect.status or 301} REDIRECT")
        answer.headers = [("Location", location)]
        answers.completed(answer, path, state.settings.site)
        name = file_name(path, state.settings.build_format, is_page=True)
        yield Entry(path, live.endpoint, "", [], name, 0, "", forms=0), answer
