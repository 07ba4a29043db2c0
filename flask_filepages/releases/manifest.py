"""The manifest of a release: status and headers of every stored response.

It is one SQLite file, with a file next to it that has its digest.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field

from ..errors import ReleaseError
from .names import name_problem

if t.TYPE_CHECKING:
    from sqlite3 import Connection

#: A manifest of another version is not served, and no build compares with it.
VERSION = 5
FILE_NAME = "manifest.sqlite"
DIGEST_NAME = "manifest.sha256"
#: The folders of a release: what everybody may have, and what lies behind middleware.
SITE = "site"
GUARDED = "guarded"
HeaderList = list[tuple[str, str]]
#: The URLs for which a response is sent: its path, its path with or without a slash at
#: the end, or none (the file is only for plain hosts).
ServedAt = t.Literal["path", "both-slashes", "nowhere"]
#: The suffixes of compressed files, by content coding.
SUFFIXES = {"gzip": "gz", "br": "br", "zstd": "zst"}

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE responses (
    path TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    status TEXT NOT NULL,
    headers TEXT NOT NULL,
    file TEXT,
    size INTEGER NOT NULL,
    digest TEXT NOT NULL,
    variants TEXT NOT NULL,
    served_at TEXT NOT NULL,
    key BLOB,
    is_guarded INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE static_files (
    name TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    digest TEXT NOT NULL,
    variants TEXT NOT NULL
) WITHOUT ROWID;
"""
_COLUMNS = (
    "path, endpoint, status, headers, file, size, digest, variants, served_at, key,"
    " is_guarded"
)
_INSERT = f"INSERT INTO responses ({_COLUMNS}) VALUES ({', '.join('?' * 11)})"
_SELECT = f"SELECT {_COLUMNS} FROM responses"
_SERVED_AT = frozenset(t.get_args(ServedAt))
# Most responses of a site have one of a few header lists.
_encode_headers = functools.lru_cache(256)(
    json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
)


@functools.lru_cache(256)
def _decode_headers(text: str) -> tuple[tuple[str, str], ...]:
    headers = tuple((name, value) for name, value in json.loads(text))
    if any("\n" in f"{name}{value}" or "\r" in value for name, value in headers):
        raise ValueError("a header field contains a line break")
    return headers


def _read_variants(text: str) -> dict[str, int]:
    variants: dict[str, int] = json.loads(text) if text else {}
    if not variants.keys() <= SUFFIXES.keys():
        raise ValueError(f"its variants are {text:.200}")
    if not all(type(size) is int for size in variants.values()):
        raise ValueError(f"its variants are {text:.200}")
    return variants


@dataclass(slots=True)
class Entry:
    """One stored response in a manifest.

    :attr:`path` is the decoded URL path, :attr:`digest` the SHA-256 of the body, and
    :attr:`variants` has the sizes of the compressed files by content coding.
    :attr:`file` is its name in ``site/``, or in ``guarded/`` if :attr:`is_guarded`.
    :attr:`key` is a digest of endpoint, params, props and version, or ``None`` if the
    path has no version.
    """

    path: str
    endpoint: str
    status: str
    headers: HeaderList
    file: str | None
    size: int
    digest: str
    variants: dict[str, int] = field(default_factory=dict)
    served_at: ServedAt = "path"
    key: bytes | None = None
    is_guarded: bool = False

    @property
    def code(self) -> int:
        """The status as a number, such as 200."""
        return int(self.status[:3])

    @classmethod
    def from_row(cls, row: t.Sequence[t.Any]) -> Entry:
        """Return the response in a row of the manifest.

        :raises ValueError: a build never writes such a value.
        """
        entry = cls(*row)
        entry.headers = list(_decode_headers(t.cast(t.Any, entry.headers)))
        entry.variants = _read_variants(t.cast(t.Any, entry.variants))
        entry.is_guarded = bool(entry.is_guarded)
        if not entry._is_valid():
            raise ValueError(f"its row of {entry.path!r:.200} is wrong")
        return entry

    def _is_valid(self) -> bool:
        return (
            type(self.path) is type(self.endpoint) is type(self.digest) is str
            and self.status[:3].isdigit()
            and type(self.size) is int
            and (self.file is None or name_problem(self.file) is None)
            and self.served_at in _SERVED_AT
        )

    def row(self) -> tuple[t.Any, ...]:
        headers = _encode_headers(tuple(self.headers))
        variants = json.dumps(self.variants) if self.variants else ""
        return (
            *(self.path, self.endpoint, self.status, headers, self.file),
            *(self.size, self.digest, variants, self.served_at, self.key),
            self.is_guarded,
        )

    @property
    def stored_file(self) -> str | None:
        """The name of the file in the release, such as ``site/about/index.html``."""
        return self.file and _stored_name(self.file, is_guarded=self.is_guarded)

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield name and size of the file in the release, then of its compressed
        variants."""
        if self.stored_file is not None:
            yield from _with_variants(self.stored_file, self.size, self.variants)


class StaticFile(t.NamedTuple):
    """A copied static file in a manifest. :attr:`name` is its name in ``site/``."""

    name: str
    size: int
    digest: str
    variants: dict[str, int]

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield name and size of the file in the release, then of its compressed
        variants."""
        yield from _with_variants(f"{SITE}/{self.name}", self.size, self.variants)


