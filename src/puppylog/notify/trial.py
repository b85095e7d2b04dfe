"""A message that says that it is a test, with which a person tries a contact."""

from datetime import datetime, timedelta
from typing import Final

from puppylog.model.alert import Comparison
from puppylog.notify.message import Kind, Message, SampleLine, SegmentReport

_FIRED_FOR: Final = timedelta(minutes=5)


def make_test_message(contact: str, now: datetime, *, store: str = "", is_resolved: bool = False) -> Message:
    """Return a message with made-up values, which shows what a message of an alert looks like.

    The message with ``is_resolved`` ends what the other one has begun, for receivers that follow an alert.

    Args:
        contact: the name of the contact; the key of the message is made from it.
        now: the present.
        store: the URL of the store, without a password.
        is_resolved: whether the made-up alert no longer fires.
    """
    lines = tuple(
        SampleLine(
            now - timedelta(seconds=seconds), f'GET /cart HTTP/1.1 502 "{text}"', "web1:/var/log/nginx/access.log"
        )
        for seconds, text in ((2, "a made-up line"), (5, "another made-up line <&>"))
    )
    report = SegmentReport(
        Kind.RESOLVED if is_resolved else Kind.FIRING,
        segment=None,
        value=2.0 if is_resolved else 12.5,
        since=now - _FIRED_FOR if is_resolved else now,
        key=f"puppylog-test-{contact}",
        ended_at=now if is_resolved else None,
        chart=(1.0, 2.0, 2.0, 3.0, 5.0, 8.0, 12.5, *((9.0, 4.0, 2.0) if is_resolved else ())),
        lines=() if is_resolved else lines,
    )
    return Message(
        alert="test",
        metric="test",
        statistic="avg",
        comparison=Comparison.ABOVE,
        threshold=10.0,
        window_s=300,
        segments=(report,),
        summary="Sent by: puppylog contacts test",
        severity="info",
        command="puppylog logs --since 5m 'status_code>=500'",
        store=store,
        is_test=True,
    )
