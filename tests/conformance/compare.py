"""Whether an answer is the recorded one."""

from __future__ import annotations

import base64
import html
import json
import re
import typing as t

from .cases import Case
from .site import HOST
from .site import NOTHING
from .site import Answer
from .site import probes
from .vocabulary import ABSENT

# Said by the server, or about the bytes that our own serializer writes.
_NOT_COMPARED = {"content-length", "content-type"}


def agrees(case: Case, answer: Answer) -> bool:
    """Whether status, headers and body of *answer* are those that were recorded.

    The markup of a framework's own error or redirect page is not compared, only
    that it is one.
    """
    if case.is_build:
        return _build_agrees(case, answer)
    return (
        (case.status is None or answer.status == case.status)
        and _headers_agree(case, answer)
        and body_agrees(case, answer)
    )


def _build_agrees(case: Case, answer: Answer) -> bool:
    recorded = case.recorded
    if "error" in recorded:
        return answer.status == NOTHING and names_the_fault(case, answer)
    if "absent" in recorded:
        return answer.status == NOTHING
    if "route" in recorded:
        told = route_told(recorded["route"])
        return answer.status == 200 and bool(answer.content == told)
    if "redirect_page" in recorded:
        same = redirect_told(answer) == recorded["redirect_page"]
        return answer.status != NOTHING and same
    if {"accepted", "whole"} & set(recorded):
        return answer.status != NOTHING
    return answer.status != NOTHING and body_agrees(case, answer)


def route_told(route: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a recorded route as we tell ours: its params once each."""
    takes = [u for u in probes(route["route"]) if re.match(route["regex"], u)]
    params = [*dict.fromkeys(route["params"])]
    return {"route": route["route"], "params": params, "takes": takes}


_refresh_re = re.compile(r'http-equiv="refresh" content="(\d+); url=([^"]*)"')
_canonical_re = re.compile(r'rel="canonical" href="([^"]*)"')
_from_re = re.compile("from <code>(.*?)</code>")


def redirect_told(answer: Answer) -> dict[str, t.Any] | None:
    """Return what a redirect page of ours says."""
    text = answer.body.decode("utf-8", "replace")
    found = [regex.search(text) for regex in (_refresh_re, _canonical_re, _from_re)]
    if None in found:
        return None
    refresh, canonical, origin = (t.cast("re.Match[str]", one) for one in found)
    return {
        "to": html.unescape(refresh[2]),
        "delay_seconds": int(refresh[1]),
        "canonical": html.unescape(canonical[1]),
        "from": html.unescape(origin[1]),
    }


_SETTINGS = {
    "output": "FILEPAGES_OUTPUT",
    "trailingSlash": "FILEPAGES_TRAILING_SLASH",
    "site": "FILEPAGES_SITE",
    "build": "FILEPAGES_BUILD_FORMAT",
    "redirects": "FILEPAGES_REDIRECTS",
}


# What sort of fault a recorded error is, where its name or its phase tells.
_SORTS = [
    (
        "GetStaticPaths|PageNumberParam|NoMatchingStaticPath",
        {"static-paths", "prerender"},
    ),
    ("Invalid route", {"name"}),
    ("PrerenderRouteConflict|EISDIR|ENOTDIR", {"collision"}),
    ("EndpointDidNotReturnAResponse|RedirectWithNoLocation", {"render"}),
    ("\\bbundle\\b", {"syntax", "import"}),
    ("\\bconfig\\b", {"setting"}),
]


def names_the_fault(case: Case, answer: Answer) -> bool:
    """Whether our error names what the recorded one is about, a file or a setting, and
    is of the same sort."""
    error = case.recorded["error"]
    message, text = error["message"], answer.body.decode()
    given, sorts = answer.all("file"), set(answer.all("fault"))
    told = f"{error['name']} {error['phase']} {message}"
    if not all(sorts & kinds for form, kinds in _SORTS if re.search(form, told)):
        return False
    setting = re.match(r"! (\w+)", message) if error["phase"] == "config" else None
    if setting is not None:
        return _SETTINGS.get(setting[1]) in given
    redirect = re.search('redirect from "([^"]*)"', message)
    if redirect is not None:
        return "FILEPAGES_REDIRECTS" in text and repr(redirect[1]) in text
    file = re.search(r"src/pages/(.*?)(?: — |`|$)", message)
    if file is not None and any(f.startswith(file[1]) for f in case.files):
        return any(f.startswith(file[1]) for f in given)
    redirects = {
        f"FILEPAGES_REDIRECTS[{key!r}]" for key in case.config.get("redirects", ())
    }
    return bool({*case.files, *redirects} & set(given))


def _headers_agree(case: Case, answer: Answer) -> bool:
    for name, value in case.recorded_headers.items():
        if name in _NOT_COMPARED:
            continue
        expected = value if isinstance(value, list) else [value]
        given = answer.all(name)
        # Fetch joins the lines of all but this one (RFC 9110, section 5.3).
        if name != "set-cookie" and len(given) > 1:
            given = [", ".join(given)]
        if name == "x-ctx" and given:
            if not _context_agrees(json.loads(given[0]), json.loads(value)):
                return False
        elif given != [filled(one) for one in expected]:
            return False
    if is_own_page(case) or case.method == "HEAD":
        return True
    recorded = case.recorded_headers.get("content-type")
    return recorded is None or _mimetype(answer.get("content-type")) == _mimetype(
        recorded
    )


def _context_agrees(told: dict[str, t.Any], recorded: dict[str, t.Any]) -> bool:
    """Whether the attributes that both have are equal."""
    return all(value in (ABSENT, recorded[name]) for name, value in told.items())


def body_agrees(case: Case, answer: Answer) -> bool:
    body = case.recorded
    if case.method == "HEAD":
        return answer.body == b""
    if is_own_page(case):
        return answer.winner is None
    if "json" in body:
        expected = filled(body["json"])
        content = answer.content
        if case.area == "routing" and isinstance(content, dict):
            content = {key: content.get(key) for key in expected}
        return bool(content == expected)
    if "page" in body:
        # An error page that was given nothing shows that it was.
        page = {k: v for k, v in body["page"].items() if k != "props" or v}
        return bool(answer.content == page)
    if "text" in body:
        text = str(body["text"])
        if _json_and_rest(text) == _json_and_rest(
            answer.body.decode("utf-8", "replace")
        ):
            return True
        if answer.broken:  # node's server says so in the body before it cuts
            text = text.removesuffix("Internal server error")
        return answer.body == text.encode()
    if "base64" in body:
        return answer.body == base64.b64decode(body["base64"])
    return True


def _json_and_rest(text: str) -> t.Any:
    """Return what the JSON at the start of a text means, and what stands behind it."""
    if not text.startswith("{"):
        return text
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return text
    return value, text[end:].strip()


def is_own_page(case: Case) -> bool:
    """Whether Astro answered with a page of its own: an error or a redirect."""
    if {"default_404_page", "redirect_page"} & set(case.recorded):
        return True
    own: bool = case.recorded.get("text") in (
        "",
        "Bad request.",
        "Internal Server Error",
    )
    return own and case.status is not None and (case.status >= 300 or case.status < 200)


def filled(value: t.Any) -> t.Any:
    """Return a recorded value with its placeholders filled."""
    if isinstance(value, str):
        return value.replace("@origin", f"http://{HOST}").replace("@host", HOST)
    if isinstance(value, dict):
        return {key: filled(one) for key, one in value.items()}
    return [filled(one) for one in value] if isinstance(value, list) else value


def _mimetype(value: str | None) -> str:
    return (value or "").partition(";")[0].strip().lower()
