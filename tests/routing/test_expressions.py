"""Patterns against paths, and the time that takes."""

from __future__ import annotations

import re
import time

import pytest

from flask_filepages.routing.expressions import PatternExpressions

from .test_patterns import pattern

MATCHERS = {"int": "(?:0|[1-9][0-9]{0,18})", "word": "[^/]+"}


def match(path: str, text: str) -> dict[str, str | None] | None:
    """Match *text*, without its leading slash, by the expression of *path*."""
    found = pattern(path)
    expressions = PatternExpressions(found, MATCHERS, "g{}")
    segments = found.segments
    if found.first_rest == 0:
        regex = expressions.rest(segments)
    else:
        regex = expressions.segment(segments[0])
    matched = re.fullmatch(regex, text)
    if matched is None:
        return None
    return {p.text: matched[f"g{i}"] for i, p in enumerate(expressions.captured)}


@pytest.mark.parametrize(
    ("path", "text", "params"),
    [
        ("/[id]", "1", {"id": "1"}),
        ("/[id]", "a/b", None),
        ("/[id=int]", "12", {"id": "12"}),
        ("/[id=int]", "012", None),
        ("/[id=int]", "１２", None),
        ("/[id=int]", "1\n", None),
        ("/[a]-[b]", "a-b-c", {"a": "a", "b": "b-c"}),
        ("/[a]-[b]", "-a-b", {"a": "-a", "b": "b"}),
        ("/[a]-[b]", "a-", None),
        ("/[a]-[b].json", "x-y-z.json", {"a": "x", "b": "y-z"}),
        ("/[a]-[b].json", "x-y.json.json", {"a": "x", "b": "y.json"}),
        ("/v[n]", "v", None),
        ("/v[n=int]-[x]", "v12-y", {"n": "12", "x": "y"}),
        ("/[...p]", "a/b/c", {"p": "a/b/c"}),
        ("/[...p]", "a//b", None),
        ("/[...p]/end", "end", {"p": None}),
        ("/[...p]/end", "a/b/end", {"p": "a/b"}),
        ("/[...p]/end", "aend", None),
        ("/[...p]/[x]", "a/b/c", {"p": "a/b", "x": "c"}),
        ("/[...a]/mid/[...b]", "mid/mid", {"a": "mid", "b": None}),
        ("/[...a]/mid/[...b]", "x/mid/y/mid", {"a": "x", "b": "y/mid"}),
        ("/[...a]/m/[x]", "m/q/m/1", {"a": "m/q", "x": "1"}),
        ("/[...a]/[...b]", "x/y/z", {"a": "x", "b": "y/z"}),
        ("/[...a]/[...b]/c", "x/c", {"a": "x", "b": None}),
        ("/[...a]/[...b]/c", "x/y/z/c", {"a": "x", "b": "y/z"}),
        ("/[...a]/[...b]/c", "c", {"a": None, "b": None}),
        ("/[...z]/a/[...p]/[...q]/b", "a/b", {"z": None, "p": None, "q": None}),
        ("/[...z]/a/[...p]/[...q]/b", "1/a/2/3/4/b", {"z": "1", "p": "2", "q": "3/4"}),
        ("/[n=int]-[m=int]", "1-2", {"n": "1", "m": "2"}),
        ("/[n=int]-[m]", "1-" + "2" * 99, None),
        ("/[...p].json", ".json", {"p": ""}),
        ("/[...p].json", "a/b.json", {"p": "a/b"}),
        ("/x-[...r]/y", "x-1/2/y", {"r": "1/2"}),
        ("/[...a]/m/pre-[...b]", "m/x/m/pre-1", {"a": "m/x", "b": "1"}),
        ("/[...q]/b/[...p].json", "a/b/c/d.json", {"q": "a", "p": "c/d"}),
    ],
)
def test_match(path: str, text: str, params: dict[str, str | None] | None) -> None:
    assert match(path, text) == params


def test_a_name_that_stands_twice_is_captured_where_it_stands_last() -> None:
    found = pattern("/[a]-[a]")
    expressions = PatternExpressions(found, {}, "g{}")
    matched = re.fullmatch(expressions.segment(found.segments[0]), "1-2")

    assert matched is not None
    assert matched.groups() == ("2",)


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/[a]-[b]-[c].json", "a-"),
        ("/[a].[b].x", "."),
        ("/[...a]/mid/[...b]/end", "mid/"),
        ("/[...a]/[x]/end", "a/"),
        ("/[...p].json", ".json/"),
        ("/[...a]/m/[x]-[y]", "m/-"),
        ("/[...a]/[...b]/[...c]/e", "a/"),
        ("/[a=word]-[b=word]-[c=word]!", "a-"),
        ("/[...x]/[a=word]-[b=word]/z", "a-a/"),
    ],
)
def test_time_grows_with_the_length_of_the_path(path: str, unit: str) -> None:
    def cost(length: int) -> float:
        text = unit * (length // len(unit)) + "!"
        best = float("inf")
        for _ in range(5):
            start = time.process_time()
            for _ in range(20):
                match(path, text)
            best = min(best, time.process_time() - start)
        return best

    # Four times the length: four times the time if linear, sixteen if quadratic.
    assert cost(8000) < 9 * cost(2000) + 0.01
