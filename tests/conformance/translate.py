"""A recorded tree, written as a Python one: ``.ts`` to ``.py``, ``.astro`` to pages."""

from __future__ import annotations

import json
import os
import re
import typing as t

from .expressions import UntranslatedError
from .expressions import python_expression

Files = dict[str, t.Any]
ENDPOINTS = (".ts", ".js")
#: What a file raises whose source nobody said in Python yet.
UNTRANSLATED = "not translated"

_HEADER = """\
import math
from datetime import datetime

from flask import Response
from flask_filepages import StaticPath, paginate
from tests.conformance.vocabulary import run, throw
"""

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
    "export const GET = ({cookies, rewrite}) => { cookies.set('a','1');"
    " return rewrite('/set-b'); };\n": (
        "def GET(context):\n    context.cookies.set('a', '1')\n"
        "    return context.rewrite('/set-b')\n"
    ),
    "export const GET = (c) => { c.cookies.set('a','1'); return new Response('x'); };\n": (
        "def GET(context):\n    context.cookies.set('a', '1')\n"
        "    return Response('x', mimetype='text/plain')\n"
    ),
    "export function getStaticPaths(o){ return [{params:{id:'1'},"
    "props:{k:Object.keys(o)}}]; }\n"
    "export const GET = ({props}) => Response.json(props);\n": (
        "def get_static_paths():\n    return [StaticPath({'id': '1'}, {'k': []})]\n\n\n"
        "def GET(context):\n    return context.json(dict(context.props))\n"
    ),
    "const shared={n:0};\nexport function getStaticPaths(){ return"
    " ['1','2'].map((id)=>({params:{id},props:shared})); }\n"
    "export const GET = ({props}) => { props.n++; return Response.json(props); };\n": (
        "shared = {'n': 0}\n\n\n"
        "def get_static_paths():\n"
        "    return [StaticPath({'id': id}, shared) for id in ('1', '2')]\n\n\n"
        "def GET(context):\n    context.props['n'] += 1\n"
        "    return context.json(dict(context.props))\n"
    ),
    "export const getStaticPaths = [{params:{id:'1'}}];\n"
    "export const GET = () => new Response('x');\n": (
        "get_static_paths = [StaticPath({'id': '1'})]\n\n\n"
        "def GET(context):\n    return Response('x')\n"
    ),
    # What does not even parse, or import: so it is here.
    "export const GET = ( => 1;\n": "def GET(context: return 1\n",
    "import x from './nope.ts';\nexport const GET = () => new Response(x);\n": (
        "from ._nope import x\n\n\ndef GET(context):\n    return Response(x)\n"
    ),
}
# Others, line by line.
_LINES: list[tuple[str, str]] = [
    (r"throw new Error\('([\w -]+)'\);", r"raise RuntimeError('\1')"),
    (
        r"export const GET ?= ?(?:async )?\(\) ?=> ?new Response\('(\w*)'\);",
        r"def GET(context): return Response('\1', mimetype='text/plain')",
    ),
    (
        r"export const GET ?= ?\(\) ?=> ?Response\.json\(\{(\w+):(\d+)\}\);",
        r"def GET(context): return context.json({'\1': \2})",
    ),
    # The flag, in all the ways that somebody may think of.
    (r"\s*export\s+const\s+prerender\s*=\s*(true|false);?", r"prerender = \1"),
    (r"//\s*export const prerender = (\w+);", r"# prerender = \1"),
    (r"/\*", '"""'),
    (r"\*/", '"""'),
    (r"const prerender = (\w+);", r"_prerender = \1"),
    (r"export \{ prerender \};", r"prerender = _prerender"),
    (r"export let prerender = (\w+);", r"prerender = \1"),
    (r"export const prerender: boolean = (\w+);", r"prerender: bool = \1"),
    (r"export const prerender = !(\w+);", r"prerender = not \1"),
    (r"export const prerender = (\w+) as const;", r"prerender: Final = \1"),
    (r"export const prerender = '(\w+)';", r"prerender = '\1'"),
    (
        r"export const prerender = import\.meta\.env\.(\w+);",
        r"prerender = bool(os.environ.get('\1'))",
    ),
    (
        r"export const a = 1; export const prerender = (\w+);",
        r"a = 1; prerender = \1",
    ),
]
# Pages recorded as raw source: the page, and what its endpoint does.
_RAW_PAGES = {
    "---\nAstro.cookies.set('pg','1',{path:'/'});\n---\n<p>cookie page</p>\n": (
        "<!DOCTYPE html><p>cookie page</p>",
        "def GET(context):\n    context.cookies.set('pg', '1')\n"
        "    return context.render()\n",
    ),
    "---\n---\n<pre set:html={JSON.stringify({page:'pctx.astro',url:Astro.url.href,"
    "pathname:Astro.url.pathname,request:Astro.request.url,"
    "origin:Astro.originPathname})} />\n": (
        "<pre>{{ url_data(context)|tojson }}</pre>",
        "",
    ),
}


def python_name(path: str) -> str:
    """Return the name of a recorded file in the rebuilt tree."""
    stem, suffix = os.path.splitext(path)
    if suffix in ENDPOINTS:
        return f"{stem}.py"
    return f"{stem}.html" if suffix == ".astro" else path


# What a middleware does that is for who makes the answer, not for who sends it.
_MAKES = {"locals", "push", "append-body", "replace"}


