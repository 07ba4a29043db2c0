"""Where we differ from Astro on purpose: one rule for each row of the page
"Differences from Astro" in the documentation.

A rule recognises a case by its nature, never by its id, and then demands exactly
the answer that it promises.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import replace
from urllib.parse import quote
from urllib.parse import unquote
from urllib.parse import urlsplit

from werkzeug.exceptions import NotFound
from werkzeug.routing import Map
from werkzeug.routing import RequestRedirect
from werkzeug.routing import Rule as WerkzeugRule

from . import builds
from .cases import Case
from .compare import agrees
from .compare import body_agrees
from .compare import filled
from .rules import METHODS
from .rules import Rule
from .rules import Test
from .rules import action_of
from .rules import allow_of
from .rules import answers_with
from .rules import as_if
from .rules import as_unmatched
from .rules import base_of
from .rules import checks_origins
from .rules import exports_of
from .rules import is_foreign
from .rules import location_of
from .rules import not_found
from .rules import redirect_status
from .site import Answer
from .site import Site
from .vocabulary import ABSENT

_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"


# -- methods ------------------------------------------------------------------------


def _method_missing(case: Case, answer: Answer, site: Site) -> bool:
    exports = exports_of(case, site)
    return (
        case.status == 404
        and bool(exports)
        and case.method in METHODS
        and case.method not in (exports or {})
    )


def _allowed(case: Case, answer: Answer, site: Site) -> bool:
    expected = 204 if case.method == "OPTIONS" else 405
    exports = exports_of(case, site) or {}
    return answer.status == expected and answer.get("allow") == allow_of(exports)


def _other_verb(case: Case, answer: Answer, site: Site) -> bool:
    return case.method not in METHODS


def _only_seven(case: Case, answer: Answer, site: Site) -> bool:
    if answer.status in (301, 308):  # to the other form of the slash, first
        target = location_of(answer).partition("?")[0]
        return case.path.endswith("/") != target.endswith("/")
    exports = exports_of(case, site)
    if exports is None:
        return answer.status == 404
    return answer.status == (200 if "ALL" in exports else 405)


def _unsafe_page(case: Case, answer: Answer, site: Site) -> bool:
    if builds.is_stored(case, site):
        return False
    return exports_of(case, site) == {} and case.method not in ("GET", "HEAD")


# -- routing ------------------------------------------------------------------------


def _half_dynamic(case: Case, answer: Answer, site: Site) -> bool:
    first, second = answer.winner, case.winner
    return bool(
        first and second and first != second and _first_difference(first, second)
    )


def _first_difference(ours: str, theirs: str) -> tuple[str, str] | None:
    """Return the first two segments of different text, if both hold text and params."""
    for one, other in zip(_segments(ours), _segments(theirs), strict=False):
        if _shape(one) != _shape(other):
            mixed = all(
                "[" in s and not re.fullmatch(r"\[[^\]]*\]", s) for s in (one, other)
            )
            return (one, other) if mixed else None
    return None


def _shape(segment: str) -> str:
    return re.sub(r"\[(\.\.\.)?[^\]]*\]", r"[\1]", segment)


def _segments(file: str) -> list[str]:
    *folders, name = file.split("/")
    stem = name.rpartition(".")[0]
    return folders if stem == "index" else [*folders, stem]


def _more_text(case: Case, answer: Answer, site: Site) -> bool:
    pair = _first_difference(answer.winner or "", case.winner or "")
    if pair is None:
        return False
    if answer.status != 200:
        return False
    ours, theirs = ((-len(re.sub(r"\[[^\]]*\]", "", s)), s) for s in pair)
    return ours < theirs


def _collided(case: Case, answer: Answer, site: Site) -> bool:
    kinds = [site.refused[f].id for f in (case.winner,) if f in site.refused]
    return kinds == ["collision"]


def _named_both(case: Case, answer: Answer, site: Site) -> bool:
    """The start-up error named the two files, and the file that is left answers."""
    fault = site.refused[case.winner or ""]
    if fault.fix == "":
        return True
    return bool(re.match(r"conflicts with \S.*: both match \S", fault.problem)) and (
        answer.status in (200, 405, 404)
    )


def _broken(case: Case, answer: Answer, site: Site) -> bool:
    return any(
        fault.id in ("no-handler", "handler", "import", "syntax")
        and case.path.rstrip("/") == f"/{file.rpartition('.')[0]}"
        for file, fault in site.refused.items()
    )


def _raw_line(case: Case, answer: Answer, site: Site) -> bool:
    return case.status == 400 and bool(re.search(r"[^\x21-\x7e]", case.target))


def _quoted(case: Case, answer: Answer, site: Site) -> bool:
    target = quote(case.target, safe="!#$%&'()*+,/:;=?@[]~")
    return as_if(case, site, answer, target=target)


_HOST = re.compile(r"(?:[\w.-]+|\[[\da-f:.]+\])(?::(\d{1,5}))?", re.I | re.A)


def _bad_host(case: Case) -> bool:
    match = _HOST.fullmatch(case.host or "x")
    return match is None or int(match[1] or 0) > 65535


def _not_a_path(case: Case, answer: Answer, site: Site) -> bool:
    return "://" in case.path or case.path == "*" or _bad_host(case)


def _as_its_path(case: Case, answer: Answer, site: Site) -> bool:
    if case.path == "*":
        return answer.status == 404
    if _bad_host(case):
        return answer.status == site.ask(replace(case, host=None)).status
    return as_if(case, site, answer, target=urlsplit(case.target).path)


def _malformed(case: Case, answer: Answer, site: Site) -> bool:
    return case.status == 400 and _is_malformed(case.target)


def _is_malformed(text: str) -> bool:
    stray = re.search(r"%(?![0-9A-Fa-f]{2})", text)
    try:
        unquote(text, errors="strict")
    except UnicodeDecodeError:
        return True
    return stray is not None


def _literal_percent(case: Case, answer: Answer, site: Site) -> bool:
    if not _is_malformed(case.path):  # in the query: it is the handler's to read
        return answer.status == site.ask(replace(case, target=case.path)).status
    if "\ufffd" in unquote(case.path):
        return not_found(case, answer, site)
    literal = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", case.target)
    return as_if(case, site, answer, target=literal)


_RESERVED = re.compile("%(?:2F|3F|23|26|3D|2B|2C|3B|3A|40|24|25)", re.IGNORECASE)


def _escaped(case: Case, answer: Answer, site: Site) -> bool:
    return bool(_RESERVED.search(case.path))


def _decoded_once(case: Case, answer: Answer, site: Site) -> bool:
    """The answer is that to the path decoded once and written anew."""
    path = quote(unquote(case.path), safe="/!$&'()*+,;=:@~")
    query = case.target.partition("?")[2]
    target = f"{path}?{query}" if query else path
    content = answer.content
    if isinstance(content, dict) and isinstance(content.get("params"), dict):
        values = [v for v in content["params"].values() if isinstance(v, str)]
        once = unquote(case.path)
        if not all(value in once for value in values):
            return False
    if isinstance(content, dict) and "request.url" in content:
        return answer.status == 200
    return as_if(case, site, answer, target=target)


# What our converters never take: bytes that are no text, an empty or dot segment.
_REFUSED = re.compile(r"[\x00\ufffd]|(?:\A|/)(?:\.{1,2})?(?:/|\Z)")


def _refused_value(case: Case, answer: Answer, site: Site) -> bool:
    if "\x00" in unquote(case.path):
        return True
    recorded = case.recorded.get("json") or case.recorded.get("page")
    params = recorded.get("params", {}) if isinstance(recorded, dict) else {}
    return any(value and _REFUSED.search(value) for value in params.values())


def _dots(case: Case, answer: Answer, site: Site) -> bool:
    path = unquote(case.path)
    return "\\" in path or bool(re.search(r"/\.{1,2}(?:/|\Z)", path))


def _not_resolved(case: Case, answer: Answer, site: Site) -> bool:
    content = answer.content
    values = content.get("params", {}).values() if isinstance(content, dict) else ()
    return not_found(case, answer, site) or any("\\" in str(value) for value in values)


def _doubled(case: Case, answer: Answer, site: Site) -> bool:
    return "//" in case.path


def _merged(case: Case, answer: Answer, site: Site) -> bool:
    """Leading slashes count as one; others are answered by 308 to the merged path."""
    leading = re.sub(r"\A/{2,}", "/", case.target)
    if leading != case.target:
        return as_if(case, site, answer, target=leading)
    if "///" in case.path and not _runs_are_merged():
        return answer.status == 404
    path, query = re.subn("/{2,}", "/", case.path)[0], case.target.partition("?")[2]
    if answer.status == 404:  # of a path that is not found either way
        return site.match(replace(case, target=path)) is None
    return answer.status == 308 and unquote(location_of(answer)) == unquote(
        path + (f"?{query}" if query else "")
    )


def _runs_are_merged() -> bool:
    """Whether this Werkzeug merges three slashes; 3.1.6 merges two at a time."""
    try:
        Map([WerkzeugRule("/a/b")]).bind("localhost").match("/a///b")
    except RequestRedirect:
        return True
    except NotFound:
        return False
    return False


def _slash_redirect(case: Case, answer: Answer, site: Site) -> bool:
    location = str(case.recorded_headers.get("location", ""))
    path, _, query = location.partition("?")
    return (
        case.status in (301, 308)
        and unquote(path).rstrip("/") == unquote(case.path).rstrip("/")
        and query == case.target.partition("?")[2]
    )


def _unknown(case: Case, answer: Answer, site: Site) -> bool:
    toggled = case.path.rstrip("/") if case.path.endswith("/") else f"{case.path}/"
    other = site.match(replace(case, target=toggled))
    return answer.status == 404 and site.match(case) is None and other is None


def _canonical(case: Case, answer: Answer, site: Site) -> bool:
    path, _, query = str(case.recorded_headers["location"]).partition("?")
    expected = quote(unquote(path), safe="/!$&'()*+,:;=@")
    if query:
        expected += f"?{quote(query, safe=_URL_SAFE)}"
    return answer.status == redirect_status(case) and location_of(answer) == expected


def _outside(case: Case, answer: Answer, site: Site) -> bool:
    base = base_of(case)
    return bool(base) and not f"{case.path}/".startswith(f"{base}/")


def _inside_twice(case: Case, answer: Answer, site: Site) -> bool:
    base = base_of(case)
    return bool(base) and case.path.startswith(f"{base}{base}/")


def _cut(value: str) -> set[str | None]:
    """Return what Astro may leave of a value that ends in ``.html``."""
    stem = value.removesuffix(".html")
    whole = re.sub(r"(?:\A|/)index\Z", "", stem) or None
    return {stem, whole} if stem != value else set()


def _in_the_folder(case: Case, answer: Answer, site: Site) -> bool:
    folder = f"{base_of(case).strip('/')}/"
    return answer.status == 200 and (answer.winner or "").startswith(folder)


def _html_suffix(case: Case, answer: Answer, site: Site) -> bool:
    return "page" in case.recorded and ".html" in case.path


def _suffix_kept(case: Case, answer: Answer, site: Site) -> bool:
    params = (answer.content or {}).get("params", {})
    recorded = case.recorded["page"]["params"]
    return (
        answer.status == 200
        and answer.winner == case.winner
        and params.keys() == recorded.keys()
        and all(
            value == recorded[key] or recorded[key] in _cut(str(value))
            for key, value in params.items()
        )
    )


def _twin(case: Case, answer: Answer, site: Site) -> bool:
    """Whether Astro answered with a page that has an endpoint of its name here."""
    stem = (case.winner or "").removesuffix(".astro")
    return stem != case.winner and any(
        f"{stem}{s}" in case.files for s in (".ts", ".js")
    )


def _endpoint_owns(case: Case, answer: Answer, site: Site) -> bool:
    stem = (case.winner or "").removesuffix(".astro")
    return answer.status in (404, 405) or (answer.winner or "").startswith(f"{stem}.")


def _internal(case: Case, answer: Answer, site: Site) -> bool:
    return bool(re.match(r"/_(?:image|server-islands|actions|astro)\b", case.path))


# -- answers ------------------------------------------------------------------------


def _does(do: str, **given: t.Any) -> Test:
    def recognises(case: Case, answer: Answer, site: Site) -> bool:
        action = action_of(case, site)
        return action.get("do") == do and all(
            action.get(k) == v for k, v in given.items()
        )

    return recognises


def _redirects_out(case: Case, answer: Answer, site: Site) -> bool:
    action = action_of(case, site)
    return action.get("do") == "redirect" and "://" in action["to"]


def _no_redirect_status(case: Case, answer: Answer, site: Site) -> bool:
    action = action_of(case, site)
    return action.get("do") == "redirect" and action.get("status", 302) == 200


def _raw_location(case: Case, answer: Answer, site: Site) -> bool:
    location = str(case.recorded_headers.get("location", ""))
    return bool(re.search(r"[^\x21-\x7e]", location)) and not _redirects_out(
        case, answer, site
    )


def _encoded_location(case: Case, answer: Answer, site: Site) -> bool:
    location = str(case.recorded_headers["location"])
    encoded = quote(location, safe="!#$%&'()*+,/:;=?@[]~")
    return answer.status == case.status and answer.get("location") == encoded


def _configured(case: Case, site: Site) -> t.Any:
    rule = site.match(case)
    return rule.route.redirect if rule is not None else None


def _config_redirect(case: Case, answer: Answer, site: Site) -> bool:
    return _configured(case, site) is not None or _refused_redirect(case, site)


def _refused_redirect(case: Case, site: Site) -> bool:
    """Whether a target wants params that there are not: 500 there, a fault here."""
    refused = (re.search(r"\['(/[^\[]*)", name) for name in site.refused)
    return any(r and case.path.startswith(r[1]) for r in refused)


def _redirect_as_set(case: Case, answer: Answer, site: Site) -> bool:
    """The configured status counts, params are filled, the query is kept."""
    redirect = _configured(case, site)
    if redirect is None:
        return answer.status == 404
    query = case.target.partition("?")[2]
    location = answer.get("location") or ""
    # The query goes before a fragment; an absent rest takes its slash along.
    target = redirect.target
    for name, value in site.values(case).items():
        text = quote("" if value is None else str(value), safe="/%!$&()*,:;=@~")
        if not text:
            target = target.replace(f"/[...{name}]", "")
        target = target.replace(f"[...{name}]", text).replace(f"[{name}]", text)
    target = re.sub(r"/\[\.\.\.[^\]]*\]", "", target)  # a rest that is absent
    path, hash_, fragment = target.partition("#")
    if query:
        path += ("&" if "?" in path else "?") + query
    expected = quote(path + hash_ + fragment, safe=_URL_SAFE)
    return _same(location, expected) and answer.status == (
        redirect.status or redirect_status(case)
    )


def _same(location: str, expected: str) -> bool:
    """Whether the two are one URL; ``+`` and ``'`` may be written as escapes."""
    return unquote(location) == unquote(expected) and location != ""


