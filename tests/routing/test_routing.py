"""Routes in an app: which file answers, which URL is built."""

from __future__ import annotations

import typing as t
import uuid

import pytest
from flask import Flask
from flask import url_for
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from werkzeug.routing import BaseConverter
from werkzeug.routing import BuildError

from flask_filepages import FilePages
from flask_filepages import ParamError
from flask_filepages import TreeError
from flask_filepages.pytest_plugin import write_files
from flask_filepages.routing.rules import FileRule

from ..conftest import ECHO
from ..conftest import MakePages

ClientOf = t.Callable[..., FlaskClient]


def answer(client: FlaskClient, url: str) -> tuple[str, dict[str, t.Any]] | int:
    response = client.get(url)
    if response.status_code != 200:
        return response.status_code
    data = response.get_json()
    return data["id"], data["params"]


TREE = dict.fromkeys(
    [
        "index.py",
        "users/[id=int].py",
        "users/[key=uuid].py",
        "users/[name].py",
        "users/me.py",
        "docs/[...path].py",
        "files/[...path].json.py",
        "opt/[...slug]/edit.py",
        "[[lang]]/about.py",
        "(shop)/prices.py",
        "mixed/[a]-[b].py",
        "mixed/v-[n].py",
        "same/[a]/[a].py",
        "feed.xml.py",
        "ünï.py",
        "[class]/[$x]/[1].py",
    ],
    ECHO,
)
KEY = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/", ("/", {})),
        ("/users/me", ("/users/me", {})),
        ("/users/12", ("/users/[id=int]", {"id": 12})),
        ("/users/012", ("/users/[name]", {"name": "012"})),
        ("/users/%D9%A1", ("/users/[name]", {"name": "\u0661"})),
        (f"/users/{KEY}", ("/users/[key=uuid]", {"key": str(KEY)})),
        ("/users/ann/", ("/users/[name]", {"name": "ann"})),
        ("/docs", ("/docs/[...path]", {"path": None})),
        ("/docs/", ("/docs/[...path]", {"path": None})),
        ("/docs/a/b/", ("/docs/[...path]", {"path": "a/b"})),
        ("/docs/a%2Fb", ("/docs/[...path]", {"path": "a/b"})),
        ("/files/a/b.json", ("/files/[...path].json", {"path": "a/b"})),
        ("/files/.json", ("/files/[...path].json", {"path": None})),
        ("/opt/edit", ("/opt/[...slug]/edit", {"slug": None})),
        ("/opt/a/b/edit", ("/opt/[...slug]/edit", {"slug": "a/b"})),
        ("/about", ("/[[lang]]/about", {"lang": None})),
        ("/en/about", ("/[[lang]]/about", {"lang": "en"})),
        ("/prices", ("/prices", {})),
        ("/mixed/a-b-c", ("/mixed/[a]-[b]", {"a": "a", "b": "b-c"})),
        ("/mixed/v-1", ("/mixed/v-[n]", {"n": "1"})),
        ("/same/1/2", ("/same/[a]/[a]", {"a": "2"})),
        ("/same/../2", 404),
        ("/feed.xml", ("/feed.xml", {})),
        ("/feed.xml/", 404),
        ("/%C3%BCn%C3%AF", ("/ünï", {})),
        ("/a/b/c", ("/[class]/[$x]/[1]", {"class": "a", "$x": "b", "1": "c"})),
        ("/users/..", 404),
        ("/users/%2e%2e", 404),
        ("/users/.", 404),
        ("/users/%00", 404),
        ("/users/%ff", 404),
        ("/docs/../etc", 404),
        ("/docs/a/..", 404),
        ("/docs/%5c%5chost", 404),
        ("/docs/a//b", 308),
        ("/mixed/a-..", 404),
    ],
)
def test_the_file_that_answers(client_of: ClientOf, url: str, expected: t.Any) -> None:
    assert answer(client_of(TREE), url) == expected


