"""One path, asked of the app as a client would ask for it."""

from __future__ import annotations

import contextvars
import inspect
import io
import os
import time
import traceback
import typing as t
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask
from flask import session
from jinja2 import TemplateError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from .. import page_reads
from .. import reads
from ..handling.responses import name_of
from ..installed import is_installed
from ..prerendering.front import RENDER
from ..prerendering.front import root_of
from ..prerendering.front import scopes_of
from ..prerendering.static_paths import StaticPath
from ..prerendering.stored import Render
from ..prerendering.stored import under_way
from ..releases.release import is_building
from ..routing.rules import FileRule
from ..settings import Settings
from . import answers
from .answers import Answer


@dataclass(slots=True)
class Job:
    """What is to be rendered: a path of a route."""

    path: str
    endpoint: str
    static_path: StaticPath
    is_error_page: bool = False


class Renderer:
    """Renders paths of *app* through its own WSGI stack, with no context pushed."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self.app = app
        self._site = settings.site
        site = urlsplit(settings.site or "http://localhost")
        secure = site.scheme.lower() == "https"
        host = site.netloc.rpartition("@")[2]
        root = root_of(app)
        self._environ: dict[str, t.Any] = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": root,
            "QUERY_STRING": "",
            "SERVER_NAME": site.hostname or "localhost",
            "SERVER_PORT": str(site.port or (443 if secure else 80)),
            "HTTP_HOST": host,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if secure else "http",
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }

    def render(self, job: Job) -> tuple[Answer, reads.Uses]:
        """Return the answer, completed, or with what keeps it from being stored, and
        what was read for it."""
        start = time.perf_counter()
        answer = Answer(job.path)
        # Whatever is pushed here is not seen there.
        uses = contextvars.Context().run(self._ask, job, answer)
        if answer.problem is None:
            headers = tuple(answer.headers)
            refused = answers.why_not(
                answer.status, headers, is_error_page=job.is_error_page
            )
            if refused is not None:
                answer.problem, answer.fix = refused
            else:
                answers.completed(answer, job.path, self._site)
        answer.seconds = time.perf_counter() - start
        return answer, uses

    def _ask(self, job: Job, answer: Answer) -> reads.Uses:
        uses = page_reads.begin_page()
        is_building.set(True)
        environ = self._environ.copy()
        wire = job.path.encode().decode("latin-1")
        environ["PATH_INFO"] = wire
        environ["REQUEST_URI"] = environ["SCRIPT_NAME"] + wire
        environ["wsgi.input"] = io.BytesIO()
        environ["wsgi.errors"] = io.StringIO()
        path = job.static_path

        def take(response: BaseResponse) -> None:
            page_reads.end_page(uses, response)
            answer.status = response.status
            if session.modified:
                answer.problem = "it sets the session, which everybody would get"
                answer.fix = "Set it on routes with `prerender = False`."
            headers = response.get_wsgi_headers(environ)
            answer.headers = answers.kept(headers)
            answer.body = _body(response)
            # Else Werkzeug makes all of it again, and nobody looks at the body.
            rest = _Rest(response.close)
            sent = rest, response.status, headers.to_wsgi_list()
            vars(response)["get_wsgi_response"] = lambda environ: sent

        render = Render(job.endpoint, path.params, path.props, take)
        environ[RENDER] = render
        under_way.set(render)
        started: list[str] = []

        def start_response(status: str, headers: t.Any, exc_info: t.Any = None) -> None:
            started.append(status)

        try:
            result = self.app.wsgi_app(environ, t.cast(t.Any, start_response))
            try:
                for _ in result:
                    pass
            finally:
                getattr(result, "close", lambda: None)()
        except (Exception, SystemExit) as error:
            render.error = render.error or error
        # The context of the request holds the environ: together they would be a ring.
        del environ[RENDER]
        if render.error is not None:
            self._tell(answer, render.error)
        elif render.reached != job.endpoint:
            self._tell_other(answer, job, started[-1] if started else "nothing")
        elif started[-1] >= "5" > answer.status:
            answer.problem = f"a hook after the handler made it {started[-1]}"
            answer.fix = "Mend the after_request function; the log has its traceback."
        return uses

    def _tell(self, answer: Answer, error: BaseException) -> None:
        kind = type(error).__name__
        if isinstance(error, HTTPException):
            answer.problem = f"it answers {error.code} {error.name}"
            if error.description != type(error).description:
                answer.problem += f": {error.description}"
            answer.fix = "Leave the path out, or mend the handler."
        elif isinstance(error, SystemExit):
            answer.problem = "it ends the process (SystemExit)"
            answer.fix = "Return a response, or raise an error."
        else:
            answer.problem = f"{kind}: {error}".removesuffix(": ")
            what = "template" if isinstance(error, TemplateError) else "handler"
            answer.fix = f"Mend the {what}, or write `prerender = False`."
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            folder = os.path.dirname(frame.filename)
            if not frame.filename.startswith("<") and not is_installed(folder):
                name = os.path.relpath(frame.filename, self.app.root_path)
                answer.problem += f" ({name}:{frame.lineno})"
                break

    def _tell_other(self, answer: Answer, job: Job, status: str) -> None:
        adapter = self.app.url_map.bind("localhost")
        try:
            rule, _ = adapter.match(job.path, return_rule=True)
        except HTTPException:
            rule = None
        if rule is not None and rule.endpoint != job.endpoint:
            name = rule.route.name if isinstance(rule, FileRule) else rule.endpoint
            answer.problem = f"its URL leads to {name}"
            answer.fix = "Leave the path out of get_static_paths, or rename that one."
            return
        hooks = self.app.before_request_funcs
        names = [
            _place(function, self.app.root_path)
            for scope in scopes_of(self.app)
            for function in hooks.get(scope, ())
        ]
        who = " or ".join(names) or "something before the route"
        answer.problem = f"{who} answered {status} before the route"
        answer.fix = "Let it pass this path, or write `prerender = False`."


def _place(function: t.Any, root: str) -> str:
    """Return what an error calls a hook: its name, file and line."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    name = f"the before_request function {name_of(function)}()"
    if code is None:
        return name
    return f"{name} ({os.path.relpath(code.co_filename, root)}:{code.co_firstlineno})"


class _Rest:
    """What is left of a response whose body was taken: to close it."""

    __slots__ = ("close",)

    def __init__(self, close: t.Callable[[], None]) -> None:
        self.close = close

    def __iter__(self) -> t.Iterator[bytes]:
        return iter(())


def _body(response: BaseResponse) -> bytes:
    """Return the whole body, while the request is still there to make it."""
    is_whole = response.is_sequence and not response.direct_passthrough
    chunks, size = [], 0
    for chunk in response.iter_encoded():
        chunks.append(chunk)
        size += len(chunk)
        if size > answers.LARGEST:
            raise ValueError(
                f"its body is over {answers.LARGEST // 2**20} MiB; serve it on demand"
            )
    body = b"".join(chunks)
    if not is_whole:
        response.direct_passthrough = False
        response.response = [body]
    return body
