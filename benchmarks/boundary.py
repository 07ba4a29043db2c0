"""What the boundary costs: a validated POST beside others, and each link of a chain."""

from __future__ import annotations

import io
import json
import tempfile
import typing as t
from pathlib import Path

from flask import Flask
from flask import Response
from flask import jsonify
from flask import request
from marshmallow import Schema
from marshmallow import ValidationError
from marshmallow import fields
from marshmallow.validate import Length

from flask_filepages import FilePages

from .measure import Batch
from .measure import environ
from .measure import interleaved
from .measure import timed


class Author(Schema):
    name = fields.String(required=True)
    email = fields.Email()


class Post(Schema):
    """A typical body: seven fields, one nested, one list, one date."""

    title = fields.String(required=True, validate=Length(1, 200))
    body = fields.String(required=True)
    author = fields.Nested(Author, required=True)
    tags = fields.List(fields.String())
    published = fields.DateTime()
    rating = fields.Integer()
    draft = fields.Boolean()


class Title(Schema):
    title = fields.String(required=True)


BODY = json.dumps(
    {
        "title": "A file is a route",
        "body": "pages/blog/[slug].html answers /blog/a-file-is-a-route.",
        "author": {"name": "Ann", "email": "ann@example.com"},
        "tags": ["flask", "astro", "files"],
        "published": "2026-01-01T09:00:00",
        "rating": 5,
        "draft": False,
    }
).encode()

ENDPOINT = """\
from flask import Response
from flask_filepages import cors, headers, responds, validate
from benchmarks.boundary import Post, Title


def link(context, call_next):
    return call_next()


middleware = [{links}]


def GET(context):
    return Response("plain")


@validate(json=Post)
@responds(Title)
def POST(context, json):
    return context.json({{"title": json["title"]}})
"""
LINKS = {
    "no middleware": "",
    "1 middleware": "link",
    "2 middleware": "link, link",
    "5 middleware": "link, link, link, link, link",
    "headers()": "headers({'X-Content-Type-Options': 'nosniff'})",
    "cors()": "cors(['https://app.example'])",
}


def file_app(links: str, **config: t.Any) -> Flask:
    root = Path(tempfile.mkdtemp(prefix="bench"))
    (root / "pages").mkdir()
    (root / "pages" / "post.py").write_text(ENDPOINT.format(links=links))
    app = Flask(f"boundary_{root.name}", root_path=str(root), static_folder=None)
    app.config.update(config)
    FilePages(app).load()
    return app


def by_hand() -> Flask:
    app = Flask("by_hand", static_folder=None)
    schema = Post()

    @app.errorhandler(ValidationError)
    def invalid(error: ValidationError) -> tuple[Response, int]:
        return jsonify(error.messages), 422

    @app.get("/post")
    def plain() -> Response:
        return Response("plain")

    @app.post("/post")
    def post() -> Response:
        data = schema.load(request.get_json())
        return jsonify({"title": data["title"]})

    return app


def smorest(*, output: bool) -> Flask:
    from flask_smorest import Api
    from flask_smorest import Blueprint

    app = Flask("smorest", static_folder=None)
    app.config.update(API_TITLE="x", API_VERSION="1", OPENAPI_VERSION="3.0.2")
    blueprint = Blueprint("own", __name__)

    @blueprint.route("/post", methods=["POST"])
    @blueprint.arguments(Post)
    @blueprint.response(200, Title if output else None)
    def post(data: dict[str, t.Any]) -> dict[str, str]:
        return {"title": data["title"]}

    Api(app).register_blueprint(blueprint)
    return app


def apiflask(*, output: bool) -> Flask:
    from apiflask import APIFlask

    app = APIFlask("apiflask", static_folder=t.cast(t.Any, None))

    def post(json_data: dict[str, t.Any]) -> dict[str, str]:
        return {"title": json_data["title"]}

    marked = app.output(t.cast(t.Any, Title))(post) if output else post
    app.post("/post")(app.input(t.cast(t.Any, Post))(marked))
    return app


def batch(app: Flask, size: int, method: str = "POST", **more: str) -> Batch:
    """Return a function that sends a request *size* times; CPU microseconds each."""
    template = environ("/post", method) | more
    if method == "POST":
        template |= {
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(BODY)),
        }
    statuses: list[str] = []

    def start_response(line: str, fields: t.Any, info: t.Any = None) -> None:
        statuses.append(line)

    def once() -> None:
        asked = {**template, "wsgi.input": io.BytesIO(BODY)}
        result = app.wsgi_app(asked, t.cast(t.Any, start_response))
        b"".join(result)
        getattr(result, "close", lambda: None)()

    once()
    if not statuses[0].startswith("200"):
        raise RuntimeError(f"{app.name}: {statuses[0]}")
    return timed(once, size)


def run(quick: bool) -> t.Iterator[str]:
    """Yield the lines of the tables."""
    size, rounds = (30, 20) if quick else (100, 300)
    yield "## A validated POST"
    yield ""
    yield f"The same schema and body ({len(BODY)} bytes), CPU, batches of {size}, 10th"
    yield f"percentile of {rounds} in turn."
    yield ""
    yield "| way | us | file route / it | goal |"
    yield "| --- | --- | --- | --- |"
    apps = {
        "file route": file_app(""),
        "marshmallow by hand": by_hand(),
        "flask-smorest": smorest(output=False),
        "flask-smorest, with an output schema": smorest(output=True),
        "APIFlask": apiflask(output=False),
        "APIFlask, with an output schema": apiflask(output=True),
    }
    goals = {"marshmallow by hand": "<= 1.15", "flask-smorest": "<= 0.75"}
    goals["APIFlask"] = "<= 0.90"
    cost = interleaved({n: batch(app, size) for n, app in apps.items()}, rounds)
    for name, value in cost.items():
        ratio = cost["file route"] / value
        yield f"| {name} | {value:.1f} | {ratio:.3f} | {goals.get(name, '')} |"
    yield ""
    yield "## Middleware and the origin check"
    yield ""
    yield "What each adds to a plain `GET` (or `POST`), as a share of a plain view."
    yield ""
    yield "| route | us | more than without | of a plain view |"
    yield "| --- | --- | --- | --- |"
    plain = "plain view"
    gets = {name: file_app(links) for name, links in LINKS.items()}
    batches = {n: batch(app, size, "GET") for n, app in gets.items()}
    batches[plain] = batch(apps["marshmallow by hand"], size, "GET")
    cost = interleaved(batches, rounds)
    view, base = cost[plain], cost["no middleware"]
    yield f"| {plain} | {view:.1f} | | |"
    for name in LINKS:
        more = cost[name] - base
        yield f"| {name} | {cost[name]:.1f} | {more:.2f} | {more / view:.1%} |"
    unchecked = file_app("", FILEPAGES_CHECK_ORIGIN=False)
    posts = {"POST, unchecked": batch(unchecked, size)}
    posts["POST, origin checked"] = batch(apps["file route"], size)
    browser = {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ORIGIN": "http://localhost"}
    posts["POST of a browser, checked"] = batch(apps["file route"], size, **browser)
    cost = interleaved(posts, rounds)
    base = cost["POST, unchecked"]
    for name, value in cost.items():
        more = value - base
        yield f"| {name} | {value:.1f} | {more:.2f} | {more / view:.1%} |"
    yield ""
