"""The simulated hosts follow the rules that the real ones document."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ..conftest import ROOT
from ..conftest import free_port
from ..conftest import server
from .static_hosts import HOSTS
from .static_hosts import Server

Files = t.Mapping[str, str]

PAGES = {
    "index.html": "home",
    "file.html": "file",
    "folder/index.html": "index of folder",
    "both.html": "both",
    "both/index.html": "index of both",
    "data": "no suffix",
    "data.json": "{}",
    "style.css": "css",
    "style.css.gz": "gz",
    "50%.txt": "percent",
    "é x.html": "accent",
    "404.html": "nothing",
    "blog/404.html": "no post",
    "blog/post.html": "post",
}
#: slorber/trailing-slash-guide measured these; a path is where it redirects to.
SLASHES = {
    "/": ("home", "home", "home"),
    "/file": ("file", "file", "file"),
    "/file/": ("301 /file", "308 /file", "404 nothing"),
    "/file.html": ("file", "308 /file", "file"),
    "/folder": ("301 /folder/", "308 /folder/", "301 /folder/"),
    "/folder/": ("index of folder",) * 3,
    "/folder/index.html": ("index of folder", "308 /folder/", "index of folder"),
    "/both": ("both", "both", "both"),
    "/both/": ("301 /both", "index of both", "index of both"),
    "/both.html": ("both", "308 /both", "both"),
    "/both/index.html": ("index of both", "308 /both/", "index of both"),
    "/folder?a=1": ("301 /folder/?a=1", "308 /folder/?a=1", "301 /folder/?a=1"),
    "/index.html": ("home", "308 /", "home"),
    "/index": ("home", "308 /", "home"),
    "/folder/index": ("index of folder", "308 /folder/", "index of folder"),
    "/folder/index/": ("301 /folder/index", "308 /folder/", "404 nothing"),
    "/data": ("no suffix",) * 3,
    "/data.json": ("{}",) * 3,
    "/style.css": ("css",) * 3,
    "/50%25.txt": ("percent",) * 3,
    "/%C3%A9%20x": ("accent",) * 3,
    "/none": ("404 nothing",) * 3,
    "/FILE": ("404 nothing",) * 3,
    "/blog/none": ("404 nothing", "404 no post", "404 nothing"),
    "/blog/a/none": ("404 nothing", "404 no post", "404 nothing"),
    "/../index.html": ("404 nothing",) * 3,
}
NAMES = ("netlify", "cloudflare", "github-pages")


def written(folder: Path, files: Files) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@contextmanager
def serving(name: str, folder: Path, files: Files, root: str = "") -> Iterator[int]:
    """Serve *files* in a thread; yield the port."""
    host = HOSTS[name](written(folder, files), root)
    assert host.problems == []
    served = Server(host, 0)
    thread = threading.Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield served.server_address[1]
    finally:
        served.shutdown()
        thread.join()
        served.server_close()


def ask(port: int, url: str, method: str = "GET") -> tuple[str, dict[str, str]]:
    """Return ``"body"``, ``"301 location"`` or ``"404 body"``, and the fields."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, url)
    response = connection.getresponse()
    fields = {k.lower(): v for k, v in response.getheaders()}
    text = fields.get("location") or response.read().decode()
    connection.close()
    return (text if response.status == 200 else f"{response.status} {text}"), fields


@pytest.mark.parametrize("name", NAMES)
def test_which_path_has_which_file(tmp_path: Path, name: str) -> None:
    with serving(name, tmp_path, PAGES) as port:
        found = {url: ask(port, url)[0] for url in SLASHES}
    column = NAMES.index(name)
    assert found == {url: answers[column] for url, answers in SLASHES.items()}


