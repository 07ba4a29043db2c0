"""``get_static_paths``: what may be listed, and how it travels."""

from __future__ import annotations

import json
import math
import re
import typing as t
from pathlib import Path

import pytest
from flask import Flask
from flask import g
from flask import has_app_context
from flask import has_request_context
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from werkzeug.routing import BaseConverter

from flask_filepages import BuildError
from flask_filepages import LoadError
from flask_filepages import Page
from flask_filepages import StaticPath
from flask_filepages import paginate
from flask_filepages.building.plan import plan_faults
from flask_filepages.prerendering.get_static_paths import decode
from flask_filepages.prerendering.get_static_paths import encode
from flask_filepages.site import sites_of

from ..conftest import ECHO
from ..conftest import MakePages
from ..conftest import built

HEAD = "from flask_filepages import StaticPath, paginate\nprerender = True\n"


def tree(listing: str, file: str = "blog/[slug].py") -> dict[str, str]:
    return {file: f"{HEAD}def get_static_paths():\n    {listing}\n\n{ECHO}"}


@pytest.mark.parametrize(
    ("listing", "problem"),
    [
        ("return None", "returned nothing (None), not a list"),
        ("return {'slug': 'a'}", "returned dict, not a list"),
        ("return 'a'", "returned str, not a list"),
        ("return [None]", "entry 0 of get_static_paths is NoneType"),
        ("return [{'slug': 'a'}]", "entry 0 of get_static_paths is dict"),
        (
            "return [StaticPath(None)]",
            "the params of entry 0 of get_static_paths are not a dict: None",
        ),
        ("return [StaticPath({'slug': 'a'}, props=[1])]", "are not a dict"),
        ("return [StaticPath({})]", "has no param [slug]; it has {}"),
        ("return [StaticPath({'slug': None})]", "has no param [slug]"),
        ("return [StaticPath({'Slug': 'a'})]", "Did you mean 'slug', not 'Slug'?"),
        ("return [StaticPath({'slug': 1})]", "[slug] is int (1), not str"),
        ("return [StaticPath({'slug': True})]", "[slug] is bool"),
        ("return paginate([1])", "needs a param [page]"),
        ("raise KeyError('x')", "get_static_paths raised KeyError: 'x'"),
        ("yield StaticPath({'slug': 'a'}); 1 / 0", "ZeroDivisionError"),
    ],
)
def test_what_is_no_list_of_paths(
    make_pages: MakePages, listing: str, problem: str
) -> None:
    app = make_pages(tree(listing))
    state = sites_of(app)["filepages"]
    state.load()
    (stored,) = state.prerendered.values()
    with pytest.raises(BuildError) as error:
        list(stored.paths())

    assert problem in str(error.value)
    assert error.value.faults[0].file == "blog/[slug].py"
    assert error.value.faults[0].line is not None


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"[a].py": f"prerender = True\n{ECHO}"},
            "a prerendered route with params needs get_static_paths",
        ),
        (
            {"[a].py": f"prerender = True\n{ECHO}\ndef getStaticPaths(): ...\n"},
            "Did you mean `get_static_paths`, not `getStaticPaths`?",
        ),
        ({"[a].html": ""}, "Write `def get_static_paths()` in [a].py"),
        (
            {"[a].py": f"prerender = True\nget_static_paths = []\n{ECHO}"},
            "get_static_paths is list, not a function",
        ),
        (
            {"a.py": f"{ECHO}\nPOST = DELETE = GET\n"},
            "a prerendered route cannot handle POST, DELETE",
        ),
        ({"a.py": "def ALL(context): ...\n"}, "a prerendered route cannot handle ALL"),
        (
            {"a.py": "def HEAD(context): ...\n"},
            "a prerendered route needs a GET handler",
        ),
    ],
)
def test_what_cannot_be_stored_is_said_at_the_start(
    make_pages: MakePages, files: dict[str, str], problem: str
) -> None:
    app = make_pages(files, FILEPAGES_OUTPUT="hybrid")
    with pytest.raises(LoadError) as error:
        sites_of(app)["filepages"].load()

    assert problem in str(error.value)


def test_a_list_that_is_not_used_is_a_warning(make_pages: MakePages) -> None:
    app = make_pages({"[a].py": f"get_static_paths = list\n{ECHO}"})
    state = sites_of(app)["filepages"]
    state.load()

    assert [w.problem for w in state.warnings] == [
        "its get_static_paths is not used: the route is not prerendered"
    ]


