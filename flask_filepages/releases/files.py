"""The files of a release: written, read, linked and deleted by their names."""

from __future__ import annotations

import contextlib
import os
import stat

from ..errors import ReleaseError
from .names import name_problem

_BINARY = getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
# Without O_NONBLOCK, opening a pipe would wait for its writer.
_READ = (
    os.O_RDONLY | _BINARY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
)


class StoredFiles:
    """The files below one folder, by names such as ``about/index.html``.

    Every name is checked here, wherever it comes from: a manifest may be damaged.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._folders = {root}
        self._links: dict[str, bool] = {"": os.path.islink(root)}

    def path(self, name: str) -> str:
        """Return the path of a file.

        :raises ReleaseError: *name* might lead out of the folder, or lies behind a link
            that does.
        """
        problem = name_problem(name)
        if problem is not None:
            raise ReleaseError(f"{name!r} is not the name of a stored file: {problem}")
        if self._is_behind_link(name):
            raise ReleaseError(f"{name} lies behind a link to another folder")
        return f"{self.root}{os.sep}{name}"

    def write(self, name: str, body: bytes) -> None:
        """Write a new file.

        :raises FileExistsError: the file exists.
        :raises ReleaseError: the file would not lie in this folder.
        """
        file = os.open(self._new_path(name), _NEW, 0o644)
        try:
            view = memoryview(body)
            while view:
                view = view[os.write(file, view) :]
        finally:
            os.close(file)

    def replace(self, name: str, body: bytes) -> None:
        """Write a file, in place of a file or link of the same name."""
        path = self._new_path(name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.write(name, body)

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        with os.fdopen(self.open(name), "rb") as file:
            return file.read()

    def open(self, name: str) -> int:
        """Return a file descriptor for reading.

        :raises ReleaseError: the file does not lie in this folder.
        """
        return os.open(self.path(name), _READ)

    def has(self, name: str, size: int) -> bool:
        """Return True if *name* is a regular file of *size* bytes."""
        try:
            found = os.lstat(self.path(name))
        except (OSError, ReleaseError):
            return False
        return stat.S_ISREG(found.st_mode) and found.st_size == size

    def remove(self, name: str) -> None:
        """Delete a file, and its parent folders that are empty then.

        :raises ReleaseError: the file does not lie in this folder.
        """
        path = self.path(name)
        with contextlib.suppress(OSError):
            os.unlink(path)
            while name := name.rpartition("/")[0]:
                os.rmdir(self.path(name))

    def link(self, name: str, other: StoredFiles, other_name: str) -> None:
        """Make *name* a hard link to a file of *other*, or a copy where links fail."""
        path = self._new_path(name)
        try:
            os.link(other.path(other_name), path)
        except (FileExistsError, FileNotFoundError):
            raise
        except OSError:
            self.write(name, other.read(other_name))

    def _is_behind_link(self, name: str) -> bool:
        """Return True if a parent folder of *name* is a symbolic link."""
        folder = name.rpartition("/")[0]
        known = self._links.get(folder)
        if known is None:
            path = f"{self.root}{os.sep}{folder}"
            known = self._is_behind_link(folder) or os.path.islink(path)
            self._links[folder] = known
        return known

    def _new_path(self, name: str) -> str:
        path = self.path(name)
        folder = os.path.dirname(path)
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        return path
