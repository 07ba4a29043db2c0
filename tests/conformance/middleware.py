"""What the recorded middleware does, said in Python. Imported by the rebuilt tree."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable
from urllib.parse import quote

from flask import Response

from flask_filepages import Context

from .vocabulary import ABSENT
from .vocabulary import PATH_SAFE

Step = dict[str, t.Any]
_NOTHING = object()


def make_middleware(steps: list[Step]) -> Callable[..., t.Any]:
    """Return the middleware that takes the recorded *steps*."""

    def middleware(context: Context, call_next: Callable[[], Response]) -> t.Any:
        applied = [step for step in steps if _applies(step, context)]
        before = [step for step in applied if step["op"] in _BEFORE]
        for step in before:
            answer = _BEFORE[step["op"]](step, context)
            if answer is not _NOTHING:
                return answer
        response = call_next()
        for step in applied:
            if step["op"] == "noreturn":
                return None
            if step["op"] in _AFTER:
                _AFTER[step["op"]](step, context, response)
        return response

    return middleware


def _applies(step: Step, context: Context) -> bool:
    when = step.get("when")
    path = context.url.path
    if when is None:
        return True
    return path.startswith(when[:-1]) if when.endswith("*") else bool(path == when)


def _locals(step: Step, context: Context) -> t.Any:
    setattr(context.locals, step["key"], step["value"])
    return _NOTHING


def _push(step: Step, context: Context) -> t.Any:
    vars(context.locals).setdefault("trace", []).append(step["value"])
    return _NOTHING


def _cookie(step: Step, context: Context, response: t.Any = None) -> t.Any:
    context.cookies.set(step["key"], step["value"])
    return _NOTHING


def _respond(step: Step, context: Context) -> t.Any:
    return Response(step.get("body"), step["status"], headers=step.get("headers"))


def _throw(step: Step, context: Context) -> t.Any:
    raise RuntimeError("mw-boom")


def _return(step: Step, context: Context) -> t.Any:
    return {"string": "string", "undefined": None, "object": {}}[step["value"]]


def _header(step: Step, context: Context, response: Response) -> None:
    response.headers.add(step["name"], step["value"])


def _status(step: Step, context: Context, response: Response) -> None:
    response.status_code = step["value"]


def _replace(step: Step, context: Context, response: Response) -> None:
    response.set_data(step["body"])


def _append_body(step: Step, context: Context, response: Response) -> None:
    response.set_data(response.get_data() + step["value"].encode())


def _trace_header(step: Step, context: Context, response: Response) -> None:
    trace = getattr(context.locals, "trace", None)
    response.headers["x-trace"] = json.dumps(trace, separators=(",", ":"))


def _ctx_header(step: Step, context: Context, response: Response) -> None:
    told = {
        "params": dict(context.params),
        "routePattern": context.route_id,
        "isPrerendered": context.is_prerendered,
        "pathname": quote(context.url.path, safe=PATH_SAFE),
        "originPathname": ABSENT,
    }
    response.headers["x-ctx"] = json.dumps(told, separators=(",", ":"))


_BEFORE: dict[str, Callable[[Step, Context], t.Any]] = {
    "locals": _locals,
    "push": _push,
    "cookie": _cookie,
    "respond": _respond,
    "redirect": lambda step, context: context.redirect(step["to"]),
    "throw": _throw,
    "return": _return,
    "ctxrewrite": lambda step, context: context.rewrite(step["to"]),
    "next": lambda step, context: context.rewrite(step["to"]),
}
_AFTER: dict[str, Callable[[Step, Context, Response], t.Any]] = {
    "header": _header,
    "status": _status,
    "replace": _replace,
    "append-body": _append_body,
    "trace-header": _trace_header,
    "ctx-header": _ctx_header,
    "cookie-after": _cookie,
}
