"""Writing below one folder, and nowhere else.

Each segment of a name is opened relative to the folder before it and links are not
followed, so there is no way out of the folder whatever a name says. Where the system
has no such calls (Windows), names are checked instead.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections import OrderedDict

from ..errors import ReleaseError
from .names import name_problem

_MOST_OPEN = 64
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)
_BINARY = getattr(os, "O_BINARY", 0)
# Else opening a pipe waits for whoever writes to it.
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY | _CLOEXEC
_FOLDER = os.O_RDONLY | _DIRECTORY | _NOFOLLOW | _CLOEXEC
_HAS_OPENAT = os.open in os.supports_dir_fd and os.mkdir in os.supports_dir_fd


class Tree:
    """A folder whose files are opened by their names below it.

    :param make: whether folders are made when they are missing.
    """

    def __init__(self, root: str, *, make: bool = False) -> None:
        self._root = root
        self._make = make
        self._open: OrderedDict[str, int] = OrderedDict()
        self._top = os.open(root, _FOLDER) if _HAS_OPENAT else -1

    def close(self) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()
        if self._top >= 0:
            os.close(self._top)
            self._top = -1

    def write(self, name: str, body: bytes) -> None:
        """Write a new file.

        :raises FileExistsError: there is one of this name.
        """
        file = self._call(name, _NEW, 0o644)
        try:
            view = memoryview(body)
            while view:
                view = view[os.write(file, view) :]
        finally:
            os.close(file)

    def open(self, name: str) -> int:
        """Return a descriptor of a file to read."""
        flags = os.O_RDONLY | _NOFOLLOW | _BINARY | _CLOEXEC | _NONBLOCK
        descriptor: int = self._call(name, flags)
        return descriptor

    def has(self, name: str, size: int) -> bool:
        """Whether there is a file of this name and *size*, and no link."""
        try:
            folder, last = self._folder(name)
            if _HAS_OPENAT:
                found = os.stat(last, dir_fd=folder, follow_symlinks=False)
            else:
                found = os.lstat(os.path.join(self._root, name))
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size == size

    def remove(self, name: str) -> None:
        """Delete a file, and the folders above it that are empty then."""
        with contextlib.suppress(OSError):
            self._unlink(name)
            while name := name.rpartition("/")[0]:
                self._rmdir(name)

    def _unlink(self, name: str) -> None:
        folder, last = self._folder(name)
        if _HAS_OPENAT:
            os.unlink(last, dir_fd=folder)
        else:
            os.unlink(os.path.join(self._root, name))

    def _rmdir(self, name: str) -> None:
        folder, last = self._folder(name)
        if not _HAS_OPENAT:
            os.rmdir(os.path.join(self._root, name))
            return
        os.rmdir(last, dir_fd=folder)
        if name in self._open:
            os.close(self._open.pop(name))

    def link(self, name: str, other: Tree) -> None:
        """Give the file *name* of *other* that name here, or copy it."""
        folder, last = self._folder(name)
        theirs, _ = other._folder(name)
        try:
            if _HAS_OPENAT:
                os.link(
                    *(last, last),
                    src_dir_fd=theirs,
                    dst_dir_fd=folder,
                    follow_symlinks=False,
                )
            else:
                os.link(os.path.join(other._root, name), os.path.join(self._root, name))
        except (FileExistsError, FileNotFoundError):
            raise
        except (OSError, NotImplementedError):
            with os.fdopen(other.open(name), "rb") as file:
                self.write(name, file.read())

    def _call(self, name: str, *args: int) -> int:
        folder, last = self._folder(name)
        if not _HAS_OPENAT:
            return os.open(os.path.join(self._root, name), *args)
        return os.open(last, *args, dir_fd=folder)

    def _folder(self, name: str) -> tuple[int, str]:
        """Return a descriptor of the folder of *name*, and its last segment."""
        path, _, last = name.rpartition("/")
        if not _HAS_OPENAT:
            if name_problem(name):
                raise ReleaseError(f"{name!r} is no name below {self._root}")
            if self._make:
                os.makedirs(os.path.join(self._root, path), exist_ok=True)
            return -1, last
        if not path:
            return self._top, last
        known = self._open.get(path)
        if known is not None:
            self._open.move_to_end(path)
            return known, last
        parent, segment = self._folder(path)
        if self._make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(segment, 0o755, dir_fd=parent)
        descriptor = os.open(segment, _FOLDER, dir_fd=parent)
        self._open[path] = descriptor
        if len(self._open) > _MOST_OPEN:
            os.close(self._open.popitem(last=False)[1])
        return descriptor, last
