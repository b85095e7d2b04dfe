"""The format's own samples, ``samples.txt`` beside it, are its test."""

import json
from importlib import resources
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

import pytest

from puppylog.formats.access.reason import Reason
from puppylog.formats.registry import find_format

Sample: TypeAlias = dict[str, str]
KEYS = {"title", "as", "line", "bytes", "record", "reject"}


def read_samples() -> list[Sample]:
    text = resources.files("puppylog.formats.access").joinpath("samples.txt").read_text(encoding="utf-8")
    samples = []
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.strip("\n").split("\n") if line and not line.startswith("#")]
        if lines:
            parts = [line.partition(":") for line in lines]
            samples.append({key: value.removeprefix(" ") for key, _, value in parts})
    return samples


SAMPLES = read_samples()


def line_of(sample: Sample) -> bytes:
    return unquote_to_bytes(sample["bytes"]) if "bytes" in sample else sample["line"].encode()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["title"])
def test_the_sample_is_read_as_it_says(sample: Sample) -> None:
    line = line_of(sample)
    parsed = find_format(sample.get("as", "auto")).parse(line + b"\n", 1000)
    parsed.records.validate(full=True)
    if "reject" in sample:
        assert parsed.rejects.to_pylist() == [{"line_offset": 1000, "reason": sample["reject"], "line": line}]
        assert parsed.records.num_rows == 0
        return
    assert parsed.rejects.to_pylist() == []
    (row,) = parsed.records.to_pylist()
    record = {name: value for name, value in row.items() if value is not None}
    assert record.pop("line_offset") == 1000
    record["ts"] = record["ts"].isoformat().replace("+00:00", "Z")
    if "attributes" in record:
        record["attributes"] = json.loads(record["attributes"])
    assert record == json.loads(sample["record"])


@pytest.mark.parametrize("variant", ["auto", "common", "combined"])
def test_all_samples_in_one_block_are_read_as_one_by_one(variant: str) -> None:
    log_format = find_format(variant)
    data, records, rejects = b"", [], []
    for sample in SAMPLES:
        alone = log_format.parse(line_of(sample) + b"\n", len(data))
        records += alone.records.to_pylist()
        rejects += alone.rejects.to_pylist()
        data += line_of(sample) + b"\n"
    together = log_format.parse(data, 0)
    assert together.records.to_pylist() == records
    assert together.rejects.to_pylist() == rejects


def test_the_samples_are_well_formed() -> None:
    for sample in SAMPLES:
        assert sample.keys() <= KEYS
        assert len(sample.keys() & {"line", "bytes"}) == len(sample.keys() & {"record", "reject"}) == 1
    titles = [sample["title"] for sample in SAMPLES]
    assert len(titles) == len(set(titles)) > 100


def test_each_reason_has_a_sample() -> None:
    assert {sample["reject"] for sample in SAMPLES if "reject" in sample} == {
        reason.text for reason in Reason if reason is not Reason.NONE
    }
