"""A folder to a route table, and everything that can be wrong with it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from flask_filepages.errors import TreeError
from flask_filepages.pytest_plugin import write_files
from flask_filepages.routing.routes import Tree
from flask_filepages.routing.routes import discover
from flask_filepages.settings import Redirect

Find = t.Callable[..., Tree]


@pytest.fixture
def find(tmp_path: Path) -> Find:
    def find(files: t.Iterable[str] | dict[str, str], **options: t.Any) -> Tree:
        texts = files if isinstance(files, dict) else dict.fromkeys(files, "")
        write_files(tmp_path, texts)
        return discover(tmp_path, matchers=("int", "uuid"), **options)

    return find


def ids(tree: Tree) -> list[str]:
    return [route.id for route in tree.routes]


@pytest.mark.parametrize(
    ("file", "route"),
    [
        ("index.py", "/"),
        ("about.html", "/about"),
        ("contact/index.html", "/contact"),
        ("api/posts/[id].py", "/api/posts/[id]"),
        ("api/index.json.py", "/api/index.json"),
        ("feed.xml.py", "/feed.xml"),
        (".well-known/security.txt.py", "/.well-known/security.txt"),
        ("v1.2/info.py", "/v1.2/info"),
        ("(shop)/(new)/pricing.html", "/pricing"),
        ("paren(1).py", "/paren(1)"),
        ("[[lang]]/about.html", "/[[lang]]/about"),
        ("docs/[...path].py", "/docs/[...path]"),
        ("x_y.py", "/x_y"),
        ("[_id].py", "/[_id]"),
        ("hello.test.py", "/hello.test"),
        ("x (copy).py", "/x (copy)"),
        ("ünï/çödé.py", "/ünï/çödé"),
    ],
)
def test_route_id(find: Find, file: str, route: str) -> None:
    assert ids(find([file])) == [route]


@pytest.mark.parametrize(
    "file",
    [
        "_private.py",
        "_lib/util.py",
        "a/_b/c.py",
        ".hidden.py",
        ".git/config.py",
        "test_a.py",
        "a_test.py",
        "conftest.py",
        "__init__.py",
        "__main__.py",
        "__pycache__/a.py",
        "_middleware.py",
        "a.PY",
        "a.pyc",
        "a.pyi",
        "a.py~",
        "a.py.orig",
        "a.HTML",
        "a.htm",
        "a.txt",
        "README",
        "README.md",
        "data.json",
    ],
)
def test_private_by_default(find: Find, file: str) -> None:
    assert ids(find([file])) == []


def test_page_and_endpoint_of_one_name_are_one_route(find: Find) -> None:
    (route,) = find(["about.html", "about.py"]).routes

    assert route.endpoint is not None
    assert route.page is not None
    assert route.source is route.endpoint


def test_error_pages(find: Find) -> None:
    tree = find(["404.html", "500.py", "a/404.html"])

    assert {code: route.id for code, route in tree.error_routes.items()} == {
        404: "/404",
        500: "/500",
    }


def test_redirects_replace_files_of_their_pattern(find: Find) -> None:
    tree = find(
        ["old.py", "a/[id].py", "b.py"],
        redirects={"/old": Redirect("/b"), "/a/[slug]": Redirect("/b")},
    )

    assert [(route.id, route.redirect is not None) for route in tree.routes] == [
        ("/a/[slug]", True),
        ("/b", False),
        ("/old", True),
    ]


# -- faults ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "printed"),
    [
        (
            ["[a.py"],
            "[a.py: the brackets are unbalanced\n    Write a param as [name].",
        ),
        (
            ["a/[x][y].py"],
            "a/[x][y].py: two params touch each other\n"
            "    Put text between them: [a]-[b], or make two folders: [a]/[b].",
        ),
        (
            ["[my-id].py"],
            "[my-id].py: [my-id] is not a valid param\n"
            "    Did you mean [my_id]? Write [name], [...name] or [name=matcher]; a name"
            " is made of ASCII letters, digits, '_' and '$'.",
        ),
        (
            ["[id=itn].py"],
            "[id=itn].py: there is no matcher 'itn'\n"
            "    Did you mean 'int'? Otherwise add a converter to app.url_map.converters before"
            " FilePages(app).",
        ),
        (
            ["pre-[...rest].html"],
            "pre-[...rest].html: in a page a rest param must be a whole segment\n"
            "    Name the folder or file just [...name], or make it an endpoint (.py).",
        ),
        (
            ["<int:id>.py"],
            "<int:id>.py: '<' and '>' are not allowed in a name\n"
            "    Write a param as [name], and <int:id> as [id=int].",
        ),
        (
            ["a.py", "a/index.py"],
            "a.py: conflicts with a/index.py: both match /a\n"
            "    Remove or rename one of them.",
        ),
        (
            ["u/[id].py", "u/[slug].html"],
            "u/[id].py: conflicts with u/[slug].html: both match /u/[slug]\n"
            "    Remove or rename one of them.",
        ),
        (
            ["[[lang]]/about.html", "about.py"],
            "about.py: conflicts with [[lang]]/about.html: both match /about\n"
            "    Remove or rename one of them.",
        ),
        (
            ["A.py", "a.py"],
            "A.py: conflicts with a.py: both match /a\n"
            "    Remove or rename one of them.",
        ),
        (
            ["e\u0301.py", "\u00e9.py"],
            "e\u0301.py: conflicts with \u00e9.py: both match /\u00e9\n"
            "    Remove or rename one of them.",
        ),
        (
            {"a.py": "\nprerender = not False\n"},
            'a.py:2: prerender is not a literal True, False or "auto"\n'
            '    Write `prerender = True`, `prerender = False` or `prerender = "auto"` on'
            " a line of its own."
            " It is read before the file is run.",
        ),
    ],
    ids=lambda value: str(list(value)) if not isinstance(value, str) else "",
)
def test_what_a_bad_tree_prints(find: Find, files: t.Any, printed: str) -> None:
    with pytest.raises(TreeError) as error:
        find(files)

    headline, _, faults = str(error.value).partition("\n")
    assert headline.endswith(" cannot be turned into routes: 1 error")
    assert faults.replace("\n  ", "\n").removeprefix("  ") == printed


def test_all_faults_are_reported_at_once(find: Find) -> None:
    with pytest.raises(TreeError) as error:
        find(
            ["[a.py", "b.py", "b/index.html", "[x].py", "[y].py", "ok.py"],
            redirects={"/[z": Redirect("/")},
        )

    assert [fault.file for fault in error.value.faults] == [
        "FILEPAGES_REDIRECTS['/[z']",
        "[a.py",
        "[x].py",
        "b.py",
    ]
    assert str(error.value).splitlines()[0].endswith("4 errors")


@pytest.mark.parametrize(
    ("text", "prerender"),
    [
        ("", None),
        ("# prerender = True", None),
        ("prerender = True", True),
        ("prerender = False", False),
        ("prerender: bool = True", True),
        ("x = 1; prerender = True", True),
        ("'prerender = True'", None),
        ("if x:\n    def f():\n        prerender = 1", None),
        ("x = [prerender for prerender in y]", None),
        ("x = lambda prerender: prerender", None),
        ("def f():\n    prerender = 1", None),
        ("prerender = True\nsyntax error", None),
        ("x = 'prerender'\n\0", None),
    ],
)
def test_prerender_is_read_from_the_text(
    find: Find, text: str, prerender: bool | None
) -> None:
    (route,) = find({"a.py": text}).routes

    assert route.prerender is prerender


@pytest.mark.parametrize(
    "text",
    [
        "prerender = 'True'",
        "prerender = 1",
        "prerender = DEBUG",
        "prerender, x = True, 1",
        "if x:\n    prerender = True",
        "from lib import prerender",
        "import x as prerender",
        "def prerender(): ...",
        "class prerender: ...",
        "for prerender in (True,): ...",
    ],
)
def test_prerender_is_nothing_but_a_literal(find: Find, text: str) -> None:
    with pytest.raises(TreeError, match="prerender is not a literal"):
        find({"a.py": text})


def test_params_of_two_names_may_meet_if_one_is_prerendered(find: Find) -> None:
    tree = find({"[id].py": "prerender = True", "[slug].py": ""})

    assert ids(tree) == ["/[id]", "/[slug]"]


def test_static_routes_may_not_meet_even_then(find: Find) -> None:
    with pytest.raises(TreeError, match=r"conflicts with a/index\.py"):
        find({"a.py": "prerender = True", "a/index.py": ""})


# -- the file system ------------------------------------------------------------------

FILES = ["b.py", "a.py", "[x].py", "[...r].py", "a/[id].py", "a/z.html", "A-[x].py"]


def test_order_of_the_directory_changes_nothing(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ids(find(FILES))
    scandir = os.scandir
    rng = random.Random(3)

    class Shuffled:
        def __init__(self, path: str) -> None:
            with scandir(path) as found:
                self._entries = list(found)
            rng.shuffle(self._entries)

        def __enter__(self) -> list[os.DirEntry[str]]:
            return self._entries

        def __exit__(self, *args: object) -> None:
            pass

    monkeypatch.setattr(os, "scandir", Shuffled)
    assert [ids(find(FILES)) for _ in range(10)] == [expected] * 10


def test_hash_seed_and_working_directory_change_nothing(
    find: Find, tmp_path: Path
) -> None:
    expected = str(ids(find(FILES)))
    code = (
        "from flask_filepages.routing.routes import discover\n"
        f"print([r.id for r in discover({str(tmp_path)!r}).routes])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd="/",
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in range(5)
    }

    assert printed == {expected}


def test_links_that_leave_the_folder_are_not_followed(
    find: Find, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside")
    write_files(outside, {"secret.py": "", "dir/secret.py": ""})
    (tmp_path / "file.py").symlink_to(outside / "secret.py")
    (tmp_path / "dir").symlink_to(outside / "dir")
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")

    assert ids(find(["a.py"])) == ["/a"]


def test_links_inside_are_followed_and_loops_end(find: Find, tmp_path: Path) -> None:
    find(["a/b.py"])
    (tmp_path / "c").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    (tmp_path / "d").symlink_to(tmp_path / "a")
    (tmp_path / "self.py").symlink_to(tmp_path / "self.py")
    (tmp_path / "e.py").symlink_to(tmp_path / "a" / "b.py")

    assert ids(find([])) == ["/a/b", "/c/b", "/e"]


def test_two_pages_of_one_name_collide(find: Find) -> None:
    with pytest.raises(
        TreeError, match=r"a\.html: conflicts with a\.txt: both match /a"
    ):
        find(["a.html", "a.txt"], page_suffixes=(".html", ".txt"))


@pytest.mark.parametrize(
    ("target", "fix"),
    [
        ("/new/[slgu]", r"Did you mean \[slug\]\?"),
        ("/new/[...zz]", "Use a param of the path"),
    ],
)
def test_targets_want_params_that_there_are(find: Find, target: str, fix: str) -> None:
    with pytest.raises(
        TreeError, match=rf"its target has the unknown param \[\w+\]\n +{fix}"
    ):
        find([], redirects={"/old/[slug]": Redirect(target)})


def test_what_cannot_be_read_is_a_fault(
    find: Find, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scandir = os.scandir

    def refuse(path: str) -> t.Any:
        if path.endswith("closed/"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    find(["a.py", "closed/b.py"])
    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr("builtins.open", lambda *args: scandir(tmp_path / "nowhere"))
    with pytest.raises(TreeError) as error:
        find([])

    assert [(f.file, f.problem) for f in error.value.faults] == [
        ("a.py", "it cannot be read: No such file or directory"),
        ("closed/", "it cannot be read: Permission denied"),
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"(a)/[id].py": "prerender = True", "[id].py": ""},
        {"[a].py": "prerender = True", "[b].py": "", "[c].py": ""},
        {"[a].py": "prerender = 'auto'", "[b].py": ""},
    ],
    ids=str,
)
def test_a_stored_route_makes_room_for_one_other_only(
    find: Find, files: dict[str, str]
) -> None:
    with pytest.raises(TreeError, match="conflicts with"):
        find(files)
