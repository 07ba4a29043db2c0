"""Where we differ from Astro on purpose: one rule for each row of the page
"Differences from Astro" in the documentation.

A rule recognises a case by its nature, never by its id, and then demands exactly
the answer that it promises.
"""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
from urllib.parse import quote
from urllib.parse import unquote
from urllib.parse import urlsplit

from werkzeug.exceptions import NotFound
from werkzeug.routing import Map
from werkzeug.routing import RequestRedirect
from werkzeug.routing import Rule as WerkzeugRule

from .cases import Case
from .compare import filled
from .site import Answer
from .site import Site
from .vocabulary import ABSENT

Test = Callable[[Case, Answer, Site], bool]
_EXPORT = re.compile(r"export (?:(?:const|let|(?:async )?function) |\{ )([A-Za-z]+)")
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@dataclass(frozen=True)
class Rule:
    """A difference: what Astro does, what we do, and why.

    :param wide: why it takes more than its share of the cases.
    :param unused: why no recorded case falls under it.
    """

    name: str
    astro: str
    ours: str
    because: str
    recognises: Test | None = None
    promises: Test | None = None
    wide: str = ""
    unused: str = ""

    def takes(self, case: Case, answer: Answer, site: Site) -> bool:
        """Whether the case is of this kind and the answer is the promised one."""
        if self.recognises is None or self.promises is None:
            return False
        return self.recognises(case, answer, site) and self.promises(case, answer, site)


# -- what cases have in common --------------------------------------------------------


def _status(*statuses: int) -> Test:
    return lambda case, answer, site: answer.status in statuses


def _exports(case: Case, site: Site) -> dict[str, t.Any] | None:
    """Return what the endpoint that we matched exports; ``{}`` for a page."""
    rule = site.match(case)
    if rule is None or rule.route.source is None:
        return None
    file = case.files.get(site.names.get(rule.route.source.relative, ""), {})
    if isinstance(file, str):  # raw source: only the names of its exports are read
        return {name: {} for name in _EXPORT.findall(file)}
    return t.cast("dict[str, t.Any]", file.get("exports", {}))


def _not_found(case: Case, answer: Answer, site: Site) -> bool:
    """Whether the answer is 404, or the tree's own page or endpoint for it."""
    return answer.status == 404 or (answer.winner or "").rpartition(".")[0] == "404"


def _allow(exports: dict[str, t.Any]) -> str:
    names = {name for name in exports if name in _METHODS} or set()
    if not exports:
        names = {"GET"}
    if "ALL" in exports:
        names = set(_METHODS)
    if "GET" in names:
        names.add("HEAD")
    return ", ".join(sorted({*names, "OPTIONS"}))


def _as_if(case: Case, site: Site, answer: Answer, **changes: t.Any) -> bool:
    """Whether the answer is the one to the same request with *changes*."""
    other = site.ask(replace(case, **changes))
    return (answer.status, _told(answer), answer.get("location")) == (
        other.status,
        _told(other),
        other.get("location"),
    )


def _told(answer: Answer) -> t.Any:
    """Return the content of an answer, without the target as it was sent."""
    content = answer.content
    if isinstance(content, dict):
        return {k: v for k, v in content.items() if k != "request.url"}
    return content


def _location(answer: Answer) -> str:
    parts = urlsplit(answer.get("location") or "")
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _redirect_status(case: Case) -> int:
    return 301 if case.method == "GET" else 308


def _base(case: Case) -> str:
    return str(case.config.get("base", "")).rstrip("/")


# -- methods ------------------------------------------------------------------------


def _method_missing(case: Case, answer: Answer, site: Site) -> bool:
    exports = _exports(case, site)
    return (
        case.status == 404
        and bool(exports)
        and case.method in _METHODS
        and case.method not in (exports or {})
    )


def _allowed(case: Case, answer: Answer, site: Site) -> bool:
    expected = 204 if case.method == "OPTIONS" else 405
    exports = _exports(case, site) or {}
    return answer.status == expected and answer.get("allow") == _allow(exports)


