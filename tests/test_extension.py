"""``FilePages`` and the apps it is added to."""

from __future__ import annotations

import functools
import gc
import typing as t
from pathlib import Path

import pytest
from flask import Flask
from flask import url_for

from flask_filepages import FilePages
from flask_filepages import LoadError
from flask_filepages import SettingsError
from flask_filepages import TreeError
from flask_filepages.pytest_plugin import write_files

from .conftest import ECHO
from .conftest import MakePages


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    write_files(tmp_path / "pages", {"a.py": ECHO})
    return Flask("extended", root_path=str(tmp_path))


def test_state_lies_in_the_app(app: Flask) -> None:
    FilePages(app)

    assert list(app.extensions["filepages"]) == ["filepages"]


def test_one_object_for_several_apps(app: Flask, tmp_path: Path) -> None:
    pages = FilePages()
    pages.init_app(app)
    other = Flask("other", root_path=str(tmp_path))
    pages.init_app(other)
    pages.load()

    assert app.test_client().get("/a").status_code == 200
    assert other.test_client().get("/a").status_code == 200


def test_hooks_can_be_added_to_the_blueprint_first(app: Flask) -> None:
    pages = FilePages()
    pages.blueprint.before_request(lambda: ("stopped", 403))
    pages.init_app(app)

    assert app.test_client().get("/a").text == "stopped"


def test_a_second_one_needs_a_name(app: Flask) -> None:
    FilePages(app)
    with pytest.raises(SettingsError, match="name='shop'"):
        FilePages(app)


def test_a_missing_folder_is_named(app: Flask) -> None:
    with pytest.raises(SettingsError, match="The folder .*nowhere"):
        FilePages(app, folder="nowhere")


def test_the_blueprint_is_not_registered_by_hand(app: Flask) -> None:
    with pytest.raises(SettingsError, match="init_app"):
        app.register_blueprint(FilePages().blueprint)


def test_apps_that_match_hosts_are_refused(tmp_path: Path) -> None:
    app = Flask(
        "hosts", host_matching=True, static_folder=None, root_path=str(tmp_path)
    )
    with pytest.raises(SettingsError, match="host_matching"):
        FilePages(app)


@pytest.mark.parametrize("prefix", ["shop", "/shop/", "/", "/<lang>", "//"])
def test_bad_prefixes(prefix: str) -> None:
    with pytest.raises(SettingsError, match="url_prefix"):
        FilePages(url_prefix=prefix)


def test_a_bad_tree_leaves_nothing_behind(app: Flask, tmp_path: Path) -> None:
    write_files(tmp_path / "pages", {"a/index.py": ""})
    with pytest.raises(TreeError):
        FilePages(app)
    assert app.extensions.get("filepages", {}) == {}

    app.add_url_rule("/b", "b", lambda: "b")
    (tmp_path / "pages" / "a" / "index.py").unlink()
    write_files(tmp_path / "pages", {"b.py": ECHO})
    with pytest.raises(TreeError, match="the app's endpoint 'b'"):
        FilePages(app)
    assert app.extensions["filepages"] == {}


def test_load_takes_one_app_or_all(app: Flask, tmp_path: Path) -> None:
    write_files(tmp_path / "pages", {"broken.py": "1 / 0"})
    pages = FilePages(app)
    for load in (pages.load, functools.partial(pages.load, app)):
        with pytest.raises(LoadError):
            load()


def test_the_collector_is_left_as_it_was(app: Flask) -> None:
    FilePages(app)
    assert gc.isenabled()

    gc.disable()
    try:
        FilePages(app, name="second", url_prefix="/second")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_public_names_are_there() -> None:
    import flask_filepages

    assert sorted(flask_filepages.__all__) == flask_filepages.__all__
    assert all(hasattr(flask_filepages, name) for name in flask_filepages.__all__)


def test_many_threads_at_the_first_request(app: Flask, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    write_files(
        tmp_path / "pages",
        {"[...rest].py": "import time\ntime.sleep(0.1)\n" + ECHO, "b.py": ECHO},
    )
    FilePages(app)
    app.add_url_rule("/late", "late", lambda: "late", methods=["GET"])

    def ask(number: int) -> tuple[int, int, int]:
        client = app.test_client()
        return (
            client.get("/a").status_code,
            client.get("/x/y").status_code,
            client.delete("/late").status_code,
        )

    with ThreadPoolExecutor(16) as pool:
        answers: set[t.Any] = set(pool.map(ask, range(64)))
    assert answers == {(200, 200, 405)}


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("FILEPAGES_CHECK_ORIGIN", False, "changed after FilePages(app)"),
        ("FILEPAGES_CHEK_ORIGIN", False, "Did you mean FILEPAGES_CHECK_ORIGIN?"),
        ("FILEPAGES_CHECK_ORIGIN", True, ""),
    ],
)
def test_settings_that_come_too_late_are_warned_of(
    make_pages: MakePages,
    caplog: pytest.LogCaptureFixture,
    key: str,
    value: bool,
    says: str,
) -> None:
    app = make_pages({"a.html": ""}, FILEPAGES_REDIRECTS={"/b": "/a"})
    app.config[key] = value
    app.test_client().get("/a")

    assert says in caplog.text
    assert bool(says) is bool(caplog.text)


def test_a_prefix_is_quoted_in_urls(tmp_path: Path) -> None:
    app = Flask("prefixed", root_path=str(tmp_path))
    write_files(tmp_path / "pages", {"a.py": ECHO})
    FilePages(app, url_prefix="/ä 50%")
    with app.test_request_context():
        url = url_for("/a")

    assert url == "/%C3%A4%2050%25/a"
    assert app.test_client().get(url).status_code == 200
