from flask import Response
from werkzeug.exceptions import NotFound

from flask_filepages import Context
from flask_filepages import StaticPath

_CHAPTERS = {
    "": ("Docs", "A rest param is any number of segments: /docs, /docs/api, ..."),
    "api": ("The API", "GET, POST /api/posts and GET, PUT, DELETE /api/posts/<slug>."),
    "api/webhook": ("The webhook", "POST /api/webhook, signed with HMAC-SHA256."),
}


def get_static_paths() -> list[StaticPath]:
    return [StaticPath({"path": path or None}) for path in _CHAPTERS]


def GET(context: Context) -> Response:
    chapter = _CHAPTERS.get(context.params["path"] or "")
    if chapter is None:
        raise NotFound
    title, text = chapter
    return context.render(title=title, text=text, chapters=_CHAPTERS)
