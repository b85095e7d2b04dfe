"""Strategies for lines in layouts and in W3C extended logs: whole and damaged lines, and random bytes."""

from datetime import datetime

from hypothesis import strategies as st

from formats.sample_files import line_of, read_samples

_SAMPLES = [(sample["as"], line_of(sample)) for sample in read_samples("log_format")]
FORMATS = sorted({written for written, _ in _SAMPLES})

_TOKENS = [
    *(b"", b" ", b"-", b'"', b"\\", b'\\"', b'""', b"\r", b"\t", b"\x00", b"\xff", b"\xc3\xa9", b"[", b"]", b":"),
    *(b", ", b" : ", b"/", b"#", b"%20", b"+", b"0", b"9" * 20, b" HTTP/1.1", b"2024-10-10"),
]

texts = st.text(
    st.characters(exclude_characters='"\\\n\r\t', exclude_categories=["Cs"]), min_size=1, max_size=20
).filter(lambda text: text != "-")
words = st.text("abcXYZ019_./%é", min_size=1, max_size=20)
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31))  # noqa: DTZ001 - the zone comes later


@st.composite
def damaged(draw: st.DrawFn, line: bytes) -> bytes:
    """Draw the line with up to three parts cut out, doubled, or replaced by other bytes."""
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(line)))
        end = draw(st.integers(start, min(len(line), start + draw(st.sampled_from([0, 1, 3, 200])))))
        token = draw(st.sampled_from([*_TOKENS, line[start:end] * 2]))
        line = line[:start] + token + line[end:]
    return line


@st.composite
def formats_with_lines(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a log format, and lines of which most fit it."""
    written = draw(st.sampled_from(FORMATS))
    own = [line for other, line in _SAMPLES if other == written]
    some = st.sampled_from([*own, *own, *own, *(line for _, line in _SAMPLES)])
    lines = draw(st.lists(st.one_of(some.flatmap(damaged), st.binary(max_size=40)), max_size=8))
    return written, b"".join(line + b"\n" for line in lines)


_W3C = [line_of(sample) for sample in read_samples("w3c")]
_DIRECTIVES = [
    *(b"#Fields: date time c-ip cs-uri-stem cs-uri-query cs(User-Agent)", b"#Fields: time cs(User-Agent) x-note"),
    *(b"#Fields:", b"#Fields: date\xff", b"#Date: 2024-10-10", b"#Date: 31-Feb-2024", b"#Remark: none", b"#"),
]
w3c_lines = st.lists(
    st.one_of(st.sampled_from(_W3C).flatmap(damaged), st.sampled_from(_DIRECTIVES), st.binary(max_size=40)), max_size=12
).map(lambda lines: [part for line in lines for part in line.split(b"\n")])
