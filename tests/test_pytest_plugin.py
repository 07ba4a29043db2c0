"""The pytest plugin, in runs of its own."""

from __future__ import annotations

import sys

import pytest

from flask_filepages.pytest_plugin import write_files

TEST = "def test_one(): pass\n\n\ndef test_two(): pass\n"
TREE = {
    "pages/[lang]/[id].py": "def GET(context):\n    return context.json(1)\n",
    "pages/[lang]/id_test.py": TEST,
    "pages/[lang]/[x]/deep_test.py": TEST
    + "\n\nimport pytest\n\n\n@pytest.mark.parametrize('n', [1, 2])\n"
    "def test_many(n): pass\n\n\nclass TestClass:\n    def test_in(self): pass\n",
    "pages/feed_test.py": TEST,
    "other_test.py": TEST,
}


@pytest.fixture
def tree(pytester: pytest.Pytester) -> pytest.Pytester:
    write_files(pytester.path, TREE)
    pytester.makeini("[pytest]\naddopts = --import-mode=importlib")
    return pytester


@pytest.mark.parametrize(
    ("args", "passed"),
    [
        ([], 11),
        (["pages"], 9),
        (["pages/[lang]"], 7),
        (["pages/[lang]/id_test.py"], 2),
        (["pages/[lang]/id_test.py::test_one"], 1),
        (["pages/[lang]/[x]"], 5),
        (["pages/[lang]/[x]/deep_test.py::test_many"], 2),
        (["pages/[lang]/[x]/deep_test.py::test_many[1]"], 1),
        (["pages/[lang]/[x]/deep_test.py::TestClass"], 1),
        (["pages/[lang]/[x]/deep_test.py::TestClass::test_in"], 1),
        (["pages/[lang]/id_test.py", "other_test.py"], 4),
        (["pages/[lang]/id_test.py::test_one", "pages/feed_test.py"], 3),
        (["pages/[lang]/id_test.py::test_one", "pages"], 9),
    ],
    ids=str,
)
def test_paths_with_brackets_are_arguments(
    tree: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    passed: int,
) -> None:
    # Other plugins play no part, and take a second to load.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "flask_filepages.pytest_plugin")
    tree.runpytest_subprocess(*args).assert_outcomes(passed=passed)


def test_in_process(tree: pytest.Pytester) -> None:
    result = tree.runpytest_inprocess("pages/[lang]/id_test.py::test_one")

    result.assert_outcomes(passed=1)


def test_what_is_not_there_is_still_an_error(tree: pytest.Pytester) -> None:
    assert tree.runpytest_subprocess("pages/[nope]/x_test.py").ret == 4


APP = {
    "app.py": "from flask import Flask\nfrom flask_filepages import FilePages\n"
    "app = Flask(__name__)\nFilePages(app)\n",
    "conftest.py": "import pytest\nfrom app import app as made\n\n\n"
    "@pytest.fixture\ndef app():\n    return made\n",
}


def test_fixtures_work_beside_pytest_flask(pytester: pytest.Pytester) -> None:
    write_files(
        pytester.path,
        {
            **APP,
            "pages/[id].py": "def GET(context):\n    return context.json(__name__)\n",
            "pages/id_test.py": "from flask_filepages.testing import load_endpoint\n"
            "from flask_filepages.testing import make_context\n\n"
            "endpoint = load_endpoint('[id].py', beside=__file__)\n\n\n"
            "def test_served(filepages_client):\n"
            "    assert filepages_client.get('/1').get_json() == endpoint.__name__\n\n\n"
            "def test_pytest_flask(client):\n"
            "    assert client.get('/1').status_code == 200\n\n\n"
            "def test_plain():\n"
            "    assert endpoint.GET(make_context()).get_json() == 'pages.[id]'\n\n\n"
            "def test_make_pages(make_pages):\n"
            "    made = make_pages({'a/[b].py': 'def GET(c):\\n  return c.json(2)'})\n"
            "    other = make_pages({}, DEBUG=True)\n"
            "    assert made.test_client().get('/a/x').get_json() == 2\n"
            "    assert other.config['DEBUG']\n",
        },
    )
    pytester.makeini("[pytest]\naddopts = --import-mode=importlib\npythonpath = .")
    pytester.runpytest_subprocess("pages").assert_outcomes(passed=4)


def test_the_client_runs_the_code_and_serves_no_release(
    pytester: pytest.Pytester,
) -> None:
    code = "prerender = True\n\n\ndef GET(context):\n    return context.json({})\n"
    write_files(
        pytester.path,
        {
            **APP,
            "pages/a.py": code.format(1),
            "pages/a_test.py": "def test_a(filepages_client):\n"
            "    assert filepages_client.get('/a').get_json() == 2\n",
        },
    )
    pytester.run(sys.executable, "-m", "flask", "filepages", "build")
    write_files(pytester.path, {"pages/a.py": code.format(2)})
    pytester.makeini("[pytest]\naddopts = --import-mode=importlib\npythonpath = .")
    pytester.runpytest_subprocess("pages").assert_outcomes(passed=1)


def test_a_broken_file_fails_the_client(pytester: pytest.Pytester) -> None:
    write_files(pytester.path, {"pages/a.py": "1 / 0"})
    pytester.makepyfile(
        """
        import pytest
        from flask import Flask
        from flask_filepages import FilePages

        @pytest.fixture
        def app():
            app = Flask(__name__)
            FilePages(app)
            return app

        def test_it(filepages_client): pass
        """
    )
    result = pytester.runpytest_subprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*a.py:1: ZeroDivisionError*"])


def test_load_endpoint_says_what_it_looked_for(pytester: pytest.Pytester) -> None:
    from flask_filepages.testing import load_endpoint

    write_files(pytester.path, {"elsewhere/a.py": "", "myapp/pages/b.py": "X = 1"})
    write_files(pytester.path, {"myapp/__init__.py": ""})
    beside = str(pytester.path / "elsewhere" / "a_test.py")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_endpoint("b.py", beside=beside)
    with pytest.raises(FileNotFoundError, match="is not in a folder named 'pages'"):
        load_endpoint("a.py", beside=beside)

    inside = str(pytester.path / "myapp" / "pages" / "b_test.py")
    assert load_endpoint("b.py", beside=inside).X == 1
