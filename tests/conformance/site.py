"""A recorded site, rebuilt and asked."""

from __future__ import annotations

import ast
import functools
import html
import io
import json
import logging
import re
import tempfile
import typing as t
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote
from urllib.parse import unquote
from urllib.parse import unquote_to_bytes
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from flask_filepages import FilePages
from flask_filepages import TreeError
from flask_filepages.errors import Fault
from flask_filepages.errors import FilePagesError
from flask_filepages.errors import SettingsError
from flask_filepages.markdown import render_markdown
from flask_filepages.pytest_plugin import write_files
from flask_filepages.releases.folder import BuildFolder
from flask_filepages.releases.manifest import SITE
from flask_filepages.releases.manifest import Entry
from flask_filepages.releases.manifest import Manifest
from flask_filepages.routing.routes import Route
from flask_filepages.routing.rules import FileRule
from flask_filepages.routing.rules import matched_path
from flask_filepages.site import sites_of

from .cases import BUILD_ERROR
from .cases import Case
from .translate import ENDPOINTS
from .translate import UNTRANSLATED
from .translate import Files
from .translate import python_files
from .translate import python_middleware
from .translate import python_name
from .vocabulary import astro_value
from .vocabulary import page_data
from .vocabulary import url_data

HOST = "127.0.0.1:4321"
#: The status of what a build did not write.
NOTHING = 0
# Beside the file that a tree is about there is one that is not listed.
_CONTROL = "ok.ts"
_MARKDOWN = (".md", ".markdown", ".mdown", ".mkdn", ".mkd", ".mdwn")


class LeftOut(t.NamedTuple):
    """A path that a recorded file lists, and that a build of ours refuses."""

    file: str
    params: dict[str, t.Any]
    fault: Fault


