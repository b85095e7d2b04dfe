"""A message knows its most urgent kind, and which values of a contact are secrets is declared once."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from puppylog.model.alert import Comparison
from puppylog.notify.contact import secret_field, secret_fields
from puppylog.notify.message import Kind, Message, SegmentReport, count_kinds

NOON = datetime(2026, 5, 18, 12, tzinfo=UTC)


def message_of(*kinds: Kind) -> Message:
    segments = tuple(SegmentReport(kind, str(at), 1.0, NOON, f"key{at}") for at, kind in enumerate(kinds))
    return Message("errors", "errors", "avg", Comparison.ABOVE, 10.0, 60, segments)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ((Kind.RESOLVED, Kind.FIRING), Kind.FIRING),
        ((Kind.RESOLVED, Kind.NO_DATA), Kind.NO_DATA),
        ((Kind.RESOLVED, Kind.ACKNOWLEDGED), Kind.ACKNOWLEDGED),
        ((Kind.RESOLVED,), Kind.RESOLVED),
    ],
)
def test_the_kind_of_a_message_is_the_most_urgent_of_its_segments(kinds: tuple[Kind, ...], expected: Kind) -> None:
    assert message_of(*kinds).kind is expected


def test_a_message_counts_its_segments_by_kind_and_with_those_left_out() -> None:
    message = replace(message_of(Kind.RESOLVED, Kind.FIRING, Kind.RESOLVED), segments_omitted=4)
    assert message.count == 7
    assert list(count_kinds(message).items()) == [(Kind.FIRING, 1), (Kind.RESOLVED, 2)]


def test_a_secret_is_not_in_the_repr_of_a_contact() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Paper:
        name: str
        token: str = secret_field()

    assert "hunter2" not in repr(Paper(name="ops", token="hunter2"))  # noqa: S106 - a value for the test
    assert secret_fields(Paper) == {"token": True}
