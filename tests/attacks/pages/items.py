from flask import Response

from flask_filepages import Context

OS = "never a method"


def get_static_paths() -> list[str]:
    return []


def GET(context: Context) -> Response:
    return context.json([])


def POST(context: Context) -> Response:
    return context.json(context.request.get_json(), 201)
