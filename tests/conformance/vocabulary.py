"""What the recorded handlers do, said in Python. Imported by the rebuilt endpoints."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import typing as t
import unicodedata
from datetime import datetime
from urllib.parse import parse_qs
from urllib.parse import quote
from urllib.parse import urlsplit
from urllib.parse import urlunsplit

from flask import Response
from werkzeug.exceptions import HTTPException

from flask_filepages import Context
from flask_filepages import CookieError
from flask_filepages import Page

# What the URL standard leaves as it is in a path.
PATH_SAFE = "/%!$&'()*+,;=:@~[]|"
#: A context attribute of Astro's that has no counterpart here.
ABSENT = "@absent"
Action = dict[str, t.Any]


def run(action: Action, context: Context, file: str, name: str) -> t.Any:
    """Return what the recorded handler *name* of *file* answers."""
    do = action["do"].replace(".", "_").replace("-", "_")
    return _ACTIONS[do](action, context, file, name)


def page_data(context: Context, file: str) -> dict[str, t.Any]:
    """Return what a recorded page shows of its context."""
    data: dict[str, t.Any] = {"page": file, "params": dict(context.params)}
    props = _told(context)
    error = context.props.get("error")
    if error is not None and not isinstance(error, HTTPException):
        props["error"] = str(error)
    if props:
        data["props"] = props
    if vars(context.locals):
        data["locals"] = vars(context.locals)
    return data


def url_data(context: Context) -> dict[str, t.Any]:
    """Return what the recorded page about URLs shows."""
    fields = {
        "url": "url",
        "pathname": "pathname",
        "request": "request.url",
        "origin": "originPathname",
    }
    data = {name: _field(field, context) for name, field in fields.items()}
    return {"page": "pctx.astro", **data}


def throw(error: Exception) -> t.NoReturn:
    """Raise *error*, in an expression."""
    raise error


def _told(context: Context) -> dict[str, t.Any]:
    """Return the props as Astro names them. On an error page the error is among them,
    here; Astro has none."""
    of_error = ("error", "request_id")
    return {
        key: _page_of(value) if isinstance(value, Page) else value
        for key, value in context.props.items()
        if key not in of_error
    }


def _page_of(page: Page) -> dict[str, t.Any]:
    """Return a page of a list as Astro names its parts; what is not there is absent."""
    urls = dataclasses.asdict(page.urls)
    return {
        "data": page.data,
        "start": page.start,
        "end": page.end,
        "size": page.size,
        "total": page.total,
        "currentPage": page.current,
        "lastPage": page.last,
        "url": {name: url for name, url in urls.items() if url is not None},
    }


def _echo(action: Action, context: Context, file: str, name: str) -> t.Any:
    data = {
        "route": file,
        "handler": name,
        "method": context.request.method,
        "params": dict(context.params),
    }
    props = _told(context)
    if props:
        data["props"] = props
    return context.json(data)


def _respond(action: Action, context: Context, file: str, name: str) -> t.Any:
    body = action.get("body")
    if "base64" in action:
        body = base64.b64decode(action["base64"])
    headers = action.get("headers", {})
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    status: t.Any = action.get("status", 200)
    if "statusText" in action:
        status = f"{status} {action['statusText']}"
    kind = "text/plain" if isinstance(body, str) else None
    typed = any(key.lower() == "content-type" for key, _ in pairs)
    response = Response(body, status, mimetype=None if typed else kind)
    for key, value in pairs:
        if key.lower() == "content-type":
            response.headers["Content-Type"] = value
        else:
            response.headers.add(key, value)
    return response


def _json(action: Action, context: Context, file: str, name: str) -> t.Any:
    return context.json(
        action["data"], action.get("status", 200), action.get("headers")
    )


def _return(action: Action, context: Context, file: str, name: str) -> t.Any:
    return {
        "undefined": None,
        "null": None,
        "string": "hello",
        "object": {"a": 1},
        "number": 7,
        "array": [1],
        "false": False,
        "true": True,
        "empty": "",
        "buffer": b"bytes",
    }[action["value"]]


def _throw(action: Action, context: Context, file: str, name: str) -> t.Any:
    thrown = {"Response": Response(status=418), "string": "boom", "null": None}
    if action.get("what", "Error") in thrown:
        raise t.cast(t.Any, thrown[action["what"]])
    raise RuntimeError(action.get("message", "boom"))


def _redirect(action: Action, context: Context, file: str, name: str) -> t.Any:
    return context.redirect(action["to"], action.get("status", 302))


def _Response_redirect(action: Action, context: Context, file: str, name: str) -> t.Any:
    return context.redirect(action["to"], action["status"], external=True)


def _rewrite(action: Action, context: Context, file: str, name: str) -> t.Any:
    if action.get("read"):
        context.request.get_data()
    return context.rewrite(action["to"])


def _stream(action: Action, context: Context, file: str, name: str) -> t.Any:
    def chunks() -> t.Iterator[str]:
        for index, chunk in enumerate(action["chunks"]):
            if action.get("error_after") == index:
                raise RuntimeError("stream")
            yield chunk

    return Response(chunks(), mimetype="text/plain")


def _locals_assign(action: Action, context: Context, file: str, name: str) -> t.Any:
    context.locals = t.cast(t.Any, {})
    return Response("assigned")


def _set_param_mutate(action: Action, context: Context, file: str, name: str) -> t.Any:
    t.cast(t.Any, context.params)["id"] = "changed"
    return context.json(dict(context.params))


def _log(action: Action, context: Context, file: str, name: str) -> t.Any:
    getattr(context.app.logger, action["level"])(action["message"])
    return Response("logged", mimetype="text/plain")


# -- bodies ---------------------------------------------------------------------


def _body(action: Action, context: Context, file: str, name: str) -> t.Any:
    try:
        return context.json(_read(action["as"], context))
    except Exception as error:
        if action.get("uncaught"):
            raise
        known = {"JSONDecodeError": "SyntaxError"}
        name = type(error).__name__
        return context.json({"error": known.get(name, name)}, 400)


def _read(kind: str, context: Context) -> t.Any:
    request = context.request
    text = request.get_data(as_text=True) if kind != "formData" else ""
    if kind == "text":
        return {"as": kind, "value": text}
    if kind == "json":
        return {"as": kind, "value": json.loads(text, parse_constant=_no_number)}
    if kind == "has":
        has = request.method not in ("GET", "HEAD")
        return {"as": kind, "body": "stream" if has else None, "bodyUsed": False}
    if kind == "clone":
        return {"a": text, "b": request.get_data(as_text=True)}
    if kind == "twice":
        return {"a": text, "b": request.get_data(as_text=True)}
    if kind == "arrayBuffer":
        data = request.get_data()
        return {"as": kind, "length": len(data), "sum": sum(data) % 65521}
    fields: list[list[t.Any]] = [
        [
            key,
            {
                "file": file.filename,
                "type": file.mimetype or "text/plain",  # as RFC 7578, section 4.4
                "text": file.read().decode("utf-8", "replace"),
            },
        ]
        for key, file in request.files.items(multi=True)
    ]
    fields += [[key, value] for key, value in request.form.items(multi=True)]
    if request.mimetype == "multipart/form-data":  # Flask keeps the two apart
        sent = request.get_data()
        fields.sort(key=lambda field: sent.find(f'name="{field[0]}"'.encode()))
    return {"as": kind, "value": fields}


def _no_number(text: str) -> t.NoReturn:
    raise json.JSONDecodeError(f"{text} is no number", text, 0)


# -- context ----------------------------------------------------------------------


def _ctx(action: Action, context: Context, file: str, name: str) -> t.Any:
    return context.json({field: _field(field, context) for field in action["fields"]})


def _field(field: str, context: Context) -> t.Any:
    kind, _, key = field.partition(":")
    url = context.url
    if kind == "header":
        return context.request.headers.get(key)
    if kind == "query":
        return parse_qs(url.query, keep_blank_values=True).get(key, [])
    if kind == "cookie":
        return context.cookies.get(key)
    if kind == "typeof":
        known = {"cookies": "object", "redirect": "function", "session": "object"}
        return known.get(key, ABSENT)
    href = urlunsplit(url._replace(path=quote(url.path, safe=PATH_SAFE)))
    asked = context.request.environ.get("conformance.url", href)  # none in a build
    if asked.endswith("?"):
        href += "?"
    values: dict[str, t.Callable[[], t.Any]] = {
        "url": lambda: href,
        "pathname": lambda: quote(url.path, safe=PATH_SAFE),
        "search": lambda: f"?{url.query}" if url.query else "",
        "origin": lambda: f"{url.scheme}://{url.netloc}",
        "request.url": lambda: asked,
        "request.method": lambda: context.request.method,
        "params": lambda: dict(context.params),
        "paramKeys": lambda: sorted(context.params),
        "props": lambda: _told(context),
        "site": lambda: _href(context.site),
        "routePattern": lambda: context.route_id,
        "isPrerendered": lambda: context.is_prerendered,
        "locals": lambda: vars(context.locals),
        "clientAddress": lambda: context.request.remote_addr,
    }
    return values[field]() if field in values else ABSENT


def _href(site: str | None) -> str | None:
    """Return an address as JavaScript's ``URL`` writes it: with a path."""
    if site is None:
        return None
    parts = urlsplit(site)
    return urlunsplit(parts._replace(path=parts.path or "/"))