def _stored_name(file: str, *, is_guarded: bool) -> str:
    return f"{GUARDED if is_guarded else SITE}/{file}"


def _with_variants(
    name: str, size: int, variants: t.Mapping[str, int]
) -> Iterator[tuple[str, int]]:
    yield name, size
    for coding, length in variants.items():
        yield f"{name}.{SUFFIXES[coding]}", length


def state_of(folder: str) -> list[tuple[int, int]]:
    """Return size and modification time (ns) of the files of a manifest.

    They change while a manifest is copied into its place.
    """
    states = []
    for name in (FILE_NAME, DIGEST_NAME):
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(os.path.join(folder, name))
            states.append((found.st_size, found.st_mtime_ns))
    return states


class Manifest:
    """A manifest that a build writes, or that is read."""

    def __init__(self, connection: Connection, folder: str) -> None:
        self.connection = connection
        self._folder = folder

    @classmethod
    def create(cls, folder: str | None) -> Manifest:
        """Return a new manifest in *folder*, or in memory."""
        import sqlite3

        path = os.path.join(folder, FILE_NAME) if folder else ":memory:"
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False
        )
        # No journal: the release of a killed build is never published.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        return cls(connection, folder or "")

    @classmethod
    def open(cls, folder: str) -> Manifest:
        """Return the manifest in *folder*, for reading.

        :raises ReleaseError: it is missing, damaged or of another version.
        :raises OSError: it cannot be read.
        """
        import sqlite3

        path = os.path.join(folder, FILE_NAME)
        try:
            with open(os.path.join(folder, DIGEST_NAME), encoding="ascii") as file:
                version, _, expected = file.read().strip().partition(" ")
            if version != str(VERSION):
                raise ReleaseError(f"{path} is of another version")
            with open(path, "rb") as file:
                digest = hashlib.file_digest(t.cast(t.Any, file), "sha256").hexdigest()
        except FileNotFoundError:
            raise ReleaseError(f"{folder} has no manifest") from None
        except UnicodeDecodeError:
            digest, expected = "", "unreadable"
        if digest != expected:
            raise ReleaseError(f"{path} is damaged: its digest is wrong")
        quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        connection = sqlite3.connect(
            f"file:{quoted}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        manifest = cls(connection, folder)
        try:
            manifest._check()
        except ReleaseError:
            manifest.close()
            raise
        return manifest

    def _check(self) -> None:
        """Check the tables, and the owner. Rows are checked when they are read.

        :raises ReleaseError: something is wrong.
        """
        with self._reading():
            (verdict,) = self.connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise ValueError(verdict)
            for table in ("responses", "static_files"):
                self.connection.execute(f"SELECT * FROM {table} LIMIT 1")
            meta = self.meta()
            owner = meta["owner"]
            if not isinstance(owner["trees"], dict) or type(owner["app"]) is not str:
                raise ValueError(f"its owner is {owner!r:.200}")
            if type(meta["root"]) is not str:
                raise ValueError(f"its root is {meta['root']!r:.200}")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Raise a ``ReleaseError`` for everything that is wrong with the content."""
        import sqlite3

        try:
            yield
        except (sqlite3.Error, ValueError, TypeError, LookupError, AttributeError) as e:
            path = os.path.join(self._folder, FILE_NAME)
            raise ReleaseError(f"{path} is damaged: {type(e).__name__}: {e}") from e

    def close(self) -> None:
        self.connection.close()

    def finish(self, meta: t.Mapping[str, t.Any]) -> None:
        """Write *meta* and the digest, without which the manifest cannot be opened."""
        rows = [(key, json.dumps(value)) for key, value in meta.items()]
        self.connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        self.connection.execute("COMMIT")
        self.connection.close()
        with open(os.path.join(self._folder, FILE_NAME), "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        name = os.path.join(self._folder, DIGEST_NAME)
        with open(name, "x", encoding="ascii") as out:
            out.write(f"{VERSION} {digest}\n")

    # -- reading ----------------------------------------------------------------

    def meta(self) -> dict[str, t.Any]:
        """Return what :meth:`finish` wrote."""
        rows = self.connection.execute("SELECT key, value FROM meta")
        return {key: json.loads(value) for key, value in rows}

    def count(self) -> int:
        """Return the number of responses."""
        row = self.connection.execute("SELECT count(*) FROM responses").fetchone()
        return int(row[0])

    def count_files(self, *, guarded: bool) -> int:
        """Return the number of files in ``guarded/``, or in ``site/``, without their
        compressed variants."""
        query = (
            "SELECT count(*) FROM responses WHERE file IS NOT NULL AND is_guarded = ?"
        )
        count = int(self.connection.execute(query, (guarded,)).fetchone()[0])
        if not guarded:
            static = self.connection.execute("SELECT count(*) FROM static_files")
            count += int(static.fetchone()[0])
        return count

    def entries(self, *, served: bool = False) -> Iterator[Entry]:
        """Yield all responses, sorted by path.

        :param served: leave out files that are only for static hosts.
        :raises ReleaseError: one is damaged.
        """
        query = f"{_SELECT} WHERE served_at != 'nowhere'" if served else _SELECT
        with self._reading():
            yield from map(Entry.from_row, self.connection.execute(query))

    def find(self, path: str) -> Entry | None:
        """Return the response of a decoded path.

        :raises ReleaseError: it is damaged.
        """
        with self._reading():
            query = f"{_SELECT} WHERE path = ?"
            found = self.connection.execute(query, (path,)).fetchone()
            return Entry.from_row(found) if found is not None else None

    def static_files(self) -> dict[str, StaticFile]:
        """Return the copied static files, by name.

        :raises ReleaseError: one is damaged.
        """
        query = "SELECT name, size, digest, variants FROM static_files"
        with self._reading():
            return {
                name: StaticFile(name, size, digest, _read_variants(variants))
                for name, size, digest, variants in self.connection.execute(query)
            }

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield name and size of every file of the release.

        :raises ReleaseError: a row is damaged.
        """
        query = (
            "SELECT file, size, variants, is_guarded FROM responses"
            " WHERE file IS NOT NULL"
        )
        with self._reading():
            for file, size, variants, is_guarded in self.connection.execute(query):
                name = _stored_name(file, is_guarded=is_guarded)
                yield from _with_variants(name, size, _read_variants(variants))
            for static in self.static_files().values():
                yield from static.files()

    # -- writing ----------------------------------------------------------------

    def add(self, entry: Entry) -> None:
        """Add a response."""
        self.connection.execute(_INSERT, entry.row())

    def add_static_file(self, file: StaticFile) -> None:
        """Add a copied static file."""
        row = (*file[:3], json.dumps(file.variants) if file.variants else "")
        self.connection.execute("INSERT INTO static_files VALUES (?, ?, ?, ?)", row)
