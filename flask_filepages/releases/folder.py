"""The build folder: releases side by side, one of which is current.

::

    dist/
      .filepages            says that the folder is ours
      lock                  held while a build runs
      current               link to the release that is served
      releases/000042/      a whole site: site/ and its manifest
      releases/staging-.../ what a build is writing

Nothing is written outside and nothing is deleted that no build wrote.
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
import typing as t
from collections.abc import Iterator
from pathlib import Path

from ..errors import ReleaseError
from .files import Tree
from .manifest import NAME
from .manifest import Manifest
from .names import BUILD_MARKER

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

SITE = "site"
_CURRENT = "current"
_RELEASES = "releases"
_STAGING = "staging-"
# The system, or the file system, has no links.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP)
_release_re = re.compile(r"\d{6,}", re.ASCII)
#: How long a release stays that somebody may still be reading (seconds).
GRACE = 600


class BuildFolder:
    """A folder of releases.

    :param path: may not exist yet; a link is followed once, here.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = os.path.realpath(path)
        self._releases = os.path.join(self.path, _RELEASES)
        self._current = os.path.join(self.path, _CURRENT)

    # -- reading ----------------------------------------------------------------

    def current(self) -> str | None:
        """Return the folder of the current release, if there is one."""
        try:
            target = os.readlink(self._current)
        except FileNotFoundError:
            return None
        except OSError:  # no link: a pointer file, where there are no links
            try:
                with open(self._current, encoding="ascii") as file:
                    target = file.read().strip()
            except (OSError, ValueError):
                return None
        name = os.path.basename(target)
        if not _release_re.fullmatch(name):
            return None
        return os.path.join(self._releases, name)

    # -- writing ----------------------------------------------------------------

    def claim(self, kept_away: t.Iterable[str]) -> None:
        """Make the folder, if need be, and mark it as ours.

        :param kept_away: folders of the project that it must neither be nor hold.
        :raises ReleaseError: it cannot be a build folder.
        """
        home = os.path.expanduser("~")
        for other in [os.path.sep, home, *kept_away]:
            real = os.path.realpath(other)
            if real == self.path or real.startswith(self.path.rstrip(os.sep) + os.sep):
                raise ReleaseError(
                    f"{self.path} cannot be the build folder: it is, or holds, {real}."
                    " Name a folder of its own."
                )
        marker = os.path.join(self.path, BUILD_MARKER)
        if not os.path.exists(marker):
            if os.path.isdir(self.path) and os.listdir(self.path):
                raise ReleaseError(
                    f"{self.path} is not empty, and no build made it. Name another"
                    " folder, or empty this one yourself."
                )
            try:
                os.makedirs(self.path, exist_ok=True)
            except OSError as error:
                raise ReleaseError(f"{self.path} cannot be made: {error}") from None
            with open(marker, "w", encoding="ascii") as file:
                file.write("Made by flask filepages build; it may be deleted whole.\n")
        if os.path.islink(self._releases):
            raise ReleaseError(f"{self._releases} is a link; no build made it.")
        if os.path.isdir(self._current) and not os.path.islink(self._current):
            raise ReleaseError(
                f"{self._current} is a folder, and no link to a release: was it copied"
                " without its links (cp -a keeps them)? Remove it."
            )
        os.makedirs(self._releases, exist_ok=True)

    @contextlib.contextmanager
    def lock(self, *, wait: bool = False) -> Iterator[None]:
        """Hold the folder; the lock of a build that was killed is free.

        :raises ReleaseError: another build holds it, and *wait* is false.
        """
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(os.path.join(self.path, "lock"), flags, 0o644)
        with os.fdopen(descriptor, "r+b"):
            try:
                _lock(descriptor, wait=wait)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                    raise
                raise ReleaseError(
                    f"Another build is writing to {self.path}. Wait for it, or use"
                    " --wait."
                ) from None
            yield

    def stage(self) -> str:
        """Return a new folder for a build to write to; those of killed ones go."""
        with os.scandir(self._releases) as found:
            old = [
                entry.path
                for entry in found
                if entry.name.startswith(_STAGING)
                and entry.is_dir(follow_symlinks=False)
            ]
        for path in old:
            shutil.rmtree(path)
        staging = os.path.join(self._releases, f"{_STAGING}{secrets.token_hex(4)}")
        os.makedirs(os.path.join(staging, SITE))
        return staging

    def publish(self, staging: str) -> str:
        """Make *staging* the current release, by one switch; return its folder.

        Its files are on the disk before that: a crash leaves the old or the new site.
        """
        flush(staging)
        number = max(map(int, self._numbers()), default=0) + 1
        release = os.path.join(self._releases, f"{number:06}")
        os.rename(staging, release)
        _flush_folder(self._releases)
        beside = os.path.join(self.path, f".{_CURRENT}")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        target = f"{_RELEASES}/{number:06}"
        try:
            os.symlink(target, beside, target_is_directory=True)
        except (OSError, NotImplementedError) as error:
            if os.name == "posix" and getattr(error, "errno", None) not in _NO_LINKS:
                raise
            with open(beside, "w", encoding="ascii") as file:
                file.write(target)
        self._touch_current()
        os.replace(beside, self._current)
        _flush_folder(self.path)
        return release

    def _touch_current(self) -> None:
        """Note until when the current release is: it stays for a while."""
        current = self.current()
        if current is not None:
            with contextlib.suppress(OSError):
                os.utime(current)

    def prune(self, keep: int) -> list[str]:
        """Delete releases beyond the last *keep*; return their names.

        One that was current less than :data:`GRACE` seconds ago stays. Files that no
        build wrote stay, too, with their folder.
        """
        numbers = self._numbers()
        gone = []
        for name in numbers[:-keep]:
            release = os.path.join(self._releases, name)
            found = os.lstat(release)
            if stat.S_ISDIR(found.st_mode) and time.time() - found.st_mtime > GRACE:
                _delete(release)
                gone.append(name)
        return gone

    def _numbers(self) -> list[str]:
        names = os.listdir(self._releases)
        return sorted(filter(_release_re.fullmatch, names), key=int)


