"""The build folder: releases next to each other, one of which is current.

::

    site/
      .filepages            marks the folder as ours
      lock                  held while a build runs
      current               link to the release that is served
      releases/000042/      a whole release: its manifest and
        site/                 public files
        guarded/              what lies behind middleware
      releases/staging-.../ the release that a build is writing

A build writes only here, and deletes only what a build wrote.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from flask import Flask

from ..errors import ReleaseError
from .files import StoredFiles
from .manifest import DIGEST_NAME
from .manifest import FILE_NAME
from .manifest import GUARDED
from .manifest import SITE
from .manifest import Manifest

_CURRENT = "current"
_RELEASES = "releases"
_STAGING = "staging-"
_MARKER = ".filepages"
# The file system has no links, or the user may not make any (EINVAL on Windows).
_NO_LINKS = (errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)
_release_re = re.compile(r"\d{6,}", re.ASCII)
#: Seconds for which a release stays after it was current: a server may still read it.
GRACE = 600


class BuildFolder:
    """A folder of releases.

    :param path: need not exist yet. A link is followed once, here.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = os.path.realpath(path)
        self._releases = os.path.join(self.path, _RELEASES)
        self._current = os.path.join(self.path, _CURRENT)

    # -- reading ----------------------------------------------------------------

    def current(self) -> str | None:
        """Return the folder of the current release, or ``None`` if there is none."""
        try:
            target = os.readlink(self._current)
        except FileNotFoundError:
            return None
        except OSError:  # A pointer file, written where links cannot be made.
            try:
                with open(self._current, encoding="ascii") as file:
                    target = file.read().strip()
            except (OSError, ValueError):
                return None
        name = os.path.basename(target)
        if not _release_re.fullmatch(name):
            return None
        return os.path.join(self._releases, name)

    def release(self) -> str:
        """Return the folder of the current release.

        :raises ReleaseError: there is none.
        """
        current = self.current()
        if current is None:
            raise ReleaseError(
                f"{self.path} has no release. Run `flask filepages build` first."
            )
        return current

    # -- writing ----------------------------------------------------------------

    def claim(self, app: Flask, project: str, sources: list[str]) -> None:
        """Create the folder if it does not exist, and mark it as ours.

        :param project: the folder of the project, which it must neither be nor contain.
        :param sources: the pages folders, in which it must not lie, either.
        :raises ReleaseError: it cannot be a build folder.
        """
        refuse_protected(self.path, "the build folder", app, sources, project)
        marker = os.path.join(self.path, _MARKER)
        if not os.path.exists(marker):
            if os.path.isdir(self.path) and os.listdir(self.path):
                raise ReleaseError(
                    f"{self.path} is not empty, and no build made it. Name another"
                    " folder, or empty this one yourself."
                )
            try:
                os.makedirs(self.path, exist_ok=True)
            except OSError as error:
                raise ReleaseError(f"{self.path} cannot be created: {error}") from None
            with open(marker, "w", encoding="ascii") as file:
                file.write("Made by flask filepages build. You may delete it all.\n")
        if os.path.islink(self._releases):
            raise ReleaseError(f"{self._releases} is a link, so no build made it.")
        if os.path.isdir(self._current) and not os.path.islink(self._current):
            raise ReleaseError(
                f"{self._current} is a folder instead of a link to a release. Was it"
                " copied without its links (cp -a keeps them)? Remove it."
            )
        os.makedirs(self._releases, exist_ok=True)

    @contextlib.contextmanager
    def lock(self, *, wait: bool = False) -> Iterator[None]:
        """Hold the lock of the folder. The lock of a killed build is free.

        :raises ReleaseError: another build holds it, and *wait* is false.
        """
        # Imported here, because it imports asyncio, and only builds need it.
        from filelock import FileLock
        from filelock import Timeout

        lock = FileLock(os.path.join(self.path, "lock"))
        try:
            held = lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            raise ReleaseError(
                f"Another build is writing to {self.path}. Wait for it, or use --wait."
            ) from None
        with held:
            yield

    @contextlib.contextmanager
    def staging(self) -> Iterator[str]:
        """Return a new folder for a build to write to, after deleting abandoned ones.
        It is deleted at the end, unless it was published."""
        for path in [*Path(self._releases).glob(f"{_STAGING}*")]:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
        staging = os.path.join(self._releases, f"{_STAGING}{secrets.token_hex(4)}")
        # A signal may come at any time, also before the caller has got the folder.
        try:
            for folder in (SITE, GUARDED):
                os.makedirs(os.path.join(staging, folder))
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def publish(self, staging: str) -> str:
        """Make *staging* the current release by one atomic switch; return its folder.

        Its files are flushed to disk first, so that a crash leaves the old site or the
        new one.
        """
        if hasattr(os, "sync"):  # fsync() of each file would take 20 times as long.
            os.sync()
        number = max(map(int, self._numbers()), default=0) + 1
        release = os.path.join(self._releases, f"{number:06}")
        os.rename(staging, release)
        pointer = os.path.join(self.path, f".{_CURRENT}")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(pointer)
        target = f"{_RELEASES}/{number:06}"
        try:
            os.symlink(target, pointer, target_is_directory=True)
        except (OSError, NotImplementedError, AttributeError) as error:
            if isinstance(error, OSError) and error.errno not in _NO_LINKS:
                raise
            with open(pointer, "w", encoding="ascii") as file:
                file.write(target)
        old = self.current()
        if old is not None:
            with contextlib.suppress(OSError):
                os.utime(old)  # The grace period of the old release begins now.
        os.replace(pointer, self._current)
        return release

    def prune(self, keep: int) -> None:
        """Delete old releases except the last *keep*.

        A release stays for :data:`GRACE` seconds after it was current. Files that no
        build wrote are kept, with their folder.
        """
        for name in self._numbers()[:-keep]:
            release = os.path.join(self._releases, name)
            found = os.lstat(release)
            if stat.S_ISDIR(found.st_mode) and time.time() - found.st_mtime > GRACE:
                _delete(release)

    def _numbers(self) -> list[str]:
        names = os.listdir(self._releases)
        return sorted(filter(_release_re.fullmatch, names), key=int)