@dataclass(frozen=True)
class Answer:
    """What our app answered, or what it stored.

    ``broken`` if the body ended in an error: a server cuts the connection then.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    broken: bool = False

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]

    def get(self, name: str) -> str | None:
        return next(iter(self.all(name)), None)

    @property
    def content(self) -> t.Any:
        """The JSON of an endpoint or a page, if it is one."""
        pre = re.search(rb"<pre>(.*)</pre>", self.body, re.DOTALL)
        text = html.unescape(pre[1].decode()) if pre else self.body.decode("latin-1")
        try:
            return json.loads(self.body if pre is None else text)
        except ValueError:
            return None

    @property
    def winner(self) -> str | None:
        content = self.content
        if not isinstance(content, dict):
            return None
        return content.get("page") or content.get("route")


class Site:
    """The app of a recorded tree, with the release that it serves if anything of it is
    prerendered.

    Files that our rules refuse are left out, and what was said of them is kept in
    :attr:`refused`, by recorded name; listed paths in :attr:`left_out`.

    :param folder: where it is written.
    """

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self.folder = folder
        self.files = dict(case.files)
        self.refused: dict[str, Fault] = {}
        self.left_out: list[LeftOut] = []
        self.errors: list[FilePagesError] = []
        self.is_up = self.has_release = False
        self.redirects = dict(case.config.get("redirects", {}))
        made = python_files(case.files)
        self.names = {name: path for path, names in made.items() for name in names}
        for path in case.files.keys() - made.keys():
            name = python_name(path)
            if name in self.names:
                problem = f"two suffixes, one name: {self.names[name]}"
                self.refused[path] = Fault("collision", path, problem, "")
        while True:
            try:
                self.app = self._start(python_files(self.files))
                self.is_up = True
                break
            except (TreeError, SettingsError) as error:
                self.errors.append(error)
                if case.area == BUILD_ERROR or not self._refuse(error):
                    break

    def _start(self, made: dict[str, Files]) -> Flask:
        case = self.case
        # A folder of its own each time: the modules of a tree stay imported.
        self.root = root = Path(tempfile.mkdtemp(dir=self.folder))
        files = python_middleware(case.middleware)
        for path, names in made.items():
            files |= {n: text for n, text in names.items() if self.names[n] == path}
        write_files(root / "pages", files)
        write_files(root / "public", case.public)
        app = Flask(
            f"conformance_{id(self)}",
            root_path=str(root),
            instance_path=str(root / "instance"),
            static_folder="public" if case.public else None,
            static_url_path="",
        )
        app.logger.setLevel(logging.CRITICAL)
        app.config.update(self._config())
        app.jinja_env.globals["page_data"] = page_data
        app.jinja_env.globals["url_data"] = url_data
        renderers = dict.fromkeys(_MARKDOWN, render_markdown)
        pages = FilePages(app, url_prefix=self.prefix, renderers=renderers)
        pages.load()
        if case.is_build or sites_of(app)["filepages"].prerendered:
            for _ in pages.build(app):
                pass
            self.has_release = True
        return app

    @property
    def _base(self) -> str:
        return str(self.case.config.get("base", "")).rstrip("/")

    @property
    def prefix(self) -> str:
        """The ``base`` of a server is the prefix of its pages. In a build it is the root
        of the app, which is not in the names of files."""
        return "" if self.case.is_build else self._base

    def _config(self) -> dict[str, t.Any]:
        given = self.case.config
        config: dict[str, t.Any] = {
            "FILEPAGES_OUTPUT": self._output(),
            "FILEPAGES_SITE": self._site(),
            "FILEPAGES_REDIRECTS": {
                source: (to["destination"], to["status"])
                if isinstance(to, dict)
                else to
                for source, to in self.redirects.items()
            },
            "FILEPAGES_CHECK_ORIGIN": given.get("security", {}).get(
                "checkOrigin", True
            ),
        }
        if "trailingSlash" in given:
            config["FILEPAGES_TRAILING_SLASH"] = given["trailingSlash"]
        if "format" in given.get("build", {}):
            config["FILEPAGES_BUILD_FORMAT"] = given["build"]["format"]
        if self.case.is_build:
            config["APPLICATION_ROOT"] = self._base or "/"
        limit = (given.get("adapter") or {}).get("bodySizeLimit")
        config["MAX_CONTENT_LENGTH"] = limit
        return config

    def _site(self) -> str | None:
        """Return the recorded ``site``. Astro drops a path in it that is not ``base``;
        here that is an error."""
        site = self.case.config.get("site")
        root = self._base if self.case.is_build else ""
        if site is None or urlsplit(site).path.rstrip("/") == root:
            return t.cast("str | None", site)
        return "{0.scheme}://{0.netloc}".format(urlsplit(site))

    def _output(self) -> t.Any:
        """Return the setting for the recorded one: ``static`` with files that opt out
        is what is named hybrid here, if there is a server to run them."""
        output = self.case.config.get("output", "server")
        files = self.case.files.values()
        opts_out = any(
            isinstance(f, dict) and f.get("prerender") is False for f in files
        )
        has_server = self.case.config.get("adapter", {}) is not None
        return "hybrid" if output == "static" and opts_out and has_server else output

    def _refuse(self, error: TreeError | SettingsError) -> bool:
        """Leave out what *error* names: a listed path if it is about one, else a file,
        or a redirect. Return whether there was any."""
        left = self._refuse_status(error)
        for fault in error.faults if isinstance(error, TreeError) else ():
            collided = re.fullmatch("conflicts with (.*): both match .*", fault.problem)
            if collided:
                self.refused.setdefault(self.recorded_name(fault.file), fault)
            name = self.recorded_name(collided[1] if collided else fault.file)
            setting = re.fullmatch(r"FILEPAGES_REDIRECTS\['(.*)'\]", name)
            listed = re.match(r"get_static_paths lists (\{.*?\}): ", fault.problem)
            if setting and setting[1] in self.redirects:
                del self.redirects[setting[1]]
                left = True
            if listed and self._leave_out(name, ast.literal_eval(listed[1]), fault):
                left = True
                continue
            if name in self.files:
                del self.files[name]
                left = True
            self.refused.setdefault(name, fault)
        return left

    def _refuse_status(self, error: TreeError | SettingsError) -> bool:
        """Leave out a redirect whose status is none."""
        told = re.search(r"REDIRECTS: the status of '(.*?)' is", str(error))
        if told is None or told[1] not in self.redirects:
            return False
        del self.redirects[told[1]]
        if not self.case.is_build:
            name = f"FILEPAGES_REDIRECTS['{told[1]}']"
            self.refused[name] = Fault("setting", name, str(error), "See the error.")
        return True

    def _leave_out(self, name: str, params: dict[str, t.Any], fault: Fault) -> bool:
        """Leave a path out of what a recorded file lists, if it does."""
        file: t.Any = self.files.get(name)
        listed = file.get("getStaticPaths") if isinstance(file, dict) else None
        if not isinstance(listed, list):
            return False
        kept = [entry for entry in listed if _params(entry, params) != params]
        if len(kept) == len(listed):
            return False
        self.files[name] = {**file, "getStaticPaths": kept}
        self.left_out.append(LeftOut(name, params, fault))
        return True

    def recorded_name(self, name: str) -> str:
        """Return the recorded file for what a fault names: a file, a route by its id, or
        what it would write."""
        if name in self.names:
            return self.names[name]
        written = (path for path in self.case.files if name.strip("/") in _urls(path))
        return next(written, name)

    def environ(self, case: Case) -> dict[str, t.Any]:
        """Return the environ that a WSGI server makes of the recorded request."""
        target = case.target
        if "://" in target.partition("?")[0]:
            parts = urlsplit(target)
            target = parts.path + (f"?{parts.query}" if parts.query else "")
        target = target.partition("#")[0]
        path, _, query = target.partition("?")
        body = case.sent_body
        environ = {
            "REQUEST_METHOD": case.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.encode().decode("latin-1"),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": HOST.partition(":")[2],
            "HTTP_HOST": case.host or HOST,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "conformance.url": f"http://{case.host or HOST}{target}",
        }
        for name, value in case.headers.items():
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = value.replace("@origin", f"http://{HOST}")
        if environ.pop("HTTP_TRANSFER_ENCODING", None):
            environ["wsgi.input_terminated"] = True
        else:
            environ.setdefault("CONTENT_LENGTH", str(len(body)))
        environ["wsgi.input"] = io.BytesIO(body)
        return environ

    def ask(self, case: Case) -> Answer:
        """Return our answer to the request of *case*, or what our build has of it."""
        if case.area == BUILD_ERROR:
            return self._told()
        if not self.is_up:
            return Answer(NOTHING, (), b"")
        if case.is_build:
            return self.built(case)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: t.Any, exc_info: t.Any = None
        ) -> t.Any:
            started.append((status, headers))

        result = self.app.wsgi_app(self.environ(case), start_response)
        chunks: list[bytes] = []
        broken = False
        try:
            chunks.extend(result)
        except Exception:
            broken = True
        getattr(result, "close", lambda: None)()
        status, headers = started[-1]
        return Answer(int(status[:3]), tuple(headers), b"".join(chunks), broken)

    def is_untranslated(self, case: Case) -> bool:
        """Whether the recorded file of *case* has a source that nobody said in Python."""
        if case.area == BUILD_ERROR:
            return any(UNTRANSLATED in str(error) for error in self.errors)
        fault = self.refused.get(self.owner(case) or "")
        return fault is not None and UNTRANSLATED in fault.problem

    # -- builds -----------------------------------------------------------------

    @property
    def release(self) -> str:
        """The folder of the release."""
        folder = sites_of(self.app)["filepages"].releases.folder
        return t.cast(str, BuildFolder(folder).current())

    @functools.cached_property
    def entries(self) -> list[Entry]:
        """What the manifest says of each answer."""
        manifest = Manifest.open(self.release)
        entries = list(manifest.entries())
        manifest.close()
        return entries

    @functools.cached_property
    def written(self) -> dict[str, Answer]:
        """The files of the release by name, as answers: those of pages and endpoints
        with status and headers, copies without."""
        folder = Path(self.release, SITE)
        known = {entry.file: entry for entry in self.entries}
        prefix = f"{SITE}/"
        coded = {n.removeprefix(prefix) for e in self.entries for n, _ in e.files()}
        coded -= {name for name in known if name is not None}
        found = {}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and name not in coded:
                body = path.read_bytes()
                entry = known.get(name)
                found[name] = _answer(entry, body) if entry else Answer(200, (), body)
        return found

    def stored(self, case: Case) -> Answer | None:
        """Return what the release has for the path of a request."""
        path = re.sub("/{2,}", "/", _path(case)).rstrip("/") or "/"
        if not self.has_release:
            return None
        for entry in self.entries:
            if entry.served_at != "nowhere" and (entry.path.rstrip("/") or "/") == path:
                body = self.written[entry.file].body if entry.file else b""
                return _answer(entry, body)
        return None

    def public_name(self, case: Case) -> str:
        """Return the name that a request would have among the public files."""
        return _path(case).lstrip("/")

    def entry_of(self, name: str) -> Entry | None:
        """Return what the manifest says of a file of the release; nothing of a copy."""
        return next((entry for entry in self.entries if entry.file == name), None)

    def url_of(self, name: str) -> str | None:
        """Return the URL path of what is in a file of the release."""
        entry = self.entry_of(name)
        return entry.path if entry is not None else None

    def route_of(self, entry: Entry) -> Route:
        """Return the route of an answer."""
        lives = sites_of(self.app)["filepages"].routes.values()
        return next(live.route for live in lives if live.endpoint == entry.endpoint)

    def built(self, case: Case) -> Answer:
        """Return what our build has of *case*: a file, or a route."""
        if "whole" in case.recorded:
            return Answer(200, (), b"")
        if "route" in case.recorded:
            return self._route(case)
        return self.written.get(case.target, Answer(NOTHING, (), b""))

    def _told(self) -> Answer:
        """Return the error of the start or the build as an answer: what it names, and
        the kinds of its faults, are header fields."""
        if not self.errors:
            return Answer(200, (), b"")
        error = self.errors[0]
        headers = []
        for fault in error.faults if isinstance(error, TreeError) else ():
            headers.append(("fault", fault.id))
            headers.append(("file", self.names.get(fault.file, fault.file)))
        if isinstance(error, SettingsError):
            headers = [
                ("file", name) for name in re.findall("FILEPAGES_[A-Z_]+", str(error))
            ]
            headers.append(("fault", "setting"))
        return Answer(NOTHING, tuple(headers), str(error).encode())

    def _route(self, case: Case) -> Answer:
        """Return the route of a file: its id, its params, and which of the URLs that
        stand to reason it takes."""
        recorded = case.recorded["route"]
        found = None
        for route in self._routes():
            if route.source and self.names[route.source.relative] == case.target:
                found = route
        if found is None:
            return Answer(NOTHING, (), b"")
        params = {
            f"...{part.text}" if part.kind == "rest" else part.text: None
            for pattern in found.patterns
            for part in pattern.params
        }
        told = {"route": found.id, "params": [*params]}
        told["takes"] = [
            url for url in probes(recorded["route"]) if self._takes(case, url, found)
        ]
        return Answer(200, (), json.dumps(told).encode())

    def _takes(self, case: Case, url: str, route: Route) -> bool:
        rule = self.match(replace(case, target=quote(url)))
        return rule is not None and rule.route is route

    def _routes(self) -> list[Route]:
        return [live.route for live in sites_of(self.app)["filepages"].routes.values()]

    def more_than(self, case: Case) -> t.Iterator[Case]:
        """Yield a case for each thing that our build did and the recorded one did not:
        a file, a route, a refusal."""
        whole = case.recorded["whole"]
        for name in sorted(self.written.keys() - set(whole["names"])):
            yield _about(case, name, {"absent": True, "names": whole["names"]})
        routes = [*whole.get("routes", ()), _CONTROL]
        for route in self._routes():
            name = self.names[route.source.relative] if route.source else route.name
            if "routes" in whole and name not in routes:
                yield _about(case, name, {"absent": True})
        for left in self.left_out:
            there = {name: astro_value(value) for name, value in left.params.items()}
            if there not in whole["params"]:
                yield _about(case, left.file, {"accepted": left.params})
        owners = {self.owner(replace(case, target=name)) for name in whole["names"]}
        for file in sorted(self.refused.keys() - owners):
            yield _about(case, file, {"accepted": True})

    # -- matching ---------------------------------------------------------------

    def owner(self, case: Case) -> str | None:
        """Return the recorded file that *case* is about, by its name, whether ours has
        it or not."""
        if case.target in case.files:
            return case.target
        path = _path(case).strip("/")
        prefix = self.prefix.strip("/")
        if path == prefix or path.startswith(f"{prefix}/"):
            path = path[len(prefix) :].strip("/")
        fixed = [file for file in sorted(case.files) if path in _urls(file)]
        if fixed or case.winner in case.files:
            return fixed[0] if fixed else case.winner
        dynamic = sorted(
            case.files, key=lambda file: (file.count("["), -len(file), file)
        )
        return next((f for f in dynamic if "[" in f and _dynamic(f, path)), None)

    def match(self, case: Case) -> FileRule | None:
        """Return the rule of ours that the request of *case* matches."""
        rule = self.app_rule(case)
        return rule if isinstance(rule, FileRule) else None

    def app_rule(self, case: Case) -> t.Any:
        """Return the rule that matches, of the tree or of the app itself."""
        if not self.is_up:
            return None
        adapter = self.app.url_map.bind_to_environ(self.environ(case))
        token = matched_path.set(adapter.path_info)
        try:
            return adapter.match(return_rule=True)[0]
        except (HTTPException, RequestRedirect):
            return None
        finally:
            matched_path.reset(token)

    def values(self, case: Case) -> dict[str, t.Any]:
        """Return the values that the path of *case* gives its rule."""
        if not self.is_up:
            return {}
        adapter = self.app.url_map.bind_to_environ(self.environ(case))
        try:
            return dict(adapter.match(return_rule=True)[1])
        except (HTTPException, RequestRedirect):
            return {}


def probes(route: str) -> list[str]:
    """Return URLs that tell how a recorded route is understood."""
    filled = re.sub(r"\[[^\[\]]*\]", "v", route)
    without = re.sub(r"/\[\.\.\.[^/]*\]", "", route) or "/"
    found = [
        route,
        filled,
        f"{filled}/",
        f"{filled}/w",
        filled.upper(),
        "/",
        "/v",
        without,
    ]
    return [*dict.fromkeys(found)]


def _params(entry: t.Any, like: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the params of a listed entry, as far as a route knows them."""
    given = entry.get("params", {}) if isinstance(entry, dict) else {}
    known = {name: given.get(name) for name in like}
    return {k: None if v == "@undefined" else v for k, v in known.items()}


