"""What is different in a build and in what is sent of it: the tests of the rules."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import replace
from urllib.parse import quote
from urllib.parse import urlsplit

from flask_filepages.routing.routes import Route

from .cases import BUILD_ERROR
from .cases import Case
from .compare import agrees
from .compare import body_agrees
from .compare import redirect_told
from .compare import route_told
from .rules import METHODS
from .rules import Test
from .rules import as_unmatched
from .rules import base_of
from .rules import checks_origins
from .rules import is_foreign
from .site import NOTHING
from .site import Answer
from .site import Site
from .translate import ENDPOINTS
from .translate import makes
from .vocabulary import ABSENT
from .vocabulary import astro_value

_NEVER = {"POST", "PUT", "PATCH", "DELETE", "ALL"}
_DEFAULT_CACHE = "public, max-age=0, must-revalidate"
_STATIC = "static"  # Flask's name for the route of its static folder

# -- what they have in common ---------------------------------------------------------


def file_of(case: Case, site: Site) -> t.Any:
    """Return what was recorded of the file that a case is about."""
    return case.files.get(site.owner(case) or "", {})


def is_prerendered(case: Case, site: Site) -> bool:
    file = file_of(case, site)
    flag = file.get("prerender") if isinstance(file, dict) else None
    return bool(case.config.get("output") == "static" if flag is None else flag)


def refused(kind: str, problem: str) -> Test:
    """Return the promise that the file of a case is refused for *problem*, and gone."""

    def promises(case: Case, answer: Answer, site: Site) -> bool:
        fault = site.refused.get(site.owner(case) or "")
        return (
            fault is not None
            and fault.id == kind
            and re.search(problem, fault.problem) is not None
            and fault.fix != ""
            and is_gone(case, answer, site)
        )

    return promises


def is_gone(case: Case, answer: Answer, site: Site) -> bool:
    """Whether nothing answers for a file, or nothing was written of it."""
    if case.is_build:
        return answer.status == NOTHING
    return as_unmatched(case, answer, site)


def _handled(file: t.Any) -> dict[str, t.Any]:
    """Return the recorded actions of a file by method; a page answers ``GET``."""
    if not isinstance(file, dict):
        return {}
    exports: dict[str, t.Any] = file.get("exports", {"GET": {"do": "page"}})
    return exports


def _action(case: Case, site: Site) -> dict[str, t.Any]:
    handled = _handled(file_of(case, site))
    action: dict[str, t.Any] = handled.get("GET", handled.get("ALL", {}))
    return action


def _files(*do: str) -> Test:
    """Return the test whether ``GET`` of a prerendered file does one of *do*."""
    return lambda case, answer, site: (
        is_prerendered(case, site) and _action(case, site).get("do") in do
    )


def params_of(answer: Answer) -> t.Any:
    content = answer.content
    return content.get("params") if isinstance(content, dict) else None


def is_kept(case: Case, answer: Answer, site: Site) -> bool:
    """Whether the manifest has what a file cannot say: the status and the headers that
    the handler gave. A case that is not about a written file has no say."""
    entry = site.entry_of(case.target) if case.is_build and site.is_up else None
    if (
        entry is None
        or answer.status == NOTHING
        or {"route", "accepted"} & {*case.recorded}
    ):
        return True
    route = site.route_of(entry)
    if route.redirect is not None:
        moved = (route.redirect.status or 301, {"content-type": _HTML})
        to = (redirect_told(answer) or {}).get("to")
        return _has(answer, *moved) and answer.get("location") == to
    if _is_error(route) and route.page is not None:
        return _has(answer, int(route.page.stem), {"content-type": _HTML})
    name = site.names[route.source.relative] if route.source else ""
    return _has(answer, *_given(case, case.files[name]))


def _is_error(route: Route) -> bool:
    return route.id in ("/404", "/500")


_HTML = "text/html; charset=utf-8"


def _has(answer: Answer, status: int, headers: t.Mapping[str, str]) -> bool:
    return answer.status == status and all(
        value in answer.all(name.lower()) for name, value in headers.items()
    )


def _given(case: Case, file: t.Any) -> tuple[int, dict[str, str]]:
    """Return status and headers that the render of a file has, for what is recorded."""
    action = _handled(file).get("GET", {"do": "raw"})
    given = {**action, **file} if isinstance(file, dict) else action
    headers = given.get("headers") or {}
    own = {name.lower(): value for name, value in dict(headers).items()}
    own.setdefault("cache-control", _DEFAULT_CACHE)
    kind = _own_type(action)
    if kind is not None:
        own.setdefault("content-type", kind)
    status = given.get("status") or 200
    moves = given if action["do"] == "redirect" else given.get("redirect")
    if moves:
        status, own["content-type"] = moves.get("status", 302), _HTML
        own["location"] = quote(moves["to"], safe="!#$%&'()*+,/:;=?@[]~")
    for steps in case.middleware:
        for step in steps if makes(steps) else ():
            if step["op"] == "header" and "when" not in step:
                own[step["name"]] = step["value"]
    return status, own


# -- files that are refused -----------------------------------------------------------


def other_methods(case: Case, answer: Answer, site: Site) -> bool:
    """Whether a prerendered file handles what nobody will ever ask of it."""
    names = {
        name for name in _handled(file_of(case, site)) if name in (*METHODS, "ALL")
    }
    unheard = names & _NEVER or "GET" not in names
    return is_prerendered(case, site) and bool(names) and bool(unheard)


never_asked = refused(
    "prerender",
    "a prerendered route cannot handle|a prerendered route needs a GET handler",
)


def without_handler(case: Case, answer: Answer, site: Site) -> bool:
    file = file_of(case, site)
    if isinstance(file, str):
        return re.match(r"throw |.*=> 1;|import ", file) is not None
    handled = {
        name: a for name, a in _handled(file).items() if name in (*METHODS, "ALL")
    }
    return not handled or any(a["do"] == "not_function" for a in handled.values())


def no_handler(case: Case, answer: Answer, site: Site) -> bool:
    fault = site.refused.get(site.owner(case) or "")
    kinds = ("no-handler", "handler", "import", "syntax")
    return fault is not None and fault.id in kinds and is_gone(case, answer, site)


def _status_of(case: Case, site: Site) -> int:
    """Return the status that the render of a file has there: a middleware may say it."""
    path = f"/{site.owner(case) or ''}".rpartition(".")[0]
    for step in (step for steps in case.middleware for step in steps):
        if step["op"] == "respond" and step.get("when") in (None, path):
            return int(step["status"])
    file = file_of(case, site)
    if isinstance(file, dict) and (file.get("return404") or "throw" in file):
        return 404 if file.get("return404") else 500
    status = file.get("status") if isinstance(file, dict) else None
    return int(status or _action(case, site).get("status", 200))


def is_error(case: Case, answer: Answer, site: Site) -> bool:
    name = (site.owner(case) or "").partition(".")[0]
    is_page = name in ("404", "500")
    return is_prerendered(case, site) and not is_page and _status_of(case, site) >= 400


def refused_as_error(case: Case, answer: Answer, site: Site) -> bool:
    problem = f"the response is {_status_of(case, site)} "
    return refused("render", problem)(case, answer, site)


def is_private(case: Case, answer: Answer, site: Site) -> bool:
    """Whether the answer sets a cookie, or says that it is for one client."""
    file, action = file_of(case, site), _action(case, site)
    ops = {op[0] for op in action.get("ops", ())} & {"set", "setraw", "delete"}
    given = action.get("headers", {})
    headers = {
        k.lower(): v for k, v in (given.items() if isinstance(given, dict) else given)
    }
    private = re.search("private|no-store", headers.get("cache-control", ""))
    raw = isinstance(file, str) and "cookies.set" in file
    told = raw or bool(ops) or "set-cookie" in headers or private is not None
    return is_prerendered(case, site) and told


not_for_all = refused("render", "it sets a cookie|its Cache-Control says")


def redirects_out(case: Case, answer: Answer, site: Site) -> bool:
    action = _action(case, site)
    return _files("redirect")(case, answer, site) and "://" in action["to"]


no_way_out = refused("render", "the response is 400 Bad Request")


def changes_props(case: Case, answer: Answer, site: Site) -> bool:
    file = file_of(case, site)
    return (
        isinstance(file, str) and re.search(r"props\.\w+(\+\+| ?=)", file) is not None
    )


props_are_read_only = refused("render", "does not support item assignment")


# -- two files, or two paths, of one URL ----------------------------------------------


def collided(case: Case, answer: Answer, site: Site) -> bool:
    fault = site.refused.get(site.owner(case) or "")
    return fault is not None and fault.id == "collision" and _two(fault.problem) != []


def _two(problem: str) -> list[str]:
    found = re.fullmatch(
        "conflicts with (.*): both match .*|two suffixes, one name: (.*)", problem
    )
    return [one for one in found.groups() if one] if found else []


def both_named(case: Case, answer: Answer, site: Site) -> bool:
    """The error names two files of the tree, of which the first goes on."""
    owner = site.owner(case) or ""
    fault = site.refused[owner]
    named = {
        site.recorded_name(fault.file),
        *map(site.recorded_name, _two(fault.problem)),
    }
    if owner not in named or not named <= case.files.keys():
        return False
    if owner in site.files and "accepted" not in case.recorded:
        return agrees(case, answer)
    return answer.status == NOTHING


def listed_twice(case: Case, answer: Answer, site: Site) -> bool:
    """Whether two entries, of one file or of two, have the path of this case's file."""
    fault = site.refused.get(site.owner(case) or "")
    found = re.search(
        r"(?:its|the) path (\S+) (?:twice|differs|is also)",
        fault.problem if fault else "",
    )
    if found is None:
        return False
    paths = [path for file in case.files for path in _listed(file, case.files[file])]
    folded = [path.lower() for path in paths]
    return folded.count(found[1].lower()) > 1


