"""The manifest of a release: every answer, and what each was made from.

One SQLite file. What is served are status, headers and a file; the rest tells the next
build which answers it need not make again.
"""

from __future__ import annotations

import functools
import json
import os
import typing as t
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field

from .names import folded

if t.TYPE_CHECKING:
    from sqlite3 import Connection

#: Another number: an older manifest is neither served nor built upon.
VERSION = 1
#: The position of an answer that nothing vouches for: it is always rendered.
ALWAYS = -1
NAME = "manifest.sqlite"

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE answers (
    path TEXT PRIMARY KEY,
    endpoint TEXT NOT NULL,
    status TEXT NOT NULL,
    headers TEXT NOT NULL,
    file TEXT,
    size INTEGER NOT NULL,
    digest TEXT NOT NULL,
    variants TEXT NOT NULL,
    forms INTEGER NOT NULL,
    entry BLOB,
    uses INTEGER,
    log INTEGER,
    position INTEGER,
    vouched INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE copies (
    name TEXT PRIMARY KEY, digest TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE listings (endpoint TEXT PRIMARY KEY, digest BLOB) WITHOUT ROWID;
CREATE TABLE uses (id INTEGER PRIMARY KEY, entries TEXT NOT NULL UNIQUE);
CREATE TEMP TABLE planned (
    folded TEXT PRIMARY KEY, path TEXT NOT NULL, endpoint TEXT NOT NULL, file TEXT,
    forms INTEGER NOT NULL, entry BLOB, vouched INTEGER NOT NULL, text TEXT,
    is_made INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE reads (
    log INTEGER, position INTEGER, kind TEXT NOT NULL, name BLOB NOT NULL, found TEXT,
    PRIMARY KEY (log, position)
) WITHOUT ROWID;
"""
_COLUMNS = (
    "path, endpoint, status, headers, file, size, digest, variants, forms,"
    " entry, uses, log, position, vouched"
)
# Most answers of a site have the same few lists of header fields.
_encode = functools.lru_cache(256)(
    json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
)
_PLAN = f"INSERT INTO planned VALUES ({', '.join('?' * 9)})"
_INSERT = f"INSERT INTO answers ({_COLUMNS}) VALUES ({', '.join('?' * 14)})"


@dataclass(slots=True)
class Entry:
    """One answer as the manifest keeps it.

    :attr:`path` is the URL path, decoded. :attr:`forms` says for how many forms of it
    the answer is sent: none (the file is for plain hosts), this one, or with and
    without a slash at its end. :attr:`entry` is a digest of params and
    props (``None``: they cannot be compared), :attr:`uses`, :attr:`log` and
    :attr:`position` say what was read for it.
    """

    path: str
    endpoint: str
    status: str
    headers: list[tuple[str, str]]
    file: str | None
    size: int
    digest: str
    variants: dict[str, int] = field(default_factory=dict)
    forms: int = 1
    entry: bytes | None = None
    uses: int | None = None
    log: int | None = None
    position: int = 0
    vouched: bool = False

    @classmethod
    def of(cls, row: t.Sequence[t.Any]) -> Entry:
        path, endpoint, status, headers, file, size, digest, variants = row[:8]
        entry = cls(path, endpoint, status, [], file, size, digest)
        entry.headers = [(name, value) for name, value in json.loads(headers)]
        if variants:
            entry.variants = json.loads(variants)
        entry.forms, entry.entry, entry.uses, entry.log, entry.position = row[8:13]
        entry.vouched = bool(row[13])
        return entry

    def row(self) -> tuple[t.Any, ...]:
        variants = json.dumps(self.variants) if self.variants else ""
        return (
            *(self.path, self.endpoint, self.status, _encode(tuple(self.headers))),
            *(self.file, self.size, self.digest, variants, self.forms),
            *(self.entry, self.uses, self.log, self.position, int(self.vouched)),
        )

    @property
    def files(self) -> Iterator[str]:
        """The names of its files, the compressed ones too."""
        if self.file is not None:
            yield from _names(self.file, self.variants)


#: The suffixes of compressed files, by content coding.
SUFFIXES = {"gzip": "gz", "br": "br", "zstd": "zst"}


def _names(file: str, codings: Iterable[str]) -> Iterator[str]:
    yield file
    for coding in codings:
        yield f"{file}.{SUFFIXES[coding]}"


class Manifest:
    """A manifest that is written by one build, or read."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @classmethod
    def create(cls, folder: str) -> Manifest:
        """Return an empty manifest in *folder*; nothing else may open it yet."""
        import sqlite3

        connection = sqlite3.connect(
            os.path.join(folder, NAME), isolation_level=None, check_same_thread=False
        )
        # It is flushed with all other files, once; a build that is killed has none.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        return cls(connection)

    @classmethod
    def open(cls, folder: str) -> Manifest | None:
        """Return the manifest in *folder* to read, if there is one of this version."""
        import sqlite3

        path = os.path.join(folder, NAME)
        if not os.path.isfile(path):
            return None
        quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        connection = sqlite3.connect(
            f"file:{quoted}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        made = cls(connection)
        try:
            if made.meta().get("version") == VERSION:
                return made
        except sqlite3.DatabaseError:
            pass
        connection.close()
        return None

    def close(self) -> None:
        self.connection.close()

    def finish(self, meta: t.Mapping[str, t.Any]) -> None:
        """Write *meta*, which makes it a manifest that can be opened."""
        rows = {"version": VERSION, **meta}.items()
        self.connection.executemany(
            "INSERT INTO meta VALUES (?, ?)", [(k, json.dumps(v)) for k, v in rows]
        )
        self.connection.execute("COMMIT")
        self.connection.close()

    # -- reading ----------------------------------------------------------------

    def meta(self) -> dict[str, t.Any]:
        rows = self.connection.execute("SELECT key, value FROM meta")
        return {key: json.loads(value) for key, value in rows}

    def count(self) -> int:
        """Return how many answers there are."""
        row = self.connection.execute("SELECT count(*) FROM answers").fetchone()
        return int(row[0])

    def entries(
        self, endpoint: str | None = None, *, served: bool = False
    ) -> Iterator[Entry]:
        """Yield the answers, of one route or of all, by path.

        :param served: only those that are sent.
        """
        query = f"SELECT {_COLUMNS} FROM answers"
        values: tuple[str, ...] = ()
        if endpoint is not None:
            query, values = f"{query} WHERE endpoint = ?", (endpoint,)
        elif served:
            query += " WHERE forms"
        return map(Entry.of, self.connection.execute(query, values))

    def entry(self, path: str) -> Entry | None:
        row = self.connection.execute(
            f"SELECT {_COLUMNS} FROM answers WHERE path = ?", (path,)
        ).fetchone()
        return Entry.of(row) if row is not None else None

    def listings(self) -> dict[str, bytes | None]:
        """Return the digest of what each route lists, by endpoint name."""
        return dict(self.connection.execute("SELECT endpoint, digest FROM listings"))

    def copies(self) -> dict[str, str]:
        """Return the digests of the static files that were copied, by name."""
        return dict(self.connection.execute("SELECT name, digest FROM copies"))

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield the names and sizes of the files of all answers."""
        query = "SELECT file, size, variants FROM answers WHERE file IS NOT NULL"
        for file, size, variants in self.connection.execute(query):
            coded = json.loads(variants or "{}")
            yield from zip(_names(file, coded), [size, *coded.values()], strict=True)

    # -- writing ----------------------------------------------------------------

    def plan(self, entry: Entry, text: str | None) -> tuple[str, str] | None:
        """Note that there will be an answer, or is one; return path and endpoint of the
        one whose path it has, where case does not count.

        :param text: what is rendered, for :meth:`planned`.
        """
        key = folded(entry.path)
        row = (key, entry.path, entry.endpoint, entry.file, entry.forms, entry.entry)
        is_made = entry.status != ""
        try:
            self.connection.execute(_PLAN, (*row, entry.vouched, text, is_made))
        except self.connection.IntegrityError:
            find = "SELECT path, endpoint FROM planned WHERE folded = ?"
            path, endpoint = self.connection.execute(find, (key,)).fetchone()
            return path, endpoint
        return None

    def planned(self, *, is_text: bool) -> Iterator[tuple[Entry, str | None]]:
        """Yield what is planned and not made yet, with its text.

        :param is_text: what has one, or what has none.
        """
        query = (
            "SELECT path, endpoint, file, forms, entry, vouched, text FROM planned"
            f" WHERE NOT is_made AND text IS {'NOT' if is_text else ''} NULL"
        )
        rows = self.connection.execute(query)
        for path, endpoint, file, forms, digest, vouched, text in rows:
            entry = Entry(path, endpoint, "", [], file, 0, "", {}, forms, digest)
            entry.vouched = bool(vouched)
            yield entry, text

    def count_planned(self) -> int:
        row = self.connection.execute("SELECT count(*) FROM planned").fetchone()
        return int(row[0])

    def add(self, entry: Entry) -> None:
        """Add a complete answer."""
        self.connection.execute(_INSERT, entry.row())

    def drop_unused(self) -> None:
        """Delete what was read for answers that are not there any more. A log with a
        gap, for a batch that was lost, vouches for nothing behind it."""
        gap = "SELECT count(*) FROM reads AS r WHERE r.log = answers.log"
        self.connection.execute(
            f"UPDATE answers SET position = {ALWAYS}"
            " WHERE log IS NOT NULL AND position >"
            f" ({gap} AND r.position < answers.position)"
        )
        for table, key, name in (("uses", "id", "uses"), ("reads", "log", "log")):
            used = f"SELECT {name} FROM answers WHERE {name} IS NOT NULL"
            self.connection.execute(f"DELETE FROM {table} WHERE {key} NOT IN ({used})")

    def add_all(self, table: str, rows: Iterable[tuple[t.Any, ...]]) -> None:
        for row in rows:
            marks = ", ".join("?" * len(row))
            self.connection.execute(
                f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row
            )
