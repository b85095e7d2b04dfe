"""Strategies for lines of access logs: whole and damaged lines, and random bytes."""

from datetime import datetime

from hypothesis import strategies as st

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

variants = st.sampled_from(["access", "common", "combined"])
characters = st.characters(exclude_characters='"\\\n', exclude_categories=["Cs"])
escaped_texts = st.lists(st.one_of(characters, st.sampled_from(['\\"', "\\\\", "\\x16", "-", " "])), max_size=12).map(
    "".join
)
words = st.text("abcXYZ019-_./:%é", min_size=1, max_size=20)
hosts = st.one_of(
    words, st.sampled_from(["203.0.113.9", "2001:db8::7", "-", "a-long-name.of-a-host.example.org", "h" * 90])
)
users = st.one_of(
    words, st.sampled_from(["-", "", '""', "john doe", "- john", "- -", "- ", 'j"d', '"] "', "a\\", "] "])
)
methods = st.one_of(
    st.sampled_from(["GET", "POST", "OPTIONS", "PROPFIND", "M-SEARCH", "get", "G@T", "[ET", "G{T"]), words
)
protos = st.sampled_from(
    ["HTTP/1.1", "HTTP/2.0", "HTTP/3", "HTTP/", "HTTP/10.01", "http/1.1", "HTTP/1. ", "HTTP/1.1 ", "RTSP/1.0"]
)
routes = st.one_of(words.map("/{}".format), escaped_texts, st.sampled_from(["*", "/", "/a b", "", " ", "http://a/"]))
requests = st.one_of(
    st.tuples(methods, routes, protos).map(" ".join),
    st.tuples(methods, routes).map(" ".join),
    escaped_texts,
    st.sampled_from(["-", "", "\\x16\\x03\\x01", "GET", "GET ", " "]),
)
two_digits = st.integers(0, 99).map("{:02}".format)
right_stamps = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)).map(  # noqa: DTZ001 - the zone comes later
    lambda at: f"{at.day:02}/{MONTHS[at.month - 1]}/{at.year:04}:{at.hour:02}:{at.minute:02}:{at.second:02}"
)
any_stamps = st.tuples(
    two_digits, st.sampled_from([*MONTHS, "Foo", "jan"]), two_digits, two_digits, *[two_digits] * 3
).map(lambda part: "{}/{}/{}{}:{}:{}:{}".format(*part))
zones = st.one_of(
    st.sampled_from(["+0000", "-0700", "+1459", "+0530", "*0000", "-1500", "+0060"]), two_digits.map("+{}00".format)
)
statuses = st.one_of(st.integers(0, 999).map("{:03}".format), st.sampled_from(["-", "20", "2000", "2x0", "", "²00"]))
sizes = st.one_of(
    st.integers(0, 1 << 34).map(str),
    st.sampled_from(
        [
            "-",
            "",
            str((1 << 63) - 1),
            str(1 << 63),
            "9" * 19,
            "0" * 19 + "1",
            "00000007",
            "1e3",
            "-5",
            "12:4567",
            "99999999",
        ]
    ),
)
extras = st.one_of(st.just(""), st.just(' "-"'), escaped_texts.map(" {}".format), escaped_texts)
endings = st.one_of(
    st.just(""),
    st.tuples(escaped_texts, escaped_texts).map(' "{0[0]}" "{0[1]}"'.format),
    st.sampled_from(
        [' "-" "-"', ' "-"', ' "a""b"', ' "a"  "b"', ' "a" b', ' "a" "b" ', ' "" ""', '"a" "b"', ' x "a" "b"']
    ),
)


@st.composite
def log_lines(draw: st.DrawFn) -> bytes:
    """Draw a line of an access log, most parts of which are valid."""
    vhost = draw(st.sampled_from(["", "", "www.example.org:443 "]))
    stamp = draw(st.one_of(right_stamps, right_stamps, any_stamps))
    head = f"{vhost}{draw(hosts)} {draw(st.one_of(st.just('-'), words))} {draw(users)}"
    line = (
        f'{head} [{stamp} {draw(zones)}] "{draw(requests)}" {draw(statuses)} {draw(sizes)}{draw(endings)}{draw(extras)}'
    )
    return (line + draw(st.sampled_from(["", "", "\r", "\r\r"]))).encode()


@st.composite
def damaged_lines(draw: st.DrawFn) -> bytes:
    """Draw a line of an access log with one part cut out, doubled, or replaced by other bytes."""
    line = draw(log_lines())
    start = draw(st.integers(0, len(line)))
    end = draw(st.integers(start, min(len(line), start + draw(st.sampled_from([0, 1, 3, 200])))))
    tokens = st.sampled_from(
        [b"", b'"', b"\\", b" ", b"\xff", b"\xe2\x82", b"\x00", b"\r", b'] "', b"[", line[start:end] * 2]
    )
    return line[:start] + draw(tokens) + line[end:]


lists_of_lines = st.lists(st.one_of(log_lines(), damaged_lines(), st.binary(max_size=40)), max_size=12).map(
    lambda lines: [part for line in lines for part in line.split(b"\n")]
)
