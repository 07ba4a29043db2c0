"""The recorded cases, of whichever file, as one kind of thing."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

RECORDED = Path(__file__).parent / "cases"

#: Areas of later work: their cases are counted, not run.
NOT_YET = frozenset(
    [
        "body-limit",
        "cache",
        "cache-off",
        "hybrid",
        "no-pages",
        "prerender-flag",
        "public",
        "static",
    ]
)
#: Flask has ``@app.route`` for what Astro's integrations inject.
NOT_APPLICABLE = frozenset({"inject-route"})


@dataclass(frozen=True)
class Case:
    """A request to a site, and what Astro answered.

    ``status`` is ``None`` where only the file that answers was recorded.
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
        """The area of later work that the recorded answer depends on, if any."""
        if self.area in NOT_YET | NOT_APPLICABLE:
            return self.area
        if "accept-ranges" in self.recorded_headers:
            return "stored answers"
        if self.area == "routing" and self._answers_201():
            return "recorded by status 200 alone"
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
        Case(item["id"], "static", item["id"], {}, {})
        for kind in ("builds", "errors")
        for item in data.get(kind, ())
    ]


def _routing_case(index: int, item: dict[str, t.Any], sites: dict[str, t.Any]) -> Case:
    echo: dict[str, t.Any] = {"exports": {"GET": {"do": "echo"}}}
    files: dict[str, t.Any] = {
        path: {} if path.endswith((".astro", ".md", ".html")) else echo
        for path in item["files"]
    }
    # Trees of recorded sites are listed by name here; what is in the files, there.
    site = sites.get(item["tree"].removeprefix("site:"), {"files": {}})["files"]
    for path in files:
        exports = site.get(path, {}) if item["tree"].startswith("site:") else {}
        if isinstance(exports, dict) and exports.get("prerender"):
            files[path] = {**files[path], "prerender": True}
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
        config=item.get("config", {}),
        target=item["url"],
        status=status,
        recorded_headers=headers,
        recorded=recorded,
    )


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
        headers=request.get("headers", {}),
        body=request.get("body", ""),
        host=request.get("host"),
        status=response["status"],
        recorded_headers=response.get("headers", {}),
        recorded=response.get("body", {}),
        middleware=site.get("middleware", []),
    )
