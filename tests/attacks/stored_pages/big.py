import os

from flask import Response

from flask_filepages import Context


def GET(context: Context) -> Response:
    """Answer with more than a server keeps in memory."""
    made = os.environ.get("STORED_MADE")
    return context.json({"made": made, "all": [*range(20_000)]})
