"""Test handlers as plain functions: a context without a server, a module by its
file."""

from __future__ import annotations

import types
import typing as t
from pathlib import Path

from flask import Flask
from flask import render_template
from flask.sessions import SecureCookieSession
from werkzeug.datastructures import Headers as WerkzeugHeaders
from werkzeug.http import dump_cookie
from werkzeug.test import EnvironBuilder

from .context import Context
from .context import Values
from .handling.loading import anchor_for
from .handling.loading import finder
from .handling.loading import import_page
from .settings import Settings
from .validation.bodies import make_rereadable

if t.TYPE_CHECKING:
    from .handling.route import BoundRoute


def make_context(
    method: str = "GET",
    path: str = "/",
    *,
    params: t.Mapping[str, t.Any] | None = None,
    props: t.Mapping[str, t.Any] | None = None,
    query: t.Mapping[str, t.Any] | str | None = None,
    json: t.Any = None,
    form: t.Mapping[str, t.Any] | None = None,
    data: bytes | str | None = None,
    headers: t.Mapping[str, str] | None = None,
    cookies: t.Mapping[str, str] | None = None,
    session: t.Mapping[str, t.Any] | None = None,
    locals: t.Mapping[str, t.Any] | None = None,
    app: Flask | None = None,
) -> Context:
    """Return a context like the one that a handler gets. No Flask context is pushed.

    To test a handler, call ``GET(make_context(params={"id": "1"}))``. Then read what it
    set from ``context.cookies``, ``context.session`` and ``context.locals``.

    :param query: the query string, or a mapping.
    :param json: the JSON body.
    :param form: the form, including files.
    :param data: the raw body, in place of *json* and *form*.
    :param app: ``context.app``, by default a bare Flask app.
    """
    app = app or Flask("flask_filepages.testing")
    sent = WerkzeugHeaders(dict(headers or {}))
    for name, value in (cookies or {}).items():
        sent.add("Cookie", dump_cookie(name, value, path=None))
    builder = EnvironBuilder(
        path,
        method=method,
        query_string=query,
        json=json,
        data=data or form,
        headers=sent,
    )
    try:
        request = app.request_class(builder.get_environ())
    finally:
        builder.close()
    make_rereadable(request)
    route = t.cast("BoundRoute", _NoRoute(path, app))
    context = Context(request, dict(params or {}), route)
    context.props = Values("props", dict(props or {}))
    context.session = SecureCookieSession(session or {})
    context.locals = types.SimpleNamespace(**(locals or {}))
    return context


class _NoRoute:
    """The route of a context that belongs to no file."""

    absent_params: t.ClassVar[dict[str, None]] = {}
    settings = Settings()
    status = 200
    cors = None

    def __init__(self, path: str, app: Flask) -> None:
        self.id = path
        self.app = app

    def is_prerendered_for(self, context: Context) -> bool:
        return False

    @property
    def site(self) -> t.NoReturn:
        raise RuntimeError(
            "make_context() belongs to no pages. Test this with app.test_client()."
        )

    def render(
        self, context: Context, template: str | None, data: dict[str, t.Any]
    ) -> str:
        if template is None:
            raise RuntimeError(
                "make_context() belongs to no file, so it has no page. Name the"
                " template, or test the page with app.test_client()."
            )
        with context.app.request_context(context.request.environ):
            return render_template(template, **{**data, "context": context})

    def rewrite(self, context: Context, to: str) -> t.NoReturn:
        raise RuntimeError(
            "make_context() belongs to no pages, so it cannot rewrite. Test a rewrite"
            " with app.test_client()."
        )


def load_endpoint(file: str, *, beside: str, folder: str = "pages") -> types.ModuleType:
    """Return the module of an endpoint: the same module that the app uses.

    Python has no syntax for ``import [id]``. Write
    ``endpoint = load_endpoint("[id].py", beside=__file__)``.

    :param file: the path of the endpoint, relative to the folder of *beside*.
    :param folder: the name of the pages folder, in case the app does not exist yet.
    :raises FileNotFoundError: if the file does not exist, or is not inside a folder of
        that name.
    """
    path = Path(beside).parent.joinpath(file).resolve()
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} does not exist; {file!r} is relative to {beside}."
        )
    name = finder.name_of(str(path))
    if name is None:
        root = next((one for one in path.parents if one.name == folder), None)
        if root is None:
            raise FileNotFoundError(
                f"{path} is not in a folder named {folder!r}. Name it: folder=..."
            )
        anchor = anchor_for(str(root), _package(root.parent), str(root.parent))
        finder.register(anchor, str(root), fresh=False)
        name = finder.name_of(str(path))
    return import_page(t.cast(str, name))


def _package(folder: Path) -> list[str]:
    """Return the package in *folder*, as a list of names."""
    if not (folder / "__init__.py").is_file():
        return []
    return [*_package(folder.parent), folder.name]
