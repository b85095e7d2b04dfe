"""Parameters of requests become typed values, or a refusal that names them."""

from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct, field

from puppylog.serve.read.parameters import describe_type, read_body, read_parameters
from puppylog.serve.read.resource import Parameters
from puppylog.serve.refusal import Refusal


class Some(Parameters, frozen=True, kw_only=True):
    count: Annotated[int, Meta(ge=1, le=9)] = 5
    share: Annotated[float, Meta(gt=0)] | None = None
    names: Annotated[tuple[str, ...], Meta(description="Names.")] = ()
    is_new: bool = False
    order: Literal["up", "down"] = "up"
    from_: str | None = field(name="from", default=None)
    needed: str


class Body(Struct, forbid_unknown_fields=True):
    text: str


def test_values_are_typed_and_a_list_is_given_several_times() -> None:
    given = [("needed", ""), ("count", "9"), ("share", "0.5"), ("names", "a"), ("names", "b"), ("is_new", "true")]
    found = read_parameters(Some, [*given, ("from", "here")])
    assert found == Some(needed="", count=9, share=0.5, names=("a", "b"), is_new=True, from_="here")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("count", "10", "count: '10' is not a whole number from 1 to 9"),
        ("count", "1.5", "count: '1.5' is not a whole number from 1 to 9"),
        ("share", "0", "share: '0' is not a number above 0"),
        ("share", "inf", "share: 'inf' is not a number above 0"),
        ("is_new", "maybe", "is_new: 'maybe' is not true or false"),
        ("order", "left", "order: 'left' is not down or up"),
        ("needed", "a\0b", "needed: it has a NUL, which no store can keep"),
        ("from_", "x", "from_: there is no such parameter; known are count, share, names, is_new, order, from, needed"),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: str, message: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_parameters(Some, [("needed", "x"), (name, value)] if name != "needed" else [(name, value)])
    assert (refused.value.status, refused.value.message) == (400, message)


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(Refusal, match="needed: it is missing"):
        read_parameters(Some, [])


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"text": 1}', b'{"text": "a", "more": 1}', b'{"text": "\\u0000"}']
)
def test_a_wrong_body_is_refused(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read_body(Body, body)
    assert (refused.value.status, refused.value.place) == (400, "body")
    assert read_body(Body, b'{"text": "\\\\u0000"}').text == "\\u0000"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Annotated[int, Meta(ge=0)], "a whole number of at least 0"),
        (Annotated[float, Meta(le=2)] | None, "a number of at most 2"),
        (tuple[Literal["a", "b"], ...], "a or b"),
        (str, "such a text"),
    ],
)
def test_a_type_is_described_in_words(kind: Any, words: str) -> None:
    assert describe_type(kind) == words
