"""The pytest plugin: two fixtures, and arguments whose paths hold brackets."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

if t.TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient


@pytest.fixture
def make_pages(tmp_path: Path) -> Callable[..., Flask]:
    """Return ``make_pages(files, setup=None, **config)``, which returns an app.

    *files* maps paths below ``pages/`` to their text; a path that starts with
    ``../`` lies beside the folder. *setup* gets the app before ``FilePages``.
    """
    from flask import Flask

    from .extension import FilePages

    made = 0

    def make(
        files: t.Mapping[str, str | bytes],
        setup: Callable[[Flask], object] | None = None,
        **config: t.Any,
    ) -> Flask:
        nonlocal made
        root = tmp_path / f"site{made}"
        made += 1
        write_files(root / "pages", files)
        app = Flask(f"flask_filepages_site{made}", root_path=str(root))
        app.config.update(TESTING=True, **config)
        if setup is not None:
            setup(app)
        FilePages(app)
        return app

    return make


def write_files(folder: Path, files: t.Mapping[str, str | bytes]) -> None:
    """Write *files*, paths relative to *folder* to their text or bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.fixture
def filepages_client(app: Flask) -> FlaskClient:
    """Return a test client of the ``app`` fixture, with all pages loaded.

    A file that cannot be loaded fails here, with its name and line.
    """
    from .extension import states

    for state in states(app).values():
        state.load()
    return app.test_client()


# -- arguments with brackets ------------------------------------------------------
#
# pytest takes `[` in an argument for the id of a parametrized test. Such an
# argument is replaced by its nearest folder without brackets, and what was not
# asked for below that folder is passed over.


@dataclass(frozen=True)
class _Wanted:
    folder: Path
    path: Path
    names: tuple[str, ...]

    def leads_to(self, path: Path) -> bool:
        return path in (self.path, *self.path.parents) or self.path in path.parents

    def takes(self, item: pytest.Item) -> bool:
        names = [name.name for name in item.listchain()[-len(self.names) :]]
        plain = [getattr(item, "originalname", None) or names[-1]]
        wanted = list(self.names)
        return wanted in (names, [*names[:-1], *plain]) or not wanted


_wanted_key = pytest.StashKey[list[_Wanted]]()


def pytest_configure(config: pytest.Config) -> None:
    wanted = []
    args = []
    for arg in config.args:
        found = _parse(arg, config.invocation_params.dir)
        if found is None:
            args.append(arg)
        else:
            wanted.append(found)
            args.append(str(found.folder))
    config.args[:] = list(dict.fromkeys(args))
    plain = [Path(os.path.abspath(arg.split("::")[0])) for arg in args]
    given = [path for path in plain if path not in {w.folder for w in wanted}]
    config.stash[_wanted_key] = [
        w for w in wanted if not any(p in (w.path, *w.path.parents) for p in given)
    ]


def _parse(arg: str, directory: Path) -> _Wanted | None:
    path_text, *names = arg.split("::")
    if "[" not in path_text:
        return None
    path = Path(os.path.abspath(directory / path_text))
    if not path.exists():
        return None
    folder = path
    while "[" in str(folder.relative_to(folder.anchor)) or folder.is_file():
        folder = folder.parent
    return _Wanted(folder, path, tuple(names))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    below = [
        w for w in config.stash[_wanted_key] if w.folder in collection_path.parents
    ]
    if below and not any(w.leads_to(collection_path) for w in below):
        return True
    return None


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    kept, dropped = [], []
    for item in items:
        asked = [w for w in config.stash[_wanted_key] if w.leads_to(item.path)]
        (kept if not asked or any(w.takes(item) for w in asked) else dropped).append(
            item
        )
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
