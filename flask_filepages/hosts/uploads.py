"""What hosts of uploaded folders are told, and what they cannot do.

Sources: the documentation of Netlify (headers, redirects), of Cloudflare Pages
(headers, redirects, serving pages, limits) and of GitHub Pages.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import quote

from ..errors import ReleaseError
from .header_rules import CLOUDFLARE
from .header_rules import NETLIFY
from .header_rules import Block
from .header_rules import blocks_of
from .header_rules import placeholder_re
from .header_rules import without_wildcards
from .published import DEFAULT_FIELDS
from .published import LeftOut
from .published import Published
from .published import Sent
from .published import has_similar_type

# Limits of Cloudflare Pages.
_MOST_HEADER_RULES = 100
_MOST_REDIRECTS = 2000
_LONGEST_RULE = 2000
_LONGEST_REDIRECT = 1000
_MOST_FILES = 20_000
_LARGEST_FILE = 25 * 1024 * 1024
_NOT_UPLOADED = ("functions", "_worker.js", "_routes.json", ".wrangler")


@dataclass
class Upload:
    """The files that only a host needs, and what the host leaves out.

    :attr:`replaced` are stored files that the host does not need, because it redirects
    by itself. :attr:`folder` is the folder of all files, if the host serves the site
    below a path of its own.
    """

    texts: dict[str, str] = field(default_factory=dict)
    replaced: set[str] = field(default_factory=set)
    left_out: list[LeftOut] = field(default_factory=list)
    folder: str = ""


def plain(published: Published) -> Upload:
    """Return what a host that only knows files needs: nothing."""
    upload = Upload()
    _leave_out(published, upload, sends_fields=False)
    pages = [page.file for page in published.not_found.values()]
    for name in sorted({*pages} - {"404.html"}):
        why = "hosts use only the 404.html of the root, if any"
        upload.left_out.append(LeftOut(name, why))
    return upload


def github_pages(published: Published) -> Upload:
    """Return what GitHub Pages needs: a file that turns Jekyll off."""
    upload = plain(published)
    upload.texts[".nojekyll"] = ""
    if any(name.startswith(".well-known/") for name in published.names):
        why = "the upload action leaves it out unless include-hidden-files is true"
        upload.left_out.append(LeftOut(".well-known", why))
    return upload


def netlify(published: Published) -> Upload:
    """Return ``_headers`` and ``_redirects`` for Netlify.

    :raises ReleaseError: Netlify refuses the name of a file.
    """
    upload = Upload(folder=published.root.strip("/"))
    for name in published.names:
        if "#" in name:
            raise ReleaseError(
                f"Netlify refuses the whole upload because of the # in {name}. Rename"
                " it, or choose another host."
            )
        hidden = [part for part in name.split("/") if part[0] == "."]
        if hidden and hidden != [".well-known"]:
            upload.left_out.append(LeftOut(name, "Netlify does not upload dot files"))
    redirects = _redirects(published, upload, statuses=(301, 302))
    lines = [
        # Without the exclamation mark, a file of the path wins over the rule.
        f"{without_wildcards(published.url(sent.path))} {sent.location} {sent.code}!"
        for sent in redirects
    ]
    for prefix, page in published.not_found.items():
        if prefix:
            path = f"{published.root}{quote(prefix)}"
            lines.append(f"{path}/* {published.root}/{quote(page.file or '')} 404")
    blocks = blocks_of(published, upload.left_out, NETLIFY)
    _write_texts(upload, blocks, lines)
    _leave_out(published, upload)
    return upload


def cloudflare(published: Published) -> Upload:
    """Return ``_headers`` and ``_redirects`` for Cloudflare Pages.

    :raises ReleaseError: the site is beyond a limit of Cloudflare.
    """
    upload = Upload(folder=published.root.strip("/"))
    redirects = _redirects(published, upload, statuses=(301, 302, 303, 307, 308))
    lines = []
    for sent in redirects:
        for path in sent.paths:
            url = published.url(path)
            if placeholder_re.search(url):
                why = f"Cloudflare cannot write the path {url} of a redirect"
                upload.left_out.append(LeftOut(sent.name, why))
            else:
                lines.append(f"{url} {sent.location} {sent.code}")
    blocks = blocks_of(published, upload.left_out, CLOUDFLARE)
    _check_limits(published, lines, blocks)
    for name in published.names:
        first = name.split("/")[0]
        if first in _NOT_UPLOADED or "node_modules" in name.split("/"):
            why = "Cloudflare Pages does not upload files of this name"
            upload.left_out.append(LeftOut(name, why))
    if "" not in published.not_found:
        why = "without it, Cloudflare sends the home page for every unknown path"
        upload.left_out.append(LeftOut("404.html", why))
    _write_texts(upload, blocks, lines)
    _leave_out(published, upload)
    return upload


HOSTS: dict[str, Callable[[Published], Upload]] = {
    "plain": plain,
    "netlify": netlify,
    "cloudflare": cloudflare,
    "github-pages": github_pages,
}

# -- Cloudflare and Netlify -----------------------------------------------------------


def _write_texts(upload: Upload, blocks: list[Block], redirects: list[str]) -> None:
    headers = [line for block in blocks for line in block]
    for name, lines in (("_headers", headers), ("_redirects", redirects)):
        if lines:
            upload.texts[name] = "".join(f"{line}\n" for line in lines)


def _check_limits(
    published: Published, redirects: list[str], blocks: list[Block]
) -> None:
    """Check the limits of Cloudflare Pages.

    :raises ReleaseError: the site is beyond one.
    """
    longest = max((len(line) for block in blocks for line in block[1:]), default=0)
    advice = "Give all paths of a route the same header fields"
    for what, found, most, fix in (
        ("header rules", len(blocks), _MOST_HEADER_RULES, advice),
        ("characters in a header rule", longest, _LONGEST_RULE, "Shorten the field"),
        ("redirects", len(redirects), _MOST_REDIRECTS, "Redirect fewer paths"),
        (
            "characters in a redirect",
            max(map(len, redirects), default=0),
            _LONGEST_REDIRECT,
            "Shorten it",
        ),
        ("files", len(published.names), _MOST_FILES, "Store fewer paths"),
        ("bytes in a file", published.largest, _LARGEST_FILE, "Make it smaller"),
    ):
        if found > most:
            raise ReleaseError(
                f"Cloudflare Pages takes at most {most:,} {what}, and this site has"
                f" {found:,}. {fix}, or choose another host."
            )


# -- redirects ----------------------------------------------------------------------


def _redirects(
    published: Published, upload: Upload, statuses: t.Container[int]
) -> list[Sent]:
    """Return the redirects that the host can send; their pages are not needed."""
    found = []
    for sent in published.responses:
        location = sent.location or ""
        is_known = location.startswith(("/", "http://", "https://"))
        if sent.code in statuses and is_known:
            found.append(sent)
            upload.replaced.add(sent.file)
    return found


# -- what hosts cannot do -----------------------------------------------------------


def _leave_out(
    published: Published, upload: Upload, *, sends_fields: bool = True
) -> None:
    """Note what the host cannot send.

    :param sends_fields: the host can be told types and header fields.
    """
    for sent in published.responses:
        for why in _lacks(sent, upload, sends_fields=sends_fields):
            upload.left_out.append(LeftOut(sent.name, why))


def _lacks(sent: Sent, upload: Upload, *, sends_fields: bool) -> Iterator[str]:
    is_redirect = 300 <= sent.code < 400
    if not sent.file:
        yield f"it has no body ({sent.code}) and so no file: the host sends 404"
    elif is_redirect and sent.file not in upload.replaced:
        yield f"it is sent as a page that redirects, not as {sent.code}"
    elif 200 < sent.code < 300:
        yield f"its status is sent as 200, not {sent.code}"
    if sends_fields and not is_redirect:
        return
    if sent.file and not is_redirect and not has_similar_type(sent):
        yield f"its Content-Type {sent.type} is not sent: the host goes by suffixes"
    others = [name for name, value in sent.fields if (name, value) != DEFAULT_FIELDS[0]]
    if others:
        yield f"these fields are not sent: {', '.join(dict.fromkeys(others))}"
