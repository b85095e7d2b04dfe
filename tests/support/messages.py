"""Messages for tests: of one segment, of several, and of hostile texts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import strategies as st

from puppylog.model.alert import Comparison
from puppylog.notify.message import SEVERITIES, Kind, Message, SampleLine, SegmentReport

NOON: Final = datetime(2026, 5, 18, 12, tzinfo=UTC)

ONE: Final = Message(
    alert="errors",
    metric="errors_5xx",
    statistic="avg",
    comparison=Comparison.ABOVE,
    threshold=10.0,
    window_s=300,
    segments=(
        SegmentReport(
            Kind.FIRING,
            segment=None,
            value=12.5,
            since=NOON,
            key="2f0c1b",
            chart=(1.0, 2.0, 3.0, None, 5.0, 8.0, 12.5),
            lines=(
                SampleLine(NOON - timedelta(seconds=2), "GET /cart?a=1&b=<2> HTTP/1.1 502 `x` *b*", "web1/access.log"),
                SampleLine(NOON - timedelta(seconds=3), "@everyone: ```out of stock```\n\tat Shop.buy()", "shop.log"),
            ),
            lines_omitted=1231,
        ),
    ),
    summary="Customers cannot pay",
    severity="critical",
    command=(
        "puppylog logs --store duckdb:///var/lib/puppylog --from 2026-05-18T11:55:00Z --to 2026-05-18T12:00:00Z "
        "'status_code>=500'"
    ),
    link="https://logs.example.com/alerts/errors",
    store="duckdb:///var/lib/puppylog",
)

RESOLVED: Final = replace(
    ONE,
    segments=(
        replace(
            ONE.segments[0],
            kind=Kind.RESOLVED,
            value=2.0,
            ended_at=NOON + timedelta(minutes=12),
            lines=(),
            lines_omitted=0,
        ),
    ),
)

SEVERAL: Final = replace(
    ONE,
    each_segment=True,
    segments=tuple(
        SegmentReport(
            Kind.FIRING if at % 3 else Kind.RESOLVED,
            segment=f"/section{at}",
            value=10.0 + at,
            since=NOON + timedelta(seconds=at),
            key=f"2f0c1b{at}",
            ended_at=None if at % 3 else NOON + timedelta(minutes=5),
            chart=(float(at), 2.0, 4.0),
        )
        for at in range(25)
    ),
    segments_omitted=7,
)

HOSTILE: Final = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(min_codepoint=0, max_codepoint=0x300), max_size=40),
    st.text("`*_~<>&@|\\[]()#:\r\n\t\x00\x1b\u202e\u2028\ud800\"'", max_size=60),
    st.sampled_from(["@everyone", "<!channel>", "<@U123>", "```\n```", "</pre><script>x</script>", "\x1b[2J"]),
    st.integers(1, 3000).map(lambda length: "&" * length),
    st.integers(1, 3000).map("🐶`".__mul__),
)
"""Texts as a log may have them."""

_INSTANTS: Final = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - see timezones
_VALUES: Final = st.none() | st.floats()

_LINES: Final = st.builds(SampleLine, ts=_INSTANTS, text=HOSTILE, source=HOSTILE)

_REPORTS: Final = st.builds(
    SegmentReport,
    kind=st.sampled_from(Kind),
    segment=st.none() | HOSTILE,
    value=_VALUES,
    since=_INSTANTS,
    key=st.text("0123456789abcdef", min_size=1, max_size=64),
    chart=st.lists(_VALUES, max_size=80).map(tuple),
    lines=st.lists(_LINES, max_size=12).map(tuple),
    lines_omitted=st.integers(0, 10**9),
).map(lambda report: replace(report, ended_at=report.since if report.kind is Kind.RESOLVED else None))

MESSAGES: Final = st.builds(
    Message,
    alert=HOSTILE,
    metric=HOSTILE,
    statistic=st.just("avg"),
    comparison=st.sampled_from(Comparison),
    threshold=st.floats(allow_nan=False, allow_infinity=False),
    window_s=st.integers(1, 10**6),
    segments=st.lists(_REPORTS, min_size=1, max_size=30).map(tuple),
    summary=HOSTILE,
    severity=st.sampled_from(SEVERITIES),
    each_segment=st.booleans(),
    segments_omitted=st.integers(0, 10**6),
    note=HOSTILE,
    command=HOSTILE,
    link=HOSTILE,
    store=HOSTILE,
    is_late=st.booleans(),
    is_test=st.booleans(),
    told_at=st.none() | _INSTANTS,
)
"""Messages whose texts all come from an attacker."""
