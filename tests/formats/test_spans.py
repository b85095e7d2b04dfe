import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.spans import Spans, Taker

TEXT = np.frombuffer("one - deux ünf ".encode(), np.uint8)
SPANS = Spans(np.array([0, 4, 6, 6, 11]), np.array([3, 5, 10, 6, 15]))


def test_spans_become_strings_and_an_empty_one_becomes_null() -> None:
    taken = Taker(TEXT, 5).take_texts(SPANS)
    taken.validate(full=True)
    assert taken.type == pa.string()
    assert taken.to_pylist() == ["one", "-", "deux", None, "ünf"]
    assert taken.null_count == 1


def test_spans_become_bytes_and_an_empty_one_stays_empty() -> None:
    taken = Taker(TEXT, 5).take_bytes(SPANS)
    assert taken.to_pylist() == [b"one", b"-", b"deux", b"", "ünf".encode()]


def test_a_dash_is_emptied_and_other_characters_are_not() -> None:
    assert Taker(TEXT, 5).take_texts(SPANS.without_dashes(TEXT)).to_pylist() == ["one", None, "deux", None, "ünf"]


def test_spans_that_do_not_meet_a_condition_are_emptied() -> None:
    kept = SPANS.where(np.array([True, True, False, False, False]))
    assert Taker(TEXT, 5).take_texts(kept).to_pylist() == ["one", "-", None, None, None]


def test_spans_of_some_rows_are_replaced() -> None:
    replaced = SPANS.replace(np.array([1, 3]), Spans(np.array([4, 6]), np.array([4, 8])))
    assert Taker(TEXT, 5).take_texts(replaced).to_pylist() == ["one", None, "deux", "de", "ünf"]
    assert SPANS.until.tolist() == [3, 5, 10, 6, 15]


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=3)), max_size=40))
def test_fields_come_out_as_they_were_between_the_gaps(fields: list[tuple[str, str]]) -> None:
    text, since, until = b"", [], []
    for field, gap in fields:
        since.append(len(text))
        text += field.encode()
        until.append(len(text))
        text += gap.encode()
    spans = Spans(np.array(since, np.int64), np.array(until, np.int64))
    taken = Taker(np.frombuffer(text, np.uint8), len(fields)).take_texts(spans)
    taken.validate(full=True)
    assert taken.to_pylist() == [field or None for field, _ in fields]
