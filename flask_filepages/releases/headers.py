"""The header fields of stored responses: which are stored, and which are sent.

A build stores the fields that the response had when it left the middleware. A release
adds those that depend on the file: ``ETag``, ``Content-Length``, ``Content-Encoding``,
``Accept-Ranges`` and ``Vary``.
"""

from __future__ import annotations

import typing as t

from .http import Representation
from .http import StoredResponse
from .manifest import SUFFIXES
from .manifest import Entry
from .manifest import HeaderList

# Fields that the sender adds itself, or that describe another representation.
_NOT_STORED = frozenset(
    {
        *("accept-ranges", "age", "connection", "content-length", "date", "etag"),
        *("keep-alive", "server", "trailer", "transfer-encoding", "upgrade"),
    }
)


def stored_headers(headers: t.Iterable[tuple[str, str]]) -> HeaderList:
    """Return the header fields that are stored."""
    return [pair for pair in headers if pair[0].lower() not in _NOT_STORED]


def stored_response(entry: Entry) -> StoredResponse:
    """Return a response with the header lists that requests will get."""
    headers = [*entry.headers, ("ETag", f'"{entry.digest}"')]
    if entry.code == 200:
        headers.append(("Accept-Ranges", "bytes"))
    if entry.variants:
        headers = _vary_by_encoding(headers)
    plain = _representation(entry.stored_file, entry.size, entry.digest, headers)
    coded = {}
    for coding, size in sorted(entry.variants.items(), key=lambda item: item[1]):
        own = [h for h in headers if h[0] not in ("ETag", "Accept-Ranges")]
        tag = f"{entry.digest}-{SUFFIXES[coding]}"
        own += [("ETag", f'"{tag}"'), ("Accept-Ranges", "bytes")]
        own.append(("Content-Encoding", coding))
        name = f"{entry.stored_file}.{SUFFIXES[coding]}"
        coded[coding] = _representation(name, size, tag, own)
    return StoredResponse(
        entry.path,
        entry.endpoint,
        entry.status,
        plain,
        coded,
        entry.served_at,
        entry.is_guarded,
    )


def _representation(
    file: str | None, size: int, tag: str, headers: HeaderList
) -> Representation:
    length = [] if file is None else [("Content-Length", str(size))]
    return Representation(file, size, f'"{tag}"', [*headers, *length])


def _vary_by_encoding(headers: HeaderList) -> HeaderList:
    """Add ``Vary: Accept-Encoding`` to *headers* (RFC 9110, 12.5.5)."""
    named = [value for name, value in headers if name.lower() == "vary"]
    others = [pair for pair in headers if pair[0].lower() != "vary"]
    return [*others, ("Vary", ", ".join([*named, "Accept-Encoding"]))]
