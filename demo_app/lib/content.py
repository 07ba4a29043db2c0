"""The Markdown files in ``content/``."""

from __future__ import annotations

import typing as t
from pathlib import Path

import yaml

_FOLDER = Path(__file__).parent.parent / "content"


class Document(t.NamedTuple):
    """A file: its path without suffix, its front matter, and its text."""

    path: str
    front: dict[str, t.Any]
    text: str


def documents(folder: str) -> list[Document]:
    """Return the files of *folder* and its folders, sorted by path."""
    root = _FOLDER / folder
    return [_read(root, file) for file in sorted(root.rglob("*.md"))]


def _read(root: Path, file: Path) -> Document:
    _, front, text = file.read_text(encoding="utf-8").split("---\n", 2)
    path = file.relative_to(root).with_suffix("").as_posix()
    return Document(path, yaml.safe_load(front), text)