def astro_value(value: t.Any) -> t.Any:
    """Return what Astro makes of a value that is listed for a param."""
    if not isinstance(value, str):
        return value
    value = unicodedata.normalize("NFC", value).strip("/")
    return value.replace("?", "%3F").replace("#", "%23")


# -- cookies ------------------------------------------------------------------------


def _cookies(action: Action, context: Context, file: str, name: str) -> t.Any:
    results = [_cookie_op(context, *op) for op in action["ops"]]
    headers = action.get("headers")
    response = context.json(results)
    for key, value in (headers or {}).items():
        response.headers.add(key, value)
    return response


def _cookie_op(context: Context, op: str, name: str = "", *args: t.Any) -> t.Any:
    try:
        return _COOKIE_OPS[op](context, name, *args)
    except KeyError:
        return "NOCOOKIE"
    except (CookieError, TypeError, ValueError) as error:
        known = {"CookieError": "TypeError", "JSONDecodeError": "SyntaxError"}
        return {"error": known.get(type(error).__name__, type(error).__name__)}


def _set(context: Context, name: str, value: t.Any, opts: Action | None = None) -> str:
    options: dict[str, t.Any] = {
        _OPTIONS[key]: value for key, value in (opts or {}).items()
    }
    if "expires" in options:
        options["expires"] = datetime.fromisoformat(options["expires"])
    if "samesite" in options:
        same = {True: "Strict", False: None}
        wanted = options["samesite"]
        options["samesite"] = same.get(wanted, str(wanted).capitalize())
    context.cookies.set(name, value, **options)
    return "set"


