"""``python -m benchmarks``: print the tables, and write them to RESULTS.md."""

from __future__ import annotations

import argparse
import platform
import re
import typing as t
from collections.abc import Callable
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from . import boundary
from . import building
from . import describing
from . import following
from . import fronting
from . import request_cost
from . import startup

RESULTS = Path(__file__).parent / "RESULTS.md"
PACKAGES = (
    *("Flask", "Werkzeug", "marshmallow", "apispec"),
    *("flask-smorest", "APIFlask", "fastapi"),
)
PEERS = ("Frozen-Flask", "whitenoise", "gunicorn", "granian")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help="only these: building, fronting, ...")
    parser.add_argument("--quick", action="store_true", help="small, to see it run")
    parser.add_argument(
        "--astro", action="store_true", help="measure Astro, too, installed by npm"
    )
    parser.add_argument(
        "--pages", type=int, default=200_000, help="of the build for its peak memory"
    )
    return parser.parse_args()


def parts_of(given: argparse.Namespace) -> Iterator[str]:
    """Yield the lines of the parts that are asked for."""
    quick, with_astro = given.quick, given.astro
    parts: dict[str, Callable[[], Iterator[str]]] = {
        "request_cost": lambda: request_cost.run(quick),
        "boundary": lambda: boundary.run(quick),
        "describing": lambda: describing.run(quick),
        "following": lambda: following.run(quick, with_astro=with_astro),
        "startup": lambda: startup.run(quick),
        "fronting": lambda: fronting.run(quick, with_astro=with_astro),
        "building": lambda: building.run(
            quick, with_astro=with_astro, most_pages=given.pages
        ),
    }
    for name in given.parts or parts:
        yield from parts[name]()


def sections(text: str) -> dict[str, str]:
    """Return the sections of a text by their headings, what goes before them first."""
    found = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part for part in found}


def main() -> None:
    given = arguments()
    head = [
        "# Benchmarks",
        "",
        "Ratios are measured in one run; single times are those of a shared machine.",
        f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in (*PACKAGES, *PEERS))
        + ".",
        "",
    ]
    lines: list[t.Any] = [*head]
    print("\n".join(head))
    for line in parts_of(given):
        print(line, flush=True)
        lines.append(line)
    if given.quick:
        return
    made = sections("\n".join([*lines, ""]))
    if given.parts and RESULTS.exists():
        made = {**sections(RESULTS.read_text(encoding="utf-8")), **made}
    whole = "".join(f"{text.rstrip()}\n\n" for text in made.values())
    RESULTS.write_text(f"{whole.rstrip()}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
