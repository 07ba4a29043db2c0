"""``python -m tests.conformance --cases FILE...``: our answers beside Astro's."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from .builds import is_kept
from .cases import NOT_APPLICABLE
from .cases import RECORDED
from .cases import Case
from .cases import read_cases
from .compare import agrees
from .deviations import RULES
from .deviations import Rule
from .deviations import rule_for
from .site import Answer
from .site import Site

_WIDE = 0.03  # a rule that takes more than this share must say why


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    files = sorted(RECORDED.glob("*.json"))
    parser.add_argument("--cases", nargs="+", type=Path, default=files, metavar="FILE")
    parser.add_argument("--area", action="append", help="run only this area")
    parser.add_argument("--verbose", action="store_true", help="show every deviation")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="conformance") as folder:
        return _run(options, files, Path(folder))


def _run(options: argparse.Namespace, files: list[Path], folder: Path) -> int:
    sites: dict[str, Site] = {}
    passed = failed = 0
    taken: Counter[str] = Counter()
    later: Counter[str] = Counter()
    cases = [case for file in options.cases for case in read_cases(file)]
    while cases:
        case = cases.pop(0)
        if options.area and case.area not in options.area:
            continue
        if case.later is not None:
            later[case.later] += 1
            continue
        if case.site not in sites:
            sites[case.site] = Site(case, folder)
        site = sites[case.site]
        if "whole" in case.recorded and site.is_up:
            cases[:0] = site.more_than(case)
        if site.is_untranslated(case):
            later["not translated"] += 1
            continue
        answer = site.ask(case)
        same = agrees(case, answer) and is_kept(case, answer, site)
        if same and case.winner not in site.refused:
            passed += 1
            continue
        rule = rule_for(case, answer, site)
        if rule is None:
            failed += 1
            _show("FAILED", case, answer)
        else:
            taken[rule.name] += 1
            if options.verbose:
                _show(rule.name, case, answer)
    whole = options.cases == files and not options.area
    return _report(passed, failed, taken, later, whole=whole)


def _report(
    passed: int, failed: int, taken: Counter[str], later: Counter[str], *, whole: bool
) -> int:
    """Print what became of the cases; return the exit code.

    :param whole: whether all cases ran, so that each rule must have its share.
    """
    if later:
        for kind, foreign in (("not yet", False), ("not applicable", True)):
            listed = [
                f"{area} {count}"
                for area, count in sorted(later.items())
                if (area in NOT_APPLICABLE) is foreign
            ]
            print(f"{kind}: {', '.join(listed) or 'none'}")
    print("deviations by rule:")
    ran = passed + failed + sum(taken.values())
    for rule in RULES:
        count = taken[rule.name]
        wide = count > _WIDE * ran and not rule.wide
        unused = whole and count == 0 and not rule.unused
        print(f"  {count:4}  {rule.name}{_note(rule, count, ran, wide, unused)}")
        failed += whole and (wide or unused)
    print(f"{passed} passed, {sum(taken.values())} deviations, {failed} failed")
    return 1 if failed else 0


def _note(rule: Rule, count: int, ran: int, wide: bool, unused: bool) -> str:
    if wide:
        return f"  FAILED: takes {count / ran:.1%} of all and gives no reason"
    if unused:
        return "  FAILED: takes no case and gives no reason"
    if count > _WIDE * ran:
        return f"  ({rule.wide})"
    return f"  ({rule.unused})" if count == 0 and rule.unused else ""


def _show(label: str, case: Case, answer: Answer) -> None:
    print(
        f"{label} {case.id} [{case.area}] {case.method} {case.target!r}"
        f" headers={case.headers} recorded {case.status} {case.recorded_headers}"
        f" {str(case.recorded)[:200]}\n    ours {answer.status}"
        f" {dict(answer.headers)} {answer.body[:200]!r}"
    )


if __name__ == "__main__":
    sys.exit(main())
