from flask import Response

from flask_filepages import Context


def GET(context: Context) -> Response:
    args = context.request.args
    context.cookies.set(
        args["name"],
        args["value"],
        path=args.get("path", "/"),
        domain=args.get("domain"),
    )
    return Response("ok", mimetype="text/plain")
