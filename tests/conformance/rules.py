"""What a rule is, and what rules have in common."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
from urllib.parse import urlsplit

from .cases import Case
from .site import HOST
from .site import Answer
from .site import Site

Test = Callable[[Case, Answer, Site], bool]
_EXPORT = re.compile(r"export (?:(?:const|let|(?:async )?function) |\{ )([A-Za-z]+)")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True)
class Rule:
    """A difference: what Astro does, what we do, and why.

    :param built: the same two, for what a build writes or refuses.
    :param first: it is about what a build stored; no other rule is to take that.
    :param wide: why it takes more than its share of the cases.
    :param unused: why no recorded case falls under it.
    """

    name: str
    astro: str
    ours: str
    because: str
    recognises: Test | None = None
    promises: Test | None = None
    built: tuple[Test, Test] | None = None
    first: bool = False
    wide: str = ""
    unused: str = ""

    def sees(self, case: Case, answer: Answer, site: Site) -> bool:
        """Whether the case is of this kind."""
        recognises = self._tests(case)[0]
        return recognises is not None and recognises(case, answer, site)

    def takes(self, case: Case, answer: Answer, site: Site) -> bool:
        """Whether the case is of this kind and the answer is the promised one."""
        promises = self._tests(case)[1]
        seen = promises is not None and self.sees(case, answer, site)
        return seen and t.cast(Test, promises)(case, answer, site)

    def _tests(self, case: Case) -> tuple[Test | None, Test | None]:
        if case.is_build:
            return self.built or (None, None)
        return self.recognises, self.promises


def answers_with(*statuses: int) -> Test:
    return lambda case, answer, site: answer.status in statuses


def exports_of(case: Case, site: Site) -> dict[str, t.Any] | None:
    """Return what the endpoint that we matched exports; ``{}`` for a page."""
    rule = site.match(case)
    if rule is None or rule.route.source is None:
        return None
    file = case.files.get(site.names.get(rule.route.source.relative, ""), {})
    if isinstance(file, str):  # raw source: only the names of its exports are read
        return {name: {} for name in _EXPORT.findall(file)}
    return t.cast("dict[str, t.Any]", file.get("exports", {}))


def not_found(case: Case, answer: Answer, site: Site) -> bool:
    """Whether the answer is 404, or the tree's own page or endpoint for it."""
    return answer.status == 404 or (answer.winner or "").rpartition(".")[0] == "404"


def allow_of(exports: dict[str, t.Any]) -> str:
    names = {name for name in exports if name in METHODS} or set()
    if not exports:
        names = {"GET"}
    if "ALL" in exports:
        names = set(METHODS)
    if "GET" in names:
        names.add("HEAD")
    return ", ".join(sorted({*names, "OPTIONS"}))


def as_if(case: Case, site: Site, answer: Answer, **changes: t.Any) -> bool:
    """Whether the answer is the one to the same request with *changes*."""
    other = site.ask(replace(case, **changes))
    return (answer.status, told_by(answer), answer.get("location")) == (
        other.status,
        told_by(other),
        other.get("location"),
    )


def told_by(answer: Answer) -> t.Any:
    """Return the content of an answer, without the target as it was sent."""
    content = answer.content
    if isinstance(content, dict):
        return {k: v for k, v in content.items() if k != "request.url"}
    return content


def location_of(answer: Answer) -> str:
    parts = urlsplit(answer.get("location") or "")
    return parts.path + (f"?{parts.query}" if parts.query else "")


def redirect_status(case: Case) -> int:
    return 301 if case.method == "GET" else 308


def base_of(case: Case) -> str:
    return str(case.config.get("base", "")).rstrip("/")


def action_of(case: Case, site: Site) -> dict[str, t.Any]:
    exports = exports_of(case, site) or {}
    found = exports.get(case.method, exports.get("ALL", exports.get("GET", {})))
    return t.cast("dict[str, t.Any]", found)


def is_foreign(case: Case) -> bool:
    """Whether the request says that it comes from a page of another origin."""
    fetch_site = case.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site not in ("same-origin", "none")
    origin = case.headers.get("Origin", f"http://{case.host or HOST}")
    host = (case.host or HOST).removesuffix(":80")
    return origin.replace("@origin", f"http://{HOST}") != f"http://{host}"


def checks_origins(case: Case) -> bool:
    return bool(case.config.get("security", {}).get("checkOrigin", True))


def as_unmatched(case: Case, answer: Answer, site: Site) -> bool:
    return as_if(case, site, answer, target=f"{base_of(case)}/no/such/route")
