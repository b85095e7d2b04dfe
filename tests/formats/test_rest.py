"""A last group that takes the rest of a text is cut off it: this gives the same groups as the whole pattern."""

import pyarrow as pa
import pytest

from puppylog.formats.file.rest import Split, extract
from puppylog.formats.regex.pattern import parse_pattern

FOUR = r"(?P<a>\w*) (?P<b>\w+)(?: (?P<c>x|xé)?)? ?(?P<d>é*)"
TEXTS = [
    "",
    "a b",
    "a b xé",
    "a b é ",
    "é b x ééé the rest é",
    "a b x\nnext é",
    " b xx",
    "no",
    "a b x é\n",
    "éé b xé\n\n",
]


@pytest.mark.parametrize("rest", [r"(?P<e>.*)$", r"(?P<e>(?s:.*))$"])
@pytest.mark.parametrize("before", ["^", "(?s)^"])
@pytest.mark.parametrize("start", [0, 3])
def test_the_groups_are_those_of_the_whole_pattern(before: str, rest: str, start: int) -> None:
    pattern = parse_pattern(before + FOUR + rest)
    split = Split.of(pattern.regex)
    assert split is not None
    texts = pa.array(TEXTS).slice(start)
    found, groups = extract(texts, pattern.regex, pattern.names, split)
    expected, whole = extract(texts, pattern.regex, pattern.names, None)
    assert found.to_pylist() == expected.to_pylist()
    assert {name: group.to_pylist() for name, group in groups.items()} == {
        name: group.to_pylist() for name, group in whole.items()
    }


def test_newlines_before_which_a_pattern_ends_are_no_rest() -> None:
    pattern = parse_pattern(f"^{FOUR}(?P<e>.*)$")
    found, groups = extract(
        pa.array(["a b x one", "a b x\ntwo"]), pattern.regex, pattern.names, Split.of(pattern.regex)
    )
    assert (found.to_pylist(), groups["e"].to_pylist()) == ([True, False], ["one"])


@pytest.mark.parametrize(
    "written",
    [
        rf"{FOUR}(?P<e>.*)$",  # it may begin anywhere
        rf"^{FOUR}(?P<e>.+)$",  # the rest must not be empty
        rf"^{FOUR}(?P<e>.*)",
        rf"^{FOUR}(?P<e>.*?)$",
        rf"^x|{FOUR}(?P<e>.*)$",  # the rest is of one alternative
        rf"^(?:{FOUR}(?P<e>.*)$)",
        rf"^(?m){FOUR}(?P<e>.*)$",  # it ends at the end of a line
        r"^(?P<a>a) (?P<e>.*)$",  # it is as fast whole
    ],
)
def test_other_patterns_are_matched_whole(written: str) -> None:
    assert Split.of(parse_pattern(written).regex) is None
