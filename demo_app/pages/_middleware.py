from flask import Response

from flask_filepages import CallNext
from flask_filepages import Context
from flask_filepages import headers
from flask_filepages import once_per_render


@once_per_render
def tell_templates(context: Context, call_next: CallNext) -> Response:
    """Hand on what all templates want; it is the same for everybody."""
    context.locals.tagline = "Files are routes, functions are methods."
    return call_next()


middleware = [
    once_per_render(
        headers(
            {
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "same-origin",
                "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
            }
        )
    ),
    tell_templates,
]