def test_custom_matcher_decides_by_its_regex(make_pages: MakePages) -> None:
    class Even(BaseConverter):
        regex = "[0-9]*[02468]"

    def setup(app: Flask) -> None:
        app.url_map.converters["even"] = Even

    client = make_pages({"[n=even].py": ECHO, "[s].py": ECHO}, setup).test_client()

    assert answer(client, "/12") == ("/[n=even]", {"n": "12"})
    assert answer(client, "/13") == ("/[s]", {"s": "13"})
    assert answer(client, "/" + "2" * 300) == ("/[s]", {"s": "2" * 300})


@pytest.mark.parametrize("name", ["path", "default", "any", "nope"])
def test_what_is_no_matcher(make_pages: MakePages, name: str) -> None:
    with pytest.raises(TreeError, match=f"no matcher '{name}'"):
        make_pages({f"[x={name}].py": ECHO})


def test_pages_of_an_app_go_on_beside_its_own_routes(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        app.add_url_rule("/own", view_func=lambda: "own", methods=["GET"])
        app.add_url_rule("/own/<x>", "own_x", lambda x: x, methods=["POST"])
        app.add_url_rule("/branch/", "branch", lambda: "branch")

    app = make_pages({"[...path].py": ECHO.replace("GET", "ALL")}, setup)
    app.add_url_rule("/late", "late", lambda: "late", methods=["GET"])
    client = app.test_client()

    assert client.get("/own").text == "own"
    # Werkzeug goes on to the page where a rule of the app has other methods.
    assert client.post("/own").get_json()["params"] == {"path": "own"}
    assert client.get("/own/1").get_json()["params"] == {"path": "own/1"}
    assert client.post("/own/1").text == "1"
    assert client.delete("/late").status_code == 200
    assert client.get("/branch").status_code == 308
    assert client.post("/branch").status_code == 200
    assert client.get("/static/x.css").status_code == 404
    assert client.post("/else").status_code == 200
    assert client.get("/own/1/2").status_code == 200


def test_a_route_of_the_app_itself_is_a_collision(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        app.add_url_rule("/users/<int:n>", "user", lambda n: n)
        app.add_url_rule("/", "api", lambda: "api", subdomain="api")

    with pytest.raises(
        TreeError,
        match=r"users/\[id=int\]\.py: conflicts with the app's endpoint 'user'",
    ):
        make_pages({"users/[id=int].py": ECHO}, setup)
    # Another converter, or another subdomain, is another pattern.
    make_pages({"users/[name].py": ECHO, "index.py": ECHO}, setup)


def test_a_route_of_another_filepages_is_a_collision(make_pages: MakePages) -> None:
    app = make_pages({"shop/index.py": ECHO})
    write_files(app_root(app) / "shop", {"index.py": ECHO})

    with pytest.raises(TreeError, match="the app's endpoint 'filepages./shop'"):
        FilePages(app, folder="shop", url_prefix="/shop", name="shop")


def test_half_dynamic_routes_of_app_and_pages_are_on_one_scale(
    make_pages: MakePages,
) -> None:
    def setup(app: Flask) -> None:
        app.add_url_rule("/v-<x>", "v", lambda x: f"app {x}")

    client = make_pages({"w-[y].py": ECHO, "[z].py": ECHO}, setup).test_client()

    assert client.get("/v-1").text == "app 1"
    assert answer(client, "/w-1") == ("/w-[y]", {"y": "1"})
    assert answer(client, "/x-1") == ("/[z]", {"z": "x-1"})


def test_a_later_route_of_the_app_is_found_when_loading(make_pages: MakePages) -> None:
    app = make_pages({"a.py": ECHO})
    app.add_url_rule("/a/", "late", lambda: "late")

    with pytest.raises(TreeError, match="the app's endpoint 'late'"):
        app.extensions["filepages"]["filepages"].load()


def test_prefix_and_several_filepages(make_pages: MakePages) -> None:
    app = make_pages({"index.py": ECHO, "blog/[slug].py": ECHO})
    write_files(app_root(app) / "shop", {"index.py": ECHO, "blog/[slug].py": ECHO})
    FilePages(app, folder="shop", url_prefix="/shop", name="shop")
    client = app.test_client()

    assert answer(client, "/") == ("/", {})
    assert answer(client, "/shop") == ("/", {})
    assert answer(client, "/shop/") == ("/", {})
    assert answer(client, "/shop/blog/a") == ("/blog/[slug]", {"slug": "a"})
    assert answer(client, "/shopping") == 404
    with app.test_request_context("/nowhere"):
        assert url_for("filepages:/blog/[slug]", slug="a") == "/blog/a"
        assert url_for("shop:/blog/[slug]", slug="a") == "/shop/blog/a"
        assert url_for("shop:/") == "/shop"
        with pytest.raises(BuildError) as error:
            url_for("/blog/[slug]", slug="a")
    assert "url_for('shop:/blog/[slug]')" in error.value.__notes__[0]
    with app.test_request_context("/shop"):
        assert url_for("/blog/[slug]", slug="a") == "/shop/blog/a"


def app_root(app: Flask) -> t.Any:
    from pathlib import Path

    return Path(app.root_path)


@pytest.mark.parametrize(
    ("route_id", "values", "url"),
    [
        ("/", {}, "/"),
        ("/", {"page": 2}, "/?page=2"),
        ("/users/[id=int]", {"id": 7}, "/users/7"),
        ("/users/[name]", {"name": "a b/é"[:3]}, "/users/a%20b"),
        ("/docs/[...path]", {}, "/docs"),
        ("/docs/[...path]", {"path": None}, "/docs"),
        ("/docs/[...path]", {"path": ""}, "/docs"),
        ("/docs/[...path]", {"path": "a/b c"}, "/docs/a/b%20c"),
        ("/[[lang]]/about", {}, "/about"),
        ("/[[lang]]/about", {"lang": "en", "x": 1}, "/en/about?x=1"),
        ("/files/[...path].json", {"path": "a/b"}, "/files/a/b.json"),
        ("/opt/[...slug]/edit", {"slug": None}, "/opt/edit"),
        ("/feed.xml", {"_anchor": "x"}, "/feed.xml#x"),
        ("/feed.xml", {"_external": True}, "http://localhost/feed.xml"),
        ("/ünï", {}, "/%C3%BCn%C3%AF"),
        ("filepages./feed·xml", {}, "/feed.xml"),
    ],
)
def test_url_for(
    make_pages: MakePages, route_id: str, values: dict[str, t.Any], url: str
) -> None:
    app = make_pages(TREE)
    with app.test_request_context():
        assert url_for(route_id, **values) == url
        assert app.jinja_env.from_string(
            "{{ url_for(id, **values) }}", {"id": route_id, "values": values}
        ).render() == url.replace("&", "&amp;")


@pytest.mark.parametrize(
    ("route_id", "values"),
    [
        ("/users/[name]", {"name": "a/b"}),
        ("/users/[name]", {"name": ""}),
        ("/users/[name]", {"name": ".."}),
        ("/users/[name]", {"name": "\0"}),
        ("/users/[id=int]", {"id": "x"}),
        ("/users/[id=int]", {"id": -1}),
        ("/docs/[...path]", {"path": "a//b"}),
        ("/docs/[...path]", {"path": "/a"}),
        ("/docs/[...path]", {"path": "../a"}),
        ("/docs/[...path]", {"path": "a\\b"}),
    ],
)
def test_values_that_no_request_could_bring_back(
    make_pages: MakePages, route_id: str, values: dict[str, t.Any]
) -> None:
    with make_pages(TREE).test_request_context(), pytest.raises(ParamError) as error:
        url_for(route_id, **values)

    assert route_id in str(error.value)


@pytest.mark.parametrize("value", ["X Y", "a/b", "..", ""])
def test_values_that_a_matcher_of_the_app_does_not_match(
    make_pages: MakePages, value: str
) -> None:
    class Slug(BaseConverter):
        regex = "[a-z-]+"

    def setup(app: Flask) -> None:
        app.url_map.converters["slug"] = Slug

    app = make_pages({"[tag=slug].py": ECHO}, setup)
    with app.test_request_context():
        assert url_for("/[tag=slug]", tag="a-b") == "/a-b"
        with pytest.raises(ParamError, match="'slug' does not match"):
            url_for("/[tag=slug]", tag=value)


@pytest.mark.parametrize(
    ("route_id", "hint"),
    [("/user/[name]", "'/users/[name]'"), ("/users/[name]", None), ("nope", None)],
)
def test_unknown_routes_are_build_errors(
    make_pages: MakePages, route_id: str, hint: str | None
) -> None:
    with make_pages(TREE).test_request_context(), pytest.raises(BuildError) as error:
        url_for(route_id)

    assert hint is None or hint in error.value.__notes__[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.text(min_size=1, max_size=8),
    path=st.lists(st.text(min_size=1, max_size=4), max_size=3),
)
def test_what_is_built_comes_back(
    make_pages: MakePages, name: str, path: list[str]
) -> None:
    app = make_pages({"u/[name].py": ECHO, "d/[...path].py": ECHO})
    client = app.test_client()
    rest = "/".join(path) or None
    with app.test_request_context():
        try:
            first = url_for("/u/[name]", name=name)
            second = url_for("/d/[...path]", path=rest)
        except (ParamError, UnicodeEncodeError):
            return

    assert answer(client, first) == ("/u/[name]", {"name": name})
    assert answer(client, second) == ("/d/[...path]", {"path": rest})


# -- trailing slashes -----------------------------------------------------------------

SLASHES = {
    "index.py": ECHO,
    "a.py": ECHO + "\n\nPOST = GET\n",
    "d/[id].py": ECHO,
    "r/[...p].py": ECHO,
    "feed.xml.py": ECHO,
    "[[any]]/x.py": ECHO,
}


@pytest.mark.parametrize(
    ("policy", "method", "url", "expected"),
    [
        ("always", "GET", "/", 200),
        ("always", "GET", "/a/", 200),
        ("always", "GET", "/a?x=1", (301, "/a/?x=1")),
        ("always", "POST", "/a", (308, "/a/")),
        ("always", "GET", "/d/1", (301, "/d/1/")),
        ("always", "GET", "/d/a.b", 404),
        ("always", "GET", "/d/a.b/", 200),
        ("always", "GET", "/r", (301, "/r/")),
        ("always", "GET", "/r/x/y", (301, "/r/x/y/")),
        ("always", "GET", "/_y/x", 404),
        ("always", "GET", "/y/x", (301, "/y/x/")),
        ("always", "GET", "/feed.xml", 200),
        ("always", "GET", "/feed.xml/", 404),
        ("never", "GET", "/", 200),
        ("never", "GET", "/a", 200),
        ("never", "GET", "/a/", (301, "/a")),
        ("never", "HEAD", "/a/", (308, "/a")),
        ("never", "GET", "/r/", (301, "/r")),
        ("never", "GET", "/feed.xml/", (301, "/feed.xml")),
        ("never", "GET", "/%64/%31/", (301, "/d/1")),
        ("ignore", "GET", "/a/", 200),
        ("ignore", "GET", "/d/1/", 200),
    ],
)
def test_trailing_slash(
    client_of: ClientOf, policy: str, method: str, url: str, expected: t.Any
) -> None:
    client = client_of(SLASHES, FILEPAGES_TRAILING_SLASH=policy)
    response = client.open(url, method=method)
    location = response.headers.get("Location")

    assert (response.status_code, location) == (
        expected if isinstance(expected, tuple) else (expected, None)
    )


def test_slash_redirects_keep_the_script_root_and_no_host(client_of: ClientOf) -> None:
    client = client_of(SLASHES, FILEPAGES_TRAILING_SLASH="never")

    assert location(client, "/a/", SCRIPT_NAME="/root") == "/root/a"
    assert location(client, "/a/", SCRIPT_NAME="//evil.example") == "/evil.example/a"


def location(client: FlaskClient, url: str, **environ: str) -> str:
    return client.get(url, environ_overrides=environ).headers["Location"]


def test_canonical_urls_are_built(make_pages: MakePages) -> None:
    app = make_pages(SLASHES, FILEPAGES_TRAILING_SLASH="always")
    with app.test_request_context():
        built = [
            url_for("/"),
            url_for("/a"),
            url_for("/feed.xml"),
            url_for("/r/[...p]"),
        ]

    assert built == ["/", "/a/", "/feed.xml", "/r/"]


# -- the redirects setting ------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("GET", "/old/a%20b", (301, "/new/a%20b")),
        ("POST", "/old/a", (308, "/new/a")),
        ("GET", "/old/a?x=1", (301, "/new/a?x=1")),
        ("GET", "/moved", (302, "https://example.com/?y=2")),
        ("GET", "/moved?x=1", (302, "https://example.com/?y=2")),
        ("GET", "/hash?x=1", (301, "/t?x=1#frag")),
        ("GET", "/rest/x/y", (301, "/to/x/y")),
        ("GET", "/rest", (301, "/to")),
        ("GET", "/open//evil.example", (308, "http://localhost/open/evil.example")),
        ("GET", "/open/%2fevil.example", (308, "http://localhost/open/evil.example")),
        ("GET", "/open/evil.example", (301, "/evil.example")),
    ],
)
def test_redirects(
    client_of: ClientOf, method: str, url: str, expected: tuple[int, str]
) -> None:
    client = client_of(
        {"index.py": ECHO, "rest/[...old].py": ECHO},
        FILEPAGES_REDIRECTS={
            "/old/[slug]": "/new/[slug]",
            "/moved": ("https://example.com/?y=2", 302),
            "/hash": "/t#frag",
            "/rest/[...s]": "/to/[...s]",
            "/open/[...s]": "/[...s]",
        },
    )
    response = client.open(url, method=method)

    assert (response.status_code, response.headers["Location"]) == expected