def _cookie_case(case: Case, answer: Answer, site: Site) -> bool:
    set_by_request = "set-cookie" in case.recorded_headers
    return set_by_request or (case.area == "cookies" and case.status == 200)


def _safe_cookies(case: Case, answer: Answer, site: Site) -> bool:
    """Each cookie of ours is one of the recorded ones, with our defaults and quoting.

    What differs in the results comes from values that are not text, and from
    values that the two write differently.
    """
    recorded = case.recorded_headers.get("set-cookie", [])
    recorded = recorded if isinstance(recorded, list) else [recorded]
    theirs = {value.partition("=")[0]: value for value in recorded}
    for value in answer.all("set-cookie"):
        name = value.partition("=")[0]
        if value.startswith("raw=9"):
            continue
        if "Path=" not in value or (name not in theirs and 'c="bad' not in value):
            return False
        loose = "ff=" in value  # asked for without HttpOnly and SameSite
        if not loose and not ("HttpOnly" in value and "SameSite=" in value):
            return False
    ops = action_of(case, site).get("ops", ())
    refused = {op[1] for op in ops if op[0] == "set" and not isinstance(op[2], str)}
    ours = {v.partition("=")[0]: v for v in answer.all("set-cookie")}
    if theirs.keys() - ours.keys() - refused - {"raw"}:
        return False
    for name in theirs.keys() & ours.keys():
        their, our = (
            v[name].partition("=")[2].partition(";")[0] for v in (theirs, ours)
        )
        if re.fullmatch(r"[\w.+-]*", their) and our != their.replace("deleted", ""):
            return False
    differs = refused or {"setraw", "headers"} & {op[0] for op in ops}
    return (
        answer.status == case.status
        and (bool(differs) or body_agrees(case, answer))
        and answer.get("location") == case.recorded_headers.get("location")
    )


