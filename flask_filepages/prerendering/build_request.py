"""The requests of a build, and the requests that must run the code of their route."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask
from werkzeug.wrappers import Response as BaseResponse

from ..releases.release import Environ

#: The key in the environ that marks a request of a build. Clients can only set
#: ``HTTP_*``.
RENDER = "flask_filepages.render"


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
    session: t.Any = None
    #: True if the handler read the session or the cookies; ``None`` until it is known.
    reads_state: bool | None = None


def is_live(app: Flask, environ: Environ) -> bool:
    """Return True if a request must run the code of its route: in a build, in debug and
    in tests."""
    config = app.config
    return RENDER in environ or config["DEBUG"] or config["TESTING"]


def script_name_of(app: Flask) -> str:
    """Return the ``SCRIPT_NAME`` for which responses are stored."""
    return (app.config.get("APPLICATION_ROOT") or "/").rstrip("/")
