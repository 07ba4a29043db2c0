"""The manifest of a release: every answer, and what each was made from.

One SQLite file. What is served are status, headers and a file; the rest tells the next
build which answers it need not make again.
"""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field

if t.TYPE_CHECKING:
    from sqlite3 import Connection

#: Another number: an older manifest is neither served nor built upon.
VERSION = 1
NAME = "manifest.sqlite"

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE answers (
    path TEXT PRIMARY KEY,
    folded TEXT NOT NULL UNIQUE,
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
CREATE TEMP TABLE jobs (
    path TEXT PRIMARY KEY, endpoint TEXT NOT NULL, entry TEXT
) WITHOUT ROWID;
CREATE TABLE reads (
    log INTEGER, position INTEGER, kind TEXT NOT NULL, name BLOB NOT NULL, found TEXT,
    PRIMARY KEY (log, position)
) WITHOUT ROWID;
"""
_COLUMNS = (
    "path, folded, endpoint, status, headers, file, size, digest, variants, forms,"
    " entry, uses, log, position, vouched"
)
_UPDATE = f"UPDATE answers SET ({_COLUMNS.partition('endpoint, ')[2]}) = \
({', '.join('?' * 12)}) WHERE path = ?"
_INSERT = f"INSERT INTO answers ({_COLUMNS}) VALUES ({', '.join('?' * 15)})"


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
    folded: str
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
        path, folded, endpoint, status, headers, file, size, digest, variants = row[:9]
        entry = cls(path, folded, endpoint, status, [], file, size, digest)
        entry.headers = [(name, value) for name, value in json.loads(headers)]
        if variants:
            entry.variants = json.loads(variants)
        entry.forms, entry.entry, entry.uses, entry.log, entry.position = row[9:14]
        entry.vouched = bool(row[14])
        return entry

    def row(self) -> tuple[t.Any, ...]:
        variants = json.dumps(self.variants) if self.variants else ""
        return (
            *(self.path, self.folded, self.endpoint, self.status),
            json.dumps(self.headers, ensure_ascii=False, separators=(",", ":")),
            *(self.file, self.size, self.digest, variants, self.forms),
            *(self.entry, self.uses, self.log, self.position, int(self.vouched)),
        )

    @property
    def files(self) -> Iterator[str]:
        """The names of its files, the compressed ones too."""
        if self.file is not None:
            yield self.file
            for suffix in self.variants:
                yield f"{self.file}.{SUFFIXES[suffix]}"


#: The suffixes of compressed files, by content coding.
SUFFIXES = {"gzip": "gz", "br": "br", "zstd": "zst"}


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
        self, endpoint: str | None = None, *, served: bool = False, made: bool = False
    ) -> Iterator[Entry]:
        """Yield the answers, of one route or of all, by path.

        :param served: only those that are sent.
        :param made: only those that are complete already.
        """
        query = f"SELECT {_COLUMNS} FROM answers"
        values: tuple[str, ...] = ()
        if endpoint is not None:
            query, values = f"{query} WHERE endpoint = ?", (endpoint,)
        elif served:
            query += " WHERE forms"
        elif made:
            query += " WHERE status <> ''"
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

    # -- writing ----------------------------------------------------------------

    def add(self, entry: Entry) -> str | None:
        """Add an answer; return the path of the one it collides with, if any."""
        try:
            self.connection.execute(_INSERT, entry.row())
        except self.connection.IntegrityError:
            row = self.connection.execute(
                "SELECT path FROM answers WHERE folded = ?", (entry.folded,)
            ).fetchone()
            return str(row[0]) if row else entry.path
        return None

    def update(self, entry: Entry) -> None:
        """Complete the row of an answer that was added before it was rendered."""
        row = entry.row()
        self.connection.execute(_UPDATE, (*row[3:], entry.path))

    def drop_unused(self) -> None:
        """Delete what was read for answers that are not there any more. A log with a
        gap, for a batch that was lost, vouches for nothing behind it."""
        gap = "SELECT count(*) FROM reads AS r WHERE r.log = answers.log"
        self.connection.execute(
            "UPDATE answers SET position = -1 WHERE log IS NOT NULL AND position >"
            f" ({gap} AND r.position < answers.position)"
        )
        for table, column in (("uses", "id"), ("reads", "log")):
            name = "uses" if table == "uses" else "log"
            self.connection.execute(
                f"DELETE FROM {table} WHERE {column} NOT IN"
                f" (SELECT {name} FROM answers WHERE {name} IS NOT NULL)"
            )

    def add_all(self, table: str, rows: Iterable[tuple[t.Any, ...]]) -> None:
        for row in rows:
            marks = ", ".join("?" * len(row))
            self.connection.execute(
                f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row
            )