@pytest.mark.parametrize("name", NAMES)
def test_types_are_of_the_suffix_and_nothing_is_compressed(
    tmp_path: Path, name: str
) -> None:
    types = {
        "/file": "text/html; charset=utf-8",
        "/data": "application/octet-stream",
        "/data.json": "application/json",
        "/style.css": "text/css; charset=utf-8",
        "/style.css.gz": "application/gzip",
    }
    with serving(name, tmp_path, PAGES) as port:
        answers = {url: ask(port, url)[1] for url in types}
    assert {url: fields["content-type"] for url, fields in answers.items()} == types
    assert all("content-encoding" not in fields for fields in answers.values())


@pytest.mark.parametrize("name", NAMES)
def test_head_has_no_body_and_posting_is_refused(tmp_path: Path, name: str) -> None:
    with serving(name, tmp_path, PAGES) as port:
        text, fields = ask(port, "/file", "HEAD")
        assert (text, fields["content-length"]) == ("", "4")
        assert ask(port, "/file", "POST")[0] == "405 "


def test_without_404_html_cloudflare_serves_the_home_page(tmp_path: Path) -> None:
    with serving("cloudflare", tmp_path, {"index.html": "home"}) as port:
        assert ask(port, "/any/path")[0] == "home"


def test_github_serves_below_its_root(tmp_path: Path) -> None:
    with serving("github-pages", tmp_path, PAGES, "/repo") as port:
        assert ask(port, "/repo")[0] == "301 /repo/"
        assert ask(port, "/repo/")[0] == "home"
        assert ask(port, "/repo/folder")[0] == "301 /repo/folder/"
        assert ask(port, "/repo/none")[0] == "404 nothing"
        assert ask(port, "/file")[0] == "404 Not Found"


@pytest.mark.parametrize(
    ("name", "file", "there"),
    [
        ("netlify", "_headers", False),
        ("netlify", ".hidden", False),
        ("netlify", ".well-known/x", True),
        ("netlify", "_static/x", True),
        ("cloudflare", "_redirects", False),
        ("cloudflare", "functions/x", False),
        ("cloudflare", "a/functions/x", True),
        ("cloudflare", "_worker.js", False),
        ("cloudflare", "a/node_modules/x", False),
        ("cloudflare", ".hidden", True),
        ("github-pages", "_static/x", False),
        ("github-pages", "a/_x", False),
        ("github-pages", "vendor/x", False),
        ("github-pages", "a~", False),
        ("github-pages", "a/vendor/x", True),
    ],
)
def test_some_files_are_not_served(
    tmp_path: Path, name: str, file: str, there: bool
) -> None:
    files = {"404.html": "nothing", file: ""}
    with serving(name, tmp_path, files) as port:
        assert ask(port, f"/{file}")[0] == ("" if there else "404 nothing")


def test_nojekyll_has_github_serve_all(tmp_path: Path) -> None:
    files = {".nojekyll": "", "_static/x": "x", "_headers": "/*\n A: b"}
    with serving("github-pages", tmp_path, files) as port:
        assert ask(port, "/_static/x")[0] == "x"
        assert "a" not in ask(port, "/_headers")[1]


