"""What a host must send of a release: every public path, and what is left out."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import re
import typing as t
from collections import Counter
from urllib.parse import quote

from flask import Flask

from ..errors import ReleaseError
from ..functions import described
from ..handling.responses import DEFAULT_CACHE_CONTROL
from ..handling.route import BoundRoute
from ..prerendering.stored import PrerenderedRoute
from ..releases.manifest import Entry
from ..releases.manifest import Manifest
from ..releases.manifest import StaticFile
from ..routing.converters import SEGMENT_SAFE
from ..site import own_views
from ..site import sites_of

Fields = tuple[tuple[str, str], ...]
#: Every host that we write for sends this field by itself, or is told to.
DEFAULT_FIELDS: Fields = (("Cache-Control", DEFAULT_CACHE_CONTROL),)


_root_re = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")


class LeftOut(t.NamedTuple):
    """Something of the app that a host does not send as the app does."""

    name: str
    why: str


class Treatment(t.NamedTuple):
    """What a host must be told for a file: its type, unless its suffix says it, and its
    header fields."""

    type: str | None
    fields: Fields


class Sent:
    """One public response.

    :attr:`path` is decoded, without the root of the app, :attr:`paths` are all at which
    it is sent. :attr:`file` is ``""`` without a body, and :attr:`name` that of the
    route, for messages.
    """

    def __init__(self, entry: Entry, route: BoundRoute) -> None:
        named = {name.lower(): value for name, value in entry.headers}
        self.route, self.name = route, route.route.name
        self.path, self.code, self.file = entry.path, entry.code, entry.file or ""
        self.type, self.location = named.get("content-type", ""), named.get("location")
        own = ("content-type", "location")
        fields = [pair for pair in entry.headers if pair[0].lower() not in own]
        # Only the order of fields of one name matters.
        self.fields: Fields = tuple(sorted(fields, key=lambda pair: pair[0]))
        self.paths = [self.path]
        # The file of a FILEPAGES_REDIRECTS page stands for both forms of its path.
        if entry.served_at != "path" and self.path[-1] != "/":
            self.paths.append(f"{self.path}/")

    @property
    def host_path(self) -> str:
        """The path at which a plain host sends the file."""
        if self.file.rpartition("/")[2] == "index.html":
            return f"/{self.file.removesuffix('index.html')}"
        return f"/{self.file.removesuffix('.html')}"


class Published:
    """The public part of the current release of an app.

    :raises ReleaseError: there is no release, it cannot be read, or the app has other
        routes or guards by now.
    :raises LoadError: a file cannot be loaded.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.sites = list(sites_of(app).values())
        self.settings = self.sites[0].settings
        self.root = self.settings.root
        if not _root_re.fullmatch(self.root):
            raise ReleaseError(
                f"APPLICATION_ROOT is {self.root!r}, which not every host takes. Use"
                " letters, digits and -._~ only."
            )
        self.build_folder = self.sites[0].releases.build_folder
        self.folder = self.build_folder.release()
        self.routes: dict[str, BoundRoute] = {
            route.endpoint: route
            for site in self.sites
            for route in site.routes.values()
        }
        with contextlib.closing(Manifest.open(self.folder)) as manifest:
            self.sites[0].releases.owner.check(manifest.meta())
            public = [entry for entry in manifest.entries() if not entry.is_guarded]
            self.static: dict[str, StaticFile] = manifest.static_files()
        sizes = [*(e.size for e in public), *(f.size for f in self.static.values())]
        #: The size of the largest file, in bytes.
        self.largest = max(sizes, default=0)
        for site in self.sites:
            site.load()
        #: In the order in which it is noted.
        self.left_out: dict[LeftOut, None] = {}
        self.responses: list[Sent] = []
        self.error_pages: list[Sent] = []
        for entry in public:
            self._add(entry)
        #: The responses that are files with the status 200.
        self.files = [s for s in self.responses if s.file and s.code == 200]
        stored = [s.file for s in (*self.responses, *self.error_pages) if s.file]
        #: The names of all files, without compressed variants.
        self.names = [*stored, *self.static]
        #: The 404 pages, by the prefix of their URLs.
        self.not_found = {
            f"/{page.file}".removesuffix("/404.html"): page
            for page in self.error_pages
            if page.file.rpartition("/")[2] == "404.html"
        }

    def _add(self, entry: Entry) -> None:
        """Add a public response, if it is still public.

        :raises ReleaseError: its file is gone, or a guard is newer than the release.
        """
        route = self.routes.get(entry.endpoint)
        if route is None:
            raise ReleaseError(
                f"{self.folder} has {entry.path}, which no file of the app makes now."
                " Build again."
            )
        if route.guards:
            raise ReleaseError(
                f"{route.guards[0].name} guards {route.route.name}, but was added after"
                f" {self.folder} was built. Build again."
            )
        sent = Sent(entry, route)
        if entry.served_at != "nowhere" or 300 <= entry.code < 400:
            self.responses.append(sent)
        elif sent.file:
            self.error_pages.append(sent)

    def url(self, path: str) -> str:
        """Return the URL of a decoded path, as the links of the site have it."""
        return self.root + quote(path, safe=f"{SEGMENT_SAFE}/")

    # -- what is left out -------------------------------------------------------

    def leave_out(self, name: str, why: str) -> None:
        """Note what the host does not send as the app does."""
        self.left_out[LeftOut(name, why)] = None

    def leave_out_app(self, *, upstream: bool = False) -> None:
        """Note what no file of the release sends.

        :param upstream: the app still gets the requests that no file matches.
        """
        if not upstream:
            for route in self.routes.values():
                why = _why_left_out(route)
                if why is not None:
                    self.leave_out(route.route.name, why)
            for rule in own_views(self.app):
                self.leave_out(rule, "it is a view of the app")
        why = "it is an after_request function, and does not run for stored files"
        for scope in (None, *(site.name for site in self.sites)):
            for function in self.app.after_request_funcs.get(scope, ()):
                self.leave_out(described(function, self.app.root_path), why)


