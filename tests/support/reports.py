"""A report with every part, and with hostile text, for tests of what shows reports."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from puppylog.monitor.counting import Pattern
from puppylog.monitor.record_classes import Class
from puppylog.monitor.report import (
    Counted,
    Counts,
    Durations,
    MessagePatterns,
    Reason,
    Report,
    Slow,
    SourceCount,
)
from puppylog.monitor.timeline import Timeline

HOSTILE: Final = "/\x1b[2J<script>alert('x')</script>\u202e"
"""A route that tries to clear the screen, to run a script, and to reverse the text behind it."""

START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)

REPORT: Final = Report(
    records=12_345,
    rejects=12,
    first_at=START.replace(second=7),
    last_at=START.replace(hour=13, minute=59, second=59),
    response_bytes=1.5e9,
    read_times=0,
    sources=[
        SourceCount("/var/log/nginx/access.log", 'LogFormat "%h %l %u %t \\"%r\\" %>s %b" common', 12_000, 0),
        SourceCount("/var/log/nginx/a-site-with-a-very-long-name.example.org/access.log", "json", 345, 12),
    ],
    timeline=Timeline(START, 60, 120),
    kind="status",
    classes=[
        Class("5xx", 345, [0] * 60 + [5] * 45 + [8] * 15),
        Class("4xx", 603, [5] * 120),
        Class("2xx", 11_400, [95] * 120),
    ],
    routes=Counts(
        [
            Counted("/", 7000, 0, 1e9),
            Counted(
                "/shop/a-route-that-is-longer-than-any-terminal-of-forty-columns-and-than-half-of-a-wide-one",
                3000,
                300,
                5e8,
            ),
            Counted(HOSTILE, 45, 45, None),
        ],
        different=1024,
    ),
    failing=Counts([Counted("/shop/cart", 300, 300, None), Counted(HOSTILE, 45, 45, None)], different=2),
    slowest=Durations(
        "request_time",
        1.0,
        12,
        [Slow("/shop/search", 200, 0.25, 1.5, 75.0), Slow("/", 7000, 0.0004, 0.0123, 0.5)],
        different=2,
    ),
    clients=Counts([Counted("192.0.2.1", 9000, 300, None), Counted("2001:db8::1", 3345, 45, None)], different=2),
    patterns=MessagePatterns(
        of_errors=True,
        patterns=[
            Pattern("connection to * lost after * ms", 40, START, START, "connection to 192.0.2.7 lost after 12 ms"),
            Pattern(HOSTILE, 5, START, START, HOSTILE),
        ],
        messages=50,
        different=7,
    ),
    reasons=[Reason("an unclosed quote", 11), Reason("no time in brackets before a quoted request", 1)],
)

TINY: Final = replace(
    REPORT,
    records=3,
    rejects=0,
    last_at=START.replace(second=7),
    response_bytes=None,
    read_times=3,
    sources=[SourceCount("-", "plain", 3, 0)],
    timeline=Timeline(START.replace(second=7), 1, 1),
    kind="",
    classes=[Class("", 3, [3])],
    routes=None,
    failing=None,
    slowest=None,
    clients=None,
    patterns=None,
    reasons=[],
)
"""A report on three lines of text."""
