"""What an OpenAPI document of 1,000 routes costs, next to other packages."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

from .measure import new_folder
from .measure import write

ROOT = Path(__file__).parent.parent
SCHEMAS = """\
from marshmallow import Schema, fields
from marshmallow.validate import Length


class Author(Schema):
    name = fields.String(required=True)
    email = fields.Email()


class Post(Schema):
    title = fields.String(required=True, validate=Length(1, 200))
    author = fields.Nested(Author, required=True)
    tags = fields.List(fields.String())
    published = fields.DateTime()
    rating = fields.Integer()


class Filter(Schema):
    page = fields.Integer(load_default=1)
"""
ENDPOINT = """\
from flask_filepages import responds, validate
from schemas import Filter, Post


@validate(query=Filter)
@responds(Post)
def GET(context, query):
    "Read a post."


@validate(json=Post)
@responds(Post)
def PUT(context, json):
    "Change a post."
"""
# Each program makes an app of COUNT routes, and then its document.
FILES = """\
from flask import Flask
from flask_filepages import FilePages
from flask_filepages.openapi.document import describe

def make():
    app = Flask("files", root_path=".")
    FilePages(app).load()
    return app

def document(app):
    return describe(app)[0]
"""
SMOREST = """\
from flask import Flask
from flask.views import MethodView
from flask_smorest import Api, Blueprint
from schemas import Filter, Post

def make():
    app = Flask("smorest")
    app.config.update(API_TITLE="x", API_VERSION="1", OPENAPI_VERSION="3.1.0")
    api = Api(app)
    blueprint = Blueprint("posts", "posts")
    for number in range(COUNT):
        class View(MethodView):
            @blueprint.arguments(Filter, location="query")
            @blueprint.response(200, Post)
            def get(self, query, id):
                "Read a post."

            @blueprint.arguments(Post)
            @blueprint.response(200, Post)
            def put(self, json, id):
                "Change a post."

        View.__name__ = f"View{number}"
        blueprint.route(f"/p{number}/<int:id>")(View)
    api.register_blueprint(blueprint)
    return api

def document(api):
    return api.spec.to_dict()
"""
APIFLASK = """\
from apiflask import APIFlask
from schemas import Filter, Post

def make():
    app = APIFlask("apiflask")
    app.config["OPENAPI_VERSION"] = "3.1.0"
    for number in range(COUNT):
        def get(id, query_data):
            "Read a post."

        def put(id, json_data):
            "Change a post."

        get.__name__, put.__name__ = f"get{number}", f"put{number}"
        path = f"/p{number}/<int:id>"
        app.get(path)(app.input(Filter, location="query")(app.output(Post)(get)))
        app.put(path)(app.input(Post)(app.output(Post)(put)))
    return app

def document(app):
    with app.app_context():
        return app.spec
"""
FASTAPI = """\
import datetime as dt
from fastapi import FastAPI
from pydantic import BaseModel, Field

class Author(BaseModel):
    name: str
    email: str | None = None

class Post(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    author: Author
    tags: list[str] | None = None
    published: dt.datetime | None = None
    rating: int | None = None

def make():
    app = FastAPI()
    for number in range(COUNT):
        def get(id: int, page: int = 1) -> Post:
            "Read a post."

        def put(id: int, post: Post) -> Post:
            "Change a post."

        get.__name__, put.__name__ = f"get{number}", f"put{number}"
        app.get(f"/p{number}/{{id}}")(get)
        app.put(f"/p{number}/{{id}}")(put)
    return app

def document(app):
    return app.openapi()
"""
PROGRAMS = {
    "file routes": FILES,
    "flask-smorest": SMOREST,
    "APIFlask": APIFLASK,
    "FastAPI": FASTAPI,
}
MEASURE = """
import json, sys, time
start = time.process_time()
app = make()
made = time.process_time()
found = document(app)
end = time.process_time()
text = json.dumps(found, default=str)
print(json.dumps([made - start, end - made, len(found["paths"]), len(text)]))
"""


def measured(folder: Path, program: str, count: int) -> list[float]:
    """Return CPU seconds of the app and of its document, its paths and its bytes."""
    code = f"COUNT = {count}\n{program}{MEASURE}"
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return t.cast("list[float]", json.loads(done.stdout))


def run(quick: bool) -> t.Iterator[str]:
    """Yield the lines of the table."""
    count, rounds = (50, 1) if quick else (1000, 7)
    files = {f"pages/p{number}/[id=int].py": ENDPOINT for number in range(count)}
    folder = write(new_folder(), {"schemas.py": SCHEMAS, **files})
    runs: dict[str, list[list[float]]] = {name: [] for name in PROGRAMS}
    for _ in range(rounds + 1):
        for name, program in PROGRAMS.items():
            runs[name].append(measured(folder, program, count))
    yield "## An OpenAPI document"
    yield ""
    yield f"{count:,} paths with a `GET` and a `PUT` of the same schemas: CPU seconds,"
    yield f"the median of {rounds} processes in turn, after one that is not counted."
    yield ""
    yield "| package | app | document | both | kB | both: file routes / it | goal |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    medians = {}
    for name, found in runs.items():
        medians[name] = [
            sorted(column)[rounds // 2] for column in zip(*found[1:], strict=True)
        ]
    own = sum(medians["file routes"][:2])
    for name, (app, document, paths, size) in medians.items():
        if paths != count:
            raise RuntimeError(f"{name}: {paths} paths")
        both = app + document
        goal = "document < 1" if name == "file routes" else ""
        yield (
            f"| {name} | {app:.2f} | {document:.2f} | {both:.2f} | {size / 1000:.0f}"
            f" | {own / both:.2f} | {goal} |"
        )
    yield ""
