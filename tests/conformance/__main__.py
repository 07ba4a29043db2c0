"""``python -m tests.conformance --cases FILE...``: our answers beside Astro's."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from .cases import NOT_APPLICABLE
from .cases import RECORDED
from .cases import Case
from .cases import read_cases
from .compare import agrees
from .deviations import RULES
from .deviations import Rule
from .site import Answer
from .site import Site

_WIDE = 0.03  # a rule that takes more than this share must say why


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    files = sorted(RECORDED.glob("*.json"))
    parser.add_argument("--cases", nargs="+", type=Path, default=files, metavar="FILE")
    parser.add_argument("--area", action="append", help="run only this area")
    parser.add_argument("--verbose", action="store_true", help="show every deviation")
    options = parser.parse_args()
    sites: dict[str, Site] = {}
    passed = failed = 0
    taken: Counter[str] = Counter()
    later: Counter[str] = Counter()
    cases = [case for file in options.cases for case in read_cases(file)]
    for case in cases:
        if options.area and case.area not in options.area:
            continue
        if case.later is not None:
            later[case.later] += 1
            continue
        site = sites.get(case.site) or sites.setdefault(case.site, Site(case))
        answer = site.ask(case)
        if agrees(case, answer) and case.winner not in site.refused:
            passed += 1
            continue
        if site.is_stored(case):
            later["stored answers"] += 1
            continue
        rule = next((r for r in RULES if r.takes(case, answer, site)), None)
        if rule is None:
            failed += 1
            _show("FAILED", case, answer)
        else:
            taken[rule.name] += 1
            if options.verbose:
                _show(rule.name, case, answer)
    if later:
        for kind, foreign in (("not yet", False), ("not applicable", True)):
            listed = [
                f"{area} {count}"
                for area, count in sorted(later.items())
                if (area in NOT_APPLICABLE) is foreign
            ]
            print(f"{kind}: {', '.join(listed) or 'none'}")
    print("deviations by rule:")
    whole = options.cases == files and not options.area
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