#: host, `_headers`, path, field, value
FIELDS = [
    ("netlify", "/file\n X-A: 1", "/file", "x-a", "1"),
    ("netlify", "/file\n X-A: 1", "/file/", "x-a", None),  # a redirect is no file
    ("netlify", "/file.html\n X-A: 1", "/file", "x-a", None),
    ("netlify", "/folder\n X-A: 1", "/folder/", "x-a", "1"),
    ("netlify", "/FILE\n X-A: 1", "/file", "x-a", "1"),
    ("netlify", "/*\n X-A: 1", "/", "x-a", "1"),
    ("netlify", "/*\n X-A: 1", "/none", "x-a", "1"),
    ("netlify", "/404.html\n X-A: 1", "/none", "x-a", None),
    ("netlify", "/blog/*\n X-A: 1", "/blog/post", "x-a", "1"),
    ("netlify", "/blog/*\n X-A: 1", "/file", "x-a", None),
    ("netlify", "/blog/:p\n X-A: 1", "/blog/post", "x-a", "1"),
    ("netlify", "/:p\n X-A: 1", "/blog/post", "x-a", None),
    ("netlify", "/s*.css\n X-A: 1", "/style.css", "x-a", "1"),
    ("netlify", "/style.css\n X-A: 1\n X-A: 2", "/style.css", "x-a", "1, 2"),
    ("netlify", "/style.css\n X-A: 1,2", "/style.css", "x-a", "1, 2"),
    ("netlify", "/*\n X-A: 1\n/file\n X-A: 2", "/file", "x-a", "2"),
    ("netlify", "/file\n X-A: 1\n/*\n X-A: 2", "/file", "x-a", "2"),
    ("netlify", "/data\n Content-Type: text/x", "/data", "content-type", "text/x"),
    ("netlify", "/%C3%A9%20x\n X-A: 1", "/%C3%A9%20x", "x-a", "1"),
    ("netlify", "/50%25.txt\n X-A: 1", "/50%25.txt", "x-a", "1"),
    ("netlify", "# no\n/file\n# no\n X-A: a: b", "/file", "x-a", "a: b"),
    ("cloudflare", "/file\n X-A: 1", "/file", "x-a", "1"),
    ("cloudflare", "/file.html\n X-A: 1", "/file", "x-a", None),
    ("cloudflare", "/FILE\n X-A: 1", "/file", "x-a", None),
    ("cloudflare", "/folder\n X-A: 1", "/folder/", "x-a", None),
    ("cloudflare", "/*\n X-A: 1\n/file\n X-A: 2", "/file", "x-a", "1, 2"),
    ("cloudflare", "/*\n X-A: 1\n/file\n ! X-A", "/file", "x-a", None),
    ("cloudflare", "/*\n X-A: 1\n/file\n ! X-A\n X-A: 2", "/file", "x-a", "2"),
    ("cloudflare", "/file\n ! X-A\n/*\n X-A: 1", "/file", "x-a", "1"),
    ("cloudflare", "/b*\n X-A: :splat", "/blog/post", "x-a", "log/post"),
    ("cloudflare", "/b:p\n X-A: 1", "/blog/post", "x-a", None),
    ("cloudflare", "/b:p\n X-A: :p", "/both", "x-a", "oth"),
    ("cloudflare", "/:1\n X-A: 1", "/file", "x-a", None),
    ("cloudflare", "/é x\n X-A: 1", "/%C3%A9%20x", "x-a", "1"),
    ("cloudflare", "/%C3%A9%20x\n X-A: 1", "/%C3%A9%20x", "x-a", "1"),
    ("cloudflare", "/%66ile\n X-A: 1", "/file", "x-a", None),
    ("cloudflare", "/data\n Content-Type: text/x", "/data", "content-type", "text/x"),
    (
        "cloudflare",
        "/file\n Cache-Control: no-cache",
        "/file",
        "cache-control",
        "no-cache",
    ),
    (
        "cloudflare",
        "/*\n Cache-Control: no-cache",
        "/none",
        "cache-control",
        "no-store",
    ),
    ("cloudflare", "/*\n X-A: 1", "/none", "x-a", "1"),
    ("cloudflare", "/*\n X-A: 1", "/file/", "x-a", "1"),
    ("cloudflare", "/*\n ! Referrer-Policy", "/file", "referrer-policy", None),
]


@pytest.mark.parametrize(("name", "headers", "url", "field", "value"), FIELDS)
def test_which_fields_a_path_has(
    tmp_path: Path, name: str, headers: str, url: str, field: str, value: str | None
) -> None:
    with serving(name, tmp_path, {**PAGES, "_headers": headers}) as port:
        assert ask(port, url)[1].get(field) == value


