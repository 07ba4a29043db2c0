import time

from flask import Response

from demo_app.lib.sources import files_of
from flask_filepages import CallNext
from flask_filepages import Context
from flask_filepages import headers
from flask_filepages import once_per_render


@once_per_render
def describe_page(context: Context, call_next: CallNext) -> Response:
    """Give templates what the footer shows: the files of the page, and its time."""
    start = time.perf_counter()
    context.locals.milliseconds = lambda: (time.perf_counter() - start) * 1000
    context.locals.files = files_of(context)
    return call_next()


middleware = [
    headers(
        {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
        }
    ),
    describe_page,
]