def _other_verb(case: Case, answer: Answer, site: Site) -> bool:
    return case.method not in _METHODS


def _only_seven(case: Case, answer: Answer, site: Site) -> bool:
    if answer.status in (301, 308):  # to the other form of the slash, first
        target = _location(answer).partition("?")[0]
        return case.path.endswith("/") != target.endswith("/")
    exports = _exports(case, site)
    if exports is None:
        return answer.status == 404
    return answer.status == (200 if "ALL" in exports else 405)


def _unsafe_page(case: Case, answer: Answer, site: Site) -> bool:
    page = "page" in case.recorded or (
        case.status == 200 and _exports(case, site) == {}
    )
    return page and case.method not in ("GET", "HEAD")


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
    ours, theirs = ((-len(re.sub(r"\[[^\]]*\]", "", s)), s) for s in pair)
    return ours < theirs


def _collided(case: Case, answer: Answer, site: Site) -> bool:
    kinds = [site.refused[f].kind for f in (case.winner,) if f in site.refused]
    return kinds == ["collision"]


def _named_both(case: Case, answer: Answer, site: Site) -> bool:
    """The start-up error named the two files, and the file that is left answers."""
    fault = site.refused[case.winner or ""]
    if fault.fix == "":
        return True
    return bool(re.match(r"answers \S.*, and so does \S", fault.problem)) and (
        answer.status in (200, 405, 404)
    )


def _broken(case: Case, answer: Answer, site: Site) -> bool:
    return any(
        fault.kind in ("no-handler", "handler", "import", "syntax")
        and case.path.rstrip("/") == f"/{file.rpartition('.')[0]}"
        for file, fault in site.refused.items()
    )


def _raw_line(case: Case, answer: Answer, site: Site) -> bool:
    return case.status == 400 and bool(re.search(r"[^\x21-\x7e]", case.target))


def _quoted(case: Case, answer: Answer, site: Site) -> bool:
    target = quote(case.target, safe="!#$%&'()*+,/:;=?@[]~")
    return _as_if(case, site, answer, target=target)


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
    return _as_if(case, site, answer, target=urlsplit(case.target).path)


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
        return _not_found(case, answer, site)
    literal = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", case.target)
    return _as_if(case, site, answer, target=literal)


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
    return _as_if(case, site, answer, target=target)


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
    return _not_found(case, answer, site) or any("\\" in str(value) for value in values)


def _doubled(case: Case, answer: Answer, site: Site) -> bool:
    return "//" in case.path


