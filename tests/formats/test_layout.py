"""Lines in a server's log format, written and read back on both paths."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.layout_lines import formats_with_lines, moments, texts, words
from formats.paths import PATHS, reading
from formats.sample_files import read_samples
from puppylog.errors import UsageError
from puppylog.formats import line_format
from puppylog.formats.layout.layout import compile_layout, is_layout, parse_written, writes_json
from puppylog.formats.layout.program import Reason
from puppylog.formats.registry import find_format
from puppylog.model.record import Parsed

paths = st.sampled_from(PATHS)
numbers = st.decimals(0, 1000, places=3).map(str)
lists = st.lists(numbers, min_size=2, max_size=4).flatmap(
    lambda items: st.sampled_from([", ", " : "]).map(lambda between: between.join(items))
)

MAIN = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
    ' $request_time $upstream_response_time "$http_x_request_id"'
)


def rows_of(parsed: Parsed) -> tuple[Any, Any, int]:
    parsed.records.validate(full=True)
    parsed.rejects.validate(full=True)
    return parsed.records.to_pylist(), parsed.rejects.to_pylist(), parsed.rowless


def read(written: str, data: bytes, path: str = "native") -> Parsed:
    with reading(path):
        return find_format(written).open().parse(data, 0, 0)


@given(
    st.fixed_dictionaries(
        {
            "host": words,
            "ruser": st.none() | texts.filter(lambda text: " [" not in text),
            "request_method": st.from_regex("[A-Z][A-Z0-9_-]*", fullmatch=True),
            "request_route": texts,
            "request_proto": st.from_regex("HTTP/[0-9](\\.[0-9])?", fullmatch=True),
            "status_code": st.none() | st.integers(0, 999),
            "response_bytes": st.none() | st.integers(0, (1 << 63) - 1),
            "referer": st.none() | texts,
            "user_agent": st.none() | texts,
        }
    ),
    moments,
    st.tuples(numbers, st.one_of(st.none(), numbers, lists), st.none() | texts),
    paths,
)
def test_fields_written_as_a_line_are_read_back(
    row: dict[str, Any], at: datetime, others: tuple[str, str | None, str | None], path: str
) -> None:
    took, upstreams, request_id = others
    stamp = f"{at.day:02}/{at:%b}/{at.year:04}:{at:%H:%M:%S} +0000"
    written = {name: "-" if value is None else value for name, value in row.items()}
    line = (
        '{host} - {ruser} [{stamp}] "{request_method} {request_route} {request_proto}" {status_code} {response_bytes}'
        ' "{referer}" "{user_agent}" {took} {upstreams} "{request_id}"\n'
    ).format(**written, stamp=stamp, took=took, upstreams=upstreams or "-", request_id=request_id or "-")
    parsed = read(MAIN, line.encode(), path)
    (record,) = parsed.records.to_pylist()
    attributes: dict[str, str | float] = {"request_time": float(took)}
    if upstreams is not None:
        is_list = "," in upstreams or ":" in upstreams
        attributes |= {"upstream_response_time": upstreams if is_list else float(upstreams)}
    if request_id is not None:
        attributes |= {"http_x_request_id": request_id}
    assert json.loads(record.pop("attributes")) == attributes
    nothing = {"ident": None, "severity": None, "message": None}
    assert record == {"line_offset": 0, "ts": at.replace(microsecond=0, tzinfo=UTC), **row, **nothing}


@given(formats_with_lines())
def test_both_paths_read_the_same_and_no_line_is_lost(given_lines: tuple[str, bytes]) -> None:
    written, data = given_lines
    native, python = read(written, data), read(written, data, "python")
    assert rows_of(native) == rows_of(python)
    assert native.lines + native.rowless == data.count(b"\n")


@given(formats_with_lines(), st.data(), paths)
def test_lines_read_in_pieces_give_the_same_rows(
    given_lines: tuple[str, bytes], data: st.DataObject, path: str
) -> None:
    written, text = given_lines
    whole = rows_of(read(written, text, path))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(line_format, "_PART_BYTES", data.draw(st.integers(1, 200)))
        assert rows_of(read(written, text, path)) == whole


@pytest.mark.parametrize("path", PATHS)
def test_a_hostile_line_takes_time_proportional_to_its_length(path: str) -> None:
    written = '[$time_iso8601] "$http_referer" $upstream_addr $scheme://$host$request_uri $request $status'
    hostile = b'[2024-10-10T13:55:36Z] "' + b'\\"' * 500_000 + b'" ' + b"a, : " * 100_000 + b"\n"
    assert read(written, hostile, path).rejects["reason"].to_pylist() == [Reason.TEXT.text]


def test_each_reason_has_a_sample() -> None:
    samples = [*read_samples("log_format"), *read_samples("w3c")]
    found = {sample["reject"] for sample in samples if "reject" in sample}
    assert found == {reason.text for reason in Reason if reason is not Reason.FITS}


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("192.0.2.1 - - [10/Oct/2024:13:55:36 +0000] GET", 43),
        ("192.0.2.1 - - [2024-10-10 13:55:36 +00:00] GET", 15),
        ('é [10/Oct/2024:13:55:36 +0000] "GET / HTTP/1.1', 2),
        ("192.0.2.1 - - [10/Oct/2024:13:55:36", 15),
        ('é - - [10/Oct/2024:13:55:36 +0000] "GET / HTTP/1.1', 36),
        ("", 0),
    ],
)
def test_the_first_mismatch_of_a_rejected_line_is_found(line: str, at: int) -> None:
    assert compile_layout(MAIN).find_mismatch(line) == at


@pytest.mark.parametrize(
    ("written", "string"),
    [
        ("$status", "$status"),
        ("log_format main '$status ' '$host';", "$status $host"),
        ("  log_format  main\n   escape=json\n  '$status '\n '\"$host\"'  ;  ", '$status "$host"'),
        ("log_format main $status;", "$status"),
        ("log_format main '$status'", "$status"),
        ("'$status ' '$host';", "$status $host"),
        ('LogFormat "%h \\"%r\\"" common', '%h "%r"'),
        ('"%h \\"%r\\" %>s" nickname', '%h "%r" %>s'),
        ('CustomLog /var/log/a.log "%h %>s" env=!quiet', "%h %>s"),
        ('"$request" $status', '"$request" $status'),
    ],
)
def test_a_log_format_may_be_written_with_or_without_its_directive(written: str, string: str) -> None:
    assert parse_written(written).written == string


@pytest.mark.parametrize("written", ["log_format main;", "LogFormat", "combined", "", "cost: 5 $"])
def test_a_text_that_is_no_log_format_is_refused(written: str) -> None:
    assert not is_layout(written)
    with pytest.raises(UsageError, match=r"^cannot read log format"):
        compile_layout(written)


def test_an_escape_that_nginx_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="escape must be default, json or none, not xml"):
        compile_layout("log_format main escape=xml '$status';")


@pytest.mark.parametrize(
    ("written", "is_json"),
    [
        ('log_format j escape=json \'{"time":"$time_iso8601",\' \'"status":$status}\';', True),
        ('LogFormat "{ \\"time\\": \\"%t\\", \\"status\\": %>s }" json', True),
        ("{$status} {$host}", False),
        ('"$request" $status', False),
    ],
)
def test_a_format_whose_lines_are_json_is_recognized(written: str, *, is_json: bool) -> None:
    assert writes_json(parse_written(written)) is is_json
