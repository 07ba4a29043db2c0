"""Serve the OpenAPI document, and Swagger UI next to it."""

from __future__ import annotations

import functools
import json
import typing as t

from flask import Flask
from flask import request
from flask_swagger_ui import get_swaggerui_blueprint
from werkzeug.wrappers import Response as BaseResponse

from ..errors import SettingsError
from ..settings import Settings
from .document import describe

NAME = "filepages_openapi"
#: The endpoint names of the document and of its page.
DOCUMENT, PAGE = f"{NAME}.document", f"{NAME}.show"


def register(app: Flask, settings: Settings, path: str) -> None:
    """Add the document and its page to *app*, behind ``FILEPAGES_OPENAPI_GUARD``.

    :param path: the path of the document, such as ``/openapi.json``. The page is at
        the same path without ``.json``.
    :raises SettingsError: the guard does not return a view.
    """
    config = {
        "app_name": settings.openapi_document.get("info", {}).get("title", app.name),
        # Otherwise the page would ask a server elsewhere to check the document, and
        # repeat the Host that the client sent.
        "validatorUrl": None,
        "oauth2RedirectUrl": "oauth2-redirect.html",
    }
    # Relative addresses, so that the page works below any SCRIPT_NAME.
    document = f"../{path.rpartition('/')[2]}"
    page = get_swaggerui_blueprint(".", document, config, blueprint_name=NAME)
    app.register_blueprint(page, url_prefix=path.removesuffix(".json"))
    _add_document(app, settings, path)
    guard = settings.openapi_guard or (lambda view: view)
    for endpoint in (DOCUMENT, PAGE):
        guarded = guard(app.view_functions[endpoint])
        if not callable(guarded):
            raise SettingsError(
                "FILEPAGES_OPENAPI_GUARD must return a view, as login_required does."
            )
        app.view_functions[endpoint] = t.cast(t.Any, guarded)


def _add_document(app: Flask, settings: Settings, path: str) -> None:
    """Add the view of the document, which is made once for each root, or in debug each
    time."""

    @functools.lru_cache(maxsize=8)
    def text_of(root: str) -> str:
        other = root if app.debug or root != settings.root else None
        return json.dumps(describe(app, other)[0], ensure_ascii=False)

    def document() -> BaseResponse:
        root = f"/{request.root_path.strip('/')}".rstrip("/")
        text = text_of.__wrapped__(root) if app.debug else text_of(root)
        response = app.response_class(text, mimetype="application/json")
        response.cache_control.no_cache = True
        response.add_etag()
        return response.make_conditional(request)

    app.add_url_rule(path, DOCUMENT, document)