def _raw_cookie(case: Case, answer: Answer, site: Site) -> bool:
    return (
        "Cookie" in case.headers
        and re.search(r'[%"]|=\s*(?:;|\Z)', case.headers["Cookie"]) is not None
    )


def _as_sent(case: Case, answer: Answer, site: Site) -> bool:
    value = case.headers["Cookie"].partition("=")[2]
    content = answer.content
    if answer.status == 500:  # the handler wanted JSON, and this is none
        return case.status == 200 and not _is_json(value.strip('"'))
    return (
        answer.status == 200
        and isinstance(content, list)
        and content[0] in (value, None)
    )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _twice(case: Case, answer: Answer, site: Site) -> bool:
    return _does("body", **{"as": "twice"})(case, answer, site)


def _read_again(case: Case, answer: Answer, site: Site) -> bool:
    sent = case.sent_body.decode()
    return answer.status == 200 and answer.content == {"a": sent, "b": sent}


def _get_body(case: Case, answer: Answer, site: Site) -> bool:
    return _does("body")(case, answer, site) and case.method in ("GET", "HEAD")


def _body_as_sent(case: Case, answer: Answer, site: Site) -> bool:
    kind, sent = action_of(case, site)["as"], case.sent_body.decode()
    told = {"as": kind, "value": sent}
    return answer.status == 200 and (
        answer.body == b"" if case.method == "HEAD" else answer.content == told
    )


