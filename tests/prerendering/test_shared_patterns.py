"""Several prerendered routes of one pattern, and ``prerender = "auto"``."""

from __future__ import annotations

import json
import typing as t

import pytest
from flask import Flask

from flask_filepages import BuildError
from flask_filepages import TreeError
from flask_filepages.building.build import Build
from flask_filepages.building.build import Options

from ..conftest import MakePages
from ..conftest import built

SHOW = """\
import json
from flask import Response


def GET(context):
    told = [context.route_id, len(context.props), context.is_prerendered]
    return Response(json.dumps(told))
"""


def told(response: t.Any) -> t.Any:
    return json.loads(response.text)


def listing(entries: str, *, prerender: str = "True") -> str:
    return (
        "from flask_filepages import StaticPath, paginate\n"
        f"prerender = {prerender}\n\n\n"
        f"def get_static_paths():\n    return {entries}\n\n\n{SHOW}"
    )


def slugs(name: str, *values: str, prerender: str = "True") -> str:
    entries = ", ".join(f"StaticPath({{{name!r}: {v!r}}}, {{'x': 1}})" for v in values)
    return listing(f"[{entries}]", prerender=prerender)


BLOG = {
    "posts/[...page].py": listing("paginate(range(3), 2)"),
    "posts/[...slug].py": slugs("slug", "first", "2024/second"),
}
BY_KIND = {
    "[category]/[...page].py": listing("paginate(range(3), 2, {'category': 'news'})"),
    "[tag]/[...page].py": listing("paginate(range(3), 2, {'tag': 'flask'})"),
}


def live(app: Flask) -> Flask:
    return app


@pytest.mark.parametrize("run", [live, built])
@pytest.mark.parametrize(
    ("files", "path", "route_id"),
    [
        (BLOG, "/posts", "/posts/[...page]"),
        (BLOG, "/posts/2", "/posts/[...page]"),
        (BLOG, "/posts/first", "/posts/[...slug]"),
        (BLOG, "/posts/2024/second", "/posts/[...slug]"),
        (BY_KIND, "/news", "/[category]/[...page]"),
        (BY_KIND, "/news/2", "/[category]/[...page]"),
        (BY_KIND, "/flask", "/[tag]/[...page]"),
        (BY_KIND, "/flask/2", "/[tag]/[...page]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_route_serves_the_paths_that_it_lists(
    make_pages: MakePages,
    run: t.Callable[[Flask], Flask],
    files: dict[str, str],
    path: str,
    route_id: str,
) -> None:
    app = run(make_pages(files))

    assert told(app.test_client().get(path))[0] == route_id


@pytest.mark.parametrize("run", [live, built])
@pytest.mark.parametrize("path", ["/posts/3", "/posts/none", "/posts/2/2"])
def test_a_path_that_no_route_lists_is_not_found(
    make_pages: MakePages, run: t.Callable[[Flask], Flask], path: str
) -> None:
    assert run(make_pages(BLOG)).test_client().get(path).status_code == 404


@pytest.mark.parametrize("last", ["True", "'auto'", "False"])
def test_one_route_of_the_pattern_may_take_all_other_paths(
    make_pages: MakePages, last: str
) -> None:
    # Its name sorts before the others, but it comes last.
    files = {**BLOG, "posts/[...any].py": slugs("any", "x", prerender=last)}
    client = built(make_pages(files)).test_client()

    assert told(client.get("/posts/first"))[0] == "/posts/[...slug]"
    assert told(client.get("/posts/x"))[0] == "/posts/[...any]"
    expected = 404 if last == "True" else 200
    assert client.get("/posts/none").status_code == expected


@pytest.mark.parametrize("second", ["'auto'", "False"])
def test_two_routes_cannot_both_take_all_other_paths(
    make_pages: MakePages, second: str
) -> None:
    files = {
        "a/[x].py": slugs("x", "1", prerender="'auto'"),
        "a/[y].py": slugs("y", "1", prerender=second),
    }
    with pytest.raises(TreeError, match=r"a/\[x\].py: conflicts with a/\[y\].py"):
        make_pages(files)


def test_a_path_that_two_routes_list_is_an_error_that_names_both(
    make_pages: MakePages,
) -> None:
    files = {**BLOG, "posts/[...other].py": slugs("other", "first")}
    with pytest.raises(BuildError) as caught:
        list(Build(make_pages(files), Options()))

    (fault,) = caught.value.faults
    assert {fault.file, *fault.problem.split()} >= {
        "posts/[...slug].py",
        "posts/[...other].py",
        "/posts/first",
    }


# -- auto ---------------------------------------------------------------------------

POST = "\n\ndef POST(context):\n    return context.json('POST')\n"
AUTO = {
    "[x].py": slugs("x", "a", prerender='"auto"') + POST,
    "form.py": f'prerender = "auto"\n\n\n{SHOW}{POST}',
}
SHOWN = {"/a": [True, 1], "/b": [False, 0], "/form": [True, 0]}


@pytest.mark.parametrize("run", [live, built])
@pytest.mark.parametrize("path", SHOWN)
def test_what_is_not_listed_runs_on_request(
    make_pages: MakePages, run: t.Callable[[Flask], Flask], path: str
) -> None:
    response = run(make_pages(AUTO)).test_client().get(path)
    is_prerendered, props = SHOWN[path]

    assert told(response)[1:] == [props, is_prerendered]
    assert ("Cache-Control" in response.headers) is is_prerendered


@pytest.mark.parametrize("run", [live, built])
@pytest.mark.parametrize("path", SHOWN)
def test_other_methods_run_on_request(
    make_pages: MakePages, run: t.Callable[[Flask], Flask], path: str
) -> None:
    assert run(make_pages(AUTO)).test_client().post(path).json == "POST"


@pytest.mark.parametrize(("path", "is_stored"), [("/a", True), ("/b", False)])
def test_listed_paths_are_stored(
    make_pages: MakePages, path: str, is_stored: bool
) -> None:
    response = built(make_pages(AUTO)).test_client().get(path)

    assert ("ETag" in response.headers) is is_stored


def test_a_handler_for_every_method_may_be_stored(make_pages: MakePages) -> None:
    files = {"any.py": 'prerender = "auto"\n' + SHOW.replace("GET", "ALL")}
    client = built(make_pages(files)).test_client()

    assert told(client.get("/any"))[2] is True
    assert told(client.delete("/any"))[2] is False


def test_auto_is_an_error_where_the_output_is_static(make_pages: MakePages) -> None:
    with pytest.raises(TreeError, match=r"it says prerender = 'auto'") as caught:
        make_pages(AUTO, FILEPAGES_OUTPUT="static")

    assert caught.value.faults[0].line == 2


def test_another_text_is_an_error(make_pages: MakePages) -> None:
    with pytest.raises(TreeError, match='not a literal True, False or "auto"'):
        make_pages({"a.py": f'prerender = "Auto"\n{SHOW}'})