def _merged(case: Case, answer: Answer, site: Site) -> bool:
    """Leading slashes count as one; others are answered by 308 to the merged path."""
    leading = re.sub(r"\A/{2,}", "/", case.target)
    if leading != case.target:
        return _as_if(case, site, answer, target=leading)
    if "///" in case.path and not _runs_are_merged():
        return answer.status == 404
    path, query = re.subn("/{2,}", "/", case.path)[0], case.target.partition("?")[2]
    if answer.status == 404:  # of a path that is not found either way
        return site.match(replace(case, target=path)) is None
    return answer.status == 308 and unquote(_location(answer)) == unquote(
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
    return answer.status == _redirect_status(case) and _location(answer) == expected


def _outside(case: Case, answer: Answer, site: Site) -> bool:
    base = _base(case)
    return bool(base) and not f"{case.path}/".startswith(f"{base}/")


def _inside_twice(case: Case, answer: Answer, site: Site) -> bool:
    base = _base(case)
    return bool(base) and case.path.startswith(f"{base}{base}/")


def _html_suffix(case: Case, answer: Answer, site: Site) -> bool:
    return "page" in case.recorded and ".html" in case.path


def _suffix_kept(case: Case, answer: Answer, site: Site) -> bool:
    params = (answer.content or {}).get("params", {})
    recorded = case.recorded["page"]["params"]
    return answer.winner == case.winner and all(
        ".html" in str(value) for key, value in params.items() if value != recorded[key]
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


def _action(case: Case, site: Site) -> dict[str, t.Any]:
    exports = _exports(case, site) or {}
    found = exports.get(case.method, exports.get("ALL", exports.get("GET", {})))
    return t.cast("dict[str, t.Any]", found)


def _does(do: str, **given: t.Any) -> Test:
    def recognises(case: Case, answer: Answer, site: Site) -> bool:
        action = _action(case, site)
        return action.get("do") == do and all(
            action.get(k) == v for k, v in given.items()
        )

    return recognises


def _redirects_out(case: Case, answer: Answer, site: Site) -> bool:
    action = _action(case, site)
    return action.get("do") == "redirect" and "://" in action["to"]


def _no_redirect_status(case: Case, answer: Answer, site: Site) -> bool:
    action = _action(case, site)
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
    return case.status == 500 and any(r and case.path.startswith(r[1]) for r in refused)


def _redirect_as_set(case: Case, answer: Answer, site: Site) -> bool:
    """The configured status counts, params are filled, the query is kept."""
    redirect = _configured(case, site)
    if redirect is None:
        return answer.status == 404
    query = case.target.partition("?")[2]
    location = answer.get("location") or ""
    # The query goes before a fragment; an absent rest takes its slash along.
    start = redirect.target.partition("#")[0].partition("[")[0]
    filled_in = "[" not in location and location.startswith(
        quote(start.rstrip("/"), safe=_URL_SAFE)
    )
    kept = not query or query in location or "?" in redirect.target
    return (
        filled_in
        and kept
        and answer.status == (redirect.status or _redirect_status(case))
    )


def _cookie_case(case: Case, answer: Answer, site: Site) -> bool:
    return case.area == "cookies" and (
        case.status == 200 or "set-cookie" in case.recorded_headers
    )


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
    return answer.status == case.status and answer.get(
        "location"
    ) == case.recorded_headers.get("location")


def _raw_cookie(case: Case, answer: Answer, site: Site) -> bool:
    return (
        "Cookie" in case.headers
        and re.search(r'[%"]', case.headers["Cookie"]) is not None
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
    return bool(answer.content == {"a": sent, "b": sent})


def _get_body(case: Case, answer: Answer, site: Site) -> bool:
    return _does("body")(case, answer, site) and case.method in ("GET", "HEAD")


def _body_as_sent(case: Case, answer: Answer, site: Site) -> bool:
    sent = case.sent_body.decode()
    return answer.status == 200 and (answer.content or {}).get("value", sent) == sent


def _bad_form(case: Case, answer: Answer, site: Site) -> bool:
    return _does("body", **{"as": "formData"})(case, answer, site) and case.status in (
        400,
        500,
    )


def _empty_form(case: Case, answer: Answer, site: Site) -> bool:
    return bool(answer.content == {"as": "formData", "value": []})


def _known_fields(case: Case, answer: Answer, site: Site) -> bool:
    """Each attribute that both have is equal; paths are decoded once."""
    content = answer.content
    if answer.status != 200 or not isinstance(content, dict):
        return False
    if not isinstance(case.recorded.get("json"), dict):
        return False
    recorded = filled(case.recorded["json"])
    once = _RESERVED.search(case.path)
    decoded = {"url", "pathname", "params"} if once else set()
    return all(
        value in (ABSENT, recorded[key]) or key in decoded
        for key, value in content.items()
    )


_LATER = "what it is about is later work"
_NAMES = "no recorded request asks for such a file"

RULES: tuple[Rule, ...] = (
    Rule(
        "missing method",
        "404",
        "405 with ``Allow``; ``OPTIONS`` is answered by 204",
        "HTTP, and what every Flask user expects",
        _method_missing,
        _allowed,
    ),
    Rule(
        "other verbs",
        "any upper-case export is a method",
        "seven verbs, and ``ALL`` for whatever else arrives",
        "a name in a module must never become callable from outside by accident",
        _other_verb,
        _only_seven,
    ),
    Rule(
        "methods of a page",
        "a page answers every method",
        "``GET`` and ``HEAD``; others by its endpoint",
        "the same",
        _unsafe_page,
        _allowed,
    ),
    Rule(
        "collision",
        "a warning, and one file wins",
        "an error at the start that names both files",
        "silent losers cost days",
        _collided,
        _named_both,
    ),
    Rule(
        "half-dynamic order",
        "by locale: ``[a]-[b]`` beats ``v[n]``",
        "more literal text first, then by code point",
        "the more specific file should win, on every machine",
        _half_dynamic,
        _more_text,
    ),
    Rule(
        "file without a handler",
        "404 or 500 at each request",
        "an error at the start, with file and line",
        "a typo should not be found by a visitor",
        _broken,
        _status(404),
    ),
    Rule(
        "special names",
        "``[[x]]``, ``(g)`` are text, ``[x=m]`` is an error",
        "optional segment, group folder, matcher",
        "what users of the other routers expect",
        unused=_NAMES,
    ),
    Rule(
        "test files",
        "routes, unless their name starts with ``_``",
        "``test_*.py``, ``*_test.py`` and ``conftest.py`` are no routes",
        "pytest's own names must be safe to keep beside the code",
        unused=_NAMES,
    ),
    Rule(
        "raw request line",
        "400 from node for raw spaces and non-ASCII bytes",
        "what the WSGI server lets through is the path it stands for",
        "the request line is the server's business",
        _raw_line,
        _quoted,
    ),
    Rule(
        "absolute target",
        "``GET http://host/path``, ``*`` and a malformed ``Host`` are answered as ``/``",
        "as ``/path``; ``*`` is 404; a ``Host`` does not change the path",
        "RFC 9112, section 3.2.2",
        _not_a_path,
        _as_its_path,
    ),
    Rule(
        "malformed escapes",
        "400",
        "a stray ``%`` is itself; bytes that are not UTF-8 are 404 in a param",
        "WSGI servers decode the path, and leave what is no escape",
        _malformed,
        _literal_percent,
    ),
    Rule(
        "one decode",
        "escapes like ``%2F`` are kept in params, others decoded again and again",
        "one decode, by the WSGI server",
        "WSGI; repeated decoding was a source of bypasses",
        lambda case, answer, site: (
            _escaped(case, answer, site) and _action(case, site).get("do") != "ctx"
        ),
        _decoded_once,
    ),
    Rule(
        "refused values",
        "NUL is a value like any other",
        "404 for NUL in a param, for ``.`` and ``..``, for a backslash in a rest",
        "no handler has to think of them",
        _refused_value,
        _not_found,
    ),
    Rule(
        "dots and backslashes",
        "``..`` and ``.`` are resolved, ``\\`` becomes ``/``",
        "404, or ``\\`` in the value of a param",
        "one URL, one answer; a proxy resolves them before us, or nobody does",
        _dots,
        _not_resolved,
    ),
    Rule(
        "doubled slashes",
        "collapsed and answered; at the end redirected by 301",
        "308 to the path with single slashes; in front they count as one",
        "Werkzeug's own answer, the same as for all routes of the app",
        _doubled,
        _merged,
    ),
    Rule(
        "url_prefix",
        "``base`` may be left out in production",
        "``url_prefix`` is required",
        "one URL, one answer",
        _outside,
        _status(404),
    ),
    Rule(
        "slash of unknown paths",
        "redirected to the other form, then 404",
        "404",
        "a redirect should lead somewhere",
        _slash_redirect,
        _unknown,
    ),
    Rule(
        "slash redirect",
        "echoes the path; 301 for every method with ``always``",
        "the path is built from the route; 301 for ``GET``, else 308",
        "an echoed path was a way to redirect elsewhere",
        _slash_redirect,
        _canonical,
    ),
    Rule(
        "prefix twice",
        "a folder named like ``base`` is 404",
        "it is a folder like any other",
        "the prefix is taken off once",
        _inside_twice,
        _status(200),
    ),
    Rule(
        "html suffix",
        "``.html`` is cut off the params of a page",
        "it belongs to the value",
        "one URL, one answer",
        _html_suffix,
        _suffix_kept,
    ),
    Rule(
        "page and endpoint of one name",
        "two routes of one pattern, the endpoint first",
        "one route: the endpoint, and the page as its template",
        "a form is shown and handled at one URL",
        _twin,
        _endpoint_owns,
        unused="in all recorded requests to such a pair the endpoint answered",
    ),
    Rule(
        "internal routes",
        "``/_image``, ``/_server-islands/`` answer",
        "404",
        "there are no such features here",
        _internal,
        _status(404),
    ),
    Rule(
        "redirect target",
        "``redirect`` is unchecked",
        "local, unless ``external=True``; else 400",
        "open redirects",
        _redirects_out,
        _status(400),
    ),
    Rule(
        "redirect status",
        "any number",
        "301, 302, 303, 307 or 308; another is an error",
        "no browser follows a Location with 200",
        _no_redirect_status,
        _status(500),
    ),
    Rule(
        "Location",
        "as it was given",
        "percent-encoded where a URL needs it",
        "RFC 9110, section 10.2.2",
        _raw_location,
        _encoded_location,
    ),
    Rule(
        "redirects setting",
        "a status counts only where the target is a route; the query is dropped;"
        " params of an outside target are not filled",
        "the status counts, the query is kept, params are filled",
        "what was written down should happen",
        _config_redirect,
        _redirect_as_set,
    ),
    Rule(
        "values of request cookies",
        "percent-decoded",
        "as Flask reads them",
        "``context.cookies`` and ``request.cookies`` must not differ",
        _raw_cookie,
        _as_sent,
    ),
    Rule(
        "cookies without attributes",
        "no default attributes; any value becomes text, percent-encoded",
        "``HttpOnly``, ``SameSite=Lax``, ``Path=/``, ``Secure`` on https; text only,"
        " quoted by Werkzeug",
        "safe defaults",
        _cookie_case,
        _safe_cookies,
    ),
    Rule(
        "body read again",
        "an error",
        "works, any number of times; only a used-up stream is an error",
        "middleware and handler may both want to look",
        _twice,
        _read_again,
    ),
    Rule(
        "body of a GET",
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
        "context attributes",
        "``generator``, ``clientAddress``, ``originPathname``, locale and more",
        "left to Flask and Python",
        "``request.remote_addr`` and the like exist already",
        _does("ctx"),
        lambda case, answer, site: (
            _known_fields(case, answer, site)
            or (_escaped(case, answer, site) and _decoded_once(case, answer, site))
        ),
    ),
    Rule(
        "read-only context",
        "``params`` can be written, ``locals`` cannot be replaced",
        "``params`` cannot be written, ``locals`` can be replaced",
        "a param that changes on the way is hard to find",
        lambda case, answer, site: (
            _action(case, site).get("do") in ("locals-assign", "set-param-mutate")
        ),
        _status(200, 500),
        unused="no recorded request asks for these two files",
    ),
    Rule(
        "origin check",
        "by content type; requests without ``Origin`` are refused",
        "planned: fetch metadata and origin, for any type; what is no browser passes",
        "checks by type were bypassed again and again; webhooks must work",
        unused=_LATER,
    ),
    Rule(
        "static build",
        "drops status and headers, writes 4xx and 5xx as files",
        "planned: the manifest keeps them; 4xx and 5xx are errors",
        "lost headers are a recurring complaint; a broken page must not ship",
        unused=_LATER,
    ),
    Rule(
        "middleware and stored answers",
        "runs at build, not over prerendered routes",
        "planned: over sent answers, unless ``@once_per_render``",
        "guards must hold",
        unused=_LATER,
    ),
    Rule(
        "methods of stored answers",
        "prerendered files answer POST with 200",
        "planned: 405",
        "HTTP",
        unused=_LATER,
    ),
    Rule(
        "default output",
        "``static``",
        "every route runs on request",
        "an existing Flask app must go on as it was",
        unused=_LATER,
    ),
    Rule(
        "language",
        "TypeScript, camelCase",
        "snake_case",
        "Python",
        unused="it is about names, not about answers",
    ),
)

__all__ = ["RULES", "Rule"]
