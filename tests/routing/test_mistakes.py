"""Names that look like mistakes."""

from __future__ import annotations

import pytest

from flask_filepages.routing.mistakes import ignored_file
from flask_filepages.routing.mistakes import odd_name

SUFFIXES = (".py", ".html")


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("rules.md", 'renderers={".md": render_markdown}'),
        ("a.htm", "Name it a.html."),
        ("a.jinja2", "Name it a.html."),
        ("a.html.j2", "Name it a.html."),
        ("robots.txt", "Write robots.txt.py"),
        ("blog/A.HTML", "Name it blog/A.html"),
        ("a.Py", "Name it a.py"),
        ("x.ts", "as x.py"),
        ("x.astro", "as x.py"),
        ("style.css", "static folder"),
        ("img/logo.PNG", "static folder"),
    ],
)
def test_files_that_seem_meant_to_be_routes(name: str, fix: str) -> None:
    fault = ignored_file(name, SUFFIXES)

    assert fault is not None
    assert fix in fault.fix


@pytest.mark.parametrize("name", ["posts.json", "data.yaml", "notes.txt", "LICENSE"])
def test_data_beside_the_code_is_no_mistake(name: str) -> None:
    assert ignored_file(name, SUFFIXES) is None


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("{id}.py", "Name it [id].py."),
        ("users/:id.py", "Name it users/[id].py."),
        (":id/edit.html", "Name it [id]/edit.html."),
        ("$id.py", "Name it [id].py."),
        ("<int:id>.py", "Name it [id].py."),
        ("Index.html", "Name it index.html."),
        ("blog/INDEX.py", "Name it blog/index.py."),
        ("403.html", "@app.errorhandler(403)"),
        ("m/{{id}}.html", "Name it m/[id].html."),
        ("{rest:path}.py", "Name it [...rest].py."),
        ("docs/{...rest}.html", "Name it docs/[...rest].html."),
        ("+page.html", "Name it index.html."),
        ("api/+server.py", "Name it api/index.py."),
        ("blog/404.html", "directly in the pages folder, as 404.html"),
    ],
)
def test_routes_that_are_literal_by_accident(name: str, fix: str) -> None:
    fault = odd_name(name)

    assert fault is not None
    assert fix in fault.fix


@pytest.mark.parametrize(
    "name", ["index.html", "[id].py", "404.html", "blog/403.html", "a:b.py", "us$.py"]
)
def test_other_names_are_no_mistakes(name: str) -> None:
    assert odd_name(name) is None