def _why_left_out(route: BoundRoute) -> str | None:
    if isinstance(route, PrerenderedRoute) and route.guards:
        guard = route.guards[0]
        why = f"{guard.name} runs whenever it is sent, which needs the app"
        if not getattr(guard.function, "looks_at_each_request", False):
            why += " (mark that middleware @once_per_render if it guards nothing)"
        return why
    if isinstance(route, PrerenderedRoute):
        why = "paths that it does not list run on request, which needs the app"
        return why if route.is_auto else None
    if route.route.redirect is None:
        return "it runs on request, which needs the app"
    why = "only the paths that its target lists are redirected"
    return None if route.is_static else why


# -- types --------------------------------------------------------------------------


def suffix_of(file: str) -> str:
    return os.path.splitext(file)[1].lstrip(".")


def types_of(published: Published) -> dict[str, str]:
    """Return the most frequent content type of each suffix that a server can be
    told."""
    counted: dict[str, Counter[str]] = {}
    for sent in published.files:
        counted.setdefault(suffix_of(sent.file), Counter())[sent.type] += 1
    for name in published.static:
        guessed = mimetypes.guess_type(name)[0]
        if guessed is not None:
            counted.setdefault(suffix_of(name), Counter([guessed]))
    # Other characters would be syntax of some server.
    return {
        suffix: types.most_common(1)[0][0]
        for suffix, types in sorted(counted.items())
        if suffix.isascii() and suffix.isalnum()
    }


#: The types that all hosts send by suffix. The machine's own table may differ.
_USUAL = {
    "avif": "image/avif",
    "css": "text/css",
    "gif": "image/gif",
    "html": "text/html",
    "jpg": "image/jpeg",
    "json": "application/json",
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "webp": "image/webp",
}
#: Hosts choose one of these by themselves.
_SIMILAR = {
    ("js", "application/javascript"),
    ("js", "text/javascript"),
    ("xml", "application/xml"),
    ("xml", "text/xml"),
}


def has_usual_type(sent: Sent) -> bool:
    """Return True if every host sends the type of the file by its suffix."""
    kind, parameters = _split_type(sent)
    usual = _USUAL.get(suffix_of(sent.file).lower())
    return kind == usual and parameters in ("", "charset=utf-8")


def has_similar_type(sent: Sent) -> bool:
    """Return True if every host sends the type of the file, or one that means the
    same."""
    suffix = suffix_of(sent.file).lower()
    return has_usual_type(sent) or (suffix, _split_type(sent)[0]) in _SIMILAR


def _split_type(sent: Sent) -> tuple[str, str]:
    kind, _, parameters = sent.type.partition(";")
    return kind.strip().lower(), parameters.strip().lower()
