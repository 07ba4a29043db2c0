"""Whether an answer is the recorded one."""

from __future__ import annotations

import base64
import json
import typing as t

from .cases import Case
from .site import HOST
from .site import Answer
from .vocabulary import ABSENT

# Said by the server, or about the bytes that our own serializer writes.
_NOT_COMPARED = {"content-length", "content-type"}


def agrees(case: Case, answer: Answer) -> bool:
    """Whether status, headers and body of *answer* are those that were recorded.

    The markup of a framework's own error or redirect page is not compared, only
    that it is one.
    """
    return (
        (case.status is None or answer.status == case.status)
        and _headers_agree(case, answer)
        and body_agrees(case, answer)
    )


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
        if answer.broken:  # node's server says so in the body before it cuts
            text = text.removesuffix("Internal server error")
        return answer.body == text.encode()
    if "base64" in body:
        return answer.body == base64.b64decode(body["base64"])
    return True


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