#: host, `_redirects`, path, answer
REDIRECTS = [
    ("netlify", "/old /file", "/old", "301 /file"),
    ("netlify", "/old /file", "/old/", "301 /file"),
    ("netlify", "/old/ /file 302", "/old?a=1", "302 /file?a=1"),
    ("netlify", "/old /file?b=2#c # told", "/old?a=1", "301 /file?b=2#c"),
    ("netlify", "/old https://a.example/", "/old", "301 https://a.example/"),
    ("netlify", "/OLD /file", "/old", "404 nothing"),
    ("netlify", "/file /data", "/file", "file"),
    ("netlify", "/file /data 301!", "/file", "301 /data"),
    ("netlify", "/folder /data", "/folder", "301 /folder/"),
    ("netlify", "/old/* /new/:splat", "/old/a/b", "301 /new/a/b"),
    ("netlify", "/old/* /new/:splat", "/old", "301 /new/"),
    ("netlify", "/:a/old /:a", "/x/old", "301 /x"),
    ("netlify", "/%C3%A9%2A /file", "/%C3%A9*", "301 /file"),
    ("netlify", "/%2A /file", "/any", "404 nothing"),
    ("netlify", "/old /file 200", "/old", "file"),
    ("netlify", "/old /file 404", "/old", "404 file"),
    ("netlify", "/a/* /1\n/a/b /2", "/a/b", "301 /1"),
    ("cloudflare", "/old /file", "/old", "302 /file"),
    ("cloudflare", "/old /file", "/old/", "404 nothing"),
    ("cloudflare", "/old /file 308", "/old?a=1", "308 /file?a=1"),
    ("cloudflare", "/old /file?b=2#c", "/old?a=1", "302 /file?b=2#c"),
    ("cloudflare", "/file /data 301", "/file", "301 /data"),
    ("cloudflare", "/old/* /new/:splat 303", "/old/a/b", "303 /new/a/b"),
    ("cloudflare", "/old/* /new/:splat", "/old", "404 nothing"),
    ("cloudflare", "/:a/old /:a", "/x/old", "302 /x"),
    ("cloudflare", "/é /file", "/%C3%A9", "302 /file"),
    ("cloudflare", "/old /file 200", "/old", "file"),
    ("cloudflare", "/old /file.html 200", "/old", "308 /file"),
    ("cloudflare", "/a /b 200\n/b /file 200", "/a", "404 nothing"),
]


@pytest.mark.parametrize(("name", "redirects", "url", "answer"), REDIRECTS)
def test_where_a_path_is_redirected(
    tmp_path: Path, name: str, redirects: str, url: str, answer: str
) -> None:
    with serving(name, tmp_path, {**PAGES, "_redirects": redirects}) as port:
        assert ask(port, url)[0] == answer


