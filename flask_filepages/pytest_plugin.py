"""The pytest plugin: two fixtures, and paths with brackets as arguments."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

if t.TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient


@pytest.fixture
def make_pages(tmp_path: Path) -> Callable[..., Flask]:
    """Return ``make_pages(files, setup=None, **config)``, which returns an app.

    *files* maps paths below ``pages/`` to their texts; ``../`` leads out of the folder.
    *setup* is called with the app before ``FilePages``.
    """
    from flask import Flask

    from flask_filepages import FilePages

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
        app = Flask(
            f"flask_filepages_site{made}",
            root_path=str(root),
            instance_path=str(root / "instance"),
        )
        # A build folder belongs to one name, and a test may make an app twice.
        t.cast(t.Any, app).name = "filepages_test"
        app.config.update({"TESTING": True, **config})
        if setup is not None:
            setup(app)
        FilePages(app)
        return app

    return make


def write_files(folder: Path, files: t.Mapping[str, str | bytes]) -> None:
    """Write *files*, a mapping of paths below *folder* to text or bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


@pytest.fixture
def filepages_client(app: Flask) -> Iterator[FlaskClient]:
    """Return a test client of the ``app`` fixture, with all pages loaded.

    A file that cannot be loaded fails the test here, with its name and line. Stored
    responses are not served: every request runs the code of its route.
    """
    sites = list(app.extensions["filepages"].values())
    with sites[0].releases.suspended():  # All sites share them.
        for site in sites:
            site.load()
        yield app.test_client()


@pytest.fixture
def stored_client(app: Flask, tmp_path: Path) -> Iterator[FlaskClient]:
    """Return a test client of the ``app`` fixture that gets stored responses, as
    visitors do: from a temporary build, without ``TESTING``."""
    site = next(iter(app.extensions["filepages"].values()))
    folder = str(tmp_path / "filepages-build")
    for _ in site.pages.build(app, out=folder):
        pass
    before, app.testing = app.testing, False
    with site.releases.serving(folder):
        yield app.test_client()
    app.testing = before


# -- the battery ------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--filepages-battery",
        action="store_true",
        help="Check all routes of the app that FLASK_APP names against what HTTP and"
        " Flask-Filepages promise.",
    )


# -- arguments with brackets ------------------------------------------------------
#
# pytest takes `[` in an argument for the id of a parametrized test. Such an argument is
# replaced by its nearest folder without brackets, and tests that no argument names are
# deselected.


@dataclass(frozen=True)
class _Argument:
    path: Path
    name: str

    @property
    def folder(self) -> Path:
        """The nearest folder without brackets."""
        parts = self.path.parts
        first = next((i for i, part in enumerate(parts) if "[" in part), len(parts))
        return Path(*parts[:first])

    def takes(self, item: pytest.Item) -> bool:
        """Return True if the argument names this test, its class, file or folder."""
        own, name = item.nodeid.partition("::")[2], self.name
        is_below = own.startswith((f"{name}::", f"{name}["))
        is_named = not name or own == name or is_below
        return is_named and item.path.is_relative_to(self.path)


_arguments_key = pytest.StashKey[list[_Argument]]()


def pytest_configure(config: pytest.Config) -> None:
    directory = config.invocation_params.dir
    arguments = [_parse(arg, directory) for arg in config.args]
    bracketed = [a for a in arguments if a.folder != a.path and a.path.exists()]
    config.stash[_arguments_key] = arguments if bracketed else []
    replaced = (
        str(argument.folder) if argument in bracketed else arg
        for arg, argument in zip(config.args, arguments, strict=True)
    )
    config.args[:] = list(dict.fromkeys(replaced))


def _parse(arg: str, directory: Path) -> _Argument:
    path, _, name = arg.partition("::")
    return _Argument(Path(os.path.abspath(directory / path)), name)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    arguments = config.stash[_arguments_key]
    for path in [argument.path for argument in arguments]:
        if path.is_relative_to(collection_path) or collection_path.is_relative_to(path):
            return None
    return True if arguments else None


@pytest.hookimpl(tryfirst=True)  # The options -k and -m apply to the battery too.
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    arguments = config.stash[_arguments_key]
    if arguments:
        asked = [item for item in items if any(a.takes(item) for a in arguments)]
        others = [item for item in items if item not in asked]
        config.hook.pytest_deselected(items=others)
        items[:] = asked
    if config.getoption("--filepages-battery"):
        from flask_filepages.dev.battery import Battery

        items += Battery.from_parent(
            session, name="battery", nodeid="battery"
        ).collect()
