"""Modules of a pages folder, as users start their apps."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from flask_filepages import SettingsError
from flask_filepages.handling.loading import anchor_for
from flask_filepages.handling.loading import module_name
from flask_filepages.pytest_plugin import write_files

from ..conftest import ROOT
from ..conftest import fetch
from ..conftest import free_port
from ..conftest import gunicorn
from ..conftest import server

PAGES = {
    "pages/_lib.py": "def name():\n    return __name__\n",
    "pages/api/hello.py": (
        "from .._lib import name\n\n\n"
        "def GET(context):\n    return context.json([__name__, name()])\n"
    ),
    "pages/feed.xml.py": (
        "from ._lib import name\n\n\n"
        "def GET(context):\n    return context.json([__name__, name()])\n"
    ),
    "pages/v1.2/[...path].py": (
        "from .._lib import name\n\n\n"
        "def GET(context):\n    return context.json([__name__, name()])\n"
    ),
    "pages/json.py": (
        "import json\n\n\n"
        "def GET(context):\n    return context.json([__name__, json.__name__])\n"
    ),
}
APP = """\
from flask import Flask
from flask_filepages import FilePages

app = Flask(__name__)
pages = FilePages(app)
"""
# A process that loads the app and prints what each URL answers.
ASK = """
client = app.test_client()
for url in ("/api/hello", "/feed.xml", "/v1.2/a/b", "/json"):
    print(client.get(url).text)
