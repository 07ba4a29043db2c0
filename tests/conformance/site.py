"""A recorded site, rebuilt and asked."""

from __future__ import annotations

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
from urllib.parse import unquote_to_bytes
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from flask_filepages import FilePages
from flask_filepages import TreeError
from flask_filepages.errors import Fault
from flask_filepages.markdown import render_markdown
from flask_filepages.pytest_plugin import write_files
from flask_filepages.routing import FileRule

from .cases import Case
from .translate import python_files
from .translate import python_middleware
from .translate import python_name
from .vocabulary import page_data

HOST = "127.0.0.1:4321"


@dataclass(frozen=True)
class Answer:
    """What our app answered.

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
    """The app of a recorded tree. Files that our rules refuse are left out, and
    what was said of them is kept in :attr:`refused`, by recorded name."""

    def __init__(self, case: Case) -> None:
        self.files = case.files
        self.names = {python_name(path): path for path in sorted(case.files)}
        self.refused: dict[str, Fault] = {}
        self.redirects = dict(case.config.get("redirects", {}))
        files = python_files(case.files) | python_middleware(case.middleware)
        for path in case.files:
            if self.names[python_name(path)] != path:
                self.refused[path] = Fault(
                    "collision", path, "two suffixes, one name", ""
                )
        while True:
            try:
                self.app = self._build(case, files)
                break
            except TreeError as error:
                self._refuse(error, files)

    def _build(self, case: Case, files: dict[str, t.Any]) -> Flask:
        # The modules of the rebuilt tree stay imported; the folder may not.
        self.root = tempfile.TemporaryDirectory(prefix="conformance")
        write_files(Path(self.root.name) / "pages", files)
        app = Flask(
            f"conformance_{id(self)}", root_path=self.root.name, static_folder=None
        )
        app.logger.setLevel(logging.CRITICAL)
        app.config["FILEPAGES_TRAILING_SLASH"] = case.config.get(
            "trailingSlash", "ignore"
        )
        app.config["FILEPAGES_SITE"] = case.config.get("site")
        app.config["FILEPAGES_REDIRECTS"] = {
            source: (to["destination"], to["status"]) if isinstance(to, dict) else to
            for source, to in self.redirects.items()
        }
        security = case.config.get("security", {})
        app.config["FILEPAGES_CHECK_ORIGIN"] = security.get("checkOrigin", True)
        app.jinja_env.globals["page_data"] = page_data
        prefix = case.config.get("base", "").rstrip("/")
        markdown = {".md": render_markdown}
        FilePages(app, url_prefix=prefix, renderers=markdown).load()
        return app

    def _refuse(self, error: TreeError, files: dict[str, t.Any]) -> None:
        for fault in error.faults:
            losers = [fault.file]
            if fault.kind == "collision":
                losers = [fault.problem.rpartition(" ")[2]]
                self.refused.setdefault(self.names.get(fault.file, fault.file), fault)
            for loser in losers:
                setting = re.fullmatch(r"FILEPAGES_REDIRECTS\['(.*)'\]", loser)
                if setting:
                    del self.redirects[setting[1]]
                self.refused[self.names.get(loser, loser)] = fault
                files.pop(loser, None)

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
        """Return our answer to the request of *case*."""
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

    def is_stored(self, case: Case) -> bool:
        """Whether a prerendered file answers: from a build, which is later work."""
        rule = self.match(case)
        if rule is None and case.path.endswith("/index.html"):
            folder = case.path.removesuffix("/index.html")
            rule = self.match(replace(case, target=folder))
        return rule is not None and rule.route.prerender is True

    def match(self, case: Case) -> FileRule | None:
        """Return the rule of ours that the request of *case* matches."""
        adapter = self.app.url_map.bind_to_environ(self.environ(case))
        try:
            rule, _ = adapter.match(return_rule=True)
        except (HTTPException, RequestRedirect):
            return None
        return rule if isinstance(rule, FileRule) else None

    def values(self, case: Case) -> dict[str, t.Any]:
        """Return the values that the path of *case* gives its rule."""
        adapter = self.app.url_map.bind_to_environ(self.environ(case))
        try:
            return dict(adapter.match(return_rule=True)[1])
        except (HTTPException, RequestRedirect):
            return {}
