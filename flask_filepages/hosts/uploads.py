"""What hosts of uploaded folders are told, and what they cannot do.

Sources: the documentation of Netlify (headers, redirects), of Cloudflare Pages
(headers, redirects, serving pages, limits) and of GitHub Pages.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from urllib.parse import quote

from ..errors import ReleaseError
from .header_rules import CLOUDFLARE
from .header_rules import NETLIFY
from .header_rules import Block
from .header_rules import blocks_of
from .header_rules import placeholder_re
from .header_rules import without_wildcards
from .published import DEFAULT_FIELDS
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


class Upload(t.NamedTuple):
    """The files that only a host needs.

    :attr:`replaced` are stored files that the host does not need, because it redirects
    by itself. :attr:`folder` is the folder of all files, if the host serves the site
    below a path of its own.
    """

    texts: dict[str, str]
    replaced: set[str]
    folder: str


def plain(published: Published) -> Upload:
    """Return what a host that only knows files needs: nothing."""
    _leave_out(published, set(), sends_fields=False)
    for name in sorted(page.file for page in published.not_found.values()):
        if name != "404.html":
            published.leave_out(name, "hosts use only the 404.html of the root, if any")
    return Upload({}, set(), "")


def github_pages(published: Published) -> Upload:
    """Return what GitHub Pages needs: a file that turns Jekyll off."""
    upload = plain(published)
    if any(name.startswith(".well-known/") for name in published.names):
        why = "the upload action leaves it out unless include-hidden-files is true"
        published.leave_out(".well-known", why)
    return upload._replace(texts={".nojekyll": ""})


def netlify(published: Published) -> Upload:
    """Return ``_headers`` and ``_redirects`` for Netlify.

    :raises ReleaseError: Netlify refuses the name of a file.
    """
    for name in published.names:
        if "#" in name:
            raise ReleaseError(
                f"Netlify refuses the whole upload because of the # in {name}. Rename"
                " it, or choose another host."
            )
        hidden = [part for part in name.split("/") if part[0] == "."]
        if hidden and hidden != [".well-known"]:
            published.leave_out(name, "Netlify does not upload dot files")
    redirects = _redirects(published, statuses=(301, 302))
    lines = [
        # Without the exclamation mark, a file of the path wins over the rule.
        f"{without_wildcards(published.url(sent.path))} {sent.location} {sent.code}!"
        for sent in redirects
    ]
    for prefix, page in published.not_found.items():
        if prefix:
            path = f"{published.root}{quote(prefix)}"
            lines.append(f"{path}/* {published.root}/{quote(page.file)} 404")
    return _upload(published, redirects, lines, blocks_of(published, NETLIFY))


def cloudflare(published: Published) -> Upload:
    """Return ``_headers`` and ``_redirects`` for Cloudflare Pages.

    :raises ReleaseError: the site is beyond a limit of Cloudflare.
    """
    redirects = _redirects(published, statuses=(301, 302, 303, 307, 308))
    lines = []
    for sent in redirects:
        for url in map(published.url, sent.paths):
            if placeholder_re.search(url):
                why = f"Cloudflare cannot write the path {url} of a redirect"
                published.leave_out(sent.name, why)
            else:
                lines.append(f"{url} {sent.location} {sent.code}")
    blocks = blocks_of(published, CLOUDFLARE)
    _check_limits(published, lines, blocks)
    for name in published.names:
        first = name.split("/")[0]
        if first in _NOT_UPLOADED or "node_modules" in name.split("/"):
            why = "Cloudflare Pages does not upload files of this name"
            published.leave_out(name, why)
    if "" not in published.not_found:
        why = "without it, Cloudflare sends the home page for every unknown path"
        published.leave_out("404.html", why)
    return _upload(published, redirects, lines, blocks)


HOSTS: dict[str, Callable[[Published], Upload]] = {
    "plain": plain,
    "netlify": netlify,
    "cloudflare": cloudflare,
    "github-pages": github_pages,
}

# -- Cloudflare and Netlify -----------------------------------------------------------


def _redirects(published: Published, statuses: t.Container[int]) -> list[Sent]:
    """Return the redirects that the host can send."""
    schemes = ("/", "http://", "https://")
    return [
        sent
        for sent in published.responses
        if sent.code in statuses and (sent.location or "").startswith(schemes)
    ]


def _upload(
    published: Published, redirects: list[Sent], lines: list[str], blocks: list[Block]
) -> Upload:
    """Return what both need, and note what they cannot send.

    :param lines: those of ``_redirects``.
    :param blocks: those of ``_headers``.
    """
    replaced = {sent.file for sent in redirects}
    _leave_out(published, replaced, sends_fields=True)
    headers = [line for block in blocks for line in block]
    files = {"_headers": headers, "_redirects": lines}
    texts = {name: "\n".join([*own, ""]) for name, own in files.items() if own}
    return Upload(texts, replaced, published.root.strip("/"))


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


# -- what hosts cannot do -----------------------------------------------------------


def _leave_out(published: Published, replaced: set[str], *, sends_fields: bool) -> None:
    """Note what the host cannot send.

    :param replaced: the files of redirects that it can send.
    :param sends_fields: the host can be told types and header fields.
    """
    for sent in published.responses:
        for why in _lacks(sent, replaced, sends_fields=sends_fields):
            published.leave_out(sent.name, why)


def _lacks(sent: Sent, replaced: set[str], *, sends_fields: bool) -> Iterator[str]:
    is_redirect = 300 <= sent.code < 400
    if not sent.file:
        yield f"it has no body ({sent.code}) and so no file: the host sends 404"
    elif is_redirect and sent.file not in replaced:
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