def makes(steps: list[dict[str, t.Any]]) -> bool:
    """Whether a middleware is for who makes the answer: it fills ``locals``, or changes
    the body."""
    return bool(_MAKES & {step["op"] for step in steps})


def python_middleware(handlers: list[list[dict[str, t.Any]]]) -> Files:
    """Return the ``_middleware.py`` that does what the recorded handlers do.

    There, all of it runs where an answer is made. Here, what fills ``locals`` or
    changes bodies is marked for that; what guards and adds headers is not.
    """
    if not handlers:
        return {}
    source = "from flask_filepages import once_per_render\n"
    source += "from tests.conformance.middleware import make_middleware\n\n"
    source += "middleware = [\n"
    for steps in handlers:
        made = f"make_middleware({steps!r})"
        marked = makes(steps)
        source += f"    once_per_render({made}),\n" if marked else f"    {made},\n"
    return {"_middleware.py": f"{source}]\n"}


def python_files(files: t.Mapping[str, t.Any]) -> dict[str, Files]:
    """Return what becomes of each recorded file: names to text.

    Of two recorded files with one name here (``a.js`` and ``a.ts``) the one that Astro
    serves is kept. An endpoint that a page needs is left out beside the page's own.
    """
    rebuilt: dict[str, Files] = {}
    taken: set[str] = set()
    for path in sorted(files, key=lambda path: (path.endswith(".astro"), path)):
        name = python_name(path)
        if name in taken:
            continue
        made = _translate(path, name, files[path])
        rebuilt[path] = {n: text for n, text in made.items() if n not in taken}
        taken |= rebuilt[path].keys()
    return rebuilt


def _translate(path: str, name: str, file: t.Any) -> Files:
    suffix = os.path.splitext(path)[1]
    if suffix in ENDPOINTS:
        try:
            return {name: _endpoint(path, file)}
        except UntranslatedError:
            return {name: f"raise NotImplementedError({UNTRANSLATED!r})\n"}
    if suffix == ".astro":
        return _page(path, name, file)
    raw = file.get("raw", "") if isinstance(file, dict) else file
    return {name: raw}


def _endpoint(path: str, file: t.Any) -> str:
    if isinstance(file, str):
        return _raw(file)
    source = _flag(file)
    for name, action in file.get("exports", {}).items():
        if action["do"] == "not_function":
            source += f"{name} = {action['value']!r}\n"
            continue
        source += (
            f"\n\ndef {name}(context):\n"
            f"    return run({action!r}, context, {path!r}, {name!r})\n"
        )
    return _HEADER + source


def _raw(file: str) -> str:
    if file in _RAW:
        return _HEADER + _RAW[file]
    lines = ["import os", "from typing import Final"]
    for line in file.splitlines():
        found = (re.fullmatch(form, line) for form, _ in _LINES)
        said = zip(found, _LINES, strict=True)
        text = next((f.expand(to) for f, (_, to) in said if f is not None), None)
        if text is None:
            raise UntranslatedError(file)
        lines.append(re.sub(r"\b(true|false)\b(?!')", lambda m: m[1].title(), text))
    return _HEADER + "\n".join(lines) + "\n"


def _flag(file: dict[str, t.Any]) -> str:
    source = ""
    if file.get("prerender") is not None:
        source += f"prerender = {file['prerender']}\n"
    if "getStaticPaths" in file:
        source += _static_paths(file["getStaticPaths"])
    return source


def _static_paths(given: t.Any) -> str:
    kind = "def"
    if isinstance(given, list):
        entries = (_entry(entry) for entry in given)
        made = f"[{', '.join(entries)}]"
    elif "paginate" in given:
        options = dict(given["paginate"])
        made = f"paginate({_value(options.pop('data'))}"
        for name, value in options.items():
            known = {"pageSize": "page_size", "params": "params", "props": "props"}
            if name not in known:
                raise UntranslatedError(name)
            made += f", {known[name]}={_value(value)}"
        made += ")"
    else:
        made = python_expression(given["js"])
        kind = "async def" if "await " in given["js"] else "def"
    return f"\n\n{kind} get_static_paths():\n    return {made}\n"


def _entry(entry: t.Any) -> str:
    if not isinstance(entry, dict) or "params" not in entry:
        return _value(entry)
    props = f", {_value(entry['props'])}" if "props" in entry else ""
    return f"StaticPath({_value(entry['params'])}{props})"


def _value(value: t.Any) -> str:
    """Return Python for a recorded value; ``"@undefined"`` is JavaScript's."""
    if isinstance(value, dict):
        pairs = (f"{key!r}: {_value(one)}" for key, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return "None" if value == "@undefined" else repr(value)


def _page(path: str, name: str, file: t.Any) -> Files:
    stem = name.removesuffix(".html")
    data = f"page_data(context, {json.dumps(path)})"
    page, behind = f"<!doctype html><pre>{{{{ {data}|tojson }}}}</pre>", ""
    try:
        if isinstance(file, str) or "raw" in file:
            raw = file if isinstance(file, str) else file["raw"]
            if raw not in _RAW_PAGES:
                raise UntranslatedError(raw)
            page, behind = _RAW_PAGES[raw]
        else:
            behind = _flag(file)
            answer = _page_answer(file)
            if answer is not None:
                behind += (
                    f"from flask import abort\n\n\ndef GET(context):\n    {answer}\n"
                )
    except UntranslatedError:
        behind = f"raise NotImplementedError({UNTRANSLATED!r})\n"
    pages = {name: page}
    if behind:
        pages[f"{stem}.py"] = _HEADER + behind
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
