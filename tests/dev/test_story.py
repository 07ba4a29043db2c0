"""From an empty folder to a folder to upload, with the installed wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import ROOT
from ..conftest import fetch
from ..conftest import free_port
from ..conftest import server
from ..conftest import until

pytestmark = pytest.mark.long

BROKEN = "from flask import Response\nfrom psots import POSTS\n"
FIXED = """\
from flask import Response
from posts import POSTS

prerender = False


def GET(context):
    return context.json([post.title for post in POSTS])
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the wheel, and nothing of this folder."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(
        ROOT / "flask_filepages",
        source / "flask_filepages",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("setup.cfg", "pyproject.toml", "README.rst", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = ["-m", "pip", "--quiet", "--disable-pip-version-check"]
    build = [sys.executable, *pip, "wheel", "--no-deps", "-w", str(folder), str(source)]
    subprocess.run(build, check=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    made = folder / "venv" / "bin" / "python"
    (wheel,) = folder.glob("*.whl")
    subprocess.run([made, *pip, "install", str(wheel), "pytest"], check=True)
    return made


def test_from_an_empty_folder_to_a_folder_to_upload(
    python: Path, tmp_path: Path
) -> None:
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def run(*words: str, code: int = 0) -> str:
        done = subprocess.run(
            [python, "-m", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env=environ,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    made = run("flask", "filepages", "init", "blog")
    assert made.startswith("Wrote 14 files.")
    port = free_port()
    url = f"http://localhost:{port}"
    command = [str(python), "-m", "flask", "run", "--debug", "--port", str(port)]

    def page(path: str) -> tuple[int, str]:
        try:
            return fetch(f"{url}/{path}")
        except OSError:  # The server restarts.
            return 0, ""

    with server(command, f"{url}/", tmp_path):
        assert "The first post" in fetch(f"{url}/blog/first")[1]
        assert "Wrote pages/titles.py" in run("flask", "filepages", "new", "/titles")
        until(lambda: page("titles") == (200, '{\n  "hello": "world"\n}\n'), 20)
        until(lambda: '"/titles"' in page("_filepages.json")[1], 20)
        file = tmp_path / "pages" / "titles.py"
        file.write_text(BROKEN)
        until(lambda: "No module named &#39;psots&#39;" in page("titles")[1], 20)
        until(lambda: page("titles")[0] == 500, 20)
        assert "titles.py:2: ModuleNotFoundError" in run(
            "flask", "filepages", "check", code=1
        )
        file.write_text(FIXED)
        until(lambda: "The first post" in page("titles")[1], 20)
    test = tmp_path / "pages" / "titles_test.py"
    test.write_text(
        test.read_text().replace(
            '{"hello": "world"}', '["The second post", "The first post"]'
        )
    )
    assert "0 errors, 0 warnings" in run("flask", "filepages", "check")
    assert "4 passed" in run("pytest", "-q")
    assert " passed" in run("pytest", "-q", "--filepages-battery")
    assert "4 rendered" in run("flask", "filepages", "build", "--links", "error")
    assert "200 OK in release 000001" in run(
        "flask", "filepages", "explain", "GET", "/blog/first"
    )
    run("flask", "filepages", "export", "public")

    written = tmp_path / "public" / "blog" / "first" / "index.html"
    assert "<h1>The first post</h1>" in written.read_text()
