from flask import Response

from flask_filepages import Context
from flask_filepages import cors

middleware = cors(["https://app.example"], credentials=True)


def GET(context: Context) -> Response:
    return context.json(1)


def PUT(context: Context) -> Response:
    return context.json(2)