def refuse_protected(
    path: str, what: str, app: Flask, sources: list[str], *protected: str
) -> None:
    """Refuse *path* if it is a folder that we must not write to.

    :param what: what *path* is to be, for the error.
    :raises ReleaseError: it is or contains one of *protected* or *sources*, a folder
        of *app*, the home folder or the root; or it lies in one of *sources* or in the
        static folder.
    """
    own = path.rstrip(os.sep) + os.sep
    sources = [*sources, *filter(None, [app.static_folder])]
    home = os.path.expanduser("~")
    for other in [os.path.sep, home, app.root_path, *protected, *sources]:
        real = os.path.realpath(other)
        is_inside = other in sources and path.startswith(real + os.sep)
        if is_inside or f"{real}{os.sep}".startswith(own):
            relation = "lies in" if is_inside else "is or contains"
            raise ReleaseError(
                f"{path} cannot be {what}, because it {relation} {real}. Name another"
                " folder."
            )


def _delete(release: str) -> None:
    """Delete the files in the manifest of *release*, then the folders that are empty.

    Nothing is deleted without a whole manifest: the files are unknown.
    """
    with contextlib.suppress(ReleaseError, OSError):
        with contextlib.closing(Manifest.open(release)) as manifest:
            names = [name for name, _ in manifest.files()]
        files = StoredFiles(release)
        for name in names:
            with contextlib.suppress(ReleaseError):
                files.remove(name)
        for folder in (SITE, GUARDED):  # Gone already if their last file was removed.
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(os.path.join(release, folder))
        os.unlink(os.path.join(release, FILE_NAME))
        os.unlink(os.path.join(release, DIGEST_NAME))
        os.rmdir(release)
