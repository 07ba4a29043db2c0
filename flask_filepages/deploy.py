"""Configuration of plain hosts."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from .manifest import Manifest

CONFIGS: t.Mapping[str, Callable[[Manifest, str], str]] = {}
