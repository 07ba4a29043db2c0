"""The release that is served: its answers in memory, its files opened by descriptor."""

from __future__ import annotations

import functools
import logging
import os
import stat
import threading
import time
import typing as t
import weakref
from collections import deque
from collections.abc import Iterator
from contextvars import ContextVar

from .. import reads
from . import folder as releases
from .files import Tree
from .folder import BuildFolder
from .http import Representation
from .http import Stored
from .manifest import SUFFIXES
from .manifest import Entry
from .manifest import Manifest

#: Beyond so many answers they stay in SQLite, the last used ones in memory.
MOST_IN_MEMORY = 100_000
_SMALL = 32 * 1024  # bytes of a body that is kept
_MOST_BYTES = 32 * 1024 * 1024  # of all kept bodies of a release
_CHUNK = 64 * 1024
_LOOK_AGAIN = 0.5  # seconds

_log = logging.getLogger(__name__)
#: Whether this context renders for a build.
is_building: ContextVar[bool] = ContextVar("filepages_is_building", default=False)


class Release:
    """One release, opened. It stays as it is while anybody holds it."""

    def __init__(self, folder: str, manifest: Manifest) -> None:
        self.folder = folder
        self._tree = Tree(os.path.join(folder, releases.SITE))
        weakref.finalize(self, self._tree.close)
        self._kept: deque[Representation] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        self.meta = manifest.meta()
        #: Finds an answer by the path of an environ: undecoded, in Latin-1.
        self.find: t.Callable[[str], Stored | None]
        if manifest.count() <= MOST_IN_MEMORY:
            rows = manifest.entries(served=True)
            answers = {_wire(entry.path): self._stored(entry) for entry in rows}
            manifest.close()
            self.find = answers.get
        else:
            self._manifest = manifest
            self.find = functools.lru_cache(MOST_IN_MEMORY // 10)(self._look_up)

    def body(self, chosen: Representation) -> bytes | None:
        """Return the whole body if it is small; keep it for the next request.

        :raises OSError: the file is not there.
        """
        if chosen.body is not None:
            return chosen.body
        if chosen.file is None:
            return b""
        if chosen.size > _SMALL:
            return None
        with self._lock:
            file = self._open(chosen)
        with os.fdopen(file, "rb", buffering=0) as opened:
            body = opened.read(chosen.size + 1) or b""
        if len(body) != chosen.size:
            raise OSError(f"{chosen.file} is not as long as it was written")
        self._keep(chosen, body)
        return body

    def stream(
        self, chosen: Representation, start: int, length: int
    ) -> Iterator[bytes]:
        """Return the body, or a part of it, in chunks.

        :raises OSError: the file is not there.
        """
        with self._lock:
            file = os.fdopen(self._open(chosen), "rb", buffering=0)
        return _chunks(file, start, length)

    def _open(self, chosen: Representation) -> int:
        file = self._tree.open(t.cast(str, chosen.file))
        found = os.fstat(file)
        if stat.S_ISREG(found.st_mode) and found.st_size == chosen.size:
            return file
        os.close(file)
        raise OSError(f"{chosen.file} is not the file that was stored")

    def _keep(self, chosen: Representation, body: bytes) -> None:
        with self._lock:
            if chosen.body is None:
                chosen.body = body
                self._kept.append(chosen)
                self._bytes += len(body)
            while self._bytes > _MOST_BYTES:
                oldest = self._kept.popleft()
                self._bytes -= oldest.size
                oldest.body = None

    def _look_up(self, path: str) -> Stored | None:
        try:
            decoded = path.encode("latin-1").decode()
        except UnicodeDecodeError:
            return None
        try:
            with self._lock:
                entry = self._manifest.entry(decoded)
        except (self._manifest.connection.Error, ValueError) as error:
            _log.error("%s cannot be read: %s", self.folder, error)
            return None
        return self._stored(entry) if entry is not None and entry.forms else None

    def _stored(self, entry: Entry) -> Stored:
        """Return an answer with the header lists that requests will get."""
        headers = [*entry.headers, ("ETag", f'"{entry.digest}"')]
        if entry.status[:3] == "200":
            headers.append(("Accept-Ranges", "bytes"))
        if entry.variants:
            headers = _varying(headers)
        plain = _representation(entry.file, entry.size, entry.digest, headers)
        coded = {}
        for coding, size in sorted(entry.variants.items(), key=lambda item: item[1]):
            own = [h for h in headers if h[0] not in ("ETag", "Accept-Ranges")]
            tag = f"{entry.digest}-{SUFFIXES[coding]}"
            own += [("ETag", f'"{tag}"'), ("Accept-Ranges", "bytes")]
            own.append(("Content-Encoding", coding))
            name = f"{entry.file}.{SUFFIXES[coding]}"
            coded[coding] = _representation(name, size, tag, own)
        return Stored(
            *(entry.path, entry.endpoint, entry.status, plain, coded, entry.forms == 2)
        )


def _representation(
    file: str | None, size: int, tag: str, headers: list[tuple[str, str]]
) -> Representation:
    length = [] if file is None else [("Content-Length", str(size))]
    return Representation(file, size, f'"{tag}"', [*headers, *length])


def _varying(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return *headers* saying that the answer depends on the encodings that a client
    takes (RFC 9110, 12.5.5)."""
    named = [value for name, value in headers if name.lower() == "vary"]
    others = [pair for pair in headers if pair[0].lower() != "vary"]
    return [*others, ("Vary", ", ".join([*named, "Accept-Encoding"]))]


def _chunks(file: t.Any, start: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while length > 0:
            chunk = file.read(min(_CHUNK, length))
            if not chunk:
                raise OSError("a stored file is shorter than it was")
            length -= len(chunk)
            yield chunk


def _wire(path: str) -> str:
    return path if path.isascii() else path.encode().decode("latin-1")


class Releases:
    """The current release of a build folder; a new one is seen within a second."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._build_folder = BuildFolder(folder)
        self._release: Release | None = None
        self._refused: str | None = None
        self._seen: tuple[str, int, int] | None = None
        self._next = 0.0
        self._lock = threading.Lock()

    def current(self) -> Release | None:
        """Return the release to answer a request from: ask once for each request. A
        page that asks for another one while it is built gets it as it is now, from
        any thread of a build process."""
        if is_building.get() or reads.log is not None:
            return None
        if time.monotonic() >= self._next:
            self._look()
        return self._release

    def _look(self) -> None:
        """Open the current release if it is another one. An old one is served on as
        long as there is no valid newer one."""
        if not self._lock.acquire(blocking=self._next == 0.0):
            return  # another thread is at it
        folder = None
        try:
            self._next = time.monotonic() + _LOOK_AGAIN
            folder = self._build_folder.current()
            if folder is None:
                if self._release is not None and self._seen is not None:
                    self._seen = None
                    _log.error("%s holds no release any more", self.folder)
                return
            # A folder of the same name may be another one.
            found = os.stat(folder)
            identity = (folder, found.st_ino, found.st_ctime_ns)
            if identity != self._seen:
                self._seen = identity
                self._open(folder)
        except OSError as error:
            self._refuse(f"{folder or self.folder} cannot be served: {error}")
        finally:
            self._lock.release()

    def _open(self, folder: str) -> None:
        manifest = Manifest.open(folder)
        if manifest is None:
            raise OSError("it has no manifest of this version")
        try:
            self._release = Release(folder, manifest)
        except (manifest.connection.Error, ValueError) as error:
            raise OSError(f"its manifest cannot be read: {error}") from error

    def _refuse(self, why: str) -> None:
        if self._refused != why:
            self._refused = why
            _log.error("%s", why)
