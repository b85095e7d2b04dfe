import re

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

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