def _entries(file: t.Any) -> list[dict[str, t.Any]]:
    """Return what a recorded file lists, if it is written down entry by entry."""
    listed = file.get("getStaticPaths") if isinstance(file, dict) else None
    entries = listed if isinstance(listed, list) else []
    return [
        e for e in entries if isinstance(e, dict) and isinstance(e.get("params"), dict)
    ]


def _listed(file: str, data: t.Any) -> list[str]:
    """Return the paths that a recorded file lists, as they are written."""
    stem = re.sub(r"(?:(?:\A|/)index)?\.\w+\Z", "", file)
    if "[" not in stem:
        return [f"/{stem}"]
    paths = []
    for entry in _entries(data):
        path = f"/{stem}"
        for name, value in entry["params"].items():
            text = "" if value == "@undefined" else str(value)
            path = path.replace(f"[...{name}]", text).replace(f"[{name}]", text)
        paths.append(path.rstrip("/") or "/")
    return paths


once_only = refused(
    "collision", "it lists the path .* twice|its path .* differs from|is also a path of"
)


def is_twin(case: Case, answer: Answer, site: Site) -> bool:
    """Whether a page and an endpoint of one name lie side by side."""
    stem = (site.owner(case) or "").rpartition(".")[0]
    ends = {
        file.rpartition(".")[2]
        for file in case.files
        if file.rpartition(".")[0] == stem
    }
    return "astro" in ends and bool(ends & {"ts", "js"})