def _delete(context: Context, name: str, opts: Action | None = None) -> str:
    known = {k: v for k, v in (opts or {}).items() if k in ("path", "domain", "secure")}
    context.cookies.delete(name, **known)
    return "delete"


def _number(context: Context, name: str) -> t.Any:
    try:
        number = float(context.cookies[name] or 0)
    except ValueError:
        return "NaN"
    return "NaN" if math.isnan(number) else int(number)


def _boolean(context: Context, name: str) -> bool:
    return context.cookies[name] not in ("false", "0")


_OPTIONS = {
    "path": "path",
    "domain": "domain",
    "httpOnly": "httponly",
    "secure": "secure",
    "sameSite": "samesite",
    "maxAge": "max_age",
    "expires": "expires",
    "partitioned": "partitioned",
}
_COOKIE_OPS: dict[str, t.Callable[..., t.Any]] = {
    "set": _set,
    "setraw": _set,
    "delete": _delete,
    "get": lambda context, name: context.cookies.get(name),
    "getraw": lambda context, name: context.cookies.get(name),
    "has": lambda context, name: name in context.cookies,
    "json": lambda context, name: json.loads(context.cookies[name]),
    "number": _number,
    "boolean": _boolean,
    "headers": lambda context, name: list(context.cookies._written.values()),
}
_ACTIONS: dict[str, t.Callable[[Action, Context, str, str], t.Any]] = {
    "echo": _echo,
    "respond": _respond,
    "json": _json,
    "return": _return,
    "throw": _throw,
    "redirect": _redirect,
    "rewrite": _rewrite,
    "Response_redirect": _Response_redirect,
    "stream": _stream,
    "locals_assign": _locals_assign,
    "set_param_mutate": _set_param_mutate,
    "log": _log,
    "body": _body,
    "ctx": _ctx,
    "cookies": _cookies,
}

__all__ = ["ABSENT", "run"]