def test_a_generator_without_end_ends(
    make_pages: MakePages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_filepages.prerendering.get_static_paths.MOST_PATHS", 50)
    endless = (
        "import itertools\n"
        "    return (StaticPath({'slug': str(n)}) for n in itertools.count())"
    )
    state = sites_of(make_pages(tree(endless)))["filepages"]
    state.load()
    with pytest.raises(BuildError, match="lists more than 50 paths"):
        list(next(iter(state.prerendered.values())).paths())


@pytest.mark.parametrize(
    ("count", "size", "pages"),
    [
        (0, 2, [(0, -1, 1, 1)]),
        (5, 2, [(0, 1, 1, 3), (2, 3, 2, 3), (4, 4, 3, 3)]),
        (4, 2, [(0, 1, 1, 2), (2, 3, 2, 2)]),
        (3, math.inf, [(0, 2, 1, 1)]),
    ],
)
def test_pages_of_a_list(
    count: int, size: float, pages: list[tuple[int, int, int, int]]
) -> None:
    made = [t.cast(Page, p.props["page"]) for p in paginate(range(count), size)]

    assert [(p.start, p.end, p.current, p.last) for p in made] == pages
    assert [item for page in made for item in page.data] == list(range(count))


def test_a_page_takes_at_least_one_item() -> None:
    with pytest.raises(ValueError, match="must be 1 or more"):
        paginate([1], 0)


@pytest.mark.parametrize(
    ("file", "slash", "urls"),
    [
        ("[page].py", "ignore", ["/tag/x/1", "/tag/x/2", "/tag/x/3"]),
        ("[...page].py", "ignore", ["/tag/x", "/tag/x/2", "/tag/x/3"]),
        ("[...page].py", "always", ["/tag/x/", "/tag/x/2/", "/tag/x/3/"]),
        (
            "[page].json.py",
            "always",
            ["/tag/x/1.json", "/tag/x/2.json", "/tag/x/3.json"],
        ),
    ],
)
def test_urls_of_pages(
    make_pages: MakePages, file: str, slash: str, urls: list[str]
) -> None:
    listing = "return paginate(range(5), 2, params={'tag': 'x'})"
    app = make_pages(tree(listing, f"tag/[tag]/{file}"), FILEPAGES_TRAILING_SLASH=slash)
    state = sites_of(app)["filepages"]
    state.load()
    found = [
        path.props["page"].urls
        for path in next(iter(state.prerendered.values())).paths()
    ]

    assert [url.current for url in found] == urls
    assert [url.prev for url in found] == [None, urls[0], urls[1]]
    assert [url.next for url in found] == [urls[1], urls[2], None]
    assert [url.first for url in found] == [None, urls[0], urls[0]]
    assert [url.last for url in found] == [urls[2], urls[2], None]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    st.dictionaries(st.text(), st.text() | st.none()),
    st.dictionaries(st.text(), VALUES),
)
def test_json_props_travel(params: dict[str, t.Any], props: dict[str, t.Any]) -> None:
    path = StaticPath(params, props, "v1")
    text = encode(path)
    if text is None:
        assert "inf" in repr(props) or "$page" in props
    else:
        assert decode(text) == path
        assert text == encode(decode(text))
        json.loads(text)


@pytest.mark.parametrize(
    "value",
    [(1, 2), {1: "a"}, {"a"}, Markup("<b>"), b"x", math.nan, [math.inf], object],
    ids=repr,
)
def test_other_props_do_not_travel(value: t.Any) -> None:
    assert encode(StaticPath({"a": "b"}, {"x": value})) is None


def test_pages_travel() -> None:
    for path in paginate(["a", "b"], 1, props={"more": [1]}):
        assert decode(t.cast(str, encode(path))) == path


def test_a_page_of_other_items_does_not_travel() -> None:
    assert encode(paginate([object()])[0]) is None


# -- values of matchers, and wrong entries ----------------------------------------------


@pytest.mark.parametrize(
    ("file", "listing", "expected"),
    [
        ("p/[id=int].json.py", "return [StaticPath({'id': '5'})]", ["/p/5.json"]),
        ("p/[id=int].json.py", "return [StaticPath({'id': 5})]", ["/p/5.json"]),
        ("p/[page=int].json.py", "return paginate([1, 2], 1)", ["/p/1.json", "/p/2.json"]),
        (
            "p/[id=uuid].json.py",
            "return [StaticPath({'id': '12345678-1234-5678-1234-567812345678'})]",
            ["/p/12345678-1234-5678-1234-567812345678.json"],
        ),
    ],
    ids=["text", "int", "paginate", "uuid"],
)  # fmt: skip
def test_values_of_matchers_may_be_given_as_text(
    make_pages: MakePages, file: str, listing: str, expected: list[str]
) -> None:
    app = make_pages(tree(listing, file))
    built(app, out=app.instance_path)

    found = sorted(Path(app.instance_path, "current/site").rglob("*.json"))
    names = [
        f"/{path.relative_to(Path(app.instance_path, 'current/site'))}"
        for path in found
    ]
    assert names == expected


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("{'slug': 'a', 'x': 'y'}", "entry 1 of get_static_paths has 'x'"),
        ("{'slug': 'a', 'slugs': 'y'}", "Did you mean 'slug'?"),
        ("{'slug': 'a/b'}", "'a/b'"),
        ("{'slug': '..'}", "'..'"),
    ],
)
def test_a_wrong_entry_takes_no_other_path_down(
    make_pages: MakePages,
    caplog: pytest.LogCaptureFixture,
    entry: str,
    problem: str,
) -> None:
    files = tree(f"return [StaticPath({{'slug': 'ok'}}), StaticPath({entry})]")
    app = make_pages(files)
    app.testing = False
    client = app.test_client()

    assert client.get("/blog/ok").status_code == 200
    assert client.get("/blog/other").status_code == 404
    assert problem in caplog.text
    site = sites_of(app)["filepages"]
    faults = plan_faults(site.prerendered.values())
    assert faults[0].file == "blog/[slug].py"
    with pytest.raises(BuildError, match=re.escape(problem)):
        built(app, out=app.instance_path)