def endpoint_in_page_file(case: Case, answer: Answer, site: Site) -> bool:
    """The endpoint decides what there is; it goes to the file that a page has."""
    if case.target in site.written:
        return (answer.winner or "").endswith(ENDPOINTS)
    if answer.status != NOTHING:
        return False
    if "page" in case.recorded:  # the page's own paths are not asked for
        return True
    names = (f"{case.target}/index.html", f"{case.target}.html")
    return any(agrees(case, site.written.get(name, answer)) for name in names)


def shares_file(case: Case, answer: Answer, site: Site) -> bool:
    """Whether a file was refused because another one has the name of its output."""
    told = (fault.problem for fault in site.refused.values())
    return any(f"another path has its file {case.target}:" in text for text in told)


def named_or_left(case: Case, answer: Answer, site: Site) -> bool:
    """The error named a fix, and the other file was written."""
    fixes = [f.fix for f in site.refused.values() if "another path has" in f.problem]
    return all(fixes) and answer.status != NOTHING


def root_endpoint(case: Case, answer: Answer, site: Site) -> bool:
    """Whether the file of a case is an endpoint whose URL is the root of the site."""
    names = ("index.ts", "index.js")
    is_about_it = case.target in (*names, "index") or case.target == ""
    return is_about_it and any(name in case.files for name in names)


def root_refused(case: Case, answer: Answer, site: Site) -> bool:
    """The endpoint is refused as the root, and nothing is written for it."""
    told = [f for f in site.refused.values() if "the root of the site" in f.problem]
    return any(fault.fix for fault in told) and answer.status == NOTHING


def lists_dots(case: Case, answer: Answer, site: Site) -> bool:
    """Whether a file lists ``.`` or ``..`` as a param, and the case is about it."""
    dots = (".", "..")
    listed = [
        value
        for file in case.files.values()
        for entry in _entries(file)
        for value in entry["params"].values()
    ]
    told = _recorded_params(case)
    values = told.values() if isinstance(told, dict) else dots
    return any(v in dots for v in listed) and any(v in dots for v in values)


