from flask_filepages import Context


def GET(context: Context) -> None:
    return GET(context)