def test_all_wrong_entries_are_reported_at_once(make_pages: MakePages) -> None:
    app = make_pages(tree("return [StaticPath({'slug': n}) for n in (1, 2)]"))

    with pytest.raises(BuildError) as caught:
        built(app, out=app.instance_path)
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize("kind", ["text", "5.5", "-1"])
def test_text_that_no_matcher_takes_is_an_error(
    make_pages: MakePages, kind: str
) -> None:
    app = make_pages(tree(f"return [StaticPath({{'id': {kind!r}}})]", "[id=int].py"))

    with pytest.raises(BuildError, match=r"is not a value of\s+\[id=int\]"):
        built(app, out=app.instance_path)


def test_a_listing_that_is_left_leaves_no_context(make_pages: MakePages) -> None:
    app = make_pages(tree("yield StaticPath({'slug': 'a'}); yield StaticPath({})"))
    route = next(iter(sites_of(app)["filepages"].prerendered.values()))
    route.prepare()
    paths = route.paths()
    next(paths)

    assert not has_app_context()
    with app.test_request_context():
        next(route.paths())
        assert has_request_context()


def test_a_param_that_a_preprocessor_takes_out_may_be_listed(
    make_pages: MakePages,
) -> None:
    app = make_pages(
        tree(
            "return [StaticPath({'lang': 'en', 'slug': 'a'})]", "[lang]/[slug].json.py"
        )
    )

    @app.url_value_preprocessor
    def take(endpoint: str | None, values: dict[str, t.Any] | None) -> None:
        g.lang = (values or {}).pop("lang", None)

    built(app, out=app.instance_path)

    assert Path(app.instance_path, "current/site/en/a.json").is_file()


def test_props_of_a_path_without_its_param(make_pages: MakePages) -> None:
    listing = "return [StaticPath({'lang': 'en'}, {'title': 'Hi'})]"
    code = tree(listing, "[lang]/a.py")["[lang]/a.py"]
    show = "def GET(context):\n    return context.json(context.props['title'])\n"
    app = make_pages({"[lang]/a.py": code + f"\n\n{show}"})

    @app.url_value_preprocessor
    def take(endpoint: str | None, values: dict[str, t.Any] | None) -> None:
        (values or {}).pop("lang", None)

    assert app.test_client().get("/en/a").json == "Hi"


class ListConverter(BaseConverter):
    def to_python(self, value: str) -> list[str]:
        return value.split("+")

    def to_url(self, value: t.Any) -> str:
        return "+".join(value)


class HexConverter(BaseConverter):
    regex = "[0-9a-f]+"

    def to_python(self, value: str) -> int:
        return int(value, 16)

    def to_url(self, value: t.Any) -> str:
        return format(value, "x")


@pytest.mark.parametrize(
    ("matcher", "value", "file"),
    [
        ("list", "'a+b'", "a+b.json"),
        ("list", "['a', 'b']", "a+b.json"),
        ("hex", "'1f'", "1f.json"),
        ("hex", "31", "1f.json"),
    ],
)
def test_values_of_own_matchers(
    make_pages: MakePages, matcher: str, value: str, file: str
) -> None:
    def setup(app: Flask) -> None:
        app.url_map.converters.update(list=ListConverter, hex=HexConverter)

    listing = f"return [StaticPath({{'x': {value}}})]"
    app = make_pages(tree(listing, f"[x={matcher}].json.py"), setup)
    built(app, out=app.instance_path)

    assert Path(app.instance_path, "current/site", file).is_file()


def test_paginate_without_its_param_is_reported_once(make_pages: MakePages) -> None:
    code = (
        "from flask_filepages import paginate\nprerender = True\n\n\n"
        "def get_static_paths():\n    return paginate(range(30), 10)\n\n\n"
        "def GET(context):\n    return context.json(1)\n"
    )
    with pytest.raises(BuildError) as caught:
        built(make_pages({"[...p].json.py": code}))

    assert len(caught.value.faults) == 1