def dots_left_out(case: Case, answer: Answer, site: Site) -> bool:
    """The path is refused with a fix, and not written."""
    faults = [
        one.fault
        for one in site.left_out
        if {".", ".."} & {value for value in one.params.values() if value}
    ]
    return answer.status == NOTHING and any(fault.fix for fault in faults)


# -- listed paths -----------------------------------------------------------------------


def _changed(case: Case, site: Site) -> list[dict[str, t.Any]]:
    """Return the listed params of the case's file that are others there."""
    params = [e.get("params", {}) for e in _entries(file_of(case, site))]
    return [p for p in params if {k: astro_value(v) for k, v in p.items()} != p]


def changed_value(case: Case, answer: Answer, site: Site) -> bool:
    if "error" in case.recorded:
        return "%" in json.dumps([_entries(file) for file in case.files.values()])
    theirs = _recorded_params(case)
    return any(
        case.recorded.get("accepted") == given
        or theirs == {k: astro_value(v) for k, v in given.items()}
        or (case.recorded.get("absent") and params_of(answer) == given)
        for given in _changed(case, site)
    )


def _recorded_params(case: Case) -> t.Any:
    content = case.recorded.get("json") or case.recorded.get("page")
    return content.get("params") if isinstance(content, dict) else None


def value_as_it_is(case: Case, answer: Answer, site: Site) -> bool:
    """The value is itself in path and params, or the path is an error."""
    if "error" in case.recorded:
        listed = [p for file in case.files for p in _listed(file, case.files[file])]
        written = all(path.strip("/") in site.written for path in listed)
        return starts(case, answer, site) and written
    if answer.status != NOTHING:  # a name that there is only here
        return site.url_of(case.target) in _paths(case, site)
    for given in _changed(case, site):
        theirs = {k: astro_value(v) for k, v in given.items()}
        if given != case.recorded.get("accepted") and _recorded_params(case) != theirs:
            continue
        left = [one.fault for one in site.left_out if one.params == given]
        if left:
            return left[0].id == "static-paths" and left[0].fix != ""
        return any(params_of(other) == given for other in site.written.values())
    return False


def has_unknown_param(case: Case, answer: Answer, site: Site) -> bool:
    """Whether an entry of the case's file has a param that the file name lacks."""
    known = set(re.findall(r"\[(?:\.\.\.)?(\w+)", site.owner(case) or ""))
    return any(set(e["params"]) - known for e in _entries(file_of(case, site)))


unknown_param = refused("static-paths", "which is not a param of the route")


def _paths(case: Case, site: Site) -> list[str]:
    owner = site.owner(case) or ""
    return _listed(owner, case.files.get(owner, {}))


def uses_arguments(case: Case, answer: Answer, site: Site) -> bool:
    file = file_of(case, site)
    listed = file.get("getStaticPaths") if isinstance(file, dict) else None
    js = listed.get("js", "") if isinstance(listed, dict) else ""
    raw = file if isinstance(file, str) else ""
    return (
        "opts." in js
        or "(opts" in js
        or re.search(r"getStaticPaths\(\w", raw) is not None
    )


def without_arguments(case: Case, answer: Answer, site: Site) -> bool:
    """All is equal but the props, which hold nothing that was handed in."""
    ours = answer.content
    theirs = case.recorded.get("json") or case.recorded.get("page")
    if not isinstance(theirs, dict):
        return False
    if (
        answer.status != 200
        or not isinstance(ours, dict)
        or ours.keys() != theirs.keys()
    ):
        return False
    props = ours.get("props", ours)
    rest = {k: v for k, v in ours.items() if k != "props" and props is not ours}
    return all(not v for v in props.values()) and rest == {k: theirs[k] for k in rest}


def is_paginated(case: Case, answer: Answer, site: Site) -> bool:
    page = _page_of(case.recorded.get("json"))  # URLs of pages follow the setting
    return case.config.get("trailingSlash") == "always" and page is not None


def _page_of(content: t.Any) -> t.Any:
    props = content.get("props", {}) if isinstance(content, dict) else {}
    return props.get("page")


def urls_without_slash(case: Case, answer: Answer, site: Site) -> bool:
    """All is equal but the URLs: those of a file with an extension end in no slash."""
    theirs = json.loads(json.dumps(case.recorded["json"]))
    page = _page_of(theirs)
    page["url"] = {name: url.rstrip("/") for name, url in page["url"].items()}
    return bool(answer.status == 200 and answer.content == theirs)


