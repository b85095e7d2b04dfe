"""Reads lines natively and in Python, at once and in pieces, and draws lines from the samples, whole and damaged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from formats.paths import reading
from formats.sample_files import line_of, read_samples
from puppylog.formats.base import Options
from puppylog.formats.registry import find_format

MODIFIED_AT_US = 1_795_514_400_000_000  # 2026-11-24 10:00 UTC
READ_AT_US = 1_900_000_000_000_000


@dataclass(frozen=True)
class Outcome:
    records: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    rowless: int
    context: str
    continued: int = 0


def read(
    written: str,
    data: bytes,
    path: str,
    cuts: Iterable[int] = (),
    options: Options = Options(),  # noqa: B008 - frozen
) -> Outcome:
    """Read lines on one of the paths in ``formats.paths``.

    Args:
        written: the format.
        data: whole lines.
        path: one of ``PATHS``.
        cuts: offsets of lines. At the beginning of the last record before each of them, or at the cut if that record is
            complete, a new parser continues with the context of the parser before.
        options: how stamps are read.
    """
    outcome = Outcome([], [], 0, "")
    start = 0
    for cut in [*sorted(cuts), len(data)]:
        with reading(path):
            parser = find_format(written, options).open(outcome.context, MODIFIED_AT_US)
            last = parser.find_last_start(data[start:cut]) if cut < len(data) else cut - start
            if last < 0:
                continue
            parsed = parser.parse(memoryview(data)[start : start + last], start, READ_AT_US)
        start += last
        parsed.records.validate(full=True)
        parsed.rejects.validate(full=True)
        outcome = Outcome(
            outcome.records + parsed.records.to_pylist(),
            outcome.rejects + parsed.rejects.to_pylist(),
            outcome.rowless + parsed.rowless,
            parser.context,
            outcome.continued + parsed.continued,
        )
    return outcome


def starts_of(data: bytes) -> list[int]:
    return [0, *(at + 1 for at, byte in enumerate(data[:-1]) if byte == 10)] if data else []


def assert_no_line_is_lost(data: bytes, outcome: Outcome) -> None:
    """Assert that each line is rejected with its bytes, or begins a record, or is counted as joined or rowless."""
    starts = starts_of(data)
    rejected = {row["line_offset"]: row["line"] for row in outcome.rejects}
    for start, line in zip(starts, data.split(b"\n")[:-1], strict=True):
        assert rejected.pop(start, line).split(b"\n")[0] == line
    assert not rejected
    offsets = [row["line_offset"] for row in outcome.records]
    assert offsets == sorted(set(offsets))
    lost = set(starts) - {*offsets, *(row["line_offset"] for row in outcome.rejects)}
    assert len(lost) == outcome.rowless + outcome.continued
    assert not {*offsets} & {row["line_offset"] for row in outcome.rejects}


@st.composite
def _damaged(draw: st.DrawFn, lines: Sequence[bytes]) -> bytes:
    line = draw(st.sampled_from(lines))
    start = draw(st.integers(0, len(line)))
    end = draw(st.integers(start, min(len(line), start + draw(st.sampled_from([0, 1, 3, 200])))))
    tokens = st.sampled_from(
        [
            b"",
            b'"',
            b"\\",
            b" ",
            b"[",
            b"]",
            b":",
            b"-",
            b"=",
            b"\xff",
            b"\xe2\x82",
            b"\x00",
            b"\r",
            line[start:end] * 2,
        ]
    )
    return line[:start] + draw(tokens) + line[end:]


def texts(family: str) -> st.SearchStrategy[bytes]:
    """Draw lines: samples of the family, whole and damaged, and random bytes."""
    lines = [line_of(sample) for sample in read_samples(family)]
    line = st.one_of(st.sampled_from(lines), _damaged(lines), _damaged(lines), st.binary(max_size=40))
    return st.lists(line.map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=12).map(b"".join)
