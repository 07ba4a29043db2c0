"""Which answers of the last release can be kept: decided by what was read for them."""

from __future__ import annotations

import json
import os
import typing as t

from . import digests
from . import reads
from .releases.manifest import ALWAYS
from .releases.manifest import Entry
from .releases.manifest import Manifest

_TOLD = {
    "env": "the variable {}",
    "environ": "the environment",
    "list": "the folder {}",
    "template": "the template {}",
}
# Strict and vouched positions up to which a log is as it was: all of it.
_NO_END = (1 << 62, 1 << 62)


class Previous:
    """The last release, as far as answers of it can be kept.

    :param epoch: what all pages are made from now.
    :param template_digest: the digest of a template, as the loader gives it now.
    """

    def __init__(
        self,
        manifest: Manifest | None,
        epoch: t.Mapping[str, str],
        template_digest: t.Callable[[str], str],
        *,
        force: bool,
    ) -> None:
        self.manifest = manifest
        self._template_digest = template_digest
        self._known: dict[reads.Read, str | None] = {}
        self._bad_uses: set[int] = set()
        self._ends: dict[int, tuple[int, int]] = {}
        other_epoch = self._other_epoch(epoch)
        self._is_comparable = other_epoch is None
        #: What else changed, as it is told to people.
        self.changed: list[str] = []
        #: Why everything is rendered, if it is.
        self.reason = "it was asked for" if force else other_epoch
        if manifest is not None and self._is_comparable:
            self._look(manifest)

    @property
    def kept_from(self) -> Manifest | None:
        """The manifest whose answers are kept where they are clean, if any are."""
        return self.manifest if self.reason is None else None

    def _other_epoch(self, epoch: t.Mapping[str, str]) -> str | None:
        if self.manifest is None:
            return "there is no earlier release"
        before = self.manifest.meta().get("epoch", {})
        changed = [name for name in epoch if before.get(name) != epoch[name]]
        return f"{changed[0]} changed" if changed else None

    def _look(self, manifest: Manifest) -> None:
        """Compare everything that was read with what is there now."""
        connection = manifest.connection
        for number, entries in connection.execute("SELECT id, entries FROM uses"):
            if any(self._is_other(*found) for found in json.loads(entries)):
                self._bad_uses.add(number)
        query = "SELECT log, position, kind, name, found FROM reads ORDER BY 1, 2"
        for log, position, kind, raw, found in connection.execute(query):
            name = os.fsdecode(raw)
            strict, vouched = self._ends.get(log, _NO_END)
            if position >= strict and kind == "taint":
                continue
            if position < vouched and self._is_other(kind, name, found):
                is_taint = kind == "taint"
                self._ends[log] = (
                    min(strict, position),
                    vouched if is_taint else position,
                )

    def _is_other(self, kind: str, name: str, found: str | None) -> bool:
        read = (kind, name)
        if found is None:
            if read not in self._known:
                self._known[read] = None
                what = "was in use" if kind == "taint" else "did not stay as it was"
                self.changed.append(f"{name} {what}")
            return True
        if read not in self._known:
            self._known[read] = (
                self._template_digest(name)
                if kind == "template"
                else digests.digest_of(kind, name)
            )
        if self._known[read] == found:
            return False
        self._tell(_TOLD.get(kind, "{}").format(name))
        return True

    def count_missing(self, manifest: Manifest) -> int:
        """Return how many of its paths *manifest* does not have."""
        if self.manifest is None:
            return 0
        paths = self.manifest.connection.execute("SELECT path FROM answers")
        find = "SELECT 1 FROM answers WHERE path = ?"
        fetch = manifest.connection.execute
        return sum(fetch(find, path).fetchone() is None for path in paths)

    def _tell(self, change: str) -> None:
        # A name may be no text.
        change = os.fsencode(change).decode("utf-8", "backslashreplace")
        if change not in self.changed:
            self.changed.append(change)

    def is_clean(self, entry: Entry) -> bool:
        """Whether nothing that was read for an answer has changed."""
        return self._is_comparable and self._is_clean(
            entry.uses, entry.log, entry.position, entry.vouched
        )

    def _is_clean(
        self, uses: int | None, log: int | None, position: int, vouched: t.Any
    ) -> bool:
        if position == ALWAYS or uses in self._bad_uses:
            return False
        if log is None:
            return True
        strict, lenient = self._ends.get(log, _NO_END)
        return position <= (lenient if vouched else strict)

    def clean_routes(self) -> set[str]:
        """Return the endpoint names of routes all answers of which can be kept, as
        long as they list the same paths."""
        if self.kept_from is None:
            return set()
        rows = self.kept_from.connection.execute(
            "SELECT endpoint, uses, log, vouched, max(position), min(position),"
            " max(entry IS NULL) FROM answers GROUP BY 1, 2, 3, 4"
        )
        clean: dict[str, bool] = {}
        for endpoint, uses, log, vouched, last, first, unknown in rows:
            fine = first != ALWAYS and not unknown
            fine = fine and self._is_clean(uses, log, last, vouched)
            clean[endpoint] = clean.get(endpoint, True) and fine
        return {endpoint for endpoint, fine in clean.items() if fine}
