"""Write a release: responses that changed are written, equal ones are linked."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import typing as t
from dataclasses import replace
from itertools import filterfalse
from pathlib import Path

from ..errors import Fault
from ..errors import ReleaseError
from ..releases.files import StoredFiles
from ..releases.manifest import SUFFIXES
from ..releases.manifest import Entry
from ..releases.manifest import Manifest
from ..releases.manifest import StaticFile
from ..releases.release import Owner
from .collisions import file_collisions
from .rendered import COMPRESSORS
from .rendered import RenderedResponse
from .rendered import compressed
from .static_files import digests_of

# Raised if a file or folder of that name exists, which is reported in the end.
_NAME_TAKEN_ERRORS = (FileExistsError, NotADirectoryError, IsADirectoryError)


class LastRelease:
    """The release of the last build, with which a build compares.

    :param folder: its folder, or ``None`` to compare with nothing.
    """

    def __init__(self, folder: str | None) -> None:
        self.name = os.path.basename(folder or "")
        # It lies in releases/ of the build folder.
        self._folder = os.path.dirname(os.path.dirname(folder or ""))
        self.stored = StoredFiles(folder or "")
        try:
            self.manifest = Manifest.open(folder) if folder else Manifest.create(None)
        except (ReleaseError, OSError):  # Treat a damaged release as missing.
            self.manifest = Manifest.create(None)
        self.meta = self.manifest.meta()

    def check_owner(self, owner: Owner) -> None:
        """Check that the build folder does not belong to another app.

        :raises ReleaseError: with the names of both apps.
        """
        if not self.meta:
            return
        try:
            owner.check_app(self.meta)
        except ReleaseError as error:
            raise ReleaseError(f"Cannot write to {self._folder}: {error}.") from None

    def find(self, path: str) -> Entry | None:
        """Return the response of a path, if its files are as they were written."""
        entry = self._find(path)
        return entry if entry is not None and self.has_all(entry.files()) else None

    def lists(self, path: str) -> bool:
        """Return True if the release has *path*, even if its files are gone."""
        return self._find(path) is not None

    def _find(self, path: str) -> Entry | None:
        with contextlib.suppress(ReleaseError):  # Treat a damaged row as missing.
            return self.manifest.find(path)
        return None

    def has_all(self, files: t.Iterable[tuple[str, int]]) -> bool:
        """Return True if no file is missing or has another size."""
        return all(self.stored.has(*file) for file in files)

    def static_files(self) -> dict[str, StaticFile]:
        with contextlib.suppress(ReleaseError):
            return self.manifest.static_files()
        return {}

    def is_whole(self) -> bool:
        """Return True if no file is missing or has another size."""
        with contextlib.suppress(ReleaseError):
            return self.has_all(self.manifest.files())
        return False


class ReleaseWriter:
    """Writes a release into *staging*.

    Until something differs from *last*, it writes nothing but the manifest. At the
    first difference it links all files so far, and then links or writes each file. If
    nothing differs in the end, there is nothing to publish.
    """

    def __init__(self, staging: str, last: LastRelease) -> None:
        self.manifest = Manifest.create(staging)
        self._files = StoredFiles(staging)
        self._last = last
        self._is_writing = False
        self._also_in_last = 0
        self._same_static: list[StaticFile] = []
        #: Names that another file or folder has.
        self._taken: list[str] = []
        self._codings = list(COMPRESSORS)
        self._can_link = last.meta.get("codings") == self._codings

    def last_response(self, path: str) -> Entry | None:
        """Return the last response of a path, if an equal one could be linked."""
        return self._last.find(path) if self._can_link else None

    def keep(self, entry: Entry) -> None:
        """Add a response of the last release that need not be rendered."""
        self._also_in_last += 1
        self.manifest.add(entry)
        if self._is_writing:
            self._link(entry)

    def text(self, entry: Entry) -> str:
        """Return the body of a response that has been added, as text."""
        files = self._files if self._is_writing else self._last.stored
        name = entry.stored_file
        return files.read(name).decode("utf-8", "replace") if name else ""

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
                self.manifest.add(entry)
                if self._is_writing:
                    self._link(entry)
                return True
        if before is not None and not response.variants:
            response.compress()  # The body is old, but its type may be new.
        self._start_writing()
        entry.variants = {k: len(v) for k, v in response.variants.items()}
        bodies = [response.body, *response.variants.values()]
        for (name, _), body in zip(entry.files(), bodies, strict=False):
            self._write(name, body)
        self.manifest.add(entry)
        return False

    def copy(self, static: t.Mapping[str, str]) -> int:
        """Add the static files, whose paths are given by name; return how many were
        copied."""
        last = self._last.static_files() if self._can_link else {}
        digests = digests_of(static)
        for name, digest in digests.items():
            before = last.get(name)
            if before is None or before.digest != digest:
                continue
            if not self._last.has_all(before.files()):
                continue
            self._same_static.append(before)
            self.manifest.add_static_file(before)
            if self._is_writing:
                self._link(before)
        same = {file.name for file in self._same_static}
        if digests.keys() - same or last.keys() != digests.keys():
            self._start_writing()
        for name in filterfalse(same.__contains__, digests):
            body = Path(static[name]).read_bytes()
            variants = compressed(body, mimetypes.guess_type(name)[0] or "")
            sizes = {
                coding: len(smaller)
                for coding, smaller in variants.items()
                if f"{name}.{SUFFIXES[coding]}" not in digests
            }
            file = StaticFile(name, len(body), digests[name], sizes)
            self.manifest.add_static_file(file)
            bodies = [body, *(variants[coding] for coding in sizes)]
            for (stored_name, _), content in zip(file.files(), bodies, strict=True):
                self._write(stored_name, content)
        return len(digests) - len(same)

    def check(self, names: t.Mapping[str, str]) -> list[Fault]:
        """Return a fault for each two files that cannot lie next to each other.

        :param names: the names of the routes in errors, by endpoint name.
        """
        if not self._is_writing:
            return []  # A release without a difference was checked when it was written.
        faults = file_collisions(self.manifest, names)
        if self._taken and not faults:
            problem = "another file has this name on this file system"
            fault = Fault("collision", self._taken[0], problem, "Rename one of them.")
            faults.append(fault)
        return faults

    def finish(
        self, meta: t.Mapping[str, t.Any], listings: t.Mapping[str, str | None]
    ) -> tuple[bool, int]:
        """Complete the manifest. Return True if the release must be published, and the
        number of paths that only the last release has.

        :param listings: digests of the paths that the routes list, by endpoint name.
            Their order does not matter.
        """
        removed = self._last.manifest.count() - self._also_in_last
        meta = {**meta, "codings": self._codings}
        if removed or not meta.items() <= self._last.meta.items():
            self._start_writing()
        if not self._is_writing:
            return False, 0
        self.manifest.finish({**meta, "listings": listings})
        return True, removed

    def _start_writing(self) -> None:
        if not self._is_writing:
            self._is_writing = True
            for entry in self.manifest.entries():
                self._link(entry)
            for file in self._same_static:
                self._link(file)

    def _write(self, name: str, body: bytes) -> None:
        try:
            self._files.write(name, body)
        except _NAME_TAKEN_ERRORS:
            self._taken.append(name)

    def _link(self, file: Entry | StaticFile) -> None:
        for name, _ in file.files():
            try:
                self._files.link(name, self._last.stored, name)
            except _NAME_TAKEN_ERRORS:
                self._taken.append(name)
