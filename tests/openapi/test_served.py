"""The document and its page as the app serves them, and ``flask filepages openapi``."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from click.testing import Result
from flask import Flask
from flask import abort
from flask.cli import ScriptInfo

from flask_filepages import SettingsError
from flask_filepages import TreeError
from flask_filepages.cli import filepages
from flask_filepages.openapi.document import describe

from ..conftest import MakePages
from .shelter import create_app

GET = "def GET(context): ...\n"
ON = {"FILEPAGES_OPENAPI": "/openapi.json"}


def test_off_by_default(make_pages: MakePages) -> None:
    client = make_pages({"a.py": GET}).test_client()

    assert client.get("/openapi.json").status_code == 404
    assert client.get("/openapi/").status_code == 404


def test_the_document_is_served(make_pages: MakePages) -> None:
    app = make_pages({"a.py": GET}, **ON)
    response = app.test_client().get("/openapi.json")
    known = {"If-None-Match": response.headers["ETag"]}

    assert response.get_json() == describe(app)[0]
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-cache"
    assert app.test_client().get("/openapi.json", headers=known).status_code == 304


@pytest.mark.parametrize(
    ("path", "page", "document"),
    [
        ("/openapi.json", "/openapi/", "../openapi.json"),
        ("/api/v1/api.json", "/api/v1/api/", "../api.json"),
    ],
)
def test_the_page_is_next_to_it(
    make_pages: MakePages, path: str, page: str, document: str
) -> None:
    client = make_pages({"a.py": GET}, FILEPAGES_OPENAPI=path).test_client()
    html = client.get(page).text

    assert f'"url": "{document}"' in html
    assert '"validatorUrl": null' in html
    assert 'src="./swagger-ui-bundle.js"' in html
    with client.get(f"{page}swagger-ui-bundle.js") as script:
        assert script.status_code == 200
    assert client.get(page.rstrip("/")).headers["Location"].endswith(page)
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("config", "root", "url"),
    [
        ({}, "", "/"),
        ({}, "/mounted", "/mounted"),
        ({"APPLICATION_ROOT": "/app"}, "/app", "/app"),
        ({"FILEPAGES_SITE": "https://a.example"}, "", "https://a.example"),
        ({"FILEPAGES_SITE": "https://a.example"}, "/mounted", "/mounted"),
    ],
    ids=str,
)
def test_the_server_is_the_root_of_the_request(
    make_pages: MakePages, config: dict[str, str], root: str, url: str
) -> None:
    client = make_pages({"a.py": GET}, **ON, **config).test_client()
    environ = {"SCRIPT_NAME": root}
    for _ in range(2):
        made = client.get("/openapi.json", environ_overrides=environ).get_json()
        assert made["servers"] == [{"url": url}]


@pytest.mark.parametrize(
    ("debug", "config", "root", "url"),
    [
        (True, {"FILEPAGES_SITE": "https://a.example"}, "", "/"),
        (True, {"APPLICATION_ROOT": "/app"}, "", "/"),
        (False, {"APPLICATION_ROOT": "/app"}, "", "/"),
        (False, {}, "//evil.example", "/evil.example"),
    ],
    ids=str,
)
def test_the_server_is_where_the_app_runs(
    make_pages: MakePages, debug: bool, config: dict[str, str], root: str, url: str
) -> None:
    app = make_pages({"a.py": GET}, **ON, **config)
    app.debug = debug
    environ = {"SCRIPT_NAME": root}
    made = app.test_client().get("/openapi.json", environ_overrides=environ)

    assert made.get_json()["servers"] == [{"url": url}]


def test_the_page_repeats_nothing_of_the_request(make_pages: MakePages) -> None:
    client = make_pages({"a.py": GET}, **ON).test_client()
    html = client.get("/openapi/", headers={"Host": "evil.example"}).text

    assert "evil" not in html


def test_the_page_is_called_after_the_api(make_pages: MakePages) -> None:
    info = {"FILEPAGES_OPENAPI_DOCUMENT": {"info": {"title": "The <API>"}}}
    html = make_pages({"a.py": GET}, **ON, **info).test_client().get("/openapi/").text

    assert "<title>The &lt;API&gt;</title>" in html


def test_the_page_works_below_a_root(make_pages: MakePages) -> None:
    client = make_pages({"a.py": GET}, **ON).test_client()
    environ = {"SCRIPT_NAME": "/mounted"}
    html = client.get("/openapi/", environ_overrides=environ).text

    assert '"/openapi' not in html


@pytest.mark.parametrize(("debug", "times"), [(False, 1), (True, 3)])
def test_it_is_made_once_or_in_debug_each_time(
    make_pages: MakePages, debug: bool, times: int
) -> None:
    calls: list[int] = []

    def setup(app: Flask) -> None:
        app.debug = debug
        app.config["FILEPAGES_OPENAPI_CHANGE"] = lambda document: calls.append(1)

    client = make_pages({"a.py": GET}, setup, **ON).test_client()
    for _ in range(3):
        client.get("/openapi.json")

    assert len(calls) == times


def guard(view: t.Any) -> t.Any:
    def guarded(**values: t.Any) -> t.Any:
        from flask import request

        if request.headers.get("X-Key") != "k":
            abort(401)
        return view(**values)

    return guarded


@pytest.mark.parametrize(
    "url", ["/openapi.json", "/openapi/", "/openapi/swagger-ui-bundle.js"]
)
def test_a_guard_keeps_strangers_out(make_pages: MakePages, url: str) -> None:
    app = make_pages({"a.py": GET}, FILEPAGES_OPENAPI_GUARD=guard, **ON)

    assert app.test_client().get(url).status_code == 401
    with app.test_client().get(url, headers={"X-Key": "k"}) as response:
        assert response.status_code == 200


def test_a_guard_must_return_a_view(make_pages: MakePages) -> None:
    with pytest.raises(SettingsError, match="must return a view, as login_required"):
        make_pages({"a.py": GET}, FILEPAGES_OPENAPI_GUARD=lambda view: None, **ON)


@pytest.mark.parametrize("file", ["openapi.json.py", "openapi/index.html"])
def test_a_file_of_the_same_url_is_an_error(make_pages: MakePages, file: str) -> None:
    with pytest.raises(
        TreeError, match="conflicts with the app's endpoint 'filepages_op"
    ):
        make_pages({file: GET}, **ON)


def test_several_filepages_serve_one_document() -> None:
    client = create_app().test_client()

    assert client.get("/openapi.json").get_json()["info"]["title"] == "Shelter"
    assert client.get("/shop/openapi.json").status_code == 404


def test_url_of_the_page(make_pages: MakePages) -> None:
    app = make_pages({"a.html": "{{ url_for('filepages_openapi.show') }}"}, **ON)

    assert app.test_client().get("/a").text == "/openapi/"


def forget_openapi(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("flask_filepages.openapi", "apispec")
    for module in [name for name in sys.modules if name.startswith(names)]:
        monkeypatch.delitem(sys.modules, module)


@pytest.mark.parametrize("name", ["apispec", "flask_swagger_ui"])
def test_without_the_extra(
    make_pages: MakePages, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_openapi(monkeypatch)
    monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(SettingsError, match=rf"needs the package {name}.*\[openapi\]"):
        make_pages({"a.py": GET}, **ON)


IMPORTED = """
import sys
from flask import Flask
from flask_filepages import FilePages
app = Flask("app", root_path=sys.argv[1])
FilePages(app).load()
app.test_client().get("/a")
print([name for name in sys.modules if "apispec" in name or "openapi" in name])
"""


def test_nothing_is_imported_when_it_is_off(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.py").write_text(GET, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "[]\n"


# -- the command --------------------------------------------------------------------


def run(app: Flask, *arguments: str) -> Result:
    script = ScriptInfo(create_app=lambda: app)
    return CliRunner().invoke(filepages, ["openapi", *arguments], obj=script)


def test_the_command_prints_json(make_pages: MakePages) -> None:
    app = make_pages({"a.py": GET})
    done = run(app)

    assert json.loads(done.stdout) == describe(app)[0]
    assert done.stderr == ""


def test_the_command_prints_yaml(make_pages: MakePages) -> None:
    app = make_pages({"ü.py": 'def GET(context): "Ü."\n'})
    done = run(app, "--yaml")

    assert yaml.safe_load(done.stdout) == describe(app)[0]
    assert done.stdout.startswith("openapi: 3.1.0\ninfo:\n")
    assert "Ü." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "name", "start"),
    [
        ((), "api.json", '{\n  "openapi"'),
        ((), "api.yaml", "openapi: 3.1.0"),
        (("--yaml",), "api.txt", "openapi: 3.1.0"),
    ],
    ids=str,
)
def test_the_command_writes_a_file(
    make_pages: MakePages,
    tmp_path: Path,
    arguments: tuple[str, ...],
    name: str,
    start: str,
) -> None:
    out = tmp_path / name
    done = run(make_pages({"a.py": GET}), "--out", str(out), *arguments)

    assert done.output == f"Wrote {out}: 1 path.\n"
    assert out.read_text(encoding="utf-8").startswith(start)
    assert out.read_text(encoding="utf-8").endswith("\n")


def test_what_is_left_out_is_printed(make_pages: MakePages) -> None:
    done = run(make_pages({"a.py": "def QUERY(context): ...\n"}))

    assert done.stderr == "a.py: OpenAPI 3.1 does not have QUERY.\n"
    assert json.loads(done.stdout)["paths"] == {}


@pytest.mark.parametrize("name", ["api.json", "api.yaml"])
def test_a_saved_document_is_up_to_date(
    make_pages: MakePages, tmp_path: Path, name: str
) -> None:
    app = make_pages({"a.py": GET})
    saved = str(tmp_path / name)
    run(app, "--out", saved)
    done = run(app, "--check", saved)

    assert (done.exit_code, done.output) == (0, f"{saved} is up to date.\n")


def test_a_saved_document_is_out_of_date(make_pages: MakePages, tmp_path: Path) -> None:
    saved = tmp_path / "api.json"
    run(make_pages({"a.py": GET, "b.py": GET}), "--out", str(saved))
    text = 'def GET(context): "Show it."\ndef POST(context): ...\n'
    info = {"info": {"title": "x", "version": "1"}, "tags": [{"name": "new"}]}
    app = make_pages({"a.py": text, "c.py": GET}, FILEPAGES_OPENAPI_DOCUMENT=info)
    done = run(app, "--check", str(saved))

    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        '~ info title: "filepages_test" -> "x"',
        '~ info version: "0.1.0" -> "1"',
        '+ tags: {"name": "new"}',
        '~ paths /a get summary: "Get a" -> "Show it."',
        "+ paths /a post",
        "- paths /b",
        "+ paths /c",
    ]
    assert done.stderr == (
        f"{saved} is out of date. Write it with: flask filepages openapi --out {saved}\n"
    )


def test_another_order_of_a_list_is_a_difference(
    make_pages: MakePages, tmp_path: Path
) -> None:
    saved = tmp_path / "api.json"
    app = make_pages({"a/b.py": GET, "c/d.py": GET})
    document = describe(app)[0]
    document["tags"].reverse()
    saved.write_text(json.dumps(document), encoding="utf-8")

    assert run(app, "--check", str(saved)).stdout == (
        '~ tags: [{"name": "c"}, {"name": "a"}] -> [{"name": "a"}, {"name": "c"}]\n'
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, "No such file or directory. Write it with: flask filepages openapi"),
        ("a: [", "is neither JSON nor YAML"),
        ("\x00", "is neither JSON nor YAML"),
    ],
)
def test_a_file_that_cannot_be_compared(
    make_pages: MakePages, tmp_path: Path, text: str | None, error: str
) -> None:
    saved = tmp_path / "api.json"
    if text is not None:
        saved.write_text(text, encoding="utf-8")
    done = run(make_pages({"a.py": GET}), "--check", str(saved))

    assert done.exit_code != 0
    assert error in done.stderr


@pytest.mark.parametrize("more", [("--yaml",), ("--out", "x.json")])
def test_a_check_writes_nothing(make_pages: MakePages, more: tuple[str, ...]) -> None:
    done = run(make_pages({"a.py": GET}), "--check", "api.json", *more)

    assert done.exit_code == 2
    assert "--check writes nothing." in done.stderr


def test_a_wrong_change_is_an_error_of_the_command(
    make_pages: MakePages, tmp_path: Path
) -> None:
    out = tmp_path / "api.json"
    app = make_pages({"a.py": GET}, FILEPAGES_OPENAPI_CHANGE=lambda _: "x")
    done = run(app, "--out", str(out))

    assert "Error: FILEPAGES_OPENAPI_CHANGE must return a dict" in done.stderr
    assert not out.exists()


def test_a_folder_that_does_not_exist(make_pages: MakePages, tmp_path: Path) -> None:
    done = run(make_pages({"a.py": GET}), "--out", str(tmp_path / "x" / "api.json"))

    assert done.exit_code == 1
    assert "No such file or directory." in done.stderr


def test_a_broken_file_is_named(make_pages: MakePages) -> None:
    done = run(make_pages({"a.py": "x ="}))

    assert done.exit_code == 1
    assert "a.py:1" in done.stderr


def test_an_app_without_filepages() -> None:
    assert "This app has no FilePages." in run(Flask("x")).stderr


def test_the_command_without_the_extra(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_openapi(monkeypatch)
    monkeypatch.setitem(sys.modules, "apispec", None)
    done = run(make_pages({"a.py": GET}))

    assert done.exit_code == 1
    assert "Install the extra: Flask-Filepages[openapi]." in done.stderr
