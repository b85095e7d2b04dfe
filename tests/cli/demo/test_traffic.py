"""The demo and the bench rely on the generator's own count of rejects, so the tests here count in another way."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from puppylog.cli.demo.traffic import Block, Traffic
from puppylog.formats.registry import find_format

SINCE = datetime(2026, 11, 1, 12, 0, 0, 500_000, tzinfo=UTC)
UNTIL = SINCE + timedelta(minutes=5)
QUOTED = r'"((?:[^"\\]|\\.)*)"'
COMBINED = re.compile(
    rf"([\w.:]+) - (\w+|-) \[([^\]]+)\] {QUOTED} (\d{{3}}) (\d+|-) {QUOTED} {QUOTED}".encode(),
)


def split(block: Block) -> list[bytes]:
    assert block.data.endswith(b"\n")
    return block.data[:-1].split(b"\n")


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second, other = (Traffic(seed=seed, garbage_share=0.05) for seed in (7, 7, 8))
    blocks = [traffic.make_block(2_000, SINCE, UNTIL) for traffic in (first, second, other)]
    assert blocks[0] == blocks[1]
    assert blocks[0].data != blocks[2].data
    assert first.make_block(10, SINCE, UNTIL).data not in blocks[0].data


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_the_generator_counts_the_lines_that_do_not_fit_the_combined_format(share: float) -> None:
    block = Traffic(garbage_share=share).make_block(5_000, SINCE, UNTIL)
    lines = split(block)
    assert len(lines) == block.lines == 5_000
    assert sum(COMBINED.fullmatch(line) is None for line in lines) == block.rejects
    assert (block.rejects > 0) == (share > 0)


def test_garbage_includes_cut_lines_binary_lines_and_lines_of_another_program() -> None:
    lines = split(Traffic(garbage_share=1.0).make_block(400, SINCE, UNTIL))
    assert any(line.count(b'"') == 1 for line in lines)
    assert any(line.count(b'"') == 5 for line in lines)
    assert any(len(line) > 8 and min(line) > 127 for line in lines)
    assert any(line.startswith(b"AH0") for line in lines)
    assert any(rb'"\x16\x03' in line for line in lines)


def test_times_increase_within_the_requested_range() -> None:
    matches = [COMBINED.fullmatch(line) for line in split(Traffic().make_block(3_000, SINCE, UNTIL))]
    times = [datetime.strptime(match[3].decode(), "%d/%b/%Y:%H:%M:%S %z") for match in matches if match]
    assert times == sorted(times)
    assert SINCE.replace(microsecond=0) <= times[0] < SINCE + timedelta(seconds=10)
    assert UNTIL - timedelta(seconds=10) < times[-1] < UNTIL


def test_traffic_has_several_sections_protocols_users_and_statuses() -> None:
    matches = [
        match for line in split(Traffic().make_block(20_000, SINCE, UNTIL)) if (match := COMBINED.fullmatch(line))
    ]
    requests = [match[4] for match in matches]
    for section in (b"/api/", b"/static/", b"/blog/", b"/shop/", b"/login", b"/ HTTP"):
        assert sum(section in request for request in requests) > 50
    hosts = [match[1] for match in matches]
    assert 500 < len(set(hosts)) < 15_000
    assert any(b":" in host for host in hosts)
    assert any(match[2] != b"-" for match in matches)
    assert {int(match[5]) for match in matches} > {200, 201, 204, 301, 302, 304, 400, 401, 404, 500}
    assert all((match[6] == b"-") == (match[5] in (b"204", b"304")) for match in matches)
    assert len({match[8] for match in matches}) > 24


def test_the_times_of_a_block_continue_those_of_the_block_before() -> None:
    blocks = list(Traffic().iter_blocks(2_500, since=SINCE, rate_per_s=100.0, block_lines=1_000))
    assert [block.lines for block in blocks] == [1_000, 1_000, 500]
    matches = [COMBINED.fullmatch(line) for block in blocks for line in split(block)]
    times = [datetime.strptime(match[3].decode(), "%d/%b/%Y:%H:%M:%S %z") for match in matches if match]
    assert times == sorted(times)
    assert timedelta(seconds=23) < times[-1] - times[0] <= timedelta(seconds=26)


def test_zero_lines_are_zero_bytes() -> None:
    assert Traffic().make_block(0, SINCE, UNTIL) == Block(b"", 0, 0)


def test_the_access_log_format_accepts_and_rejects_the_counted_numbers_of_lines() -> None:
    block = Traffic(garbage_share=0.2).make_block(20_000, SINCE, UNTIL)
    parsed = find_format("access").open().parse(block.data, 0, 0)
    assert (parsed.lines, parsed.rejects.num_rows) == (block.lines, block.rejects)