MANY = "".join(f"/{i}\n A: b\n" for i in range(101))
#: host, file, its text, the problem
PROBLEMS = [
    *((name, "_headers", " A: b", "no path before") for name in NAMES[:2]),
    *((name, "_headers", "/a\n A", "not 'Name: value'") for name in NAMES[:2]),
    *((name, "_headers", "/a\n A:", "not 'Name: value'") for name in NAMES[:2]),
    *((name, "_headers", "/a\n A b: c", "not 'Name: value'") for name in NAMES[:2]),
    *((name, "_headers", "/a\n A: é", "more than ASCII") for name in NAMES[:2]),
    *((name, "_headers", "/a\n/b\n A: b", "no fields for /a") for name in NAMES[:2]),
    *((name, "_headers", "/a\n A:http://b", "addresses") for name in NAMES[1:2]),
    *((name, "_headers", "/:a/:a\n A: b", "redefinition") for name in NAMES[:2]),
    *((name, "_headers", "/a\n Content-Encoding: br", "be set") for name in NAMES[:2]),
    ("netlify", "_headers", "/a\n Set-Cookie: a=b", "be set"),
    ("netlify", "_headers", "/a\n ! A", "not 'Name: value'"),
    ("netlify", "_headers", "/é\n A: b", "URL-encoded"),
    ("netlify", "_headers", "/a\n X-A: b\n/b\n x-a: b", "several spellings"),
    ("netlify", "_headers", "/a\n content-type: text/x", "several spellings"),
    ("cloudflare", "_headers", "/a\n A: b\n a: c", "given twice"),
    ("cloudflare", "_headers", "/a\n A: b\n/a\n B: c", "/a has 2 blocks"),
    ("cloudflare", "_headers", "/*/*\n A: b", "only one '*'"),
    ("cloudflare", "_headers", "/a\n A: " + "b" * 2000, "over 2000"),
    ("cloudflare", "_headers", MANY, "over 100 rules"),
    *((name, "_redirects", "/a", "not 'source") for name in NAMES[:2]),
    *(
        (name, "_redirects", "/a /b 302 Country=at", "not 'source")
        for name in NAMES[:2]
    ),
    *((name, "_redirects", "/a?b=c /b", "not a path alone") for name in NAMES[:2]),
    *((name, "_redirects", "/a b", "neither a URL") for name in NAMES[:2]),
    *((name, "_redirects", "/a /é", "neither a URL") for name in NAMES[:2]),
    *((name, "_redirects", "/a /b c", "no number") for name in NAMES[:2]),
    *((name, "_redirects", "/a /b\n/a /c", "a rule already") for name in NAMES[:2]),
    *((name, "_redirects", "/a https://b/ 200", "another site") for name in NAMES[:2]),
    ("netlify", "_redirects", "/a /b 307", "status 307"),
    ("netlify", "_redirects", "/a /a/", "a loop"),
    ("netlify", "_redirects", "/a/*/b /c", "not the last segment"),
    ("netlify", "_redirects", "/.netlify/a /b", "the host's own"),
    ("netlify", "_redirects", "/é /b", "URL-encoded"),
    ("cloudflare", "_redirects", "/a /b 404", "status 404"),
    ("cloudflare", "_redirects", "/a /b 301!", "always win"),
    ("cloudflare", "_redirects", "/* /index.html 200", "a loop"),
    ("cloudflare", "_redirects", "/:a /b\n/c /d", "below a dynamic one"),
    ("cloudflare", "_redirects", "/a /" + "b" * 1000, "over 1000"),
    ("cloudflare", "_redirects", "".join(f"/{i}/* /\n" for i in range(101)), "100"),
    ("cloudflare", "_redirects", "".join(f"/{i} /\n" for i in range(2001)), "2,000"),
    ("netlify", "a#b", "", "'#' or '?'"),
    ("netlify", "Index.html", "", "only by case"),
    ("cloudflare", "big", "b" * (25 * 2**20 + 1), "over 25 MiB"),
]


@pytest.mark.parametrize(("name", "file", "text", "problem"), PROBLEMS)
def test_what_a_host_would_ignore_is_a_problem(
    tmp_path: Path, name: str, file: str, text: str, problem: str
) -> None:
    host = HOSTS[name](written(tmp_path, {"index.html": "", file: text}))
    assert problem in host.problems[0]


def test_links_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path)
    assert "a symbolic link" in HOSTS["github-pages"](tmp_path).problems[0]


def test_the_program_serves(tmp_path: Path) -> None:
    written(tmp_path, PAGES)
    port = free_port()
    program = [sys.executable, "-m", "tests.hosts.static_hosts", "github-pages"]
    command = [*program, str(tmp_path), str(port), "--root=/repo"]
    with server(command, f"http://127.0.0.1:{port}/repo/", ROOT):
        assert ask(port, "/repo/file")[0] == "file"


def test_the_program_ends_with_status_1_for_a_problem(tmp_path: Path) -> None:
    written(tmp_path, {"_redirects": "/a /b 307"})
    program = [sys.executable, "-m", "tests.hosts.static_hosts", "netlify"]
    command = [*program, str(tmp_path), str(free_port())]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1
    assert "_redirects:1: the host has no redirects of status 307" in ended.stderr
