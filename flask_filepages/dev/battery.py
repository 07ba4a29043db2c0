"""The conformance battery: ``pytest --filepages-battery`` checks the routes of an app
against what HTTP and this package promise. There is one test for each route and fact.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import tempfile
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from unittest import mock
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.cli import ScriptInfo
from marshmallow import Schema
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from ..errors import BuildError
from ..functions import summary_of
from ..handling.handlers import ALL
from ..handling.handlers import METHODS
from ..handling.route import BoundRoute
from ..handling.view import match_path
from ..prerendering.stored import PrerenderedRoute
from ..validation.responds import DeclaredResponse
from ..validation.responds import declared_responses
from ..validation.validate import schemas_of

_SAMPLES = "filepages_samples.json"
_REFUSALS = (301, 302, 303, 307, 308, 401, 403)
#: Fields that differ from one response to the next.
_VOLATILE = {"date", "set-cookie", "x-request-id", "content-length"}
_MOST_PATHS = 100
_ADDRESS = "203.0.113.7"  # Reserved for documentation (RFC 5737).
_BODIES = (b"", b"{", b'{"a": 1, "a": 2}', b"\xff", b"[" * 99, b"NaN")
_TEXTS = ("", "x" * 5000, "-1", "\u0665", "1e999", "[]", "{}")
_VALUES: tuple[t.Any, ...] = (None, {}, [], "x" * 5000, -1, 10**40, True)
_ARGUMENTS = {"query": "query_string", "form": "data", "headers": "headers"}

Fact = Callable[[BoundRoute, str], None]


def _send(
    bound: BoundRoute, method: str, url: str, build: str = "", **options: t.Any
) -> TestResponse:
    """Return the response of the code of a route, or the one that a build stores."""
    client = bound.app.test_client(use_cookies=False)
    options = {"environ_base": {"REMOTE_ADDR": _ADDRESS}, **options}
    if bound.settings.base_url is not None:
        options["base_url"] = bound.settings.base_url
    releases = bound.site.releases
    with releases.serving(build) if build else releases.suspended():
        return client.open(url, method=method, buffered=True, **options)


@functools.cache
def _build(app: Flask) -> tuple[tempfile.TemporaryDirectory[str], dict[str, str]]:
    """Return the folder of a build, and the errors of those that failed, by file."""
    folder = tempfile.TemporaryDirectory(prefix="filepages-battery-")
    site = next(iter(app.extensions["filepages"].values()))
    try:
        list(site.pages.build(app, out=folder.name, static=False))
    except BuildError as error:
        return folder, {fault.file: fault.problem for fault in error.faults}
    return folder, {}


def method_not_allowed(bound: BoundRoute, url: str) -> None:
    """A method without a handler gets 405 with ``Allow`` (RFC 9110, 15.5.6)."""
    method = next(m for m in METHODS if m not in bound.methods())
    _check_allow(bound, _send(bound, method, url), 405)


def options(bound: BoundRoute, url: str) -> None:
    """``OPTIONS`` gets 204 with ``Allow`` (RFC 9110, 9.3.7)."""
    _check_allow(bound, _send(bound, "OPTIONS", url), 204)


def _check_allow(bound: BoundRoute, response: TestResponse, status: int) -> None:
    _skip_refused(response)
    assert response.status_code == status, f"{response.status}, not {status}"
    sent = {method.upper() for method in response.allow}
    assert sent == {*bound.methods()}, f"Allow has {sent}, not {bound.methods()}"


def _skip_refused(response: TestResponse) -> None:
    if response.status_code in _REFUSALS:
        pytest.skip(f"the app refuses the request with {response.status}")


def head_equals_get(bound: BoundRoute, url: str) -> None:
    """``HEAD`` gets the response to ``GET`` without its body (RFC 9110, 9.3.2)."""
    get, again, head = (_send(bound, m, url) for m in ("GET", "GET", "HEAD"))
    assert get.status_code < 500, f"GET gets {get.status}"
    assert head.status_code == get.status_code, f"{head.status}, not {get.status}"
    # A nonce differs from one response to the next.
    missing = _fields(get) & _fields(again) - _fields(head)
    assert not missing, f"HEAD does not have {missing}"
    assert head.data == b"", "HEAD has a body"


def _fields(response: TestResponse) -> set[tuple[str, str]]:
    pairs = {(name.lower(), value) for name, value in response.headers}
    return {pair for pair in pairs if pair[0] not in _VOLATILE}


def malformed_input(bound: BoundRoute, url: str) -> None:
    """Input that a schema rejects never causes a server error (5xx)."""
    for method, function in bound.functions.items():
        for location, schema in schemas_of(function).items():
            for given in _malformed(location, schema):
                sent_as = "GET" if method == ALL else method
                response = _send(bound, sent_as, url, **given)
                shown = f"{method} gets {response.status} for {location} {given!r:.200}"
                assert response.status_code < 500, shown


def _malformed(location: str, schema: Schema) -> Iterator[dict[str, t.Any]]:
    """Yield the arguments of requests that the schema must reject: a handler that
    changes something must not run."""
    names = [field.data_key or name for name, field in schema.load_fields.items()]
    if location == "json":
        for body in _BODIES:
            yield {"data": body, "content_type": "application/json"}
        for value in [{}, [], *({n: v} for n in names for v in _VALUES)]:
            if _rejects(schema, value):
                yield {"json": value}
    for data in [{}, *({n: text} for n in names for text in _TEXTS)]:
        is_sendable = location != "headers" or "".join(data.values()).isascii()
        if location in _ARGUMENTS and is_sendable and _rejects(schema, data):
            yield {_ARGUMENTS[location]: data}


def _rejects(schema: Schema, data: t.Any) -> bool:
    try:
        return bool(schema.validate(data))
    except Exception:
        return True  # A hook of the schema fails, and so will the request.


def promised_json(bound: BoundRoute, url: str) -> None:
    """A response is valid JSON where ``@responds`` says so."""
    response = _send(bound, "GET", url)
    declared = declared_responses(bound.functions["GET"]).get(response.status_code)
    if declared is None or not _is_json(declared):
        pytest.skip(f"@responds says nothing about {response.status}")
    assert response.is_json, f"the media type is {response.mimetype}"
    try:
        json.loads(response.data)
    except ValueError as error:
        raise AssertionError(f"the response is not JSON: {error}") from None


def _is_json(declared: DeclaredResponse) -> bool:
    mimetype = declared.mimetype or ""
    return mimetype == "application/json" or mimetype.endswith("+json")


def stored_equals_live(bound: BoundRoute, url: str) -> None:
    """A build stores the response that the code makes."""
    for one, live, stored in _live_and_stored(bound):
        _skip_refused(live)
        assert (stored.status, stored.mimetype) == (live.status, live.mimetype), one
        assert stored.data == live.data, f"{one} differs after a build"


def guards_hold(bound: BoundRoute, url: str) -> None:
    """A visitor whom the code refuses is also refused when the response is stored."""
    for one, live, stored in _live_and_stored(bound):
        if live.status_code in _REFUSALS:
            assert stored.status == live.status, f"{one} gets {stored.status} if stored"


def _live_and_stored(
    bound: BoundRoute,
) -> Iterator[tuple[str, TestResponse, TestResponse]]:
    """Yield the first URLs that a build stores, each with both responses."""
    folder, errors = _build(bound.app)
    assert bound.route.name not in errors, errors[bound.route.name]
    if errors:
        pytest.skip(f"the build fails because of {', '.join(errors)}")
    route = t.cast(PrerenderedRoute, bound)
    for path in itertools.islice(route.paths(), _MOST_PATHS):
        url = route.file_names.url(route.url_of(path.params))
        yield url, _send(bound, "GET", url), _send(bound, "GET", url, folder.name)


def no_trace(bound: BoundRoute, url: str) -> None:
    """An error response shows no traceback and no path of the server."""
    for method in {*METHODS} - {*bound.methods()} | {"GET"}:
        response = _send(bound, method, url)
        text = response.data.decode("utf-8", "replace")
        for shown in ("Traceback (most recent call last)", bound.app.root_path):
            is_shown = response.status_code >= 400 and shown in text
            assert not is_shown, f"{method} shows {shown!r}"


def _facts_of(bound: BoundRoute) -> list[Fact]:
    """Return the facts that apply to a route."""
    own = bound.functions
    declared = declared_responses(own.get("GET"))
    is_stored = isinstance(bound, PrerenderedRoute)
    facts: dict[Fact, object] = {
        method_not_allowed: {*METHODS} - {*bound.methods()},
        options: not own.keys() & {ALL, "OPTIONS"},
        head_equals_get: "GET" in own and not own.keys() & {ALL, "HEAD"},
        malformed_input: any(map(schemas_of, own.values())),
        promised_json: any(map(_is_json, declared.values())),
        stored_equals_live: is_stored,
        guards_hold: is_stored,
        no_trace: True,
    }
    return [fact for fact, applies in facts.items() if applies]


class Battery(pytest.Collector):
    """The tests of all routes of the app that Flask finds: ``FLASK_APP``, ``app.py`` or
    ``wsgi.py``."""

    def collect(self) -> Iterator[FactItem]:
        try:
            app = ScriptInfo(app_import_path=os.environ.get("FLASK_APP")).load_app()
            sites = app.extensions["filepages"].values()
            for site in sites:
                site.load()
            routes = [bound for site in sites for bound in site.routes.values()]
            file = Path(app.root_path, _SAMPLES)
            samples = json.loads(file.read_text("utf-8")) if file.exists() else {}
        except (Exception, SystemExit) as error:
            raise pytest.UsageError(summary_of(error)) from error
        unknown = samples.keys() - {bound.id for bound in routes}
        if unknown:
            raise pytest.UsageError(f"{file} has {unknown}, which are not routes.")
        for bound in routes:
            if bound.route.redirect is None and not bound.is_error_page:
                for fact in _facts_of(bound):
                    name = f"{bound.site.url_prefix}{bound.id}[{fact.__name__}]"
                    item = FactItem.from_parent(self, name=name)
                    item.bound, item.fact = bound, fact
                    item.sample = samples.get(bound.id)
                    yield item


class FactItem(pytest.Item):
    """The test of one fact about one route."""

    bound: BoundRoute
    fact: Fact
    sample: t.Mapping[str, t.Any] | None

    def runtest(self) -> None:
        params, bound = self.sample, self.bound
        if params is None and isinstance(bound, PrerenderedRoute):
            params = next((path.params for path in bound.paths()), None)
        required = bound.route.params.keys() - bound.route.optional_params
        if params is None and required:
            names = ", ".join(f'"{name}": "..."' for name in bound.route.params)
            pytest.skip(f'write {_SAMPLES} with {{"{bound.id}": {{{names}}}}}')
        url = bound.url_of(params or {})
        with contextlib.suppress(HTTPException):
            rule, _ = match_path(bound.app, unquote(url))
            if rule not in bound.rules:
                pytest.skip(f"another route handles {url}; write {_SAMPLES}")
        # The tests of the user may have turned them on.
        plain = {"DEBUG": False, "TESTING": False, "PROPAGATE_EXCEPTIONS": False}
        with mock.patch.dict(bound.app.config, plain):
            self.fact(bound, url)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return Path(self.bound.site.folder, self.bound.route.name), None, self.name

    def repr_failure(self, excinfo: t.Any, style: t.Any = None) -> t.Any:
        if isinstance(excinfo.value, AssertionError):
            return f"{self.bound.route.name}: {excinfo.value}"
        return super().repr_failure(excinfo)
