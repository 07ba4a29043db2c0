from flask import Response
from werkzeug.exceptions import NotFound

from demo_app.lib.content import documents
from demo_app.lib.text import to_html
from flask_filepages import Context
from flask_filepages import StaticPath

CHAPTERS = {
    document.path if document.path != "index" else None: document
    for document in documents("docs")
}


def get_static_paths() -> list[StaticPath]:
    return [StaticPath({"path": path}) for path in CHAPTERS]


def GET(context: Context) -> Response:
    chapter = CHAPTERS.get(context.params["path"])
    if chapter is None:
        raise NotFound
    site = context.site or ""
    text = to_html(chapter.text.replace("{site}", site))
    return context.render(front=chapter.front, text=text, chapters=CHAPTERS)