"""


def run(pytester: pytest.Pytester, *command: str) -> list[str]:
    result = pytester.run(sys.executable, *command)
    assert result.ret == 0, result.stderr.str()
    return list(filter(None, result.outlines))


def names(anchor: str) -> list[str]:
    return [
        f'["{anchor}.api.hello","{anchor}._lib"]',
        f'["{anchor}.feed\\u00b7xml","{anchor}._lib"]',
        f'["{anchor}.v1\\u00b72.[\\u00b7\\u00b7\\u00b7path]","{anchor}._lib"]',
        f'["{anchor}.json","json"]',
    ]


def test_app_module(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, {**PAGES, "app.py": APP})

    assert run(pytester, "-c", f"from app import app\n{ASK}") == names("pages")


def test_script(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, {**PAGES, "app.py": APP + ASK})

    assert run(pytester, "app.py") == names("pages")


@pytest.mark.parametrize("with_init", [True, False])
def test_package(pytester: pytest.Pytester, with_init: bool) -> None:
    files = {f"myapp/{path}": text for path, text in PAGES.items()}
    if with_init:
        inits = ("pages/", "pages/api/", "pages/v1.2/")
        files.update({f"myapp/{path}__init__.py": "" for path in inits})
    write_files(pytester.path, {**files, "myapp/__init__.py": APP})

    printed = run(pytester, "-c", f"from myapp import app\n{ASK}")
    assert printed == names("myapp.pages")


def test_module_in_a_package(pytester: pytest.Pytester) -> None:
    files = {f"myapp/{path}": text for path, text in PAGES.items()}
    write_files(pytester.path, {**files, "myapp/__init__.py": "", "myapp/web.py": APP})

    printed = run(pytester, "-c", f"from myapp.web import app\n{ASK}")
    assert printed == names("myapp.pages")


def test_python_m(pytester: pytest.Pytester) -> None:
    files = {f"myapp/{path}": text for path, text in PAGES.items()}
    main = {"myapp/__init__.py": "", "myapp/__main__.py": APP + ASK}
    write_files(pytester.path, {**files, **main})

    assert run(pytester, "-m", "myapp") == names("myapp.pages")


def test_folder_that_is_no_package(pytester: pytest.Pytester) -> None:
    files = {f"sub/{path}": text for path, text in PAGES.items()}
    write_files(pytester.path, files)
    code = (
        "from flask import Flask\nfrom flask_filepages import FilePages\n"
        f"app = Flask('other', root_path={str(pytester.path / 'sub')!r})\n"
        "FilePages(app)\n" + ASK
    )

    printed = run(pytester, "-c", code)
    assert all("flask_filepages.tree." in line for line in printed)
    assert printed[3].endswith('.json","json"]')


def test_gunicorn_in_another_directory(pytester: pytest.Pytester) -> None:
    write_files(pytester.path / "site", {**PAGES, "app.py": APP})
    port = free_port()
    url = f"http://127.0.0.1:{port}/feed.xml"
    command = gunicorn("app:app", port, "--chdir", str(pytester.path / "site"))

    with server(command, url, Path("/"), PYTHONPATH=str(ROOT)):
        assert fetch(url) == (200, names("pages")[1] + "\n")


def test_two_apps_with_the_same_tree(pytester: pytest.Pytester) -> None:
    for name in ("one", "two"):
        endpoint = (
            f"NAME = {name!r}\ndef GET(context):\n    return context.json(NAME)\n"
        )
        files = {"pages/a.py": endpoint, "app.py": APP}
        write_files(pytester.path / name, files)
    code = textwrap.dedent(
        """\
        import sys
        apps = []
        for name in ("one", "two"):
            sys.path.insert(0, name)
            sys.modules.pop("app", None)
            import app
            apps.append(app.app)
        for app in (*apps, *apps):
            print(app.test_client().get("/a").text)
        """
    )

    assert run(pytester, "-c", code) == ['"one"', '"two"', '"one"', '"two"']


SIDE_BY_SIDE = {
    "pages/blog.py": "def GET(context):\n    return context.json(__name__)\n",
    "pages/blog/[id].py": "def GET(context):\n    return context.json(__name__)\n",
    "app.py": APP,
}
ASK_BLOG = """
from app import app
client = app.test_client()
print(client.get("/blog").get_json(), client.get("/blog/1").get_json())
"""


@pytest.mark.parametrize(
    ("init", "printed"),
    [
        ({}, "pages.blog pages.blog·.[id]"),
        ({"pages/blog/__init__.py": ""}, "pages.blog· pages.blog.[id]"),
    ],
    ids=["plain folder", "package"],
)
def test_file_beside_folder(
    pytester: pytest.Pytester, init: dict[str, str], printed: str
) -> None:
    write_files(pytester.path, {**SIDE_BY_SIDE, **init})

    assert run(pytester, "-c", ASK_BLOG) == [printed]


@pytest.mark.parametrize("own_package", [True, False])
def test_functions_of_pages_reach_a_spawned_process(
    pytester: pytest.Pytester, own_package: bool
) -> None:
    work = "def work(n):\n    return n + 1\n\n\ndef GET(context):\n    return None\n"
    write_files(pytester.path, {"site/pages/a/[x].y.py": work, "site/__init__.py": ""})
    root = "" if own_package else f", root_path={str(pytester.path / 'site')!r}"
    code = textwrap.dedent(
        f"""\
        import importlib, multiprocessing
        from flask import Flask
        from flask_filepages import FilePages
        from flask_filepages.handling.loading import finder

        if __name__ == "__main__":
            import site_name
            app = Flask({"'site_name'" if own_package else "'other'"}{root})
            FilePages(app)
            state = app.extensions["filepages"]["filepages"]
            work = importlib.import_module(state.routes["/a/[x].y"].module).work
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(work.__module__.rpartition(".a.")[2], pool.map(work, [1, 2]))
        """
    )
    (pytester.path / "site").rename(pytester.path / "site_name")
    code = code.replace("/site'", "/site_name'")
    write_files(pytester.path, {"main.py": code})

    assert run(pytester, "main.py") == ["[x]·y [2, 3]"]


def test_valid_bytecode_is_read_and_none_is_written(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, {**PAGES, "app.py": APP})
    code = f"from app import app\n{ASK}"
    run(pytester, "-c", code)
    caches = list((pytester.path / "pages").rglob("__pycache__"))

    assert caches == []


def test_debug_never_runs_stale_bytecode(pytester: pytest.Pytester) -> None:
    endpoint = "def GET(context):\n    return context.json({n})\n"
    write_files(pytester.path, {"pages/a.py": endpoint.format(n=1), "app.py": APP})
    code = textwrap.dedent(
        """\
        import os, pathlib, py_compile
        file = pathlib.Path("pages/a.py")
        py_compile.compile(str(file))
        stat = file.stat()
        file.write_text(file.read_text().replace("1", "2"))
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        from app import app
        print(app.test_client().get("/a").text)
        """
    )

    assert run(pytester, "-c", code) == ["1"]  # what the bytecode of that second says
    write_files(pytester.path, {"pages/a.py": endpoint.format(n=1)})
    write_files(
        pytester.path, {"app.py": APP.replace("pages =", "app.debug = True\npages =")}
    )
    assert run(pytester, "-c", code) == ["2"]


def test_the_finder_is_installed_once() -> None:
    from flask_filepages.handling import loading as modules

    found = [one for one in sys.meta_path if isinstance(one, modules.PagesFinder)]
    assert found == [modules.finder]
    assert (
        modules.finder.find_spec("flask_filepages.tree.nowhere.x", ["/nowhere"]) is None
    )


def test_python_m_module_is_not_run_twice(pytester: pytest.Pytester) -> None:
    write_files(
        pytester.path,
        {
            "app.py": APP + "print('run')\npages.load()\n",
            "pages/a.py": "import app\n\n\ndef GET(context): ...\n",
        },
    )
    result = pytester.run(sys.executable, "-m", "app")

    assert result.outlines == ["run"]
    result.stderr.fnmatch_lines(["*'app' is the running script*"])


def test_name_round_trip(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.b/[...c].py": "", "d.py": "", "d/e.py": ""})
    folder = str(tmp_path)
    anchor = anchor_for(folder, ["nowhere"], "/")

    assert module_name("p", folder, "a.b/[...c].py") == "p.a·b.[···c]"
    assert module_name("p", folder, "d.py") == "p.d"
    assert module_name("p", folder, "d/e.py") == "p.d·.e"
    assert anchor.startswith("flask_filepages.tree.∕")


def test_a_path_that_cannot_be_spelled_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Move or rename the folder"):
        anchor_for(str(tmp_path / "a·b"), [], "/")
