"""A recorded tree, written as a Python one: ``.ts`` to ``.py``, ``.astro`` to pages."""

from __future__ import annotations

import json
import os
import typing as t

Files = dict[str, t.Any]
_ENDPOINTS = (".ts", ".js")

_HEADER = "from flask import Response\nfrom tests.conformance.vocabulary import run\n"

# The few endpoints recorded as raw source, by that source.
_RAW = {
    "throw new Error('module-boom');\nexport const GET = () => new Response('x');\n": (
        "raise RuntimeError('module-boom')\n"
    ),
    "export function GET() { return new Response('sync'); }\n": (
        "def GET(context):\n    return Response('sync', mimetype='text/plain')\n"
    ),
    "export const GET = async () => new Response('arrow');\n": (
        "async def GET(context):\n    return Response('arrow', mimetype='text/plain')\n"
    ),
    "export { GET } from '/src/lib/h.ts';\nexport const prerender = false;\n": (
        "from tests.conformance.library import GET\nprerender = False\n"
    ),
    "class C extends Response {}\nexport const GET = () => new C('sub');\n": (
        "class C(Response):\n    pass\n\n\n"
        "def GET(context):\n    return C('sub', mimetype='text/plain')\n"
    ),
    "export const GET = () => ({ status: 200, headers: new Headers(), body: 'x' });\n": (
        "def GET(context):\n    return {'status': 200, 'headers': {}, 'body': 'x'}\n"
    ),
    "export const GET = async () => Promise.reject(new Error('rejected'));\n": (
        "async def GET(context):\n    raise RuntimeError('rejected')\n"
    ),
    "export const GET = ({cookies, redirect}) => { cookies.set('a','1',{path:'/'});"
    " return redirect('/x'); };\n": (
        "def GET(context):\n    context.cookies.set('a', '1')\n"
        "    return context.redirect('/x')\n"
    ),
    "export const GET = ({cookies}) => { cookies.set('a','1'); throw new Error('x'); };\n": (
        "def GET(context):\n    context.cookies.set('a', '1')\n    raise RuntimeError('x')\n"
    ),
    "export const GET = ({cookies}) => { cookies.set('a','1');"
    " return new Response(null,{status:404}); };\n": (
        "def GET(context):\n    context.cookies.set('a', '1')\n"
        "    return Response(status=404)\n"
    ),
    "export const GET = ({cookies}) => Response.json(cookies.get('a').json());\n": (
        "import json\n\n\n"
        "def GET(context):\n    return context.json(json.loads(context.cookies['a']))\n"
    ),
    "export function GET() { return Response.json({thisKeys: this ?"
    " Object.keys(this).sort() : null}); }\nexport const POST = () => new Response('p');\n"
    "export const other = 1;\n": (
        "import sys\n\n\ndef GET(context):\n"
        "    names = vars(sys.modules[__name__])\n"
        "    keys = [k for k in names if k in ('GET', 'POST', 'other')]\n"
        "    return context.json({'thisKeys': sorted(keys)})\n\n\n"
        "def POST(context):\n    return Response('p', mimetype='text/plain')\n\n\n"
        "other = 1\n"
    ),
}


def python_name(path: str) -> str:
    """Return the name of a recorded file in the rebuilt tree."""
    stem, suffix = os.path.splitext(path)
    if suffix in _ENDPOINTS:
        return f"{stem}.py"
    return f"{stem}.html" if suffix == ".astro" else path


def python_middleware(handlers: list[list[dict[str, t.Any]]]) -> Files:
    """Return the ``_middleware.py`` that does what the recorded handlers do."""
    if not handlers:
        return {}
    source = "from tests.conformance.middleware import make_middleware\n\n"
    source += f"middleware = [make_middleware(steps) for steps in {handlers!r}]\n"
    return {"_middleware.py": source}


def python_files(files: t.Mapping[str, t.Any]) -> Files:
    """Return the rebuilt tree: paths to text. Of two recorded files with one name
    here (``a.js`` and ``a.ts``) the one that Astro serves is kept."""
    rebuilt: Files = {}
    for path in sorted(files):
        name = python_name(path)
        if name not in rebuilt:
            rebuilt.update(_translate(path, name, files[path]))
    return rebuilt


def _translate(path: str, name: str, file: t.Any) -> Files:
    suffix = os.path.splitext(path)[1]
    if suffix in _ENDPOINTS:
        return {name: _endpoint(path, file)}
    if suffix == ".astro":
        return _page(path, name, file)
    raw = file.get("raw", "") if isinstance(file, dict) else file
    return {name: raw}


def _endpoint(path: str, file: t.Any) -> str:
    if isinstance(file, str):
        # What cannot be said in Python is a file that does not load.
        return _HEADER + _RAW.get(file, "raise NotImplementedError('not translated')\n")
    source = _HEADER
    if "prerender" in file:
        source += f"prerender = {file['prerender']}\n"
    for name, action in file.get("exports", {}).items():
        if action["do"] == "not_function":
            source += f"{name} = {action['value']!r}\n"
            continue
        source += (
            f"\n\ndef {name}(context):\n"
            f"    return run({action!r}, context, {path!r}, {name!r})\n"
        )
    return source


def _page(path: str, name: str, file: t.Any) -> Files:
    if "raw" in file:
        # The only raw page in the areas that are built sets a cookie.
        stem = name.removesuffix(".html")
        setter = "    context.cookies.set('pg', '1')\n    return context.render()\n"
        return {
            name: "<!DOCTYPE html><p>cookie page</p>",
            f"{stem}.py": f"def GET(context):\n{setter}",
        }
    data = f"page_data(context, {json.dumps(path)})"
    pages = {name: f"<!doctype html><pre>{{{{ {data}|tojson }}}}</pre>"}
    behind = ""
    if file.get("prerender") is not None:
        behind += f"prerender = {file['prerender']}\n"
    answer = _page_answer(file)
    if answer is not None:
        behind += f"{_HEADER}from flask import abort\n"
        behind += f"\n\ndef GET(context):\n    {answer}\n"
    if behind:
        pages[f"{name.removesuffix('.html')}.py"] = behind
    return pages


def _page_answer(file: t.Any) -> str | None:
    """Return what the ``GET`` of the endpoint beside a page does, if it is needed."""
    if "throw" in file:
        return f"raise RuntimeError({file['throw']!r})"
    if "redirect" in file:
        to, status = file["redirect"]["to"], file["redirect"].get("status", 302)
        return f"return context.redirect({to!r}, {status})"
    if "rewrite" in file:
        return f"return context.rewrite({file['rewrite']!r})"
    if file.get("return404"):
        # There, an answer without a body means that; here it is said.
        return "abort(404)"
    if "status" in file or "headers" in file:
        given = f"status={file.get('status')}, headers={file.get('headers')!r}"
        return f"return context.render({given})"
    return None