# -- the files --------------------------------------------------------------------------


def html_of_endpoint(case: Case, answer: Answer, site: Site) -> bool:
    """Whether an endpoint returns a redirect, and its name has no type of a file."""
    if "absent" in case.recorded:  # Our file has a name that they do not have.
        return _is_html_file(site, case.target)
    owner = site.owner(case) or ""
    stem = owner.rpartition(".")[0].rpartition("/")[2]
    is_redirect = "redirect_page" in case.recorded and case.status is None
    return is_redirect and owner.endswith(ENDPOINTS) and "." not in stem


def _is_html_file(site: Site, name: str) -> bool:
    entry = site.entry_of(name)
    route = site.route_of(entry) if entry is not None else None
    return (
        route is not None
        and route.endpoint is not None
        and route.page is None
        and name.endswith(".html")
    )


def named_as_page(case: Case, answer: Answer, site: Site) -> bool:
    """The file has the name that a page would have, and says the same."""
    if "absent" in case.recorded:
        return answer.status != NOTHING
    for name in (f"{case.target}/index.html", f"{case.target}.html"):
        moved = replace(case, target=name)
        other = site.ask(moved)
        if other.status != NOTHING:
            agreed = agrees(moved, other) or from_its_url(moved, other, site)
            return answer.status == NOTHING and agreed and is_kept(moved, other, site)
    return False


def redirect_page(case: Case, answer: Answer, site: Site) -> bool:
    return "redirect_page" in case.recorded and case.status is None


def from_its_url(case: Case, answer: Answer, site: Site) -> bool:
    """The page is equal but for where it says that it leads from: its URL."""
    told, url = redirect_told(answer), base_of(case) + (site.url_of(case.target) or "")
    expected = {**case.recorded["redirect_page"], "from": url}
    theirs = re.sub(r"(?:/|\.html)\Z", "", case.recorded["redirect_page"]["from"])
    same = answer.status != NOTHING and told == expected
    return same and url.removesuffix(".html").rstrip("/") in (
        theirs,
        theirs.removesuffix(".html"),
    )


def no_redirects(case: Case, answer: Answer, site: Site) -> bool:
    return case.config.get("build", {}).get("redirects") is False


def redirect_written(case: Case, answer: Answer, site: Site) -> bool:
    url = site.url_of(case.target) or ""
    target = case.config["redirects"].get(url.rstrip("/"))
    told = redirect_told(answer)
    return told is not None and told["to"] == target


def is_empty(case: Case, answer: Answer, site: Site) -> bool:
    action = _action(case, site)
    is_null = action.get("do") == "respond" and not {"body", "base64"} & action.keys()
    is_null = is_null and action.get("status", 200) == 200
    no_file = case.recorded.get("absent") or case.status == 404
    return bool(no_file) and is_null and is_prerendered(case, site)


def empty_answer(case: Case, answer: Answer, site: Site) -> bool:
    """An empty file, which is sent as the handler said."""
    if answer.status != 200 or answer.body != b"":
        return False
    headers = _action(case, site).get("headers", {}).items()
    return all(answer.get(name) == value for name, value in headers)


def in_public(case: Case, answer: Answer, site: Site) -> bool:
    """Whether a page would write the file that is copied, too, or it is hidden."""
    fault = site.refused.get(site.owner(case) or "")
    clashes = fault is not None and fault.file in case.public
    if case.target in case.public:
        return _is_hidden(case.target)
    return clashes


def copied_over(case: Case, answer: Answer, site: Site) -> bool:
    clash = refused("collision", "a page has the same file name")
    if _is_hidden(case.target):
        return answer.status == NOTHING
    return clash(case, answer, site)


def _is_hidden(name: str) -> bool:
    return re.search(r"(?:\A|/)\.(?!well-known/)", name) is not None


# -- names and settings -----------------------------------------------------------------


def special_name(case: Case, answer: Answer, site: Site) -> bool:
    names = [*case.files] if "error" in case.recorded else [case.target]
    special = re.compile(r"\[\[\w+\]\]|(?:\A|/)\([^/]*\)/|\[\w+=\w+\]")
    return any(special.search(name) for name in names)


