"""Handlers as plain functions: a context without a server, a module by its file."""

from __future__ import annotations

import importlib
import os
import types
import typing as t

from flask import Flask
from flask import render_template
from flask.sessions import SecureCookieSession
from werkzeug.datastructures import Headers as WerkzeugHeaders
from werkzeug.http import dump_cookie
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response as BaseResponse

from .context import Binding
from .context import Context
from .handling.finder import anchor_for
from .handling.finder import finder
from .validation.bodies import make_rereadable


def make_context(
    method: str = "GET",
    path: str = "/",
    *,
    params: t.Mapping[str, t.Any] | None = None,
    props: t.Mapping[str, t.Any] | None = None,
    query: t.Mapping[str, t.Any] | str | None = None,
    json: t.Any = None,
    form: t.Mapping[str, t.Any] | None = None,
    headers: t.Mapping[str, str] | None = None,
    cookies: t.Mapping[str, str] | None = None,
    session: t.Mapping[str, t.Any] | None = None,
    locals: t.Mapping[str, t.Any] | None = None,
    app: Flask | None = None,
) -> Context:
    """Return a context as a handler would get it. No Flask context is pushed.

    ``GET(make_context(params={"id": "1"}))`` is then the test of a handler. What
    the handler set can be read back from ``context.cookies``, ``context.session``
    and ``context.locals``.

    :param query: the query string, or a mapping of it.
    :param json: sent as a JSON body; *form* as a form, files included.
    :param app: what ``context.app`` is, else a Flask app with no settings.
    """
    app = app or Flask("flask_filepages.testing")
    sent = WerkzeugHeaders(dict(headers or {}))
    for name, value in (cookies or {}).items():
        sent.add("Cookie", dump_cookie(name, value, path=None))
    builder = EnvironBuilder(
        path, method=method, query_string=query, json=json, data=form, headers=sent
    )
    try:
        request = app.request_class(builder.get_environ())
    finally:
        builder.close()
    if method not in ("GET", "HEAD", "OPTIONS"):
        make_rereadable(request)
    context = Context(request, dict(params or {}), Binding(path, {}, _render, _rewrite))
    context.app = app
    context.props = types.MappingProxyType(dict(props or {}))
    context.session = SecureCookieSession(session or {})
    context.locals = types.SimpleNamespace(**(locals or {}))
    return context


def _render(context: Context, template: str | None, data: dict[str, t.Any]) -> str:
    if template is None:
        raise RuntimeError(
            "make_context() belongs to no file, so there is no page beside it. Name"
            " the template, or test the page through app.test_client()."
        )
    with context.app.request_context(context.request.environ):
        return render_template(template, **{**data, "context": context})


def _rewrite(context: Context, to: str) -> BaseResponse:
    raise RuntimeError(
        "make_context() belongs to no pages that could answer. Test a rewrite through"
        " app.test_client()."
    )


def load_endpoint(file: str, *, beside: str, folder: str = "pages") -> types.ModuleType:
    """Return the module of an endpoint: the very one that the app serves.

    Python cannot write ``import [id]``; this can:
    ``endpoint = load_endpoint("[id].py", beside=__file__)``.

    :param file: the path of the endpoint, relative to the folder of *beside*.
    :param folder: the name of the pages folder, if the app is not made yet.
    :raises FileNotFoundError: there is no such file, or it lies in no such folder.
    """
    path = os.path.realpath(os.path.join(os.path.dirname(beside), file))
    if not os.path.isfile(path):
        raise FileNotFoundError(f"There is no {path}; {file!r} is looked up beside it.")
    name = finder.name_of(path)
    if name is None:
        root = _pages_root(path, folder)
        parent = os.path.dirname(root)
        anchor = anchor_for(root, _package(parent), parent)
        finder.register(anchor, root, fresh=False)
        name = finder.name_of(path)
    return importlib.import_module(t.cast(str, name))


def _pages_root(path: str, folder: str) -> str:
    parent = os.path.dirname(path)
    while os.path.basename(parent) != folder:
        if parent == os.path.dirname(parent):
            raise FileNotFoundError(
                f"{path} lies in no folder named {folder!r}. Name it: folder=..."
            )
        parent = os.path.dirname(parent)
    return parent


def _package(folder: str) -> list[str]:
    names: list[str] = []
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, name = os.path.split(folder)
        names.insert(0, name)
    return names
