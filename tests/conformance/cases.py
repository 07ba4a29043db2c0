"""The recorded cases, of whichever file, as one kind of thing."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

#: Areas of later work: their cases are counted, not run.
NOT_YET = frozenset(
    "body-limit cache cache-off csrf csrf-off errors format-file format-preserve"
    " hybrid malformed md-pages middleware no-pages page page-params params-keys"
    " prerender-flag public rewrite static status target encoding-static".split()
) - {"encoding-static", "malformed", "target", "params-keys"}
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

    @property
    def path(self) -> str:
        """The path of the target as it was sent."""
        return self.target.partition("?")[0]

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
        return [_routing_case(index, item) for index, item in enumerate(data)]
    if "cases" in data:
        return [_server_case(data["sites"], item) for item in data["cases"]]
    return [
        Case(item["id"], "static", item["id"], {}, {})
        for kind in ("builds", "errors")
        for item in data.get(kind, ())
    ]


def _routing_case(index: int, item: dict[str, t.Any]) -> Case:
    echo = {"exports": {"GET": {"do": "echo"}}}
    files = {
        path: {} if path.endswith((".astro", ".md", ".html")) else echo
        for path in item["files"]
    }
    winner = item["matches"]
    headers: dict[str, t.Any] = {}
    status: int | None = None
    recorded: dict[str, t.Any] = {}
    if winner is not None:
        key, name = ("json", "route") if files[winner] is echo else ("page", "page")
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
    )
