"""Real Astro's recorded answers, and the list of differences."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conformance.cases import RECORDED
from .conformance.deviations import RULES
from .conftest import ROOT

DOCS = ROOT / "docs" / "differences.rst"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.conformance", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_every_recorded_case_passes_or_is_a_written_deviation() -> None:
    result = run()

    assert result.returncode == 0, result.stdout
    assert result.stdout.splitlines()[-1].endswith(" deviations, 0 failed")


def test_a_wrong_answer_fails(tmp_path: Path) -> None:
    case = (
        '[{"files": ["a.ts"], "url": "/a", "matches": "b.ts", "params": {},'
        ' "source": "x", "tree": "t"}]'
    )
    (tmp_path / "wrong.json").write_text(case)
    result = run("--cases", str(tmp_path / "wrong.json"))

    assert result.returncode == 1
    assert result.stdout.splitlines()[-1] == "0 passed, 0 deviations, 1 failed"


def test_a_file_of_cases_can_be_named() -> None:
    result = run("--cases", str(RECORDED / "astro_routing.json"), "--verbose")

    assert result.returncode == 0
    assert "one decode" in result.stdout


def test_the_page_lists_the_rules() -> None:
    rows = DOCS.read_text(encoding="utf-8").partition("- because\n")[2]
    cells = [
        line.strip().removeprefix("* ").removeprefix("- ") for line in rows.splitlines()
    ]
    expected = [(rule.name, rule.astro, rule.ours, rule.because) for rule in RULES]

    assert list(zip(*[iter(cells)] * 4, strict=True)) == expected


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_recognises_and_promises_or_says_why_not(rule: object) -> None:
    both = getattr(rule, "recognises", None) and getattr(rule, "promises", None)

    assert both or getattr(rule, "unused", "")
