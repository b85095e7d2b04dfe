import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.attributes import build_objects, quote_json

texts = st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), max_size=20)


@given(texts)
def test_a_quoted_text_is_read_back_by_json(values: list[str | None]) -> None:
    quoted = quote_json(pa.array(values, pa.string())).to_pylist()
    assert [None if text is None else json.loads(text) for text in quoted] == values


@given(st.lists(st.tuples(st.booleans(), st.none() | st.text("ab\"'\\", max_size=3), st.booleans()), max_size=20))
def test_objects_have_the_members_that_are_not_null(rows: list[tuple[bool, str | None, bool]]) -> None:
    present = pa.array([is_present for is_present, _, _ in rows], pa.bool_())
    members = {
        "text": quote_json(pa.array([text for is_present, text, _ in rows if is_present], pa.string())),
        "flag": pa.array(["true" if flag else None for is_present, _, flag in rows if is_present], pa.string()),
        "always": pa.array(["1" for is_present, _, _ in rows if is_present], pa.string()),
    }
    expected = [
        ({} if text is None else {"text": text}) | ({"flag": True} if flag else {}) | {"always": 1}
        if is_present
        else None
        for is_present, text, flag in rows
    ]
    objects = build_objects(members, present)
    assert objects.type == pa.string()
    assert [None if text is None else json.loads(text) for text in objects.to_pylist()] == expected


def test_a_single_member_needs_no_comma() -> None:
    objects = build_objects({"a": pa.array(['"x"']), "b": pa.array([None], pa.string())}, pa.array([False, True]))
    assert objects.to_pylist() == [None, '{"a": "x"}']
