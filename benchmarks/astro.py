"""An Astro project to measure against, where npm can install one."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
from pathlib import Path

from .measure import new_folder
from .measure import write

#: Astro 7 wants this Node; npm brings it where the system has an older one.
PACKAGES = ("node@22", "astro@7", "@astrojs/node@11")
QUIET = {"ASTRO_TELEMETRY_DISABLED": "1", "NO_COLOR": "1"}
FILES = {
    "package.json": '{"name": "bench", "private": true, "type": "module"}',
    "astro.config.mjs": """\
import { defineConfig } from "astro/config";
import node from "@astrojs/node";

export default defineConfig({ adapter: node({ mode: "standalone" }) });
""",
}


class Astro(t.NamedTuple):
    """A folder with Astro in it."""

    folder: Path
    node: str
    version: str

    def command(self, *words: str) -> list[str]:
        """Return the command line of ``astro`` with *words*."""
        return [self.node, "node_modules/astro/bin/astro.mjs", *words]


def project(files: t.Mapping[str, str]) -> Astro | None:
    """Return a new project with *files*, or ``None`` where there is no npm."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    folder = write(new_folder(), {**FILES, **files})
    words = ["install", "--no-audit", "--no-fund", "--loglevel=error", *PACKAGES]
    installed = subprocess.run([npm, *words], cwd=folder, capture_output=True)
    if installed.returncode != 0:
        return None
    node = str(folder / "node_modules" / ".bin" / "node")
    shown = subprocess.run(
        [node, "node_modules/astro/bin/astro.mjs", "--version"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return Astro(folder, node, shown.stdout.split()[-1].lstrip("v"))
