"""What a request costs, beside views that do the same written by hand."""

from __future__ import annotations

import asyncio
import tempfile
import typing as t
from pathlib import Path

from flask import Blueprint
from flask import Flask
from flask import Response
from flask import jsonify
from flask.views import MethodView

from flask_filepages import FilePages

from .measure import Batch
from .measure import interleaved
from .measure import timed
from .measure import wsgi_batch

PLAIN, PARAM = "/hello", "/api/5"
FILES = {
    "hello.py": "from flask import Response\n\n\n"
    "def GET(context):\n    return Response('hello')\n",
    "api/[id].py": "def GET(context):\n"
    "    return context.json({'id': context.params['id']})\n",
}


def make_apps() -> dict[str, Flask]:
    """Return an app for each way of writing the two views."""
    root = Path(tempfile.mkdtemp(prefix="bench"))
    for name, text in FILES.items():
        (root / "pages" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "pages" / name).write_text(text)
    names = ["file route", "app", "blueprint", "blueprint again", "MethodView"]
    apps = {
        name: Flask(f"bench_{number}", root_path=str(root), static_folder=None)
        for number, name in enumerate([*names, "smorest"])
    }
    FilePages(apps["file route"]).load()
    _by_hand(apps["app"], apps["app"])
    for name in ("blueprint", "blueprint again"):
        blueprint = Blueprint("own", __name__)
        _by_hand(apps[name], blueprint)
        apps[name].register_blueprint(blueprint)
    _method_view(apps["MethodView"])
    _smorest(apps["smorest"])
    return apps


def _by_hand(app: Flask, routes: Flask | Blueprint) -> None:
    @routes.route(PLAIN)
    def hello() -> Response:
        return Response("hello")

    @routes.route("/api/<id>")
    def api(id: str) -> Response:
        return jsonify({"id": id})


def _method_view(app: Flask) -> None:
    class Hello(MethodView):
        def get(self) -> Response:
            return Response("hello")

    class Api(MethodView):
        def get(self, id: str) -> Response:
            return jsonify({"id": id})

    app.add_url_rule(PLAIN, view_func=Hello.as_view("hello"))
    app.add_url_rule("/api/<id>", view_func=Api.as_view("api"))


def _smorest(app: Flask) -> None:
    from flask_smorest import Api
    from flask_smorest import Blueprint as SmorestBlueprint
    from marshmallow import Schema
    from marshmallow import fields

    class Id(Schema):
        id = fields.String()

    app.config.update(API_TITLE="x", API_VERSION="1", OPENAPI_VERSION="3.0.2")
    blueprint = SmorestBlueprint("own", __name__)

    @blueprint.route(PLAIN)
    def hello() -> Response:
        return Response("hello")

    @blueprint.route("/api/<id>")
    @blueprint.response(200, Id)
    def api(id: str) -> dict[str, str]:
        return {"id": id}

    Api(app).register_blueprint(blueprint)


def fastapi_batch(path: str, size: int) -> t.Callable[[], float]:
    """Return the batch of FastAPI answering *path*, called as an ASGI app."""
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    app = FastAPI()

    @app.get(PLAIN, response_class=PlainTextResponse)
    async def hello() -> str:
        return "hello"

    @app.get("/api/{id}")
    async def api(id: str) -> dict[str, str]:
        return {"id": id}

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    loop = asyncio.new_event_loop()

    async def receive() -> dict[str, t.Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: t.MutableMapping[str, t.Any]) -> None:
        pass

    return timed(lambda: loop.run_until_complete(app(dict(scope), receive, send)), size)


def url_batches(apps: t.Mapping[str, Flask], size: int) -> dict[str, Batch]:
    """Return the batches of ``url_for``: of a plain rule, and of the file route."""

    def building(app: Flask, endpoint: str) -> Batch:
        context = app.test_request_context("/hello")

        def once() -> None:
            app.url_for(endpoint, id="some-post")

        batch = timed(once, size)

        def within() -> float:
            with context:
                return batch()

        return within

    files = apps["file route"]
    return {
        "a plain rule of the app": building(apps["app"], "api"),
        "a plain rule": building(apps["blueprint"], "own.api"),
        "a plain rule again": building(apps["blueprint"], "own.api"),
        "a file, by endpoint name": building(files, "filepages./api/[id]"),
        "a file, by route id": building(files, "/api/[id]"),
    }


def run(quick: bool) -> t.Iterator[str]:
    """Yield the lines of the tables."""
    size, rounds = (50, 40) if quick else (150, 800)
    apps = make_apps()
    yield "## Request cost"
    yield ""
    yield f"CPU, batches of {size}, 10th percentile of {rounds} in turn ({rounds // 4}"
    yield "beside other frameworks). A file route against the same view written"
    yield "otherwise; `blueprint again` is the blueprint against itself: the spread."
    yield ""
    yield "| view | us | file route / it | goal |"
    yield "| --- | --- | --- | --- |"
    goals = {
        (PLAIN, "app"): "<= 1.10",
        (PLAIN, "blueprint"): "<= 1.08",
        (PARAM, "app"): "<= 1.10",
        (PARAM, "blueprint"): "<= 1.08",
    }
    for path in (PLAIN, PARAM):
        batches = {n: wsgi_batch(a.wsgi_app, path, size) for n, a in apps.items()}
        others = {n: batches.pop(n) for n in ("MethodView", "smorest")}
        others["FastAPI (async)"] = fastapi_batch(path, size)
        others["file route"] = batches["file route"]
        for group, times in ((batches, rounds), (others, rounds // 4)):
            cost = interleaved(group, times)
            own = cost["file route"]
            for name, value in cost.items():
                ratio = own / value
                if name == "blueprint again":
                    ratio = value / cost["blueprint"]
                goal = goals.get((path, name), "")
                yield f"| `{path}` {name} | {value:.1f} | {ratio:.3f} | {goal} |"
    yield ""
    yield "`url_for` with one param, next to a plain rule of a Blueprint."
    yield ""
    yield "| `url_for` | us | of a plain rule | goal |"
    yield "| --- | --- | --- | --- |"
    goals_of_urls = {
        "a file, by endpoint name": "<= 1.5",
        "a file, by route id": "<= 2.3",
    }
    cost = interleaved(url_batches(apps, size), rounds)
    for name, value in cost.items():
        ratio = value / cost["a plain rule"]
        yield f"| {name} | {value:.2f} | {ratio:.2f} | {goals_of_urls.get(name, '')} |"
    yield ""
