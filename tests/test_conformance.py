"""Real Astro's recorded answers and builds, and the list of differences."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from .conformance.__main__ import main
from .conformance.cases import RECORDED
from .conformance.deviations import RULES
from .conformance.expressions import UntranslatedError
from .conformance.expressions import python_expression
from .conftest import ROOT

DOCS = ROOT / "docs" / "reference" / "differences.rst"
ECHO = {"exports": {"GET": {"do": "echo"}}}
ECHOED = {"route": "a.json.ts", "handler": "GET", "method": "GET", "params": {}}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.conformance", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.fixture
def run_cases(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> t.Callable[[t.Any], str]:
    """Return a function that runs what is recorded, and returns the last line."""

    def run_cases(cases: t.Any) -> str:
        file = tmp_path / "cases.json"
        file.write_text(json.dumps(cases), encoding="utf-8")
        status = main(["--cases", str(file)])
        last = capsys.readouterr().out.splitlines()[-1]
        assert status == (0 if last.endswith(" 0 failed") else 1)
        return last

    return run_cases


def built(written: dict[str, t.Any], **files: t.Any) -> dict[str, t.Any]:
    build = {
        "id": "build",
        "config": {"output": "static", "adapter": None},
        "files": {"a.json.ts": ECHO, **files},
        "result": {"exit_code": 0, "written": written},
    }
    return {"builds": [build]}


def failed(message: str, **file: t.Any) -> dict[str, t.Any]:
    error = {
        "id": "error",
        "config": {"output": "static", "adapter": None},
        "files": {"a/[id].json.ts": {**ECHO, **file}},
        "error": {"name": "Error", "message": message},
        "phase": "generate",
    }
    return {"errors": [error]}


@pytest.fixture(scope="module")
def whole() -> subprocess.CompletedProcess[str]:
    return run()


@pytest.mark.long
def test_every_recorded_case_passes_or_is_a_written_deviation(
    whole: subprocess.CompletedProcess[str],
) -> None:
    assert whole.returncode == 0, whole.stdout
    assert whole.stdout.splitlines()[-1].endswith(" deviations, 0 failed")


@pytest.mark.long
def test_only_the_cache_is_not_yet_there(
    whole: subprocess.CompletedProcess[str],
) -> None:
    assert "\nnot yet: cache 36, cache-off 4\n" in f"\n{whole.stdout}"


@pytest.mark.long
def test_every_recorded_source_is_translated(
    whole: subprocess.CompletedProcess[str],
) -> None:
    assert "not applicable: " in whole.stdout
    assert "not translated" not in whole.stdout


def test_a_wrong_answer_fails(run_cases: t.Callable[[t.Any], str]) -> None:
    case = {"files": ["a.ts"], "url": "/a", "matches": "b.ts", "params": {}}
    cases = [{**case, "source": "x", "tree": "t"}]

    assert run_cases(cases) == "0 passed, 0 deviations, 1 failed"


@pytest.mark.parametrize(
    ("cases", "last"),
    [
        (built({"a.json": {"json": ECHOED}}), "2 passed, 0 deviations, 0 failed"),
        (built({"a.json": {"text": "x"}}), "1 passed, 0 deviations, 1 failed"),
        (built({}), "1 passed, 0 deviations, 1 failed"),
        (
            built({"a.json": {"json": ECHOED}, "b": {"text": "x"}}),
            "2 passed, 0 deviations, 1 failed",
        ),
        (
            built(
                {"a.json": {"json": ECHOED}},
                **{"b.json.ts": {"exports": {"GET": {"do": "throw"}}}},
            ),
            "2 passed, 0 deviations, 1 failed",
        ),
        (failed("Missing parameter: id"), "1 passed, 0 deviations, 0 failed"),
        (
            failed("x", getStaticPaths=[{"params": {"id": "1"}}]),
            "0 passed, 0 deviations, 1 failed",
        ),
    ],
    ids=[
        "the recorded file",
        "other content",
        "a file that is not recorded",
        "a file that is not written",
        "a file that is refused",
        "the recorded error",
        "no error",
    ],
)
def test_a_build_is_compared_file_by_file(
    run_cases: t.Callable[[t.Any], str], cases: dict[str, t.Any], last: str
) -> None:
    assert run_cases(cases) == last


def test_a_file_of_cases_can_be_named() -> None:
    result = run("--cases", str(RECORDED / "astro_routing.json"), "--verbose")

    assert result.returncode == 0
    assert "decoding" in result.stdout


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

    assert both or getattr(rule, "built", None) or getattr(rule, "unused", "")


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("undefined", "None"),
        ("[{params:{id:1n}}]", "[StaticPath({'id': 1})]"),
        ("[{params:null}, {}]", "[StaticPath(None), {}]"),
        ("await Promise.resolve(['a'])", "['a']"),
        ("paginate([1],{pageSize:Infinity})", "paginate([1], page_size=math.inf)"),
        ("[1].map((n)=>({n}))", "[*map((lambda n=None: {'n': n}), [1])]"),
        ("(()=>{throw new Error('x')})()", "((lambda : throw(RuntimeError('x'))))()"),
    ],
)
def test_a_listing_in_javascript_is_one_in_python(source: str, python: str) -> None:
    assert python_expression(source) == python


@pytest.mark.parametrize("source", ["import.meta.env.X", "a.b", "{", "1 < 2"])
def test_what_nobody_translated_is_said(source: str) -> None:
    with pytest.raises(UntranslatedError):
        python_expression(source)
