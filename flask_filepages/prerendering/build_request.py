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


@dataclass(slots=True)
class Render:
    """One request of a build. Its environ has this object at the key ``RENDER``.

    The route passes its response to :attr:`take` as it leaves the middleware, before
    ``after_request`` functions see it. :attr:`reads_state` is True if the handler read
    the session or the cookies, and :attr:`warning` says what else may be wrong.
    """

    endpoint: str
    params: Mapping[str, t.Any]
    props: Mapping[str, t.Any]
    take: Callable[[BaseResponse], None]
    error: BaseException | None = None
    reached: str | None = None
    reads_state: bool = False
    warning: str | None = None
    _session: t.Any = None

    def start(self, request: Request) -> None:
        """Begin to note what the handler reads. Flask itself has read the cookies, to
        open the session."""
        self._session = t.cast(t.Any, session)._get_current_object()
        self._session.accessed = False
        vars(request).pop("cookies", None)

    def note_reads(self, request: Request) -> None:
        """Note if the session or the cookies were read since the start."""
        accessed = self._session.accessed or "cookies" in vars(request)
        self.reads_state = self.reads_state or accessed


def is_live(app: Flask, environ: Environ) -> bool:
    """Return True if a request must run the code of its route: in a build, in debug and
    in tests."""
    config = app.config
    return RENDER in environ or config["DEBUG"] or config["TESTING"]
