"""What hosts of uploaded folders are told, and what they cannot do.

Sources: the documentation of Netlify (headers, redirects), of Cloudflare Pages
(headers, redirects, serving pages, limits) and of GitHub Pages.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from urllib.parse import quote

from ..errors import ReleaseError
from ..routing.converters import SEGMENT_SAFE
from .published import DEFAULT_FIELDS
from .published import Fields
from .published import LeftOut
from .published import Published
from .published import Sent
from .published import Treatment
from .published import has_similar_type
from .published import has_usual_type
from .rules import PathRule
from .rules import Rules
from .rules import rules_of

# Netlify refuses to set these.
_NETLIFY_RESERVED = frozenset(
    (
        *("accept-ranges", "age", "allow", "alt-svc", "connection", "content-encoding"),
        *("content-length", "content-range", "date", "location", "server"),
        *("set-cookie", "trailer", "transfer-encoding", "upgrade", "basic-auth"),
    )
)
_MOST_HEADER_RULES = 100
_MOST_REDIRECTS = 2000
_LONGEST_RULE = 2000
_LONGEST_REDIRECT = 1000
# Cloudflare reads a colon before a letter as a placeholder.
_placeholder_re = re.compile(r":[A-Za-z]|\*")


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
    names = [name for name in published.not_found.values() if name != "404.html"]
    for name in names:
        why = "hosts use only the 404.html of the root, if any"
        upload.left_out.append(LeftOut(name, why))
    return upload


def github_pages(published: Published) -> Upload:
    """Return what GitHub Pages needs: a file that turns Jekyll off."""
    upload = plain(published)
    upload.texts[".nojekyll"] = ""
    if any(sent.path.startswith("/.well-known/") for sent in published.files):
        why = "the upload action leaves it out unless include-hidden-files is true"
        upload.left_out.append(LeftOut(".well-known", why))
    return upload


def netlify(published: Published) -> Upload:
    """Return ``_headers`` and ``_redirects`` for Netlify."""
    upload = Upload(folder=published.root.strip("/"))
    redirects = _redirects(published, upload, statuses=(301, 302))
    lines = [
        # Without the exclamation mark, a file of the path wins over the rule.
        f"{_encoded(published, sent.path)} {sent.location} {sent.code}!"
        for sent in redirects
    ]
    for prefix, name in published.not_found.items():
        if prefix:
            path = f"{published.root}{quote(prefix)}"
            lines.append(f"{path}/* {published.root}/{quote(name)} 404")
    blocks = []
    rules = rules_of(published, has_usual_type)
    told = _fields_told(rules.common)
    if told:
        blocks.append((f"{published.root}/*", told))
    # The last rule that matches wins, for each field.
    for rule in reversed(rules.patterns):
        path = _wildcards(rule, published.root, whole=":", within="*")
        blocks.append((path, _fields_told(rule.treatment.fields, rule.treatment.type)))
    for sent in _exact_files(rules):
        treatment = rules.treatment_of(sent)
        path = _encoded(published, sent.host_path)
        blocks.append((path, _fields_told(treatment.fields, treatment.type)))
    _drop_reserved(blocks, upload)
    _note_extra_fields(published, rules, upload)
    upload.texts |= {"_headers": _blocks(blocks), "_redirects": _lines(lines)}
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
            if _placeholder_re.search(url):
                why = f"Cloudflare cannot write the path {url} of a redirect"
                upload.left_out.append(LeftOut(published.name_of(sent), why))
            else:
                lines.append(f"{url} {sent.location} {sent.code}")
    blocks = list(_cloudflare_blocks(published, upload))
    _check_limits(lines, blocks)
    if "" not in published.not_found:
        why = "without it, Cloudflare sends the home page for every unknown path"
        upload.left_out.append(LeftOut("404.html", why))
    upload.texts |= {"_headers": _blocks(blocks), "_redirects": _lines(lines)}
    _leave_out(published, upload)
    return upload


HOSTS: dict[str, Callable[[Published], Upload]] = {
    "plain": plain,
    "netlify": netlify,
    "cloudflare": cloudflare,
    "github-pages": github_pages,
}

# -- header fields ------------------------------------------------------------------

_Block = tuple[str, list[str]]


def _cloudflare_blocks(published: Published, upload: Upload) -> Iterator[_Block]:
    """Yield the blocks of ``_headers``.

    Cloudflare joins the values of all rules that match a path, so each rule first
    removes the fields that the rules before it set for its paths.
    """
    rules = rules_of(published, has_usual_type)
    common = _fields_told(rules.common)
    if common:
        yield f"{published.root}/*", common
    everywhere = {line.partition(":")[0] for line in common}
    before: list[tuple[PathRule, set[str]]] = []

    def block(path: str, treatment: Treatment, members: list[Sent]) -> _Block:
        told = everywhere.union(
            *(
                names
                for rule, names in before
                if any(rule.matches(sent.path) for sent in members)
            )
        )
        type = treatment.type
        if "Content-Type" in told and type is None:
            type = members[0].type  # Removing it removes that of the host, too.
        lines = _fields_told(treatment.fields, type)
        return path, [*(f"! {name}" for name in sorted(told)), *lines]

    for rule in reversed(rules.patterns):
        members = [sent for sent in published.files if rule.matches(sent.path)]
        path = _wildcards(rule, published.root, whole=":", within=":")
        path, lines = block(path, rule.treatment, members)
        yield path, lines
        names = {line.partition(":")[0] for line in lines if line[0] != "!"}
        before.append((rule, names))
    for sent in _exact_files(rules):
        url = published.url(sent.host_path)
        if _placeholder_re.search(url):
            why = f"Cloudflare cannot write a rule for its path {url}"
            upload.left_out.append(LeftOut(published.name_of(sent), why))
        else:
            yield block(url, rules.treatment_of(sent), [sent])


def _fields_told(fields: Fields, type: str | None = None) -> list[str]:
    """Return the lines of fields, each name once."""
    if type is None and fields == DEFAULT_FIELDS:
        return []
    joined: dict[str, str] = {"Content-Type": type} if type is not None else {}
    spelt = {name.lower(): name for name in joined}
    for name, value in fields:
        known = spelt.setdefault(name.lower(), name)
        joined[known] = f"{joined[known]}, {value}" if known in joined else value
    return [f"{name}: {value}" for name, value in joined.items()]


def _exact_files(rules: Rules) -> list[Sent]:
    return [sent for sent in rules.exact if sent.file and not 300 <= sent.code < 400]


def _wildcards(rule: PathRule, root: str, *, whole: str, within: str) -> str:
    """Return a pattern as a path with wildcards, at which a plain host sends its files.

    :param whole: stands for a param that is a whole segment: ``:`` for ``:name``.
    :param within: the same for a param within a segment.
    """
    path = root + quote(rule.prefix, safe=f"{SEGMENT_SAFE}/")
    for segment in rule.segments:
        path += "/"
        for part in segment.parts:
            wildcard = whole if len(segment.parts) == 1 else within
            if part.kind == "text":
                path += quote(part.text, safe=SEGMENT_SAFE)
            elif part.kind == "rest" or wildcard == "*":
                path += "*"
            else:
                path += f":{part.text}"
    return f"{path}/" if rule.is_index and path[-1] != "*" else path


def _drop_reserved(blocks: list[_Block], upload: Upload) -> None:
    for path, lines in blocks:
        for line in lines.copy():
            name = line.partition(":")[0]
            if name.lower() in _NETLIFY_RESERVED:
                lines.remove(line)
                upload.left_out.append(LeftOut(path, f"Netlify does not set {name}"))


def _note_extra_fields(published: Published, rules: Rules, upload: Upload) -> None:
    """Note the files that get a field of a rule which matches them by chance: Netlify
    has no way to remove it."""
    common = _names(rules.common) if _fields_told(rules.common) else set()
    for sent in published.files:
        own = _names(sent.fields)
        told = common.union(
            *(
                _names(rule.treatment.fields)
                for rule in rules.patterns
                if rule.matches(sent.path)
            )
        )
        if told - own:
            names = ", ".join(sorted(told - own))
            why = f"on Netlify it also gets {names}, which another rule sets"
            upload.left_out.append(LeftOut(sent.path, why))


def _names(fields: Fields) -> set[str]:
    return {name.lower() for name, _ in fields}


def _blocks(blocks: list[_Block]) -> str:
    written = (
        "\n".join([path, *(f"  {line}" for line in lines)])
        for path, lines in blocks
        if lines
    )
    return _lines(written)


def _lines(lines: t.Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _check_limits(redirects: list[str], blocks: list[_Block]) -> None:
    rules = [(path, lines) for path, lines in blocks if lines]
    lines = [line for _, own in rules for line in own]
    longest, longest_redirect = (
        max(map(len, texts), default=0) for texts in (lines, redirects)
    )
    for what, found, most in (
        ("header rules", len(rules), _MOST_HEADER_RULES),
        ("characters in a header rule", longest + 2, _LONGEST_RULE),
        ("redirects", len(redirects), _MOST_REDIRECTS),
        ("characters in a redirect", longest_redirect, _LONGEST_REDIRECT),
    ):
        if found > most:
            raise ReleaseError(
                f"Cloudflare Pages takes at most {most:,} {what}, and this site has"
                f" {found:,}. Give the paths of a route the same header fields, or"
                " choose another host."
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
            upload.replaced.add(t.cast(str, sent.file))
    return found


def _encoded(published: Published, path: str) -> str:
    """Return a URL in which nothing is a wildcard of Netlify."""
    return published.url(path).replace(":", "%3A").replace("*", "%2A")


# -- what hosts cannot do -----------------------------------------------------------


def _leave_out(
    published: Published, upload: Upload, *, sends_fields: bool = True
) -> None:
    """Note what the host cannot send, once for each route.

    :param sends_fields: the host can be told types and header fields.
    """
    found: dict[LeftOut, None] = {}
    for sent in published.responses:
        for why in _lacks(sent, upload, sends_fields=sends_fields):
            found[LeftOut(published.name_of(sent), why)] = None
    upload.left_out += found


def _lacks(sent: Sent, upload: Upload, *, sends_fields: bool) -> Iterator[str]:
    is_redirect = 300 <= sent.code < 400
    if sent.file is None:
        yield f"it is a {sent.code} without a body, which is no file"
    elif is_redirect and sent.file not in upload.replaced:
        yield f"it is sent as a page that redirects, not as {sent.code}"
    elif 200 < sent.code < 300:
        yield f"its status is sent as 200, not {sent.code}"
    if sends_fields and not is_redirect:
        return
    if sent.file and not is_redirect and not has_similar_type(sent):
        yield f"its Content-Type {sent.type} is not sent: its suffix decides"
    others = [name for name, value in sent.fields if (name, value) != DEFAULT_FIELDS[0]]
    if others:
        yield f"these fields are not sent: {', '.join(others)}"
