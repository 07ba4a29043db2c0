"""Export a release: a folder to upload to a host of files, and nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import os
import typing as t

from flask import Flask

from ..errors import ReleaseError
from ..releases.files import StoredFiles
from ..releases.folder import refuse_protected
from ..releases.manifest import SITE
from .published import LeftOut
from .published import Published
from .uploads import HOSTS
from .uploads import Upload


class Export(t.NamedTuple):
    """The result of an export. :attr:`removed` counts files of the last export that are
    not part of the site any more."""

    folder: str
    host: str
    release: str
    files: int
    written: int
    removed: int
    left_out: list[LeftOut]


def export(app: Flask, folder: str, host: str, *, force: bool = False) -> Export:
    """Write the current release of *app* to *folder*, for *host*.

    Files of an earlier export that are not part of the site any more are deleted, and
    no others.

    :param force: write to a folder that is not empty and that no export made.
    :raises ReleaseError: there is no release, the folder cannot be used, or the site
        is beyond a limit of the host.
    """
    published = Published(app)
    _check_slashes(published)
    published.leave_out_app()
    upload = HOSTS[host](published)
    target = _Target(published, os.path.realpath(folder), force=force)
    contents = _contents(published, upload)
    stale = target.listed.keys() - contents.keys()
    try:
        removed = target.remove(stale)
        written = sum(target.write(name, read()) for name, read in contents.items())
    finally:  # An interrupted export is known, too.
        target.write_list()
    kept = sorted(stale & target.listed.keys())
    why = "it is gone from the site, but was changed here, so it was not deleted"
    left_out = [*(LeftOut(name, why) for name in kept), *published.left_out]
    return Export(
        target.path, host, published.folder, len(contents), written, removed, left_out
    )


def _check_slashes(published: Published) -> None:
    settings = published.settings
    has_index = any("/index.html" in sent.file for sent in published.files)
    if settings.trailing_slash == "never" and has_index:
        raise ReleaseError(
            "Hosts send about/index.html at /about/, but FILEPAGES_TRAILING_SLASH is"
            " 'never'. Set FILEPAGES_BUILD_FORMAT = 'file', and build again."
        )


_Read = t.Callable[[], bytes]


def _contents(published: Published, upload: Upload) -> dict[str, _Read]:
    """Return the files of an export by name, as functions that read them.

    :raises ReleaseError: the site has a file that the host reads as its config.
    """
    stored = StoredFiles(published.folder)
    below = f"{upload.folder}/" if upload.folder else ""
    found: dict[str, _Read] = {}
    # Hosts compress files themselves, so the compressed variants stay here.
    for name in published.names:
        if name not in upload.replaced:
            found[below + name] = _reader(stored, f"{SITE}/{name}")
    for name, text in upload.texts.items():
        if name in found:
            raise ReleaseError(
                f"The site has a file {name}, which the host reads as its"
                " configuration. Rename it, or choose another host."
            )
        found[name] = text.encode
    not_found = found.get(f"{below}404.html")
    if below and not_found is not None:
        found["404.html"] = not_found
    return found


def _reader(stored: StoredFiles, name: str) -> _Read:
    def read() -> bytes:
        try:
            return stored.read(name)
        except OSError as error:
            raise ReleaseError(
                f"{stored.root} is damaged: {name} cannot be read ({error.strerror})."
                " Run `flask filepages build --force`."
            ) from error

    return read


class _Target:
    """The folder of an export.

    The names of its files lie in the build folder, with a digest of each. Only a file
    that is as an export wrote it is deleted.
    """

    def __init__(self, published: Published, path: str, *, force: bool) -> None:
        self.path = path
        build_folder = published.build_folder.path
        sources = [build_folder, *(site.folder for site in published.sites)]
        refuse_protected(path, "the folder of an export", published.app, sources)
        self._files = StoredFiles(path)
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
        self._list = os.path.join(build_folder, "exports", f"{name}.txt")
        self.listed = self._read_list()
        if os.path.exists(path) and not os.path.isdir(path):
            raise ReleaseError(f"{path} is a file. Name a folder.")
        is_used = os.path.isdir(path) and os.listdir(path)
        if is_used and not (force or any(map(self._is_as_written, self.listed))):
            raise ReleaseError(
                f"{path} is not empty, and no export made it. Name another folder, or"
                " use --force: it overwrites files of the same name, and deletes none."
            )
        os.makedirs(path, exist_ok=True)
        os.makedirs(os.path.dirname(self._list), exist_ok=True)

    def _read_list(self) -> dict[str, str]:
        """Return the digests of the files of the last export, by name."""
        try:
            with open(self._list, encoding="utf-8") as file:
                pairs = (line.rstrip("\n").partition(" ") for line in file)
                return {name: digest for digest, _, name in pairs}
        except FileNotFoundError:
            return {}

    def _is_as_written(self, name: str) -> bool:
        """Return True if a file is as the last export wrote it."""
        with contextlib.suppress(OSError, ReleaseError):
            return _digest(self._files.read(name)) == self.listed[name]
        return False

    def write(self, name: str, body: bytes) -> bool:
        """Write a file, unless it is there already. Return True if it was written."""
        self.listed[name] = _digest(body)
        if self._files.has(name, len(body)) and self._files.read(name) == body:
            return False
        self._files.replace(name, body)
        return True

    def remove(self, names: t.Iterable[str]) -> int:
        """Delete files, and return how many. One that was changed stays."""
        removed = 0
        for name in sorted(names):
            with contextlib.suppress(ReleaseError):  # Somebody changed the list.
                if self._is_as_written(name):
                    self._files.remove(name)
                    removed += 1
                elif os.path.lexists(self._files.path(name)):
                    continue
            del self.listed[name]
        return removed

    def write_list(self) -> None:
        temporary = f"{self._list}.new"
        with open(temporary, "w", encoding="utf-8") as file:
            pairs = sorted(self.listed.items())
            file.writelines(f"{digest} {name}\n" for name, digest in pairs)
        os.replace(temporary, self._list)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
