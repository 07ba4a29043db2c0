"""Write a release: responses that changed are written, equal ones are linked."""

from __future__ import annotations

import contextlib
import os
import typing as t
from collections.abc import Iterator
from dataclasses import replace

from ..errors import BuildError
from ..errors import Fault
from ..errors import ReleaseError
from ..releases.files import StoredFiles
from ..releases.folder import SITE
from ..releases.manifest import Entry
from ..releases.manifest import Manifest
from .rendered import COMPRESSORS
from .rendered import RenderedResponse
from .static_files import StaticFiles

# Raised if a file or folder of that name exists.
_NAME_TAKEN_ERRORS = (FileExistsError, NotADirectoryError, IsADirectoryError)


class LastRelease:
    """The release of the last build, with which a build compares.

    :param folder: its folder, or ``None`` to compare with nothing.
    """

    def __init__(self, folder: str | None) -> None:
        self.name = os.path.basename(folder or "")
        self._manifest: Manifest | None = None
        self._files = StoredFiles(os.path.join(folder or "", SITE))
        self.meta: dict[str, t.Any] = {}
        if folder is not None:
            try:
                self._manifest = Manifest.open(folder)
                self.meta = self._manifest.meta()
            except (ReleaseError, OSError):
                pass  # Treat a damaged release as missing.

    def close(self) -> None:
        if self._manifest is not None:
            self._manifest.close()

    def find(self, path: str) -> Entry | None:
        """Return the response of a path, if its files are as they were written."""
        entry = self._find(path)
        if entry is None or not all(self.has(*file) for file in entry.files()):
            return None
        return entry

    def lists(self, path: str) -> bool:
        """Return True if the release has *path*, whatever became of its files."""
        return self._find(path) is not None

    def _find(self, path: str) -> Entry | None:
        if self._manifest is None:
            return None
        with contextlib.suppress(ReleaseError):  # Treat a damaged row as missing.
            return self._manifest.find(path)
        return None

    def has(self, name: str, size: int) -> bool:
        return self._files.has(name, size)

    def link_to(self, files: StoredFiles, name: str) -> None:
        """Link a file of this release into *files*."""
        files.link(name, self._files, name)

    def count(self) -> int:
        return self._manifest.count() if self._manifest is not None else 0

    def listings(self) -> dict[str, bytes | None]:
        return self._manifest.listings() if self._manifest is not None else {}

    def static_files(self) -> dict[str, str]:
        return self._manifest.static_files() if self._manifest is not None else {}

    def is_whole(self) -> bool:
        """Return True if no file is missing or has another size."""
        if self._manifest is None:
            return False
        with contextlib.suppress(ReleaseError):
            return all(self.has(*file) for file in self._manifest.files())
        return False


class ReleaseWriter:
    """Writes a release into *staging*.

    Until something differs from *last*, it writes nothing but the manifest. At the
    first difference it links all files so far, and then links or writes each file. If
    nothing differs in the end, there is nothing to publish.
    """

    def __init__(self, staging: str, last: LastRelease) -> None:
        self._manifest = Manifest.create(staging)
        self._files = StoredFiles(os.path.join(staging, SITE))
        self._last = last
        self._is_writing = False
        self._also_in_last = 0
        self._linked_static: set[str] = set()
        self._codings = list(COMPRESSORS)
        self._can_link = last.meta.get("codings") == self._codings

    def close(self) -> None:
        self._manifest.close()

    def last_response(self, path: str) -> Entry | None:
        """Return the last response of a path, if an equal one could be linked."""
        return self._last.find(path) if self._can_link else None

    def keep(self, entry: Entry) -> None:
        """Add a response of the last release that need not be rendered."""
        self._also_in_last += 1
        self._manifest.add(entry)
        if self._is_writing:
            self._link(entry)

    def kept(self) -> Iterator[Entry]:
        """Yield the responses that have been added so far."""
        return self._manifest.entries()

    def add(
        self, entry: Entry, response: RenderedResponse, before: Entry | None
    ) -> bool:
        """Add a rendered response. Return True if it equals *before*, the last response
        of its path."""
        entry.status, entry.headers = response.status, response.headers
        entry.digest, entry.size = response.digest, len(response.body)
        if not response.has_body:
            entry.file = None
        self._also_in_last += before is not None or self._last.lists(entry.path)
        if before is not None:
            entry.variants = before.variants
            if entry.key != before.key:
                before = replace(before, key=entry.key)
                self._start_writing()  # The next build needs the new key.
            if entry == before:
                self._manifest.add(entry)
                if self._is_writing:
                    self._link(entry)
                return True
        if not response.variants:
            response.compress()  # The body is old, but its type may be new.
        self._start_writing()
        entry.variants = {k: len(v) for k, v in response.variants.items()}
        bodies = [response.body, *response.variants.values()]
        for (name, _), body in zip(entry.files(), bodies, strict=False):
            with _collision(entry, name):
                self._files.write(name, body)
        self._manifest.add(entry)
        return False

    def copy(self, static: StaticFiles) -> int:
        """Add the static files; return how many were copied.

        :raises BuildError: a page has the name of a static file.
        """
        before = self._last.static_files()
        digests = dict(static.digests())
        sizes = {name: os.path.getsize(static.paths[name]) for name in digests}
        linked = {
            name
            for name, digest in digests.items()
            if before.get(name) == digest and self._last.has(name, sizes[name])
        }
        if before.keys() != digests.keys() or linked != digests.keys():
            self._start_writing()
        faults: list[Fault] = []
        for name, digest in digests.items():
            self._manifest.add_static_file(name, sizes[name], digest)
            try:
                if name not in linked:
                    self._files.write(name, static.read(name))
                elif self._is_writing:
                    self._last.link_to(self._files, name)
            except _NAME_TAKEN_ERRORS:
                problem = "a page has the same file name"
                fix = "Rename one of the two, or build with --no-static."
                faults.append(Fault("collision", name, problem, fix))
        if faults:
            raise BuildError("the static files", faults)
        self._linked_static = linked
        return len(digests) - len(linked)

    def finish(
        self, meta: t.Mapping[str, t.Any], listings: t.Mapping[str, bytes | None]
    ) -> tuple[bool, int]:
        """Complete the manifest. Return True if the release must be published, and the
        number of paths that only the last release has."""
        removed = self._last.count() - self._also_in_last
        meta = {**meta, "codings": self._codings}
        if not self._is_writing and (removed or meta != self._last.meta):
            self._start_writing()
            for name in self._linked_static:
                self._last.link_to(self._files, name)
        if not self._is_writing:
            return False, 0
        for endpoint, digest in listings.items():
            self._manifest.add_listing(endpoint, digest)
        self._manifest.finish(meta)
        return True, removed

    def _start_writing(self) -> None:
        if not self._is_writing:
            self._is_writing = True
            for entry in self._manifest.entries():
                self._link(entry)

    def _link(self, entry: Entry) -> None:
        for name, _ in entry.files():
            with _collision(entry, name):
                self._last.link_to(self._files, name)


@contextlib.contextmanager
def _collision(entry: Entry, name: str) -> Iterator[None]:
    """Raise a ``BuildError`` where the file *name* of a response is taken."""
    try:
        yield
    except _NAME_TAKEN_ERRORS:
        problem = f"another path has its file {name}"
        fault = Fault("collision", entry.path, problem, "Rename one of them.")
        raise BuildError("the release", [fault]) from None