def takes_as_named(case: Case, answer: Answer, site: Site) -> bool:
    """The optional segment may be left out, the group is not in the URL, the matcher
    is known."""
    if "error" in case.recorded:
        return starts(case, answer, site)
    if "route" not in case.recorded or answer.status != 200:
        return False
    told, theirs = answer.content, route_told(case.recorded["route"])
    if not isinstance(told, dict) or not told.keys() >= {"route", "takes"}:
        return False
    if "[[" in case.target:
        return told["route"] == theirs["route"] and {"/", "/v"} <= set(told["takes"])
    return bool(told["route"] == re.sub(r"/\([^/]*\)", "", theirs["route"]))


def stray_bracket(case: Case, answer: Answer, site: Site) -> bool:
    stems = [part.partition(".")[0] for part in case.target.split("/")]
    return any(set("[]") & set(re.sub(r"\[(?:\.\.\.)?[\w$]+\]", "", s)) for s in stems)


refused_name = refused("name", "brackets|is not a valid param|params touch")


def url_marks(case: Case, answer: Answer, site: Site) -> bool:
    return case.area == BUILD_ERROR and any(set("%?#") & set(f) for f in case.files)


def marks_are_text(case: Case, answer: Answer, site: Site) -> bool:
    """The tree starts, and each file answers at its URL."""
    if not starts(case, answer, site):
        return False
    for file in case.files:
        target = quote("/" + file.rpartition(".")[0], safe="/")
        request = replace(case, area="", target=target, recorded={})
        if site.ask(request).winner != file:
            return False
    return True


def wants_adapter(case: Case, answer: Answer, site: Site) -> bool:
    adapter = case.config.get("adapter", {"mode": ""})
    told = case.recorded.get("error", {})
    missing = told.get("name") == "NoAdapterInstalled" and adapter is None
    return missing or ("'mode'" in told.get("message", "") and "mode" not in adapter)


def starts(case: Case, answer: Answer, site: Site) -> bool:
    """There is no error, and whatever is prerendered was written."""
    stored = [f for f in case.files if is_prerendered(replace(case, target=f), site)]
    started = answer.status != NOTHING and not site.errors
    return started and len(site.written) >= len(stored)


def absent_rest(case: Case, answer: Answer, site: Site) -> bool:
    error = case.recorded.get("error", {})
    return bool(error.get("name") == "PrerenderDynamicEndpointPathCollide")


def file_of_folder(case: Case, answer: Answer, site: Site) -> bool:
    """The path without the rest is written, as a file."""
    stems = {re.sub(r"/?\[\.\.\.\w+\]\.\w+\Z", "", file) for file in case.files}
    return starts(case, answer, site) and stems <= site.written.keys()


def is_hybrid(case: Case, answer: Answer, site: Site) -> bool:
    return bool(case.area == BUILD_ERROR and case.config.get("output") == "hybrid")


def test_file(case: Case, answer: Answer, site: Site) -> bool:
    name = case.target.rpartition("/")[2].rpartition(".")[0]
    return re.fullmatch(r"test_.*|.*_test|conftest", name) is not None


# -- what is sent of it -------------------------------------------------------------------


def sent_from_file(case: Case) -> bool:
    """Whether Astro answered with a file."""
    return "accept-ranges" in case.recorded_headers


def is_stored(case: Case, site: Site) -> bool:
    """Whether ours answers with what the release has."""
    rule = site.match(case)
    route = rule.route if rule is not None else None
    return route is not None and route.prerender is True and not _is_error(route)


def stored_in_both(case: Case, answer: Answer, site: Site) -> bool:
    safe = case.method in ("GET", "HEAD")
    plain = "redirect_page" not in case.recorded
    return safe and plain and sent_from_file(case) and is_stored(case, site)


def kept_answer(case: Case, answer: Answer, site: Site) -> bool:
    """Status, headers and body are those that the handler gave, and those of a file."""
    stored = site.stored(case)
    if stored is None:
        return False
    if case.status in (304, 412, 416):
        return answer.status == case.status and answer.body == b""
    status, own = _given(case, file_of(case, site))
    for step in (step for steps in case.middleware for step in steps):
        if step["op"] == "header" and "when" not in step:
            own[step["name"]] = step["value"]
    status = 206 if case.status == 206 else status
    return (
        _has(answer, status, own)
        and _is_of_release(answer, stored)
        and _kept_body(case, answer, stored, site)
        and (status not in (200, 206) or answer.get("accept-ranges") == "bytes")
        and (
            case.method == "HEAD"
            or answer.get("content-length") == str(len(answer.body))
        )
    )


