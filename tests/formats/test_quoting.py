import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.attributes import quote_json
from puppylog.formats.quoting import quote

texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(texts)
def test_a_quoted_text_is_json_of_the_text(text: str) -> None:
    assert json.loads(quote(text)) == text


@given(st.lists(texts))
def test_texts_in_columns_are_quoted_in_the_same_way(texts: list[str]) -> None:
    assert quote_json(pa.array(texts, pa.string())).to_pylist() == [quote(text) for text in texts]