def _bad_form(case: Case, answer: Answer, site: Site) -> bool:
    return _does("body", **{"as": "formData"})(case, answer, site) and case.status in (
        400,
        500,
    )


def _empty_form(case: Case, answer: Answer, site: Site) -> bool:
    empty = {"as": "formData", "value": []}
    return answer.status == 200 and answer.content == empty


_THEIRS = {
    "currentLocale",
    "generator",
    "keys",
    "originPathname",
    "preferredLocale",
    "preferredLocaleList",
    "session",
    "cache",
    "csp",
}


def _known_fields(case: Case, answer: Answer, site: Site) -> bool:
    """Each attribute that both have is equal; paths are decoded once."""
    content = answer.content
    if answer.status != 200 or not isinstance(content, dict):
        return False
    if not isinstance(case.recorded.get("json"), dict):
        return False
    recorded = filled(case.recorded["json"])
    if content.keys() != set(action_of(case, site)["fields"]):
        return False
    once = _RESERVED.search(case.path)
    decoded = {"url", "pathname", "params"} if once else set()
    return all(
        value == recorded[key]
        or (value == ABSENT and _unknown_here(key))
        or key in decoded
        for key, value in content.items()
    )


def _unknown_here(field: str) -> bool:
    """Whether Astro has the attribute and we have none."""
    return field.startswith(("typeof:", "cache.")) or field in _THEIRS


# -- middleware, rewrites, origins, errors ----------------------------------------------


def _rewrite_target(case: Case, site: Site) -> str | None:
    """Return where the matched file, or the middleware before it, rewrites to."""
    rule = site.match(case)
    if rule is None or rule.route.source is None:
        return None
    for step in (step for steps in case.middleware for step in steps):
        if step["op"] in ("next", "ctxrewrite") and step.get("when") == case.path:
            return t.cast(str, step["to"])
    action = action_of(case, site)
    if action.get("do") == "rewrite":
        return t.cast(str, action["to"])
    file = case.files.get(site.names.get(rule.route.source.relative, ""), {})
    page = rule.route.page and case.files.get(site.names[rule.route.page.relative], {})
    found = file if isinstance(file, dict) and "rewrite" in file else page
    return found.get("rewrite") if isinstance(found, dict) else None


def _rewrites(case: Case, answer: Answer, site: Site) -> bool:
    return _rewrite_target(case, site) is not None


_URL_FIELDS = {"url", "pathname", "search", "origin", "request.url", "locals", "query"}


def _as_its_target(case: Case, answer: Answer, site: Site) -> bool:
    """The answer is the target's, but for what it tells of the URL."""
    to = _rewrite_target(case, site) or ""
    if not re.match(r"/(?!/)", to):
        return answer.status == 500
    target = base_of(case) + quote(to, safe="/")
    other = site.ask(replace(case, target=target))
    if answer.status != other.status:
        return False
    return answer.status >= 400 or _untold(answer) == _untold(other)


def _untold(answer: Answer) -> t.Any:
    content = answer.content
    if not isinstance(content, dict):
        return answer.body
    return {k: v for k, v in content.items() if k not in _URL_FIELDS}


def _unbound(case: Case, answer: Answer, site: Site) -> bool:
    told = case.winner is None or case.winner.startswith(("404.", "500."))
    return bool(case.middleware) and told and site.match(case) is None


def _returns_nothing(case: Case, answer: Answer, site: Site) -> bool:
    steps = (step for steps in case.middleware for step in steps)
    return any(s["op"] == "noreturn" and s.get("when") == case.path for s in steps)


def _immutable(case: Case, answer: Answer, site: Site) -> bool:
    is_redirect = action_of(case, site).get("do") == "Response.redirect"
    return bool(case.middleware) and is_redirect and case.status == 500


def _checked(case: Case, answer: Answer, site: Site) -> bool:
    if case.method in ("GET", "HEAD", "OPTIONS"):
        return False
    return str(case.recorded.get("text")).startswith("Cross-site") or is_foreign(case)


def _refused_if_foreign(case: Case, answer: Answer, site: Site) -> bool:
    exports = exports_of(case, site)
    if exports is None:  # the error page answers, which changes nothing
        return as_if(case, site, answer, method="GET", headers={}, body="")
    if is_foreign(case) and checks_origins(case):  # before the method is looked at
        return answer.status == 403
    if case.method not in exports and "ALL" not in exports:
        return answer.status == 405 and answer.get("allow") == allow_of(exports)
    headers = {k: v for k, v in case.headers.items() if k != "Origin"}
    return answer.status != 403 and as_if(case, site, answer, headers=headers)


def _endpoint_error(case: Case, answer: Answer, site: Site) -> bool:
    rule = site.match(case)
    route = rule.route if rule is not None else None
    alone = route is not None and route.endpoint is not None and route.page is None
    told = bool({"page", "text", "default_404_page"} & set(case.recorded))
    return alone and told and case.status in (404, 500)


def _problem(case: Case, answer: Answer, site: Site) -> bool:
    if case.method != "HEAD" and (answer.content or {}).get("status") != case.status:
        return False
    sent = (answer.get("content-type") or "").partition(";")[0]
    return answer.status == case.status and sent == "application/problem+json"


def _gave_up(case: Case, answer: Answer, site: Site) -> bool:
    rule = site.match(case)
    page = rule.route.page if rule is not None else None
    file = case.files.get(site.names.get(page.relative, ""), {}) if page else {}
    endpoints = ("404.ts", "404.js")
    return bool(file.get("return404")) and any(n in case.files for n in endpoints)


def _impossible(case: Case, answer: Answer, site: Site) -> bool:
    action = action_of(case, site)
    status = action.get("status", 200)
    if action.get("do") != "respond" or case.status != 500:
        return False
    return not 200 <= status < 600 or (status in (204, 205, 304) and "body" in action)


def _as_said(case: Case, answer: Answer, site: Site) -> bool:
    return bool(answer.status == action_of(case, site)["status"])


