"""Names to parts, and the order of patterns."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_filepages.errors import PatternError
from flask_filepages.routing.patterns import Part
from flask_filepages.routing.patterns import Pattern
from flask_filepages.routing.patterns import expand
from flask_filepages.routing.patterns import parse_segment
from flask_filepages.routing.patterns import without_final_rest


def pattern(path: str) -> Pattern:
    return Pattern(tuple(parse_segment(text) for text in path.split("/") if text))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("about", [Part("text", "about")]),
        ("[id]", [Part("param", "id")]),
        ("[$id]", [Part("param", "$id")]),
        ("[0]", [Part("param", "0")]),
        ("[id=int]", [Part("param", "id", "int")]),
        ("[...path]", [Part("rest", "path")]),
        ("[[lang]]", [Part("param", "lang")]),
        ("[[n=int]]", [Part("param", "n", "int")]),
        ("[name].json", [Part("param", "name"), Part("text", ".json")]),
        ("[a]-[b]", [Part("param", "a"), Part("text", "-"), Part("param", "b")]),
        ("pre-[...r]", [Part("text", "pre-"), Part("rest", "r")]),
        ("paren(1)", [Part("text", "paren(1)")]),
        ("e\u0301", [Part("text", "é")]),
        ("100%", [Part("text", "100%")]),
    ],
)
def test_parts(text: str, parts: list[Part]) -> None:
    assert list(parse_segment(text).parts) == parts


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[a", "unbalanced"),
        ("a]", "unbalanced"),
        ("]a[", "unbalanced"),
        ("[[a]", "unbalanced"),
        ("[]", "not a valid param"),
        ("[...]", "not a valid param"),
        ("[..a]", "not a valid param"),
        ("[....a]", "not a valid param"),
        ("[a-b]", "not a valid param"),
        ("[a b]", "not a valid param"),
        ("[é]", "not a valid param"),
        ("[id(x)]", "not a valid param"),
        ("[id=]", "not a valid param"),
        ("[a][b]", "touch"),
        ("[[a]][b]", "touch"),
        ("x[[a]]", "whole segment"),
        ("[[a]]x", "whole segment"),
        ("[[...a]]", "optional already"),
        ("[[a]x[b]]", "whole segment"),
        ("[...a=int]", "cannot have a matcher"),
        ("[_external]", "url_for"),
        ("<int:id>", "'<' and '>'"),
        ("x\ny", "control character"),
        ("a\\b", "not allowed"),
        ("a·b", "not allowed"),
    ],
)
def test_bad_names_say_what_is_wrong_and_how_to_mend_it(
    text: str, problem: str
) -> None:
    with pytest.raises(PatternError, match=problem) as error:
        parse_segment(text)

    assert error.value.fix.endswith(".")


# The specification of the order: each line goes before those below it.
ORDER = [
    "/",
    "/a/b/[...rest]/c",
    "/a/b",
    "/a/b/[...rest]",
    "/a/[n].json",
    "/a/v-[n=int]",
    "/a/[x]-[y]",
    "/a/v[n]",
    "/a/pre-[...rest]",
    "/a/[n=int]",
    "/a/[n=uuid]",
    "/a/[x]/b",
    "/a/[x]/[y]",
    "/a/[x]",
    "/a/[x]/[...rest]",
    "/a/[...rest]/z",
    "/a",
    "/a/[...rest]",
    "/b-[x]/c",
    "/[x]/c",
    "/[x]",
    "/[...rest]/c",
    "/[...rest]/c/[...more]",
    "/[...rest]/[x]",
    "/[...rest]",
]


def test_order_is_that_of_the_list() -> None:
    shuffled = random.Random(7).sample(ORDER[1:], len(ORDER) - 1)

    # The root has no segment: it goes before its rest, behind all that is longer.
    assert sorted(shuffled, key=lambda path: pattern(path).key) == ORDER[1:]
    assert pattern("/").key < pattern("/[...rest]").key


@pytest.mark.parametrize(
    ("path", "patterns"),
    [
        ("/a", ["/a"]),
        ("/[[lang]]/about", ["/about", "/[[lang]]/about"]),
        ("/[[a]]/[[b]]", ["/[[a]]/[[b]]", "/[[a]]", "/[[b]]", "/"]),
    ],
)
def test_optional_segments_are_left_out_and_written_out(
    path: str, patterns: list[str]
) -> None:
    assert sorted(map(str, expand(pattern(path).segments))) == sorted(patterns)


@pytest.mark.parametrize(
    ("path", "shorter"),
    [
        ("/docs/[...path]", "/docs"),
        ("/[...path]", "/"),
        ("/[...a]/[...b]", "/"),
        ("/[...a]/b", None),
        ("/x-[...a]", None),
        ("/a", None),
    ],
)
def test_a_final_rest_can_be_left_out(path: str, shorter: str | None) -> None:
    found = without_final_rest(pattern(path))

    assert (found and str(found)) == shorter


@pytest.mark.parametrize(
    ("path", "has"),
    [
        ("/feed.xml", True),
        ("/[name].json", True),
        ("/[...p].png", True),
        ("/[file].[ext]", False),
        ("/v1.2/info", False),
        ("/a", False),
        ("/", False),
    ],
)
def test_extension(path: str, has: bool) -> None:
    assert pattern(path).has_extension is has


@given(st.text(alphabet=string.ascii_letters + "[]=.-_$<>()·\\é\0", max_size=12))
def test_every_name_is_a_segment_or_a_pattern_error(text: str) -> None:
    try:
        segment = parse_segment(text)
    except PatternError:
        return
    written = "".join(
        part.text
        if part.kind == "text"
        else f"[{'...' if part.kind == 'rest' else ''}{part.text}"
        + (f"={part.matcher}" if part.matcher else "")
        + "]"
        for part in segment.parts
    )

    assert (f"[{written}]" if segment.optional else written) == segment.text
