"""Markdown pages: front matter, layout, the endpoint beside."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import TemplateSyntaxError

from flask_filepages import FilePages
from flask_filepages import markdown
from flask_filepages.markdown import render_markdown
from flask_filepages.pytest_plugin import write_files

MakeClient = t.Callable[[dict[str, str]], FlaskClient]


@pytest.fixture
def client_of(tmp_path: Path) -> MakeClient:
    def make(files: dict[str, str]) -> FlaskClient:
        write_files(tmp_path, files)
        app = Flask("markdown", root_path=str(tmp_path))
        app.testing = True
        FilePages(app, renderers={".md": render_markdown})
        return app.test_client()

    return make


def test_alone(client_of: MakeClient) -> None:
    text = "# A title\n\nText with a | and ~~no~~.\n\n| a |\n| - |\n| 1 |\n"
    answer = client_of({"pages/about.md": text}).get("/about")

    assert answer.mimetype == "text/html"
    assert answer.text.startswith(
        '<!DOCTYPE html><meta charset="utf-8"><h1 id="a-title">'
    )
    assert "<s>no</s>" in answer.text
    assert "<td>1</td>" in answer.text


def test_layout_gets_content_front_matter_and_data(client_of: MakeClient) -> None:
    client = client_of(
        {
            "templates/doc.html": "{{ frontmatter.title }}|{{ content }}|{{ extra }}|"
            "{{ context.route_id }}",
            "pages/a.md": "---\ntitle: <b>\nlayout: doc.html\n---\n*text* {{ 7*7 }}\n",
            "pages/a.py": "def GET(context):\n    return context.render(extra='<i>')\n",
        }
    )

    assert client.get("/a").text == (
        "&lt;b&gt;|<p><em>text</em> {{ 7*7 }}</p>\n|&lt;i&gt;|/a"
    )


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("---\na: b: c\n---\n", 2, "not YAML"),
        ("---\na: 1\nb: [\n---\n", 3, "not YAML"),
        ("---\n- a\n---\n", 1, "not a mapping"),
        (
            "---\nlayout: missing.html\n---\n",
            2,
            "layout 'missing.html' is not a template",
        ),
        ("---\nlayout: [1]\n---\n", 2, "is not a template"),
        ("---\ntitle: x\n\n# Text\n", 1, "not closed"),
        ("---\n!!python/object/apply:os.getcwd []\n---\n", 2, "not YAML"),
    ],
)
def test_faults_of_front_matter(
    client_of: MakeClient, text: str, line: int, says: str
) -> None:
    with pytest.raises(TemplateSyntaxError, match=says) as caught:
        client_of({"pages/a.md": text}).get("/a")

    assert caught.value.lineno == line
    assert (caught.value.filename or "").endswith("a.md")


@pytest.mark.parametrize("text", ["", "---\n---\n", "---\n"])
def test_empty(client_of: MakeClient, text: str) -> None:
    assert client_of({"pages/a.md": text}).get("/a").status_code == 200


def test_it_is_no_page_without_the_renderer(tmp_path: Path) -> None:
    write_files(tmp_path / "pages", {"README.md": "# Notes", "a.html": ""})
    app = Flask("no_markdown", root_path=str(tmp_path))
    FilePages(app)

    assert app.test_client().get("/README").status_code == 404


def test_an_edit_is_seen(client_of: MakeClient, tmp_path: Path) -> None:
    client = client_of({"pages/a.md": "one"})
    before = client.get("/a").text
    (tmp_path / "pages" / "a.md").write_text("two")

    assert ("one" in before, "two" in client.get("/a").text) == (True, True)


def test_a_byte_order_mark_is_not_part_of_the_text(client_of: MakeClient) -> None:
    text = "\ufeff---\nlayout: doc.html\ntitle: T\n---\n# A\n"
    files = {"pages/a.md": text, "templates/doc.html": "{{ frontmatter.title }}"}

    assert client_of(files).get("/a").text == "T"


def test_front_matter_is_read_by_the_fast_loader() -> None:
    assert markdown._YamlLoader is yaml.CSafeLoader
