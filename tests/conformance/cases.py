"""The recorded cases, of whichever file, as one kind of thing."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from pathlib import Path

RECORDED = Path(__file__).parent / "cases"

#: Areas of later work: their cases are counted, not run.
NOT_YET = frozenset(["cache", "cache-off"])
_BY_STATUS = "recorded by status 200 alone"
#: What cannot be asked here, and why.
NOT_APPLICABLE = {
    "inject-route": "Flask has ``@app.route`` for what Astro's integrations inject",
    _BY_STATUS: "the recording took an answer with another status for none",
    "not translated": "a source that nobody said in Python yet",
}
#: The areas of what a build writes, and of what makes it fail.
BUILD, BUILD_ERROR = "build", "build-error"


@dataclass(frozen=True)
class Case:
    """A request to a site, and what Astro answered.

    ``status`` is ``None`` where only the file that answers was recorded. For a build,
    ``target`` is a name among what it wrote, or a file of the tree.
    """

    id: str
    area: str
    site: str
    files: dict[str, t.Any]
    config: dict[str, t.Any]
    method: str = "GET"
    target: str = "/"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    host: str | None = None
    status: int | None = None
    recorded_headers: dict[str, t.Any] = field(default_factory=dict)
    recorded: dict[str, t.Any] = field(default_factory=dict)
    middleware: list[list[dict[str, t.Any]]] = field(default_factory=list)
    public: dict[str, str] = field(default_factory=dict)

    @property
    def is_build(self) -> bool:
        """Whether it is about a build, not about a request."""
        return self.area in (BUILD, BUILD_ERROR)

    @property
    def sent_body(self) -> bytes:
        """The body without the framing of chunks."""
        body = self.body.encode()
        names = {name.lower() for name in self.headers}
        return (
            b"".join(body.split(b"\r\n")[1::2])
            if "transfer-encoding" in names
            else body
        )

    @property
    def path(self) -> str:
        """The path of the target as it was sent."""
        return self.target.partition("?")[0]

    @property
    def later(self) -> str | None:
        """The area of later work that it belongs to, or why it cannot be asked."""
        if self.area in NOT_YET or self.area in NOT_APPLICABLE:
            return self.area
        if self.area == "routing" and self._answers_201():
            return _BY_STATUS
        return None

    def _answers_201(self) -> bool:
        file = self.files.get(f"{self.path.strip('/')}.ts", {})
        return bool(file.get("status", 200) != 200)

    @property
    def winner(self) -> str | None:
        """The recorded file that answered, if the answer tells."""
        page = self.recorded.get("page", {}).get("page")
        answer = self.recorded.get("json")
        route = answer.get("route") if isinstance(answer, dict) else None
        return t.cast("str | None", page or route)


def read_cases(file: Path) -> list[Case]:
    """Return the cases of a recorded file, by its form."""
    data = json.loads(file.read_text(encoding="utf-8"))
    if isinstance(data, list):
        known = json.loads((RECORDED / "astro_server.json").read_text(encoding="utf-8"))
        return [_routing_case(i, item, known["sites"]) for i, item in enumerate(data)]
    if "cases" in data:
        return [_server_case(data["sites"], item) for item in data["cases"]]
    return [
        *(case for item in data.get("builds", ()) for case in _build_cases(item)),
        *(_error_case(item) for item in data.get("errors", ())),
    ]


def _build_cases(item: dict[str, t.Any]) -> t.Iterator[Case]:
    """Yield a case for each name that was written or not, for each route, and one for
    whatever else ours does."""
    result, whole = item["result"], _built(item, BUILD)
    written: dict[str, t.Any] = {
        name.removeprefix("client/") if item["config"].get("adapter") else name: content
        for name, content in result["written"].items()
    }
    for path in result.get("not_created", ()):
        written[path.strip("/")] = {"absent": True}
    for name, content in written.items():
        yield _part(whole, name, content)
    for route in item.get("routes", ()):
        yield _part(whole, route["file"], {"route": route})
    named: dict[str, t.Any] = {
        "names": sorted(written),
        "params": [_params(content) for content in written.values()],
    }
    if "routes" in item:
        named["routes"] = [route["file"] for route in item["routes"]]
    yield replace(whole, recorded={"whole": named})


def _params(content: dict[str, t.Any]) -> t.Any:
    told = content.get("json") or content.get("page")
    return told.get("params") if isinstance(told, dict) else None


def _part(whole: Case, target: str, recorded: dict[str, t.Any]) -> Case:
    return replace(whole, id=f"{whole.id}: {target}", target=target, recorded=recorded)


def _error_case(item: dict[str, t.Any]) -> Case:
    told = {**item["error"], "phase": item["phase"]}
    return replace(_built(item, BUILD_ERROR), recorded={"error": told})


def _built(item: dict[str, t.Any], area: str) -> Case:
    return Case(
        id=item["id"],
        area=area,
        site=f"{area}:{item['id']}",
        files=item["files"],
        config={"output": "static", **item["config"]},
        target="",
        middleware=item.get("middleware", []),
        public=item.get("public", {}),
    )


_OF_A_BUILD = ("prerender", "getStaticPaths")


def _routing_case(index: int, item: dict[str, t.Any], sites: dict[str, t.Any]) -> Case:
    echo: dict[str, t.Any] = {"exports": {"GET": {"do": "echo"}}}
    files: dict[str, t.Any] = {
        path: {} if path.endswith((".astro", ".md", ".html")) else echo
        for path in item["files"]
    }
    # Trees of recorded sites are listed by name here; what is in the files, there.
    known = sites.get(item["tree"].removeprefix("site:"), {"files": {}, "config": {}})
    site = known["files"]
    config = {"output": known["config"].get("output", "server")}
    for path in files:
        exports = site.get(path, {}) if item["tree"].startswith("site:") else {}
        if isinstance(exports, dict):
            told = {k: exports[k] for k in _OF_A_BUILD if k in exports}
            files[path] = {**files[path], **told}
        if isinstance(exports, dict) and "exports" in exports:
            statuses = [a.get("status", 200) for a in exports["exports"].values()]
            files[path] = {
                **exports,
                "status": max(statuses, default=200),
                "exports": {
                    name: {"do": "echo"} if action["do"] == "respond" else action
                    for name, action in exports["exports"].items()
                },
            }
    winner = item["matches"]
    headers: dict[str, t.Any] = {}
    status: int | None = None
    recorded: dict[str, t.Any] = {}
    if winner is not None:
        key, name = (
            ("json", "route") if winner.endswith((".ts", ".js")) else ("page", "page")
        )
        recorded = {key: {name: winner, "params": item["params"]}}
    elif "redirect" in item:
        status, headers = item["redirect"]["status"], dict(item["redirect"])
        headers.pop("status")
    elif item.get("bad_request"):
        status, recorded = 400, {"text": ""}
    else:
        status, recorded = 404, {"default_404_page": ""}
    return Case(
        id=f"{item['tree']}-{index:04}",
        area="routing",
        site=f"{item['tree']}:{sorted(item.get('config', {}).items())}",
        files=files,
        config={**config, **item.get("config", {})},
        target=item["url"],
        status=status,
        recorded_headers=headers,
        recorded=recorded,
    )


def _body(request: dict[str, t.Any]) -> str:
    again = request.get("body_repeat", {"char": request.get("body", ""), "count": 1})
    return str(again["char"] * again["count"])


def _server_case(sites: dict[str, t.Any], item: dict[str, t.Any]) -> Case:
    site = sites[item["site"]]
    request, response = item["request"], item["response"]
    return Case(
        id=item["id"],
        area=item["area"],
        site=item["site"],
        files=site["files"],
        config=site["config"],
        method=request["method"],
        target=request["target"],
        headers=_joined(request.get("headers", {})),
        body=_body(request),
        host=request.get("host"),
        status=response["status"],
        recorded_headers=response.get("headers", {}),
        recorded=response.get("body", {}),
        middleware=site.get("middleware", []),
        public=site.get("public", {}),
    )


def _joined(headers: t.Any) -> dict[str, str]:
    """Return request headers as a WSGI server passes them: values of one name are
    joined. They are recorded as a mapping, of texts or lists, or as pairs."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    found: dict[str, str] = {}
    for name, value in pairs:
        for one in value if isinstance(value, list) else [value]:
            joint = "; " if name.lower() == "cookie" else ", "
            found[name] = f"{found[name]}{joint}{one}" if name in found else one
    return found
