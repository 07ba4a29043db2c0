"""``flask filepages new`` and ``init`` write files that work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from click.testing import Result
from flask import Flask
from flask.cli import ScriptInfo

from flask_filepages import FilePages
from flask_filepages.cli import filepages
from flask_filepages.pytest_plugin import write_files

CONFTEST = """\
import pytest
from app import create_app

@pytest.fixture
def app():
    app = create_app()
    app.config["TESTING"] = True
    return app
"""
APP = """\
from flask import Flask
from flask_filepages import FilePages

def create_app():
    app = Flask(__name__)
    app.config.update({config})
    FilePages(app, {options})
    return app
"""


def new(
    folder: Path, *arguments: str, prefix: str = "", pages: str = "pages", **config: str
) -> Result:
    """Run the command for an app in *folder*."""
    (folder / pages).mkdir(exist_ok=True)

    def create_app() -> Flask:
        app = Flask(f"new_{folder.name}", root_path=str(folder))
        app.config.update(config)
        FilePages(app, folder=pages, url_prefix=prefix)
        return app

    script = ScriptInfo(create_app=create_app)
    return CliRunner().invoke(filepages, ["new", *arguments], obj=script)


def written(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    )


def run_tests(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--import-mode=importlib", "-q"]
    return subprocess.run(
        [*command, "-p", "no:cacheprovider", "-o", "pythonpath=.", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


@pytest.mark.parametrize("output", ["server", "hybrid", "static"])
@pytest.mark.parametrize(
    ("arguments", "files", "url"),
    [
        (["/"], ["index.py", "index_test.py"], "/"),
        (["/about", "--page"], ["about.html", "about_test.py"], "/about"),
        (["about.html", "--page"], ["about.html", "about_test.py"], "/about"),
        (["/a/b/"], ["a/b/index.py", "a/b/index_test.py"], "/a/b"),
        (["/feed.xml"], ["feed.xml.py", "feed_xml_test.py"], "/feed.xml"),
        (["/p/[id]"], ["p/[id].py", "p/id_test.py"], "/p/<id>"),
        (["/p/[id=int]"], ["p/[id=int].py", "p/id_int_test.py"], "/p/<int:id>"),
        (["/d/[...path]"], ["d/[...path].py", "d/path_test.py"], "/d/<path:path>"),
        (["/(g)/x"], ["(g)/x.py", "(g)/x_test.py"], "/x"),
        (["/x/[context]"], ["x/[context].py", "x/context_test.py"], "/x/<context>"),
        (['/"q"', "--page"], ['"q".html', "q_test.py"], '/"q"'),
        (["/500", "--page"], ["500.html", "500_test.py"], "/500"),
        (
            ["/admin", "--middleware"],
            ["admin/_middleware.py", "admin/middleware_test.py"],
            "all below /admin",
        ),
    ],
    ids=str,
)
def test_a_file_and_its_test_are_written(
    tmp_path: Path, output: str, arguments: list[str], files: list[str], url: str
) -> None:
    result = new(tmp_path, *arguments, FILEPAGES_OUTPUT=output)
    config = f"{{'FILEPAGES_OUTPUT': {output!r}}}"
    app = APP.format(config=config, options="folder='pages'")

    assert result.output.endswith(f"URL: {url}\n")
    assert written(tmp_path / "pages") == sorted(files)
    write_files(tmp_path, {"app.py": app, "conftest.py": CONFTEST})
    done = run_tests(tmp_path)
    assert "1 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("output", ["server", "hybrid"])
def test_a_form_and_a_page_with_a_param(tmp_path: Path, output: str) -> None:
    config = {"FILEPAGES_OUTPUT": output}
    for arguments in (["/contact", "--form"], ["/p/[id]", "--page"], ["/u/[a=uuid]"]):
        assert new(tmp_path, *arguments, **config).exit_code == 0
    app = APP.format(config=config, options="folder='pages'")
    write_files(tmp_path, {"app.py": app, "conftest.py": CONFTEST})

    assert "4 passed" in run_tests(tmp_path).stdout


def test_prefix_and_folder_are_those_of_the_app(tmp_path: Path) -> None:
    for arguments in (["/a"], ["/b", "--page"], ["/", "--middleware"]):
        result = new(tmp_path, *arguments, prefix="/shop", pages="views")
        assert "URL: " in result.output
    app = APP.format(config="{}", options="folder='views', url_prefix='/shop'")
    write_files(tmp_path, {"app.py": app, "conftest.py": CONFTEST})

    assert "3 passed" in run_tests(tmp_path).stdout


def test_a_folder_with_a_dot(tmp_path: Path) -> None:
    """pytest itself does not look into such folders."""
    result = new(tmp_path, "/.well-known/x")

    assert result.output.endswith("URL: /.well-known/x\n")


def test_an_endpoint_of_a_page_shows_the_page(tmp_path: Path) -> None:
    new(tmp_path, "/about", "--page")
    result = new(tmp_path, "/about")

    assert (
        result.output
        == f"Wrote {os.path.relpath(tmp_path)}/pages/about.py\nURL: /about\n"
    )
    assert "return context.render()" in (tmp_path / "pages/about.py").read_text()


def test_a_folder_may_have_the_name_of_a_file(tmp_path: Path) -> None:
    """pytest imports the folder ``notes/`` by the name of ``notes.py``."""
    new(tmp_path, "/notes")
    new(tmp_path, "/notes/[id]")
    app = APP.format(config="{}", options="folder='pages'")
    write_files(tmp_path, {"app.py": app, "conftest.py": CONFTEST})

    assert "2 passed" in run_tests(tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["/a"], "a.py exists already."),
        (["/A"], "conflicts with"),
        (["/(g)/a"], "both match /a"),
        (["/static/[...filename]"], "conflicts with the app's endpoint 'static'"),
        (["/p/<id>"], "Write a param as [name]"),
        (["/p/[id=nope]"], "there is no matcher 'nope'"),
        (["/p/{id}?x=1"], "contains '?'"),
        (["../x"], "empty or makes no route"),
        (["/a//b"], "empty or makes no route"),
        (["/_x"], "empty or makes no route"),
        (["/x_test"], "empty or makes no route"),
        (["/404"], "Write the error page 404.html with --page."),
        (["/nope", "--test"], "There is no file for /nope."),
        (["shop:/a"], "There is no FilePages named 'shop', only filepages."),
    ],
    ids=str,
)
def test_nothing_is_written_over_or_in_vain(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    write_files(tmp_path / "pages", {"a.py": "def GET(context): ...\n"})
    result = new(tmp_path, *arguments)

    assert result.exit_code != 0
    assert says in result.output
    assert written(tmp_path) == ["pages/a.py"]


def test_a_test_of_an_existing_file(tmp_path: Path) -> None:
    write_files(tmp_path / "pages", {"a.html": "<p>"})
    new(tmp_path, "/a", "--test")

    assert written(tmp_path / "pages") == ["a.html", "a_test.py"]


def test_one_of_several_filepages(tmp_path: Path) -> None:
    write_files(tmp_path, {"pages/x.html": "", "shop/x.html": ""})

    def create_app() -> Flask:
        app = Flask("new_several", root_path=str(tmp_path))
        FilePages(app)
        FilePages(app, folder="shop", name="shop", url_prefix="/shop")
        return app

    script = ScriptInfo(create_app=create_app)
    result = CliRunner().invoke(filepages, ["new", "shop:/cart"], obj=script)

    assert result.output.endswith("URL: /shop/cart\n")
    assert (tmp_path / "shop" / "cart.py").exists()


@pytest.mark.parametrize("kind", ["blog", "api", "docs"])
def test_a_project_runs_tests_and_builds_at_once(tmp_path: Path, kind: str) -> None:
    flask = [sys.executable, "-m", "flask", "filepages"]
    made = CliRunner().invoke(filepages, ["init", kind, str(tmp_path / "site")])
    folder = tmp_path / "site"

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*flask, *arguments], cwd=folder, capture_output=True, text=True, check=True
        )
        return done.stdout + done.stderr

    assert made.output.startswith("Wrote ")
    assert "flask run --debug" in made.output
    assert " passed" in run_tests(folder, "--filepages-battery").stdout.splitlines()[-1]
    assert run("check").splitlines()[-1].endswith("0 errors, 0 warnings")
    assert "The release is" in run("build", "--links", "error")
    assert run("export", "public")[0] != "0"


def test_a_project_is_not_written_over_files(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": "mine"})
    result = CliRunner().invoke(filepages, ["init", "blog", str(tmp_path)])

    assert result.exit_code == 1
    assert "app.py exists already." in result.output
    assert written(tmp_path) == ["app.py"]


def test_a_file_is_not_a_folder_for_a_project(tmp_path: Path) -> None:
    write_files(tmp_path, {"x": ""})
    result = CliRunner().invoke(filepages, ["init", "blog", str(tmp_path / "x")])

    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
