"""The names of the files in a release, and the names that are refused."""

from __future__ import annotations

import re
import typing as t
import unicodedata

if t.TYPE_CHECKING:
    from ..settings import BuildFormat


LONGEST_SEGMENT = 255  # bytes, as on every common file system
LONGEST_PATH = 1024

# Some common system refuses these characters, or drops or converts them.
_illegal_re = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f-\x9f\ud800-\udfff]')
_DEVICES = r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³])"
_device_re = re.compile(rf"{_DEVICES}\s*(?:\..*)?", re.IGNORECASE)
# The common case: segments of letters, digits, dots and dashes.
_plain_re = re.compile(
    rf"(?=.{{1,200}}\Z)(?:(?!{_DEVICES}[./])\w(?:[\w.-]*\w)?/)*"
    rf"(?!{_DEVICES}(?:\.|\Z))\w(?:[\w.-]*\w)?",
    re.ASCII | re.IGNORECASE,
)


def file_name(
    path: str, build_format: BuildFormat, *, is_page: bool, is_index: bool = False
) -> str:
    """Return the file name of a URL path, like Astro: ``about/index.html``.

    :param path: the decoded path, with or without a slash at its end.
    :param is_page: False for an endpoint, whose file is named like its URL.
    :param is_index: True if the source of the page is an ``index`` file.
    """
    name = path.strip("/")
    if not is_page:
        return name
    if not name:
        return "index.html"
    in_folder = build_format == "directory" or (build_format == "preserve" and is_index)
    return f"{name}/index.html" if in_folder else f"{name}.html"


def name_problem(name: str) -> str | None:
    """Return why *name* is not portable to all common systems, or ``None`` if it is."""
    if _plain_re.fullmatch(name):
        return None
    if not name:
        return "it is the root of the site, which is a folder"
    try:
        long = len(name.encode()) > LONGEST_PATH
    except UnicodeEncodeError:
        return "it contains a lone surrogate"
    if long:
        return f"it is longer than {LONGEST_PATH} bytes"
    for segment in name.split("/"):
        problem = _segment_problem(segment)
        if problem:
            return f"{segment!r} {problem}" if segment else problem
    return None


def _segment_problem(segment: str) -> str | None:
    if segment in ("", ".", ".."):
        return "it has an empty or dot segment"
    if len(segment) > LONGEST_SEGMENT // 4 and len(segment.encode()) > LONGEST_SEGMENT:
        return f"is longer than {LONGEST_SEGMENT} bytes"
    illegal = _illegal_re.search(segment)
    if illegal:
        return f"contains {illegal[0]!r}, which some file systems refuse"
    if segment[-1] in ". ":
        return "ends in a dot or a space, which Windows drops"
    if _device_re.fullmatch(segment):
        return "is the name of a device on Windows"
    return None


def folded(name: str) -> str:
    """Return a key that is equal for names that some file system treats as equal."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
