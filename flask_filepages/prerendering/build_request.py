"""The requests of a build, and the requests that must run the code of their route."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask
from flask import Request
from flask import session
from werkzeug.wrappers import Response as BaseResponse

from ..releases.release import Environ

#: The key in the environ that marks a request of a build. Clients can only set
#: ``HTTP_*``.
RENDER = "flask_filepages.render"


_READS_STATE = (
    "it reads the session or the cookies, but every visitor gets its stored response."
    " Write `prerender = False`."
)


@dataclass(slots=True)
class Render:
    """One request of a build. Its environ has this object at the key ``RENDER``.

    The route passes its response to :attr:`take` as it leaves the middleware, before
    ``after_request`` functions see it.
    """

    endpoint: str
    params: Mapping[str, t.Any]
    props: Mapping[str, t.Any]
    take: Callable[[BaseResponse], None]
    error: BaseException | None = None
    reached: str | None = None
    #: What may be wrong with the response.
    warning: str | None = None
    _session: t.Any = None

    def start(self, request: Request) -> None:
        """Begin to note what the handler reads. Flask itself has read the cookies, to
        open the session."""
        self._session = t.cast(t.Any, session)._get_current_object()
        self._session.accessed = False
        vars(request).pop("cookies", None)

    def note_reads(self, request: Request) -> None:
        """Warn if the session or the cookies were read since the start."""
        if self._session.accessed or "cookies" in vars(request):
            self.warning = self.warning or _READS_STATE


def is_live(app: Flask, environ: Environ) -> bool:
    """Return True if a request must run the code of its route: in a build, in debug and
    in tests."""
    config = app.config
    return RENDER in environ or config["DEBUG"] or config["TESTING"]


def script_name_of(app: Flask) -> str:
    """Return the ``SCRIPT_NAME`` for which responses are stored."""
    return (app.config.get("APPLICATION_ROOT") or "/").rstrip("/")
