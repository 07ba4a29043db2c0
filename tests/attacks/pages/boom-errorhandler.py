from flask_filepages import Context


class HandledBadly(Exception):
    """The app has an error handler for it, which raises."""


def GET(context: Context) -> None:
    raise HandledBadly("SECRET-TOKEN-abc")