def _answer(entry: Entry, body: bytes) -> Answer:
    return Answer(int(entry.status[:3]), tuple(entry.headers), body)


def _path(case: Case) -> str:
    """Return the decoded path of a request, or the name of what was written."""
    return case.target if case.is_build else unquote(case.path)


def _urls(file: str) -> set[str]:
    """Return the paths and the names of files that a file without params has."""
    stem = re.sub(r"(?:(?:\A|/)index)?\.\w+\Z", "", file)
    if file.endswith(ENDPOINTS):
        return {stem}
    whole = file.rpartition(".")[0]
    return {
        stem,
        whole,
        *(f"{s}{end}" for s in (stem, whole) for end in (".html", "/index.html")),
    }


def _dynamic(file: str, path: str) -> bool:
    """Whether the params of a file can be such that it has this path."""
    stem = re.sub(r"(?:(?:\A|/)index)?\.\w+\Z", "", file)
    pattern = ""
    for piece in re.split(r"((?:(?<=/)|\A)\[\.\.\.\w+\](?=/|\Z)|\[[^\]]*\])", stem):
        rest = piece.startswith("[...")
        pattern += (
            "(?:.*)" if rest else "[^/]+" if piece[:1] == "[" else re.escape(piece)
        )
    pattern = pattern.replace("/(?:.*)", "(?:/.*)?")
    page = "" if file.endswith(ENDPOINTS) else r"(?:(?:/index)?\.html)?"
    return re.fullmatch(pattern + page, path) is not None


def _about(case: Case, target: str, recorded: dict[str, t.Any]) -> Case:
    return replace(case, id=f"{case.id}: {target}", target=target, recorded=recorded)