def _is_of_release(answer: Answer, stored: Answer) -> bool:
    """Whether an answer has the headers that were stored, and a strong tag."""
    tag = re.fullmatch('"[0-9a-f]{32}"', answer.get("etag") or "")
    return tag is not None and _has(answer, answer.status, dict(stored.headers))


def _kept_body(case: Case, answer: Answer, stored: Answer, site: Site) -> bool:
    if case.method == "HEAD":
        length = answer.get("content-length")
        return answer.body == b"" and length == str(len(stored.body))
    if case.status == 206:
        first, last = map(int, re.findall(r"\d+", case.headers["Range"])[:2])
        told = answer.get("content-range") == f"bytes {first}-{last}/{len(stored.body)}"
        return told and answer.body == stored.body[first : last + 1]
    whole = replace(case, recorded_headers={}, status=None)
    return answer.body == stored.body and (
        body_agrees(whole, answer) or context_of_build(case, answer, site)
    )


_JSON = ("echo", "json", "ctx", "cookies", "body", "set-param-mutate")


def _own_type(action: dict[str, t.Any]) -> str | None:
    """Return the type that the rebuilt handler gives its answer, if it gives one."""
    do = action.get("do")
    if do in _JSON:
        return "application/json"
    if do in ("stream", "log") or isinstance(action.get("body"), str):
        return "text/plain; charset=utf-8"
    return _HTML if do in ("respond", "page") else None


def file_name(case: Case, answer: Answer, site: Site) -> bool:
    """Whether a page was asked for by the name of its file."""
    owner = site.owner(case) or ""
    named = case.path.endswith(".html") and not owner.endswith((*ENDPOINTS, ".html"))
    is_answer = sent_from_file(case) or case.status is None
    return named and is_answer and is_prerendered(case, site)


def other_slash(case: Case, answer: Answer, site: Site) -> bool:
    """Whether the other form of a stored path was asked for, and not found."""
    other = case.winner is None or case.winner.startswith("404.")
    safe = case.method in ("GET", "HEAD")
    return case.status == 404 and other and safe and is_stored(case, site)


def same_answer(case: Case, answer: Answer, site: Site) -> bool:
    stored = site.stored(case)
    body = b"" if case.method == "HEAD" else stored.body if stored else None
    is_form = case.path.endswith("/") or case.config.get("trailingSlash") != "always"
    return (
        stored is not None
        and is_form
        and answer.status == stored.status
        and answer.body == body
        and _is_of_release(answer, stored)
    )


def stored_redirect(case: Case, answer: Answer, site: Site) -> bool:
    is_head = case.method == "HEAD" and _action(case, site).get("do") == "redirect"
    return sent_from_file(case) and ("redirect_page" in case.recorded or is_head)


def real_redirect(case: Case, answer: Answer, site: Site) -> bool:
    action = _action(case, site)
    to = quote(action.get("to", ""), safe="!#$%&'()*+,/:;=?@[]~")
    recorded, told = case.recorded.get("redirect_page", {}), redirect_told(answer) or {}
    stored = site.stored(case)
    return (
        stored is not None
        and _is_of_release(answer, stored)
        and answer.status == action.get("status", 302)
        and answer.get("location") == to
        and {name: told.get(name) for name in recorded} == recorded
        and (case.method != "HEAD" or answer.body == b"")
    )


def unsafe_on_stored(case: Case, answer: Answer, site: Site) -> bool:
    return case.method not in ("GET", "HEAD") and is_stored(case, site)


def only_get(case: Case, answer: Answer, site: Site) -> bool:
    if case.method == "OPTIONS":
        return answer.status == 204 and answer.get("allow") == "GET, HEAD, OPTIONS"
    if is_foreign(case) and checks_origins(case):
        return answer.status == 403
    told = answer.get("allow") == "GET, HEAD, OPTIONS" and answer.winner is None
    return answer.status == 405 and told


def guarded(case: Case, answer: Answer, site: Site) -> bool:
    """Whether a middleware that is not marked answers instead of the file."""
    stops = {"respond", "redirect", "throw", "return", "next", "ctxrewrite", "status"}
    path = "/" + (site.owner(case) or next(iter(case.files))).rpartition(".")[0]
    whens = (None, path, f"{path}/", f"{path.removesuffix('index')}")
    return case.is_build and any(
        step["op"] in stops and step.get("when") in whens
        for steps in case.middleware
        if not makes(steps)
        for step in steps
    )


