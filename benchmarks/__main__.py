"""``python -m benchmarks``: print the tables, and write them to RESULTS.md."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from pathlib import Path

from . import boundary
from . import request_cost
from . import startup

RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> None:
    quick = "--quick" in sys.argv[1:]
    names = ("Flask", "Werkzeug", "marshmallow", "flask-smorest", "APIFlask", "fastapi")
    lines = [
        "# Benchmarks",
        "",
        "Ratios are measured in one run; single times are those of a shared machine.",
        f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in names)
        + ".",
        "",
    ]
    print("\n".join(lines))
    for part in (request_cost, boundary, startup):
        for line in part.run(quick):
            print(line, flush=True)
            lines.append(line)
    if not quick:
        RESULTS.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
