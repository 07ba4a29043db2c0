"""``flask filepages build``, ``preview`` and ``deploy-config`` as commands."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from flask_filepages.pytest_plugin import write_files

from ..conftest import _answers
from ..conftest import fetch
from ..conftest import free_port
from ..conftest import server
from ..conftest import until

APP = """\
from flask import Flask
from flask_filepages import FilePages

app = Flask(__name__)
app.config["FILEPAGES_OUTPUT"] = "hybrid"
FilePages(app)
"""
LISTED = """\
import time
from flask_filepages import StaticPath

def get_static_paths():
    return [StaticPath({"id": str(n)}) for n in range(20)]

def GET(context):
    time.sleep(float(context.app.config.get("SLOW", 0)))
    return context.json(context.params["id"])
"""
TREE = {"app.py": APP, "pages/index.html": "home", "pages/p/[id].json.py": LISTED}
SLOW = {
    **TREE,
    "app.py": APP.replace(
        "FilePages(app)", "app.config['SLOW'] = 0.06\nFilePages(app)"
    ),
}
FLASK = [sys.executable, "-m", "flask", "--app", "app", "filepages"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write_files(tmp_path, TREE)
    return tmp_path


def flask(site: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*FLASK, *words],
        cwd=site,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
    )


def test_what_it_tells(site: Path) -> None:
    first, second = flask(site, "build"), flask(site, "build")

    assert first.stdout.splitlines()[:2] == [
        "○ /  1 rendered, 4 B",
        "○ /p/[id].json  20 rendered, 90 B",
    ]
    assert "21 rendered (0 unchanged), 0 kept, 0 removed in" in first.stdout
    assert second.stdout.startswith("Nothing changed: 21 pages.\n")
    release = f"The release is {site}/instance/site/releases/000001\n"
    for told in (first.stdout, second.stdout):
        assert f"{release}  site/     21 public files\n" in told
        assert told.splitlines()[-1].startswith("Next: run the app")
    assert (first.returncode, second.returncode) == (0, 0)
    (site / "pages" / "index.html").write_text("new")
    third = flask(site, "build").stdout
    assert "21 rendered (20 unchanged), 0 kept, 0 removed in" in third


def test_a_build_into_another_folder_says_how_to_serve_it(site: Path) -> None:
    told = flask(site, "build", "--out", "there").stdout.splitlines()[-1]

    assert told == (
        f"Next: set FILEPAGES_BUILD_DIR = '{site}/there' to serve, preview or export"
        " the release."
    )


def test_for_a_program(site: Path) -> None:
    report = json.loads(flask(site, "build", "--json", "--out", "there").stdout)

    assert report["release"] == str(site / "there" / "releases" / "000001")
    assert (report["total"], report["rendered"], report["kept"]) == (21, 21, 0)
    assert report["pages"][0] == {
        **report["pages"][0],
        "path": "/",
        "file": "index.html",
        "action": "rendered",
        "status": 200,
        "size": 4,
    }


def test_faults(site: Path) -> None:
    (site / "pages" / "bad.py").write_text("def GET(context):\n    return 1 / 0\n")
    told = flask(site, "build")
    for_program = flask(site, "build", "--json")

    assert (told.returncode, for_program.returncode) == (1, 1)
    assert "bad.py: GET /bad: ZeroDivisionError: division by zero" in told.stderr
    faults = json.loads(for_program.stdout)["faults"]
    assert [(fault["file"], fault["id"]) for fault in faults] == [("bad.py", "render")]
    assert os.listdir(site / "instance/site" / "releases") == []


def test_a_broken_file_is_told(site: Path) -> None:
    (site / "pages" / "bad.py").write_text("def GET(:\n")
    result = flask(site, "build")

    assert result.returncode == 1
    assert "bad.py:1: SyntaxError" in result.stderr


def test_the_slowest_are_told(site: Path) -> None:
    write_files(site, SLOW)
    lines = flask(site, "build").stdout.partition("Slowest:\n")[2].splitlines()

    assert len([line for line in lines if line.endswith(".json")]) == 5


def test_verify_finds_a_broken_promise(site: Path) -> None:
    code = (
        "import time\nfrom flask_filepages import StaticPath\n\n\n"
        "def get_static_paths():\n"
        "    return [StaticPath({'n': n}, version='1') for n in 'ab']\n\n\n"
        "def GET(context):\n"
        "    return context.json(time.time_ns() if context.params['n'] == 'b' else 0)\n"
    )
    write_files(site, {"pages/q/[n].json.py": code})
    flask(site, "build")
    kept, verified = flask(site, "build"), flask(site, "build", "--verify")

    assert kept.returncode == 0
    assert verified.returncode == 1
    message = "broken promise: /q/b.json changed, but its version did not"
    assert message in verified.stdout
    assert "/q/a.json changed" not in verified.stdout


def test_a_terminal_sees_how_far_it_is(site: Path) -> None:
    write_files(site, {**SLOW, "app.py": SLOW["app.py"].replace("0.06", "0.15")})
    reader, writer = pty.openpty()
    subprocess.run(
        [*FLASK, "build"], cwd=site, stdout=writer, stderr=writer, check=True
    )
    os.close(writer)
    told = b""
    while True:
        try:
            chunk = os.read(reader, 65536)
        except OSError:  # everything was read
            break
        told += chunk
    os.close(reader)

    assert b"Rendering" in told
    assert b"pages/s" in told
    assert b"100%" in told
    assert b"00:00:0" in told  # the time that is left


def test_an_app_without_pages(tmp_path: Path) -> None:
    write_files(
        tmp_path, {"app.py": "from flask import Flask\napp = Flask(__name__)\n"}
    )
    result = flask(tmp_path, "build")

    assert result.returncode == 1
    assert "This app has no FilePages" in result.stderr


@pytest.mark.parametrize("words", [("preview",), ("deploy-config", "nginx")])
def test_there_must_be_a_release(site: Path, words: tuple[str, ...]) -> None:
    result = flask(site, *words)

    assert result.returncode == 1
    assert "has no release. Run `flask filepages build` first." in result.stderr


@pytest.mark.parametrize("kind", ["nginx", "caddy"])
def test_deploy_config(site: Path, kind: str) -> None:
    flask(site, "build")
    told = flask(site, "deploy-config", kind).stdout

    assert "public, max-age=0, must-revalidate" in told


def test_preview_serves_what_is_stored(site: Path) -> None:
    flask(site, "build")
    (site / "pages" / "index.html").write_text("newer than the release")
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with server([*FLASK, "preview", f"--port={port}"], url, site, FLASK_DEBUG="1"):
        assert fetch(url) == (200, "home")


def test_help_names_every_option(site: Path) -> None:
    told: t.Any = flask(site, "build", "--help").stdout

    for option in ("--out", "--jobs", "--executor", "--force", "--verify", "--keep"):
        assert option in told


def test_what_pages_print_is_not_in_the_json(tmp_path: Path) -> None:
    page = "def GET(context):\n    print('printed')\n    return context.json(1)\n"
    write_files(tmp_path, {"app.py": APP, "pages/a.py": page, "pages/b.py": page})
    for jobs in ("1", "2"):
        result = flask(tmp_path, "build", "--json", "--force", "--jobs", jobs)

        assert json.loads(result.stdout)["total"] == 2
        assert "printed" in result.stderr


def test_a_file_of_the_release_that_is_gone_is_missed(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": APP, "pages/a.html": "a", "static/s.css": "s"})
    flask(tmp_path, "build")
    for name in ("a/index.html", "static/s.css"):
        (tmp_path / "instance/site" / "current" / "site" / name).unlink()
        assert flask(tmp_path, "build").returncode == 0

        assert (tmp_path / "instance/site" / "current" / "site" / name).exists()
    assert "Nothing changed" in flask(tmp_path, "build").stdout


def test_a_folder_in_place_of_the_link_is_told(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": APP, "pages/a.html": "a"})
    flask(tmp_path, "build")
    current = tmp_path / "instance/site" / "current"
    release = current.resolve()
    current.unlink()
    shutil.copytree(release, current)
    result = flask(tmp_path, "build")

    assert result.returncode == 1
    assert "instead of a link to a release" in result.stderr


def test_force_mends_a_damaged_manifest(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": APP, "pages/a.html": "a" * 5000})
    flask(tmp_path, "build")
    manifest = tmp_path / "instance/site" / "current" / "manifest.sqlite"
    data = bytearray(manifest.read_bytes())
    data[8192:] = b"x" * (len(data) - 8192)
    manifest.write_bytes(data)
    plain = flask(tmp_path, "build")

    assert plain.returncode == 0 or "--force" in plain.stderr
    assert flask(tmp_path, "build", "--force").returncode == 0


def test_a_long_folder_for_temporary_files(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": APP, "pages/a.html": "a", "pages/b.html": "b"})
    long = tmp_path / ("x" * 100)
    long.mkdir()
    result = flask(tmp_path, "build", "--jobs", "2", TMPDIR=str(long))

    assert result.returncode == 0, result.stderr


def test_a_site_without_stored_routes_is_told(tmp_path: Path) -> None:
    files = {"app.py": APP.replace("hybrid", "server"), "pages/a.html": "a"}
    write_files(tmp_path, files)

    assert "No route is prerendered" in flask(tmp_path, "build").stdout


def test_faults_of_the_tree_are_told_without_a_traceback(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": APP, "pages/a.html": "", "pages/a/index.html": ""})
    for command in ("build", "preview", "routes"):
        result = flask(tmp_path, command)

        assert result.returncode == 1
        assert "Traceback" not in result.stderr
        assert "a/index.html" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("words", [(), ("--jobs=2",)], ids=["alone", "workers"])
def test_a_signal_leaves_no_files_behind(
    site: Path, number: signal.Signals, words: tuple[str, ...]
) -> None:
    flask(site, "build")
    write_files(site, SLOW)
    running = subprocess.Popen(
        [*FLASK, "build", *words],
        cwd=site,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    releases = site / "instance/site" / "releases"
    until(lambda: any(releases.glob("staging-*/site")), 20)
    running.send_signal(number)
    _, told = running.communicate(timeout=20)

    assert running.returncode == 128 + number
    assert "Interrupted; nothing was published." in told
    assert os.listdir(releases) == ["000001"]


def test_a_page_that_catches_a_signal_does_not_go_on(site: Path) -> None:
    flask(site, "build")
    code = (
        "import time\nfrom pathlib import Path\n\nprerender = True\n\n\n"
        "def GET(context):\n"
        "    Path('started').touch()\n"
        "    try:\n        time.sleep(30)\n"
        "    except:\n        pass\n"
        "    return context.json(1)\n"
    )
    write_files(site, {"pages/stubborn.py": code})
    running = subprocess.Popen(
        [*FLASK, "build"], cwd=site, stderr=subprocess.PIPE, text=True
    )
    until((site / "started").exists, 20)
    running.send_signal(signal.SIGTERM)
    _, told = running.communicate(timeout=20)

    assert running.returncode == 128 + signal.SIGTERM
    assert "Interrupted; nothing was published." in told


def test_output_that_the_terminal_cannot_show(site: Path) -> None:
    env = {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    write_files(site, {"pages/\u65e5\u672c.html": "x"})
    for words in (["build"], ["routes"], ["check"], ["build", "--json"]):
        done = flask(site, *words, **env)

        assert (done.returncode, "UnicodeEncodeError" in done.stderr) == (0, False)
    assert "\\u65e5\\u672c" in flask(site, "routes", **env).stdout


def test_flask_run_says_which_release_it_serves(site: Path) -> None:
    flask(site, "build")
    port = free_port()
    command = [sys.executable, "-m", "flask", "--app", "app", "run", f"--port={port}"]
    with subprocess.Popen(
        command, cwd=site, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as running:
        until(lambda: _answers(f"http://127.0.0.1:{port}/"), 20)
        fetch(f"http://127.0.0.1:{port}/p/1.json")
        running.terminate()
        told, _ = running.communicate(timeout=20)

    release = site / "instance/site" / "releases" / "000001"
    assert told.count(f" * Serving the stored responses of {release}, built 20") == 1


@pytest.mark.parametrize("command", ["routes", "check", "build"])
def test_other_commands_serve_no_release(site: Path, command: str) -> None:
    flask(site, "build")
    done = flask(site, command)

    assert "Serving the stored responses" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("code", "words", "error"),
    [
        ("import nothing_of_this_name\n", [], "nothing_of_this_name"),
        ("def broken(:\n", [], "SyntaxError: "),
        ("1 / 0\n", [], "ZeroDivisionError: division by zero"),
        ("app = None\n", [], "Failed to find Flask application"),
        ("from flask import Flask\napp = Flask(__name__)\n", [], "has no FilePages"),
        (
            APP.replace("'hybrid'", "'x'").replace('"hybrid"', '"x"'),
            [],
            "FILEPAGES_OUTPUT",
        ),
        (APP, ["--executor=none"], "is not an executor"),
        (APP, ["--out=pages"], "Name another folder"),
    ],
    ids=lambda value: str(value),
)
def test_every_failure_is_json_for_a_program(
    site: Path, code: str, words: list[str], error: str
) -> None:
    (site / "app.py").write_text(code)
    done = flask(site, "build", "--json", *words)

    assert done.returncode != 0
    assert error in json.loads(done.stdout)["error"]


def test_many_files_of_a_folder_are_one_line(site: Path) -> None:
    texts = {f"pages/docs/{n}.md": f"# {n}\n" for n in range(50)}
    renderer = "from flask_filepages.markdown import render_markdown\n"
    app = renderer + APP.replace(
        "FilePages(app)", "FilePages(app, renderers={'.md': render_markdown})"
    )
    write_files(site, {**texts, "app.py": app, "pages/docs/own.html": "x"})
    lines = flask(site, "build").stdout.splitlines()

    assert [line.partition("  ")[0] for line in lines if line[0] == "\u25cb"] == [
        "\u25cb /",
        "\u25cb /docs/own",
        "\u25cb /docs/*.md",
        "\u25cb /p/[id].json",
    ]


def test_views_of_the_app_are_mentioned_in_a_static_build(site: Path) -> None:
    app = APP.replace('"hybrid"', '"static"') + "app.add_url_rule('/own', 'own')\n"
    (site / "app.py").write_text(app)
    told = flask(site, "build").stdout

    assert "Views of the app are not part of a static site: /own.\n" in told


def test_html_of_an_endpoint_is_mentioned(site: Path) -> None:
    code = (
        "from flask import Response\n\n\ndef GET(context):\n    return Response('x')\n"
    )
    (site / "pages" / "about.py").write_text(code)
    told = flask(site, "build").stdout

    expected = "about.py returns HTML or a redirect, so its file is about/index.html."
    assert told.count(expected) == 1
