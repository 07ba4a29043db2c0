from flask import Response

from flask_filepages import Context
from flask_filepages import responds

prerender = True


@responds(mimetype="application/xml")
def GET(context: Context) -> Response:
    """Return the feed, which a build stores."""
    return Response("<feed/>", mimetype="application/xml")