def unguarded_in_build(case: Case, answer: Answer, site: Site) -> bool:
    """The file is what its own handler answers."""
    if "error" in case.recorded:
        return starts(case, answer, site)
    return answer.status == 200 and answer.winner == site.owner(case)


def shows_context(case: Case, answer: Answer, site: Site) -> bool:
    told = case.recorded.get("json") or case.recorded.get("page")
    is_page = "url" in (told or {}) and "page" in (told or {})
    return case.is_build and (_action(case, site).get("do") == "ctx" or is_page)


_MISSING = {"originPathname", "preferredLocale", "generator", "origin"}


def context_of_build(case: Case, answer: Answer, site: Site) -> bool:
    """Each attribute is equal, or what a request to the app has."""
    ours = answer.content
    theirs = case.recorded.get("json") or case.recorded.get("page")
    if (
        answer.status != 200
        or not isinstance(ours, dict)
        or not isinstance(theirs, dict)
    ):
        return False
    return ours.keys() == theirs.keys() and all(
        ours[name] == theirs[name] or _built_value(case, name, ours[name], theirs[name])
        for name in ours
    )


def _built_value(case: Case, name: str, ours: t.Any, theirs: t.Any) -> bool:
    host = urlsplit(case.config.get("site") or "http://localhost").netloc
    if name in _MISSING or name.startswith(("cache.", "typeof:")):
        return ours == ABSENT or (name == "typeof:session" and ours == "object")
    if name == "header:host":
        return theirs is None and ours == host
    if name == "clientAddress":
        return ours is None and "error" in theirs
    if name in ("url", "pathname", "request.url", "request"):
        expected = str(theirs).replace("http://localhost:4321/", "http://localhost/")
        if case.config.get("build", {}).get("format") == "file":
            expected = expected.removesuffix(".html")
        return bool(ours == expected)
    return False


def flags(case: Case, answer: Answer, site: Site) -> bool:
    file = file_of(case, site)
    return isinstance(file, str) and "prerender" in file


def literal_or_error(case: Case, answer: Answer, site: Site) -> bool:
    """A literal at the level of the module counts, however it is written; else there is
    an error with the line, or it is no assignment at all."""
    fault = site.refused.get(site.owner(case) or "")
    if fault is not None:
        told = fault.problem == 'prerender is not a literal True, False or "auto"'
        return told and fault.line is not None and is_gone(case, answer, site)
    body = body_agrees(case, answer)
    return answer.status == 200 and body and not is_stored(case, site)


def too_large(case: Case, answer: Answer, site: Site) -> bool:
    limit = (case.config.get("adapter") or {}).get("bodySizeLimit")
    return limit is not None and len(case.sent_body) > limit


def refused_body(case: Case, answer: Answer, site: Site) -> bool:
    """413, unless the handler makes something else of the error."""
    action = _handled(file_of(case, site)).get(case.method, {})
    if action.get("uncaught"):
        return answer.status == 413
    return answer.status == 400 and answer.content == {"error": "RequestEntityTooLarge"}


# -- the public folder ----------------------------------------------------------------------


def beside_public(case: Case, answer: Answer, site: Site) -> bool:
    """Whether a file of ``public`` is asked for, or nothing, where there is one."""
    if case.is_build or not case.public:
        return False
    name = site.public_name(case)
    asked = {name, f"{name.rstrip('/')}/index.html".lstrip("/")} & case.public.keys()
    rule = site.app_rule(case)
    unmatched = rule is None or getattr(rule, "endpoint", None) == _STATIC
    return bool(asked) or (case.status == 404 and unmatched)


def as_static_folder(case: Case, answer: Answer, site: Site) -> bool:
    """A route of the tree goes first; then Flask's route for the folder, without its
    folders, which has its own 404 and 405."""
    rule, file = site.app_rule(case), site.match(case)
    if file is not None:
        if case.method not in ("GET", "HEAD", *_handled(file_of(case, site))):
            return answer.status == 405
        return answer.status == 200 and answer.winner == site.owner(case)
    name = site.public_name(case).rstrip("/")
    if case.method not in ("GET", "HEAD"):
        allowed = set((answer.get("allow") or "").split(", "))
        return answer.status == 405 and allowed == {"GET", "HEAD", "OPTIONS"}
    if rule is None or name not in case.public:
        return answer.status == 404 and answer.winner is None
    body = b"" if case.method == "HEAD" else case.public[name].encode()
    cached = answer.get("cache-control") == "no-cache"
    return answer.status == 200 and answer.body == body and cached
