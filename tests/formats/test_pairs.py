import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.file import pairs
from puppylog.formats.file.pairs import split_pairs
from puppylog.formats.file.texts import unquote

keys = st.sampled_from(["a", "b", "level"])
values = st.sampled_from(["1", "x", '"x y"', r'"a \"q\" b"', "'z'", ""])


@given(st.lists(st.lists(st.tuples(keys, values)).map(lambda pairs: " ".join(f"{k}={v}" for k, v in pairs))))
def test_of_pairs_with_the_same_key_in_a_text_the_first_counts(texts: list[str]) -> None:
    found = split_pairs(pa.array(texts, pa.string()), "")

    for key in found.keys:
        for text, value in zip(texts, found.get(key).to_pylist(), strict=True):
            first = re.search(rf'(?:^| ){key}=("(?:[^"\\]|\\.)*"|\'[^\']*\'|[^\s"\'][^\s]*|)', text)
            assert value == (None if first is None else unquote(pa.array([first[1]]))[0].as_py())


words = st.sampled_from(
    ["a=1", "b=2,", 'c="x y"', "d='z';", "e=", "f=(g=1)", "text", "=", "a=b=c", 'h="x"y', "i=\u00e4"]
)


@given(st.lists(st.lists(words).map(" ".join)))
def test_texts_of_nothing_but_pairs_are_split_as_all_others(texts: list[str]) -> None:
    column = pa.array(texts, pa.string())
    found = split_pairs(column, "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "_split_only_pairs", lambda _: None)
        slow = split_pairs(column, "")

    assert found.write_members(()).to_pylist() == slow.write_members(()).to_pylist()
    assert {key: found.get(key).to_pylist() for key in found.keys} == {
        key: slow.get(key).to_pylist() for key in slow.keys
    }
    assert (found.rest or pa.nulls(len(texts))).to_pylist() == (slow.rest or pa.nulls(len(texts))).to_pylist()


def test_a_text_of_another_form_behind_many_pairs_is_split_too() -> None:
    texts = ["a=1 b=2"] * 100 + ["the cart a=1"]
    found = split_pairs(pa.array(texts), "")
    assert found.rest is not None
    assert (found.get("a").to_pylist()[-2:], found.rest.to_pylist()[-2:]) == (["1", "1"], [None, "the cart"])


def test_quotes_are_removed_only_in_pairs() -> None:
    texts = ['"a"', "'a'", '"', "'\"", '"a', 'a"b"', "", r'"\"a\\n\n"', None]

    assert unquote(pa.array(texts, pa.string())).to_pylist() == [
        "a",
        "a",
        '"',
        "'\"",
        '"a',
        'a"b"',
        "",
        '"a\\n\n',
        None,
    ]
