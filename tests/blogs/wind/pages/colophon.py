from flask import Response
from flask import url_for

from flask_filepages import Context


def GET(context: Context) -> Response:
    return Response(
        '<!doctype html><html lang="en"><title>Colophon</title>'
        f'<p>Set in sans-serif. <a href="{url_for("/")}">Home</a></p></html>'
    )