def _html_twin(case: Case, answer: Answer, site: Site) -> bool:
    """Whether only ``build.format = "file"`` makes this URL one of a route."""
    path = re.sub(r"(?:/index)?\.html\Z", "", case.path)
    bare = replace(case, target=path)
    is_file = case.config.get("build", {}).get("format") == "file"
    return is_file and case.path.endswith(".html") and site.match(bare) is not None


def _plain_html(case: Case, answer: Answer, site: Site) -> bool:
    rule = site.match(case)
    page = rule.route.page if rule is not None else None
    return page is not None and site.names.get(page.relative, "").endswith(".html")


def _plain_file(case: Case, answer: Answer, site: Site) -> bool:
    return (site.owner(case) or "").endswith(".html") and "text" in case.recorded


def _without_doctype(case: Case, answer: Answer, site: Site) -> bool:
    given = f"<!DOCTYPE html>{answer.body.decode()}"
    expected = 200 if case.is_build else case.status
    return answer.status == expected and given == case.recorded.get("text")


def _stored_error_page(case: Case, answer: Answer, site: Site) -> bool:
    file = case.files.get(case.recorded.get("page", {}).get("page", ""), {})
    name = case.recorded.get("page", {}).get("page", "")
    known = name in ("404.astro", "500.astro") and file.get("prerender") is True
    return known or _url_of_error_page(case, site)


def _url_of_error_page(case: Case, site: Site) -> bool:
    is_page = site.owner(case) in ("404.astro", "500.astro")
    return is_page and builds.is_prerendered(case, site)


def _told_the_error(case: Case, answer: Answer, site: Site) -> bool:
    content = dict(answer.content or {})
    props = content.pop("props", {})
    if _url_of_error_page(case, site):
        code = (site.owner(case) or "").partition(".")[0]
        return answer.status == int(code) and answer.winner == site.owner(case)
    return (
        answer.status == case.status
        and content == case.recorded["page"]
        and list(props) == ["error"]
    )


def _error_page_fails(case: Case, answer: Answer, site: Site) -> bool:
    file = case.files.get("404.astro", {})
    return case.status == 500 and "throw" in file and site.match(case) is None


def _own_404(case: Case, answer: Answer, site: Site) -> bool:
    return answer.status == 404 and answer.winner is None


def _site_path(case: Case, answer: Answer, site: Site) -> bool:
    """Whether ``site`` has a path that is not ``base``, and the answer tells it."""
    path = urlsplit(case.config.get("site") or "").path.rstrip("/")
    told = case.recorded.get("json") or case.recorded.get("page")
    return path not in ("", base_of(case)) and isinstance(told, dict) and "site" in told


def _without_site_path(case: Case, answer: Answer, site: Site) -> bool:
    """All is equal but ``site``, which has no path."""
    kind = "json" if "json" in case.recorded else "page"
    told = case.recorded[kind]
    parts = urlsplit(told["site"]) if isinstance(told["site"], str) else None
    if parts is not None:
        told = {**told, "site": f"{parts.scheme}://{parts.netloc}/"}
    other = replace(case, recorded={**case.recorded, kind: told})
    if case.is_build:
        return agrees(other, answer) or builds.context_of_build(other, answer, site)
    return (
        agrees(other, answer)
        or _known_fields(other, answer, site)
        or (_escaped(other, answer, site) and _decoded_once(other, answer, site))
        or builds.kept_answer(other, answer, site)
    )


_NAMES = "no recorded request asks for such a file"

