from flask_filepages import Context


def GET(context: Context) -> None:
    raise RuntimeError("SECRET-TOKEN-abc")
