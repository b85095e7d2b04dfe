import pytest

from formats.kinds import KINDS, repeat_samples
from formats.sample_files import FAMILIES, before, line_of, read_samples
from puppylog.formats import detection
from puppylog.formats.access.access_log import AccessLog
from puppylog.formats.access.line import Variant
from puppylog.formats.auto import Auto
from puppylog.formats.base import Format
from puppylog.formats.detection import Verdict, find_best, judge, may_fit, rank, take_sample
from puppylog.formats.file.lazy import LazyFormat
from puppylog.formats.registry import find_format

COMMON = b'192.0.2.1 - - [01/Jan/2026:00:00:00 +0000] "GET / HTTP/1.1" 200 5\n'
COMBINED = COMMON[:-1] + b' "-" "curl/8"\n'
FORMATS = [AccessLog(Variant.COMBINED), AccessLog(Variant.COMMON)]


def test_the_coverage_is_the_share_of_lines_that_fit_and_empty_lines_say_nothing() -> None:
    verdict = judge(FORMATS[0], COMBINED * 3 + b"\n\nbad\n")
    assert (verdict.fits, verdict.lines, verdict.coverage) == (3, 4, 0.75)
    assert judge(FORMATS[0], b"\n").coverage == 0


def test_the_format_that_fits_most_is_the_best_and_of_equal_ones_the_first() -> None:
    assert [verdict.format.name for verdict in rank(FORMATS, COMMON + COMBINED)] == ["common", "combined"]
    best = find_best(FORMATS, COMBINED)
    assert best is not None
    assert best.format is FORMATS[0]
    assert find_best(FORMATS, b"nothing\n") is None
    assert find_best([], COMMON) is None


def test_a_sample_is_some_whole_lines() -> None:
    lines = [b"%d\n" % number for number in range(1000)]
    assert take_sample(b"".join(lines)) == b"".join(lines[: detection.SAMPLE_LINES])
    assert take_sample(b"".join(lines[:256])) == b"".join(lines[:256])
    assert take_sample(memoryview(b"a\nb\n")) == b"a\nb\n"
    assert take_sample(b"") == b""
    long = b"x" * detection.SAMPLE_BYTES + b"\n"
    assert take_sample(long + b"y\n") == long
    assert take_sample(b"a\n" + long) == b"a\n"


def test_a_format_that_fits_nearly_all_lines_is_better_than_application_text() -> None:
    lines = [f"2026-11-24T10:00:{second:02}.123456789Z stdout F paid {second}\n" for second in range(20)]
    sample = "".join([*lines, "a line of the disk's full file system\n"]).encode()
    best = find_best([find_format("cri"), find_format("app")], sample)
    assert best is not None
    assert best.format.name == "cri"


def test_no_format_is_skipped_that_reads_a_record() -> None:
    auto = find_format("auto")
    assert isinstance(auto, Auto)
    texts = [repeat_samples(name, 1) for name in KINDS]
    texts += [before(sample) + line_of(sample) + b"\n" for family in FAMILIES for sample in read_samples(family)]
    for candidate in auto.candidates:
        if not isinstance(candidate, LazyFormat):
            skipped = b"".join(text for text in texts if not may_fit(candidate, text))
            assert judge(candidate, skipped).heads == 0


def test_a_file_of_syslog_is_judged_with_few_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    auto = find_format("auto")
    assert isinstance(auto, Auto)
    lines = [f"Nov 24 10:00:{second:02} web sshd[{second}]: Session {second} ended\n" for second in range(20)]
    sample = "".join(lines).encode()
    judged: list[str] = []

    def judge_and_note(format_: Format, sample: bytes, modified_at_us: int | None = None) -> Verdict:
        judged.append(format_.name)
        return judge(format_, sample, modified_at_us)

    monkeypatch.setattr(detection, "judge", judge_and_note)
    best = find_best(auto.candidates, sample)
    assert best is not None
    assert judged[-1] == best.format.name == "syslog"
    assert len(judged) <= 2