# -- Werkzeug -------------------------------------------------------------------------


def test_listing_shows_the_real_methods_and_matching_takes_all(
    make_pages: MakePages,
) -> None:
    app = make_pages({"a.py": ECHO, "b.py": ECHO.replace("GET", "ALL"), "c.html": ""})
    methods = {
        rule.rule: rule.methods
        for rule in app.url_map.iter_rules()
        if "static" not in rule.rule
    }

    assert set(methods["/a"] or ()) == {"GET", "HEAD", "OPTIONS"}
    assert set(methods["/c"] or ()) == {"GET", "HEAD", "OPTIONS"}
    assert len(methods["/b"] or ()) == 8
    assert "PURGE" in (methods["/a"] or ())
    assert repr(methods["/a"]) == "{every method}"


def test_listing_the_methods_of_redirects_and_broken_files(
    make_pages: MakePages,
) -> None:
    app = make_pages({"broken.py": "1 / 0"}, FILEPAGES_REDIRECTS={"/old": "/new"})
    rules = {rule.rule: rule for rule in app.url_map.iter_rules()}

    assert set(rules["/old"].methods or ()) == {"GET", "HEAD"}
    assert set(rules["/broken"].methods or ()) == set()
    assert bool(rules["/broken"].methods)
    assert rules["/old"].methods != rules["/broken"].methods
    assert (rules["/old"].methods or set()) & {"GET"} == {"GET"}


def test_rules_can_be_copied_to_another_map(make_pages: MakePages) -> None:
    from werkzeug.routing import Map

    app = make_pages({"a/[b].py": ECHO})
    (rule,) = (r for r in app.url_map.iter_rules() if isinstance(r, FileRule))
    adapter = Map([rule.empty()]).bind("localhost")

    assert adapter.match("/a/x") == ("filepages./a/[b]", {"b": "x"})


def test_subdomains_and_hosts_are_left_to_flask(make_pages: MakePages) -> None:
    def setup(app: Flask) -> None:
        app.url_map.default_subdomain = "www"
        app.subdomain_matching = True
        app.config["SERVER_NAME"] = "example.com"

    client = make_pages({"a.py": ECHO}, setup).test_client()

    assert client.get("/a", base_url="http://www.example.com").status_code == 200
    assert client.get("/a", base_url="http://example.com").status_code == 404