RULES: tuple[Rule, ...] = (
    Rule(
        "missing method",
        "404",
        "405 with ``Allow``; ``OPTIONS`` gets 204",
        "HTTP, and what every Flask user expects",
        _method_missing,
        _allowed,
        wide="every site is asked for methods that its files do not have",
    ),
    Rule(
        "other methods",
        "any upper-case export is a method",
        "eight methods, and ``ALL`` for all others",
        "a function must not become callable from outside by accident",
        _other_verb,
        _only_seven,
    ),
    Rule(
        "methods of a page",
        "a page responds to every method",
        "``GET``, ``HEAD`` and ``OPTIONS``; an endpoint adds others",
        "HTTP, as above",
        _unsafe_page,
        _allowed,
    ),
    Rule(
        "collision",
        "a warning, and one file wins",
        "an error when the app starts, which names both files",
        "a file that silently loses costs days of debugging",
        _collided,
        _named_both,
        (builds.collided, builds.both_named),
    ),
    Rule(
        "text and params in one segment",
        "sorted by locale: ``[a]-[b]`` before ``v[n]``",
        "more literal text first, then by code point",
        "the more specific file should win, on every machine",
        _half_dynamic,
        _more_text,
    ),
    Rule(
        "file without a handler",
        "404 or 500 at each request",
        "an error when the app starts, with file and line",
        "visitors should not be the ones who find a typo",
        _broken,
        as_unmatched,
        (builds.without_handler, builds.no_handler),
    ),
    Rule(
        "special names",
        "``[[x]]`` and ``(g)`` are text, ``[x=m]`` is an error",
        "optional segment, group folder, matcher",
        "users of other routers expect them",
        built=(builds.special_name, builds.takes_as_named),
    ),
    Rule(
        "test files",
        "routes, unless the name begins with ``_``",
        "``test_*.py``, ``*_test.py`` and ``conftest.py`` are not routes",
        "a test must be safe to keep next to the code",
        built=(builds.test_file, builds.is_gone),
        unused=_NAMES,
    ),
    Rule(
        "raw request line",
        "raw spaces and non-ASCII bytes get 400",
        "decided by the WSGI server",
        "the server parses the request line",
        _raw_line,
        _quoted,
    ),
    Rule(
        "absolute request target",
        (
            "``GET http://host/path``, ``*`` and a malformed ``Host`` are "
            "handled as ``/``"
        ),
        "handled as ``/path``; ``*`` is 404; a ``Host`` does not change the path",
        ":rfc:`9112`, section 3.2.2",
        _not_a_path,
        _as_its_path,
    ),
    Rule(
        "malformed escapes",
        "400",
        (
            "a ``%`` that does not begin an escape is kept; a param with "
            "bytes that are not UTF-8 gets 404"
        ),
        "WSGI servers decode the path",
        _malformed,
        _literal_percent,
    ),
    Rule(
        "decoding",
        "escapes like ``%2F`` stay in params, others are decoded repeatedly",
        "the WSGI server decodes once",
        "repeated decoding has been a source of bypasses",
        lambda case, answer, site: (
            _escaped(case, answer, site) and action_of(case, site).get("do") != "ctx"
        ),
        _decoded_once,
    ),
    Rule(
        "refused values",
        "a NUL is a value like any other",
        (
            "404 for NUL, ``.`` and ``..`` in a param, and for a backslash in "
            "a rest param"
        ),
        "no handler has to check for them",
        _refused_value,
        not_found,
        (builds.lists_dots, builds.dots_left_out),
    ),
    Rule(
        "dots and backslashes",
        "``..`` and ``.`` are resolved, ``\\`` becomes ``/``",
        "404; a backslash in the value of a param is kept",
        "one URL, one response",
        _dots,
        _not_resolved,
    ),
    Rule(
        "doubled slashes",
        "merged; at the end redirected with 301",
        (
            "redirected with 308 to the path with single slashes; leading "
            "ones are merged"
        ),
        "Werkzeug does this for all routes of the app",
        _doubled,
        _merged,
    ),
    Rule(
        "prefix",
        "``base`` may be left out in production",
        "``url_prefix`` is required",
        "one URL, one response",
        _outside,
        answers_with(404),
    ),
    Rule(
        "path of the site",
        "``site`` may have any path, which is not added to URLs",
        "a path in ``FILEPAGES_SITE`` must be the ``APPLICATION_ROOT``",
        "other absolute URLs would lead nowhere",
        _site_path,
        _without_site_path,
        built=(_site_path, _without_site_path),
        first=True,
    ),
    Rule(
        "file names of HTML",
        "the file of an endpoint is named after its URL",
        (
            "HTML and redirects get the file name of a page, unless the URL "
            "has a file extension"
        ),
        "hosts send a file without an extension as a download",
        built=(builds.html_of_endpoint, builds.named_as_page),
    ),
    Rule(
        "trailing slash of unknown paths",
        "redirected to the other form, then 404",
        "404",
        "a redirect should lead somewhere",
        _slash_redirect,
        _unknown,
    ),
    Rule(
        "trailing-slash redirects",
        "repeats the requested path; 301 for every method with ``always``",
        "builds the path from the route; 301 for ``GET``, else 308",
        "a repeated path can redirect to another site",
        _slash_redirect,
        _canonical,
    ),
    Rule(
        "folder with the same name as the prefix",
        "404",
        "a folder like any other",
        "the prefix is removed once",
        _inside_twice,
        _in_the_folder,
    ),
    Rule(
        "``.html`` in a param",
        "removed from the params of a page",
        "part of the value",
        "one URL, one response",
        _html_suffix,
        _suffix_kept,
    ),
    Rule(
        "page and endpoint of the same name",
        "two routes with the same pattern; the endpoint wins",
        "one route: the page is the template of the endpoint",
        "a form is shown and handled at one URL",
        _twin,
        _endpoint_owns,
        (builds.is_twin, builds.endpoint_in_page_file),
    ),
    Rule(
        "internal routes",
        "``/_image`` and ``/_server-islands/`` exist",
        "404",
        "flask_filepages does not have these features",
        _internal,
        answers_with(404),
    ),
    Rule(
        "target of a redirect",
        "not checked",
        "on this site unless ``external=True``; else 400",
        "open redirects",
        _redirects_out,
        answers_with(400),
        (builds.redirects_out, builds.no_way_out),
    ),
    Rule(
        "status of a redirect",
        "any number",
        "301, 302, 303, 307 or 308; others are an error",
        "browsers follow no other status",
        _no_redirect_status,
        answers_with(500),
    ),
    Rule(
        "``Location``",
        "as given",
        "percent-encoded where a URL needs it",
        ":rfc:`9110`, section 10.2.2",
        _raw_location,
        _encoded_location,
    ),
    Rule(
        "redirects in the configuration",
        (
            "a status counts only if the target is a route; the query is "
            "lost; params of an external target are not filled in"
        ),
        "the status counts, the query is kept, params are filled in",
        "the setting should do what it says",
        _config_redirect,
        _redirect_as_set,
    ),
    Rule(
        "values of cookies",
        "percent-decoded",
        "as Flask reads them",
        "``context.cookies`` and ``request.cookies`` must agree",
        _raw_cookie,
        _as_sent,
    ),
    Rule(
        "attributes of cookies",
        "none by default; any value is converted and percent-encoded",
        (
            "``HttpOnly``, ``SameSite=Lax``, ``Path=/``, and ``Secure`` on "
            "HTTPS; only text, quoted by Werkzeug"
        ),
        "safe defaults",
        _cookie_case,
        _safe_cookies,
    ),
    Rule(
        "reading the body again",
        "an error",
        "works any number of times, unless the stream was consumed",
        "middleware and handlers may both read it",
        _twice,
        _read_again,
    ),
    Rule(
        "body of a ``GET``",
        "always empty",
        "what the client sent",
        "Flask's request is not changed",
        _get_body,
        _body_as_sent,
    ),
    Rule(
        "malformed form",
        "an error",
        "an empty form",
        "Flask's request is not changed",
        _bad_form,
        _empty_form,
    ),
    Rule(
        "other attributes of the context",
        "``generator``, ``clientAddress``, ``originPathname``, locales and more",
        "available from Flask and Python, such as ``request.remote_addr``",
        "they exist already",
        _does("ctx"),
        lambda case, answer, site: (
            _known_fields(case, answer, site)
            or (_escaped(case, answer, site) and _decoded_once(case, answer, site))
        ),
    ),
    Rule(
        "assigning to the context",
        "``params`` and ``props`` can be changed, ``locals`` cannot be replaced",
        "``params`` and ``props`` cannot be changed, ``locals`` can be replaced",
        "a param that changes along the way is hard to track down",
        lambda case, answer, site: (
            action_of(case, site).get("do") in ("locals-assign", "set-param-mutate")
        ),
        answers_with(200, 500),
        (builds.changes_props, builds.props_are_read_only),
    ),
    Rule(
        "rewrite",
        (
            "the URL becomes the target's; the target may have a query; "
            "rewriting after the body has been read is an error"
        ),
        (
            "the URL stays the same; the target is a path without "
            "``url_prefix``, not decoded; the body can be read again"
        ),
        "repeated decoding has been a source of bypasses; logs keep one address",
        _rewrites,
        _as_its_target,
        wide="a whole site is about it",
    ),
    Rule(
        "origin check",
        "by content type; a request without ``Origin`` is refused",
        (
            "by fetch metadata and origin, for any type; requests that do not "
            "come from a browser are accepted"
        ),
        "checks by type were bypassed repeatedly; webhooks must work",
        _checked,
        _refused_if_foreign,
        wide="two sites are about it, in every combination of method, type and origin",
    ),
    Rule(
        "middleware for unmatched URLs",
        "one middleware function runs for every URL",
        "the ``404`` file responds, inside the middleware of the root folder",
        "a guard must not depend on how a URL is spelled",
        _unbound,
        as_unmatched,
    ),
    Rule(
        "middleware that returns nothing",
        "the inner response is sent",
        "an error that names the middleware",
        "a forgotten ``return`` must not disable a guard",
        _returns_nothing,
        answers_with(500),
    ),
    Rule(
        "changing a redirect in middleware",
        "an error: the response is immutable",
        "works",
        "Flask's responses can be changed",
        _immutable,
        lambda case, answer, site: (
            300 <= answer.status < 400 or _redirects_out(case, answer, site)
        ),
        unused="no recorded request asks for such a file",
    ),
    Rule(
        "errors of an endpoint",
        "the HTML error page, or an empty body",
        (
            "``application/problem+json``, unless the client prefers HTML or "
            "the error page is an endpoint"
        ),
        "programs read it (:rfc:`9457`)",
        _endpoint_error,
        _problem,
    ),
    Rule(
        "status of an error endpoint",
        "its own for unmatched URLs, 404 if a page declined the request",
        "always its own",
        "one way to handle errors",
        _gave_up,
        as_unmatched,
    ),
    Rule(
        "impossible responses",
        "500 for a status below 200 or above 599, and for a body with 204",
        "sent with that status; Werkzeug leaves out the body",
        "Flask's responses are not changed",
        _impossible,
        _as_said,
    ),
    Rule(
        "``.html`` with ``build.format: file``",
        "routes also respond at ``.html``",
        "404",
        "one URL, one response",
        _html_twin,
        answers_with(404),
    ),
    Rule(
        "doctype",
        "added to an ``.html`` page that has none",
        "a page is sent as it is",
        "a page may be a fragment",
        _plain_html,
        _without_doctype,
        (_plain_file, _without_doctype),
        unused="no recorded request asks for such a file",
    ),
    Rule(
        "prerendered error pages",
        "know nothing about the error; ``/500`` is 404",
        "rendered for each request, with the error; also at their own URL",
        "an error page should be able to name the error",
        _stored_error_page,
        _told_the_error,
    ),
    Rule(
        "error page that fails",
        "500, also for an unmatched URL",
        "the built-in page, with the status of the error",
        "the client asked for something that does not exist",
        _error_page_fails,
        _own_404,
        unused="no recorded request leads to such a page",
    ),
    Rule(
        "status and headers in a build",
        "dropped; 4xx and 5xx are written as files",
        "kept in the manifest; 4xx and 5xx are errors",
        ("lost headers are a frequent complaint; a broken page must not be published"),
        builds.is_error,
        builds.refused_as_error,
        (builds.is_error, builds.refused_as_error),
        first=True,
    ),
    Rule(
        "private responses in a build",
        "cookies are dropped, ``private`` and ``no-store`` ignored",
        "an error",
        "every visitor would get them",
        builds.is_private,
        builds.not_for_all,
        (builds.is_private, builds.not_for_all),
        first=True,
    ),
    Rule(
        "methods of a prerendered file",
        (
            "``POST`` and others are ignored, ``ALL`` handles ``GET``, a file "
            "without ``GET`` becomes the 404 page"
        ),
        "an error when the app starts, which says to write ``prerender = False``",
        "nobody could reach the handler",
        builds.other_methods,
        builds.never_asked,
        (builds.other_methods, builds.never_asked),
        first=True,
    ),
    Rule(
        "path that is listed twice",
        "a warning; the first route or the last props win",
        "an error that names the path",
        "a path that silently loses costs days of debugging",
        builds.listed_twice,
        builds.once_only,
        (builds.listed_twice, builds.once_only),
        first=True,
    ),
    Rule(
        "two responses with the same file name",
        "the last one wins",
        "an error that names both",
        "a file that silently loses costs days of debugging",
        built=(builds.shares_file, builds.named_or_left),
        unused="no recorded tree has two",
    ),
    Rule(
        "endpoint at the root",
        "is built, whatever the name of its file",
        "HTML becomes ``index.html``; anything else is a build error",
        "the root of a site is a folder",
        built=(builds.root_endpoint, builds.root_refused),
        unused="the only recorded one is a rest",
    ),
    Rule(
        "values of listed params",
        (
            "slashes are removed, ``?`` and ``#`` escaped, escapes decoded, "
            "Unicode composed"
        ),
        (
            "used as they are, in the URL, the params and the file name; "
            "impossible ones are an error"
        ),
        "the path that was listed is the one that is requested",
        built=(builds.changed_value, builds.value_as_it_is),
    ),
    Rule(
        "unknown names in listed params",
        "ignored",
        "an error that names the param",
        "otherwise a typo would go unnoticed",
        built=(builds.has_unknown_param, builds.unknown_param),
    ),
    Rule(
        "absent rest param of an endpoint",
        "an error: ``[...path].ts`` cannot list the path without it",
        "a file like any other; an error if other files lie below it",
        "``/docs`` may be a document",
        built=(builds.absent_rest, builds.file_of_folder),
        unused="the one recorded tree lists an empty text, which is an error",
    ),
    Rule(
        "arguments of ``getStaticPaths``",
        "``paginate`` and ``routePattern``",
        "none; ``paginate`` is imported",
        "it is a plain function",
        built=(builds.uses_arguments, builds.without_arguments),
    ),
    Rule(
        "URLs of a paginated endpoint",
        "with ``trailingSlash: always`` a slash after the extension, which is 404",
        "no slash",
        "a URL should lead somewhere",
        built=(builds.is_paginated, builds.urls_without_slash),
    ),
    Rule(
        "context in a build",
        (
            "``localhost:4321`` without a site, ``.html`` in URLs with "
            "``build.format: file``, no headers, ``clientAddress`` is an "
            "error"
        ),
        (
            "``localhost``, the URL that will be requested, the host of the "
            "site, ``request.remote_addr`` is ``None``"
        ),
        "rendering is a request to the app like any other",
        built=(builds.shows_context, builds.context_of_build),
    ),
    Rule(
        "text of redirect pages",
        "names their file",
        "names the URL that they stand for",
        "people read it",
        built=(builds.redirect_page, builds.from_its_url),
    ),
    Rule(
        "pages for redirects",
        "``build.redirects: false`` omits them",
        "always written, unless the output is ``server``",
        "the app sends the redirects; a plain host needs the pages",
        built=(builds.no_redirects, builds.redirect_written),
    ),
    Rule(
        "responses without a body",
        "no file",
        "an empty file, unless the status is 204",
        "Flask does not distinguish no body from an empty one",
        builds.is_empty,
        builds.empty_answer,
        (builds.is_empty, builds.empty_answer),
        first=True,
    ),
    Rule(
        "public folder",
        (
            "its files come first; a folder responds with its ``index.html``; "
            "dot files are never sent"
        ),
        (
            "the app's static folder: routes come first; two files with the "
            "same name are a build error; at the root of the site it handles "
            "what no route matches"
        ),
        "the folder is Flask's own",
        builds.beside_public,
        builds.as_static_folder,
        (builds.in_public, builds.copied_over),
        first=True,
    ),
    Rule(
        "unbalanced brackets",
        "``]a[`` and ``[]`` are text",
        "an error",
        "it is a mistyped param",
        built=(builds.stray_bracket, builds.refused_name),
    ),
    Rule(
        "``%``, ``?`` and ``#`` in file names",
        "break the build",
        "are text; a stored file name cannot contain ``?``",
        "a name is not a URL",
        built=(builds.url_marks, builds.marks_are_text),
    ),
    Rule(
        "adapter",
        "needed for routes that run on request, with a ``mode``",
        "any WSGI server",
        "it is a Flask app",
        built=(builds.wants_adapter, builds.starts),
    ),
    Rule(
        "hybrid",
        "an error; ``static`` has this meaning",
        "``static`` stores all files, ``hybrid`` all that do not opt out",
        "the author of a static site finds out if it is not static",
        built=(builds.is_hybrid, builds.starts),
        unused="no recorded tree says so",
    ),
    Rule(
        "``prerender``",
        "found in the text: a comment can set it, other forms are ignored",
        (
            "a literal at the top level of the module; anything else is an "
            "error with its line"
        ),
        "a typo must not decide how a file runs",
        builds.flags,
        builds.literal_or_error,
        first=True,
    ),
    Rule(
        '``prerender = "auto"``',
        "``true`` or ``false``",
        'also ``"auto"``: listed paths are stored, all others run on request',
        "posts added between builds need to work",
        unused="no recorded file says so",
    ),
    Rule(
        "stored responses",
        (
            "a file: 200, ``Cache-Control: public, max-age=0``, a type "
            "guessed from the suffix"
        ),
        (
            "the handler's status, headers and type; ``Cache-Control: public, "
            "max-age=0, must-revalidate`` by default, and a strong ``ETag``"
        ),
        "JSON without a suffix is not a download",
        builds.stored_in_both,
        builds.kept_answer,
        first=True,
    ),
    Rule(
        "file names as URLs",
        "a stored page also responds at ``/about/index.html`` or ``/about.html``",
        "404",
        "one URL, one response",
        builds.file_name,
        not_found,
    ),
    Rule(
        "slashes of stored responses",
        (
            "only one form responds, and with ``trailingSlash: always`` none "
            "for a file without an extension"
        ),
        "as on request",
        "being stored does not change a URL",
        builds.other_slash,
        builds.same_answer,
        first=True,
    ),
    Rule(
        "stored redirects",
        "a page with status 200",
        "a redirect with its status and ``Location``; the page is its body",
        "only browsers follow a page",
        builds.stored_redirect,
        builds.real_redirect,
        first=True,
    ),
    Rule(
        "middleware and stored responses",
        "runs during the build, not when the page is sent",
        "runs when the page is sent, unless it is marked ``@once_per_render``",
        "guards must hold",
        built=(builds.guarded, builds.unguarded_in_build),
        unused="all that is recorded around stored answers is marked with it",
    ),
    Rule(
        "methods of stored responses",
        "prerendered files respond to ``POST`` with 200",
        "405",
        "HTTP",
        builds.unsafe_on_stored,
        builds.only_get,
        first=True,
    ),
    Rule(
        "body size limit",
        "an error where the body is read: 500",
        "413, unless the handler catches the error",
        "HTTP",
        builds.too_large,
        builds.refused_body,
    ),
    Rule(
        "default output",
        "``static``",
        "``server``: every route runs on request",
        "an existing Flask app must work as before",
        unused="the output of every recorded tree is set here",
    ),
    Rule(
        "language",
        "TypeScript, camelCase",
        "Python, snake_case",
        "Python",
        unused="it is about names, not about answers",
    ),
)


def rule_for(case: Case, answer: Answer, site: Site) -> Rule | None:
    """Return the rule that a case falls under, if its promise is kept.

    What a rule about stored answers recognises is for such rules alone.
    """
    if not builds.is_kept(case, answer, site):
        return None
    first = [r for r in RULES if r.first and r.sees(case, answer, site)]
    return next((r for r in first or RULES if r.takes(case, answer, site)), None)


__all__ = ["RULES", "Rule", "rule_for"]