def _lock(descriptor: int, *, wait: bool) -> None:
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        return
    import msvcrt as windows

    any_windows = t.cast(t.Any, windows)
    mode = any_windows.LK_LOCK if wait else any_windows.LK_NBLCK
    any_windows.locking(descriptor, mode, 1)


def _delete(release: str) -> None:
    """Delete what the manifest of *release* lists, then what is empty; links are not
    followed."""
    manifest = Manifest.open(release)
    if manifest is None:
        return
    try:
        names = [name for name, _ in manifest.files()] + list(manifest.copies())
    except (manifest.connection.Error, ValueError):
        return  # what it holds is not known
    finally:
        manifest.close()
    site = os.path.join(release, SITE)
    with contextlib.suppress(OSError):
        tree = Tree(site)
        for name in names:
            tree.remove(name)
        tree.close()
        os.rmdir(site)
        os.unlink(os.path.join(release, NAME))
        os.rmdir(release)


# -- flushing -----------------------------------------------------------------------


def flush(folder: str) -> None:
    """Wait until everything below *folder* is on the disk: at once where the system
    can (``syncfs``), else file by file."""
    descriptor = _open_folder(folder)
    if descriptor is not None:
        try:
            if _syncfs(descriptor):
                return
        finally:
            os.close(descriptor)
    for parent, _, files in os.walk(folder, topdown=False):
        for name in files:
            # Windows flushes only what is open for writing.
            file = os.open(os.path.join(parent, name), os.O_RDWR)
            try:
                os.fsync(file)
            finally:
                os.close(file)
        _flush_folder(parent)


def _syncfs(descriptor: int) -> bool:
    import ctypes

    try:
        function = ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError, TypeError):
        return False
    if function(descriptor) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "syncfs")
    return True


def _flush_folder(folder: str) -> None:
    descriptor = _open_folder(folder)
    if descriptor is not None:
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _open_folder(folder: str) -> int | None:
    """Return a descriptor of *folder*, where folders have any."""
    if not hasattr(os, "O_DIRECTORY"):
        return None
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
