"""The samples of the formats, one file in ``samples/`` for each family, are read on both paths."""

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from formats.paths import PATHS, reading
from formats.sample_files import FAMILIES, READ_AT, Sample, before, line_of, read_samples
from puppylog.formats.access.reason import Reason
from puppylog.formats.base import Options, Parser
from puppylog.formats.listed_formats import LISTED
from puppylog.formats.registry import find_format

KEYS = {"title", "as", "zone", "year", "modified", "joins", "before", "line", "bytes", "record", "reject"}
READ_AT_US = int(READ_AT.timestamp()) * 1_000_000


def open_parser(family: str, sample: Sample) -> Parser:
    options = Options(
        ZoneInfo(sample.get("zone", "UTC")),
        int(sample["year"]) if "year" in sample else None,
        joins_lines=sample.get("joins") != "false",
    )
    modified = datetime.fromisoformat(sample["modified"]) if "modified" in sample else READ_AT
    return find_format(sample.get("as", family), options).open("", int(modified.timestamp()) * 1_000_000)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("family", FAMILIES)
def test_each_sample_is_read_as_it_states(family: str, path: str) -> None:
    with reading(path):
        for sample in read_samples(family):
            try:
                check_sample(family, sample)
            except AssertionError as error:
                error.add_note(f"the sample is {sample['title']!r}")
                raise


def check_sample(family: str, sample: Sample) -> None:
    line = line_of(sample)
    parser = open_parser(family, sample)
    parser.parse(before(sample), 0, READ_AT_US)
    parsed = parser.parse(line + b"\n", 1000, READ_AT_US)
    parsed.records.validate(full=True)
    if "reject" in sample:
        assert parsed.rejects.to_pylist() == [{"line_offset": 1000, "reason": sample["reject"], "line": line}]
        assert parsed.records.num_rows == 0
        return
    assert parsed.rejects.to_pylist() == []
    rows = parsed.records.to_pylist()
    records = [{name: value for name, value in row.items() if value is not None} for row in rows]
    for record in records:
        assert 1000 <= record.pop("line_offset") <= 1000 + len(line)
        attributes = json.loads(record.pop("attributes", "{}"))
        source = attributes.pop("ts_source", None)
        assert source in ({"read"} if record["ts"] == READ_AT else {None, "before"})
        record["ts"] = record["ts"].isoformat().replace("+00:00", "Z")
        if attributes:
            record["attributes"] = attributes
    expected = json.loads(sample["record"])
    assert records == (expected if isinstance(expected, list) else [expected])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", [*LISTED, "$remote_addr [$time_local]", "w3c: date time c-ip", "(?P<msg>.*)"])
def test_blank_lines_are_counted(name: str, path: str) -> None:
    with reading(path):
        parsed = find_format(name).open().parse(b"\n\r\n \t \n\n", 0, READ_AT_US)
    assert (parsed.lines, parsed.rowless, parsed.continued) == (0, 4, 0)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("variant", ["access", "common", "combined"])
def test_samples_in_one_text_are_read_like_single_samples(variant: str, path: str) -> None:
    log_format = find_format(variant).open()
    data, records, rejects = b"", [], []
    with reading(path):
        for sample in read_samples("access"):
            alone = log_format.parse(line_of(sample) + b"\n", len(data), 0)
            records += alone.records.to_pylist()
            rejects += alone.rejects.to_pylist()
            data += line_of(sample) + b"\n"
        together = log_format.parse(data, 0, 0)
    assert together.records.to_pylist() == records
    assert together.rejects.to_pylist() == rejects


@pytest.mark.parametrize("family", FAMILIES)
def test_the_samples_are_well_formed(family: str) -> None:
    samples = read_samples(family)
    for sample in samples:
        assert sample.keys() <= KEYS
        assert len(sample.keys() & {"line", "bytes"}) == len(sample.keys() & {"record", "reject"}) == 1
    titles = [sample["title"] for sample in samples]
    assert len(titles) == len(set(titles)) > 5


def test_every_format_has_samples_and_every_sample_a_format() -> None:
    without_name = {"log_format", "regex"}
    assert set(FAMILIES) == {entry.samples for entry in LISTED.values()} | without_name


def test_each_reason_of_access_logs_has_a_sample() -> None:
    rejected = {sample["reject"] for sample in read_samples("access") if "reject" in sample}
    assert rejected == {reason.text for reason in Reason}
