"""Python's own files and the installed packages: their versions vouch for them."""

from __future__ import annotations

import functools
import os
import site
import sys
import sysconfig


@functools.lru_cache(1)
def folders() -> tuple[str, ...]:
    """Return the folders that hold them, each with a slash at its end."""
    paths = sysconfig.get_paths()
    found = {paths["stdlib"], paths["platstdlib"], *site.getsitepackages()}
    found |= {paths["purelib"], paths["platlib"], site.getusersitepackages()}
    found.add(os.path.dirname(__file__))
    both = found | {os.path.realpath(folder) for folder in found}
    return tuple(f"{folder}{os.sep}" for folder in both)


def is_installed(folder: str) -> bool:
    """Whether *folder* lies among them."""
    return f"{folder}{os.sep}".startswith(folders())


def entry_of(name: str) -> str | None:
    """Return what lies in one of the folders, and is or holds *name*; ``None`` for what
    lies elsewhere."""
    folder = max((f for f in folders() if name.startswith(f)), key=len, default=None)
    if folder is None:
        return None
    return folder + name[len(folder) :].partition(os.sep)[0]


def imported_before(skipped: tuple[str, ...]) -> str | None:
    """Return a module of the project that is imported already, if there is any."""
    main = sys.modules["__main__"]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and module is not main and not file.startswith(skipped):
            return name
    return None
