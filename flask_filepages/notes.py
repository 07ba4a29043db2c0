"""What the processes of a build read, kept in the manifest for the next one."""

from __future__ import annotations

import os
import typing as t

from .building.workers import Batch
from .releases.manifest import Manifest


class Notes:
    """Numbers for the logs of processes, and for what pages used."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._logs: dict[str, int] = {}
        self._uses: dict[str, int] = {}

    def adopt(self, before: Manifest) -> None:
        """Take over what kept answers refer to."""
        for table in ("reads", "uses"):
            rows = before.connection.execute(f"SELECT * FROM {table}")
            self._manifest.add_all(table, rows)

    def log(self, process: str) -> int:
        """Return the number of the log of a process."""
        if process not in self._logs:
            last = self._one("SELECT coalesce(max(log), 0) FROM reads")
            self._logs[process] = max(last, *self._logs.values(), 0) + 1
        return self._logs[process]

    def take(self, batch: Batch) -> None:
        """Write what a process read since its last batch."""
        log = self.log(batch.process)
        numbered = enumerate(batch.found, batch.start)
        rows = (
            (log, position, kind, os.fsencode(name), found)
            for position, (kind, name, found) in numbered
        )
        self._manifest.add_all("reads", rows)

    def uses(self, entries: str) -> int:
        """Return the number of what a page used."""
        known = self._uses.get(entries)
        if known is None:
            self._manifest.add_all("uses", [(None, entries)])
            known = self._one("SELECT id FROM uses WHERE entries = ?", entries)
            self._uses[entries] = known
        return known

    def _one(self, query: str, *values: t.Any) -> int:
        return int(self._manifest.connection.execute(query, values).fetchone()[0])
