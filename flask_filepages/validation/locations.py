"""Read the values of a request, by location: JSON body, form, query and so on."""

from __future__ import annotations

import contextlib
import functools
import io
import typing as t
from collections.abc import Mapping

from flask import Request
from marshmallow import Schema
from marshmallow import fields
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.http import parse_list_header

from ..context import Context
from ..errors import BodyAlreadyReadError
from . import strict_json
from .bodies import FORM_TYPES

#: Bytes of a JSON body, unless the app sets ``MAX_CONTENT_LENGTH``.
MAX_JSON = 2_500_000
#: Locations where a name may occur several times.
_REPEATED = ("form", "query", "headers", "files")
#: Locations where browsers send an empty text for a field that was left empty.
_TYPED_BY_HAND = ("form", "query")
#: The only fields for which an empty text is a value.
TEXTS = (fields.String, fields.Raw)


def load(schema: Schema, context: Context, location: str, unknown: t.Any) -> t.Any:
    """Return the values of *location*, loaded by *schema*.

    :raises marshmallow.ValidationError: the values are invalid.
    :raises HTTPException: see :func:`raw`.
    """
    data = raw(context, location)
    if location in _REPEATED:
        data = _as_dict(data, schema, is_typed=location in _TYPED_BY_HAND)
    return schema.load(data, unknown=unknown)


def _as_dict(data: t.Any, schema: Schema, *, is_typed: bool) -> dict[str, t.Any]:
    """Turn a multidict into a dict: all values for list fields, the first for others.

    The names of header fields are matched without regard to case.

    :param is_typed: leave out the empty texts of all but string fields.
    """
    values: dict[str, t.Any] = {}
    # Header fields are not a mapping.
    fold = str if isinstance(data, Mapping) else str.lower
    known = set()
    for name, field in schema.load_fields.items():
        key = name if field.data_key is None else field.data_key
        if key not in data:
            continue
        known.add(fold(key))
        # A list field that splits one text itself says is_multiple = False.
        is_list = isinstance(field, (fields.List, fields.Tuple))
        is_list = getattr(field, "is_multiple", is_list)
        value = _list(data, key) if is_list else data[key]
        inner = field.inner if isinstance(field, fields.List) else field
        if is_typed and type(inner) not in TEXTS:
            if is_list:
                value = [one for one in value if one != ""]
            if value in ("", []):
                continue
        values[key] = value
    for key in data.keys():  # noqa: SIM118 - iterating over headers yields pairs
        if fold(key) not in known:
            values[key] = data[key]
    return values


def _list(data: t.Any, key: str) -> list[t.Any]:
    """Return all values of *key*. One line of a header may have several, separated by
    commas (RFC 9110, section 5.6.1)."""
    values: list[t.Any] = data.getlist(key)
    if isinstance(data, Mapping):
        return values
    return [
        value
        for line in values
        # Of a quoted value that does not end, Werkzeug would keep nothing.
        for value in ([line] if line.count('"') % 2 else parse_list_header(line))
    ]


def raw(context: Context, location: str) -> t.Any:
    """Return the values of *location* as the client sent them.

    :raises UnsupportedMediaType: the body is not sent as JSON, or as a form.
    :raises RequestEntityTooLarge: the body has too many bytes or fields.
    :raises BadRequest: the body is malformed; see
        :mod:`~flask_filepages.validation.strict_json`.
    """
    return _READERS[location](context)


def _json(context: Context) -> t.Any:
    request = context.request
    mimetype = request.mimetype
    is_json = mimetype == "application/json" or (
        mimetype.startswith("application/") and mimetype.endswith("+json")
    )
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if not is_json or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("Send it as application/json, in UTF-8.")
    _refuse_encoded(context)
    if request.max_content_length is None:
        request.max_content_length = MAX_JSON
    limit = request.max_content_length
    try:
        data = request.get_data()
        if len(data) > limit:  # A hook has read it before the limit was set.
            raise RequestEntityTooLarge
    except RequestEntityTooLarge:
        raise RequestEntityTooLarge(f"The body may have {limit} bytes.") from None
    try:
        return strict_json.loads(data)
    except strict_json.StrictJSONError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from None


def _form(context: Context) -> t.Any:
    request = context.request
    if request.mimetype not in FORM_TYPES:
        raise UnsupportedMediaType(f"Send it as {' or '.join(FORM_TYPES)}.")
    if request.mimetype != FORM_TYPES[0] and "boundary" not in request.mimetype_params:
        raise BadRequest("The form has no boundary.")
    _refuse_encoded(context)
    try:
        form: MultiDict[str, str] = _parse_form(request)
    except ValueError as error:
        raise BadRequest("The form is malformed.") from error
    # Werkzeug applies this limit to multipart forms only.
    most = request.max_form_parts
    if most is not None and sum(map(len, form.listvalues())) > most:
        raise RequestEntityTooLarge(f"A form has at most {most} fields.")
    token = context.app.config.get("WTF_CSRF_FIELD_NAME")
    # Flask-WTF has checked its token already; no schema knows it.
    if token is not None and token in form:
        form = MultiDict(form)
        form.poplist(token)
    return form


def _parse_form(request: Request) -> t.Any:
    """Return the form of *request*. Werkzeug's default reads a malformed form as empty.

    :raises ValueError: the form is malformed.
    """
    if isinstance(request.form_data_parser_class, functools.partial):
        return request.form
    strict = functools.partial(request.form_data_parser_class, silent=False)
    request.form_data_parser_class = t.cast(t.Any, strict)
    if "form" in vars(request):  # Middleware or a hook has read it.
        with contextlib.suppress(BodyAlreadyReadError):
            stream = io.BytesIO(request.get_data())
            kind, options = request.mimetype, request.mimetype_params
            parsed = request.make_form_data_parser().parse(stream, kind, None, options)
            for file in parsed[2].values():
                file.close()
        return request.form
    if request.mimetype == FORM_TYPES[0]:
        # Werkzeug compares Content-Length with this limit, but not chunked bodies.
        limits = (request.max_content_length, request.max_form_memory_size)
        known = [limit for limit in limits if limit is not None]
        request.max_content_length = min(known, default=MAX_JSON)
    return request.form


def _params(context: Context) -> dict[str, t.Any]:
    """Return the params without the absent ones, so that schemas see them as
    missing."""
    return {k: v for k, v in context.params.items() if v is not None}


def _files(context: Context) -> t.Any:
    _form(context)
    # Browsers send a file without a name for an input that was left empty.
    files = context.request.files.items(multi=True)
    return MultiDict((name, file) for name, file in files if file.filename)


def _refuse_encoded(context: Context) -> None:
    """Refuse a compressed body (RFC 9110, section 8.4), which could be a bomb."""
    encoding: str = context.request.environ.get("HTTP_CONTENT_ENCODING", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType("Send it without a Content-Encoding.")


_READERS: dict[str, t.Callable[[Context], t.Any]] = {
    "json": _json,
    "form": _form,
    "query": lambda context: context.request.args,
    "params": _params,
    "headers": lambda context: context.request.headers,
    "cookies": lambda context: context.cookies,
    "files": _files,
}
