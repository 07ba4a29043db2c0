"""The release that is served: its responses, its bodies, and finding a newer one."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import stat
import threading
import time
import typing as t
import weakref
from collections import deque
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field

from ..errors import ReleaseError
from .files import StoredFiles
from .folder import BuildFolder
from .headers import stored_response
from .http import Representation
from .http import StoredResponse
from .http import select
from .manifest import HeaderList
from .manifest import Manifest
from .manifest import state_of

Environ = dict[str, t.Any]

#: With more responses they stay in SQLite, and the last used ones in memory.
MOST_IN_MEMORY = 100_000
_SMALL = 32 * 1024  # Bytes of a body that is kept in memory.
_MOST_BYTES = 32 * 1024 * 1024  # Bytes of all bodies in memory, for each release.
_CHUNK = 64 * 1024
_LOOK_AGAIN = 0.5  # seconds

_log = logging.getLogger(__name__)


class Release:
    """One open release. It never changes."""

    def __init__(self, folder: str, manifest: Manifest) -> None:
        self.folder = folder
        self._files = StoredFiles(folder)
        self._bodies: deque[Representation] = deque()
        self._bytes = 0
        self._lock = threading.Lock()
        weakref.finalize(self, manifest.close)
        self.meta = manifest.meta()
        #: The ``SCRIPT_NAME`` for which the responses were made.
        self.root: str = self.meta["root"]
        #: Returns the response at an undecoded path, as it stands in the environ.
        self.find: t.Callable[[str], StoredResponse | None]
        if manifest.count() <= MOST_IN_MEMORY:
            entries = manifest.entries(served=True)
            self.find = {
                _wsgi_path(entry.path): stored_response(entry) for entry in entries
            }.get
            manifest.close()
        else:
            self._manifest = manifest
            self.find = functools.lru_cache(MOST_IN_MEMORY // 10)(
                self._find_in_manifest
            )

    def send(
        self, stored: StoredResponse, environ: Environ
    ) -> tuple[str, HeaderList, Iterable[bytes]]:
        """Return status, headers and body of a stored response to a request. The header
        list is shared by all requests, so copy it.

        :raises OSError: the file is gone, or is not the file that was stored.
        """
        chosen = stored.choose(environ)
        status, headers, start, length = select(environ, stored, chosen)
        if not length or environ["REQUEST_METHOD"] == "HEAD":
            return status, headers, []
        body = self._body(chosen)
        if body is None:
            return status, headers, self._stream(chosen, start, length)
        if length != chosen.size:
            body = body[start : start + length]
        # Some servers send a list at once, but iterate over anything else.
        return status, headers, [body]

    def _body(self, chosen: Representation) -> bytes | None:
        """Return the body if it is small, and keep it in memory."""
        if chosen.body is not None:
            return chosen.body
        if chosen.file is None:
            return b""
        if chosen.size > _SMALL:
            return None
        with os.fdopen(self._open(chosen), "rb", buffering=0) as file:
            body = file.read(chosen.size + 1) or b""
        if len(body) != chosen.size:
            raise OSError(f"{chosen.file} has another size than it was stored with")
        with self._lock:
            if chosen.body is None:
                chosen.body = body
                self._bodies.append(chosen)
                self._bytes += len(body)
            while self._bytes > _MOST_BYTES:
                oldest = self._bodies.popleft()
                self._bytes -= oldest.size
                oldest.body = None
        return body

    def _stream(
        self, chosen: Representation, start: int, length: int
    ) -> Iterator[bytes]:
        return _chunks(os.fdopen(self._open(chosen), "rb", buffering=0), start, length)

    def _open(self, chosen: Representation) -> int:
        try:
            file = self._files.open(t.cast(str, chosen.file))
        except ReleaseError as error:
            raise OSError(str(error)) from error
        found = os.fstat(file)
        if stat.S_ISREG(found.st_mode) and found.st_size == chosen.size:
            return file
        os.close(file)
        raise OSError(f"{chosen.file} is not the file that was stored")

    def _find_in_manifest(self, path: str) -> StoredResponse | None:
        try:
            decoded = path.encode("latin-1").decode()
        except UnicodeDecodeError:
            return None
        with self._lock:
            try:
                entry = self._manifest.find(decoded)
            except ReleaseError as error:
                _log.error("Cannot serve %s: %s", decoded, error)
                return None
        if entry is None or entry.served_at == "nowhere":
            return None
        return stored_response(entry)


def _chunks(file: t.Any, start: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while length > 0:
            chunk = file.read(min(_CHUNK, length))
            if not chunk:
                raise OSError("A stored file is shorter than it was.")
            length -= len(chunk)
            yield chunk


def _wsgi_path(path: str) -> str:
    """Return a path as WSGI has it: its UTF-8 bytes as Latin-1."""
    return path if path.isascii() else path.encode().decode("latin-1")


@dataclass
class Owner:
    """The app whose releases lie in a build folder.

    :attr:`trees` has the prefix and the folder of each FilePages, by its name. Folders
    are relative to the app, so that a project may be moved.
    """

    app: str
    trees: dict[str, list[str]] = field(default_factory=dict)

    def check_app(self, meta: t.Mapping[str, t.Any]) -> None:
        """Check that a release belongs to this app.

        :param meta: of the manifest of the release.
        :raises ReleaseError: it belongs to another app.
        """
        other = meta["owner"]["app"]
        if other != self.app:
            raise ReleaseError(
                f"it belongs to the app {other!r}, and this app is {self.app!r}. Give"
                " each app its own FILEPAGES_BUILD_DIR or --out, or delete the folder"
            )

    def check(self, meta: t.Mapping[str, t.Any]) -> None:
        """Check that a release belongs to this app, as it is now.

        :raises ReleaseError: it belongs to another app, or to other pages folders.
        """
        self.check_app(meta)
        for name, tree in meta["owner"]["trees"].items():
            if self.trees.get(name, tree) != tree:
                raise ReleaseError(
                    f"its FilePages {name!r} had the prefix and the folder {tree}, and"
                    f" has {self.trees[name]} now. Build again"
                )


class Releases:
    """The current release of a build folder. A new one is noticed within a second.

    :param app_name: the name of the app. A release of another app is refused.
    """

    def __init__(self, folder: str, app_name: str) -> None:
        self.folder = folder
        self.owner = Owner(app_name)
        self.build_folder = BuildFolder(folder)
        self._key = f"flask_filepages.release:{self.build_folder.path}"
        self._release: Release | None = None
        self._last_message: str | None = None
        #: The release that was opened or refused, and the state of its manifest then.
        self._seen: tuple[t.Any, ...] | None = None
        self._next_look = 0.0
        self._lock = threading.Lock()
        self._has_warned_of_root = False
        self.is_suspended = False

    def for_request(self, environ: Environ) -> Release | None:
        """Return the release for a request. The first call chooses it, so that a
        request never sees two releases.

        There is none below another ``SCRIPT_NAME``, for which the links in the stored
        pages would be wrong.
        """
        if self._key not in environ:
            release = self.current()
            root = environ.get("SCRIPT_NAME", "")
            if release is not None and root != release.root:
                self._warn_of_root(release, root)
                release = None
            environ[self._key] = release
        return t.cast("Release | None", environ[self._key])

    def _warn_of_root(self, release: Release, root: str) -> None:
        if not self._has_warned_of_root:
            self._has_warned_of_root = True
            _log.warning(
                "Prerendered routes run on each request: %s was built for"
                " APPLICATION_ROOT = %r, but a request has the SCRIPT_NAME %r. Mount"
                " the app at its root, or change APPLICATION_ROOT and build again.",
                release.folder,
                release.root or "/",
                root,
            )

    def current(self) -> Release | None:
        """Return the current release, or ``None`` if none can be served."""
        if self.is_suspended:
            return None
        if time.monotonic() >= self._next_look:
            self._look()
        return self._release

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """Serve no release while this process builds one: a page that requests another
        page must get it as it is now."""
        before, self.is_suspended = self.is_suspended, True
        try:
            yield
        finally:
            self.is_suspended = before
            self._next_look = 0.0  # This process may have published a release.

    @contextlib.contextmanager
    def serving(self, folder: str) -> Iterator[None]:
        """Serve the releases of another build folder, for tests."""
        before = vars(self).copy()
        new = vars(Releases(folder, self.owner.app)) | {"owner": self.owner}
        vars(self).update(new, _lock=self._lock)
        try:
            yield
        finally:
            vars(self).update(before)

    def _look(self) -> None:
        """Open the current release if it is new. Without a valid new one, the old one
        stays."""
        # Only the first look blocks other threads. Before it ends, they have no release
        # to serve.
        if not self._lock.acquire(blocking=self._next_look == 0.0):
            return
        folder = seen = None
        try:
            if time.monotonic() < self._next_look:
                return  # Another thread has just looked.
            folder = self.build_folder.current()
            if folder is None:
                self._seen = None
                level, message = logging.ERROR, f"{self.folder} has no release any more"
                if self._release is None:
                    level = logging.WARNING
                    message = (
                        f"{self.folder} has no release, so prerendered routes run on"
                        " each request. Run `flask filepages build`."
                    )
                self._log_once(level, message)
                return
            # Another folder may have the same name now.
            found = os.stat(folder)
            seen = (folder, found.st_ino, found.st_ctime_ns, state_of(folder))
            if seen == self._seen:
                return  # Do not compute its digest again and again.
            release = Release(folder, Manifest.open(folder))
            self.owner.check(release.meta)
            self._release, self._seen = release, seen
            self._last_message = None
        except (OSError, ReleaseError) as error:
            if isinstance(error, ReleaseError):
                self._seen = seen
            message = f"Cannot serve {folder or self.folder}: {error}"
            self._log_once(logging.ERROR, message)
        finally:
            self._next_look = time.monotonic() + _LOOK_AGAIN
            self._lock.release()

    def _log_once(self, level: int, message: str) -> None:
        if self._last_message != message:
            self._last_message = message
            _log.log(level, "%s", message)
