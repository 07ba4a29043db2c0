"""The names of the files that a build writes, and which names it refuses."""

from __future__ import annotations

import re
import unicodedata

from ..settings import BuildFormat

#: A file that marks a folder as one that builds made.
BUILD_MARKER = ".filepages"
LONGEST_SEGMENT = 255  # bytes, as on every common file system
LONGEST_PATH = 1024

# A file name that one of the common systems would not take, or would read as another.
_illegal_re = re.compile(r'[<>:"|?*\\\x00-\x1f\x7f-\x9f\ud800-\udfff]')
_device_re = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³])\s*(?:\..*)?",
    re.IGNORECASE,
)


def file_name(
    path: str, build_format: BuildFormat, *, is_page: bool, is_index: bool = False
) -> str:
    """Return the name of the file for a URL path, as Astro names it (rules 118-120).

    :param path: decoded, with or without a slash at its end.
    :param is_page: endpoints keep the name that their URL has.
    :param is_index: whether the source of the page is an ``index`` file.
    """
    name = path.strip("/")
    if not is_page:
        return name
    if not name:
        return "index.html"
    in_folder = build_format == "directory" or (build_format == "preserve" and is_index)
    return f"{name}/index.html" if in_folder else f"{name}.html"


def name_problem(name: str) -> str | None:
    """Return why a file cannot have this name on every system, if it cannot."""
    if not name:
        return "the root of the site is a folder, so no file can have its name"
    try:
        long = len(name.encode()) > LONGEST_PATH
    except UnicodeEncodeError:
        return "it holds a lone surrogate"
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
    # The common case, without a regular expression.
    if segment.isalnum() and len(segment) > 6:
        return None
    illegal = _illegal_re.search(segment)
    if illegal:
        return f"holds {illegal[0]!r}, which not every file system takes"
    if segment[-1] in ". ":
        return "ends in a dot or a space, which Windows drops"
    if _device_re.fullmatch(segment):
        return "is the name of a device on Windows"
    return None


def folded(name: str) -> str:
    """Return what is equal for two names that are one on some file system."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
