import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.embedded import EmbeddedStore
from support.inprocess import InProcess
from support.lines import NOON, Source, rows

DAY = "1 Mar" if datetime.now(UTC).year == 2026 else "1 Mar 2026"


@pytest.fixture(scope="module", autouse=True)
def _messages(server: EmbeddedStore) -> None:
    """Add ten records with messages and durations, the last of a new pattern, an hour after the others."""
    values = [
        {
            "ts": NOON + timedelta(hours=1, minutes=number),
            "severity": "error" if number == 9 else "info",
            "message": 'disk "a" is full' if number == 9 else f"order {number} stored in {number * 7} ms",
            "attributes": json.dumps({"duration_ms": number * 7 if number != 3 else "unknown"}),
        }
        for number in range(10)
    ]
    Source(server.connect(), "file:///var/log/app.log", group="app").append(rows(values))


def test_top_shows_values_with_counts_shares_and_bars(cli: InProcess) -> None:
    got = cli("top", "status_code")
    assert got.out == (
        f"108  83.1 %  {'█' * 40}  200\n 12   9.2 %  {'████▌':40}  500\n 10   7.7 %  {'███▊':40}  (none)\n"
    )
    assert (got.code, got.err) == (0, "")


def test_top_says_what_it_leaves_out(cli: InProcess) -> None:
    got = cli("top", "request_route", "status_code:200", "-l", "2", "-o", "csv")
    assert got.out == "value,count,share\n/,30,0.2777777777777778\n/blog/,30,0.2777777777777778\n"
    assert got.err == ("puppylog: 2 of 4 values are shown, which 55.6 % of the 108 records have; -l shows more\n")


def test_top_of_a_group_and_a_range_is_json_with_values_of_their_type(cli: InProcess) -> None:
    got = cli("top", "status_code", "--group", "shop", "--to", "2026-03-01T12:00:10", "-o", "json")
    assert json.loads(got.out) == [
        {"value": 200, "count": 9, "share": 0.9},
        {"value": 500, "count": 1, "share": 0.1},
    ]
    assert json.loads(cli("top", "ts", "-l", "1", "-o", "json").out)[0]["value"] == "2026-03-01T12:00:00+00:00"
    assert json.loads(cli("top", "group", "-o", "json").out)[1] == {"value": "app", "count": 10, "share": 10 / 130}


def test_hist_draws_columns_over_time(cli: InProcess) -> None:
    got = cli("hist", "--by", "severity", "--step", "10m", "--series", "2")
    assert got.out.splitlines() == [
        f"130 records, {DAY} 12:00 to 13:10, 10m a column, at most 120",
        "120 │----",
        *["    │----"] * 8,
        "  0 │----                    AAAA",
        "    └┬───────┬───────┬───────────",
        "     12:00   12:20   12:40",
        "- (none)         120  92.3 %  █",
        "A info             9   6.9 %        █",
        "+ 1 other value    1   0.8 %        █",
    ]
    assert got.err == (
        "puppylog: 2 of 3 values of severity are counted separately and all others together; --series shows more\n"
    )


def test_hist_has_rows_for_empty_steps(cli: InProcess) -> None:
    got = cli("hist", "--step", "30m", "-o", "csv")
    assert got.out == (
        "bucket,count\n2026-03-01T12:00:00+00:00,120\n2026-03-01T12:30:00+00:00,0\n2026-03-01T13:00:00+00:00,10\n"
    )
    got = cli("hist", "severity:*", "--by", "severity", "--series", "1", "--step", "30m", "-o", "jsonl")
    assert [json.loads(line) for line in got.out.splitlines()] == [
        {"bucket": "2026-03-01T13:00:00+00:00", "value": "info", "is_other": False, "count": 9},
        {"bucket": "2026-03-01T13:00:00+00:00", "value": None, "is_other": True, "count": 1},
    ]


def test_hist_since_a_time_goes_on_to_the_present(cli: InProcess) -> None:
    rows_ = [
        json.loads(line)
        for line in cli("hist", "--since", "2026-03-01", "--step", "1d", "-o", "jsonl").out.splitlines()
    ]
    assert rows_[0] == {"bucket": "2026-03-01T00:00:00+00:00", "count": 130}
    last = datetime.fromisoformat(rows_[-1]["bucket"])
    assert last <= datetime.now(UTC) < last + timedelta(days=2)


def test_hist_names_records_that_are_further_ahead_than_its_range_goes_back(cli: InProcess) -> None:
    got = cli.at(NOON + timedelta(seconds=30))(
        "hist", "--since", NOON.isoformat(), "--step", "10s", "-o", "jsonl", "--tz", "UTC"
    )
    assert [json.loads(line)["count"] for line in got.out.splitlines()] == [10] * 6
    assert got.err == "puppylog: 70 records later than 2026-03-01 12:01:00+00:00 are not shown; --to shows more\n"


def test_stats_shows_exact_percentiles_and_what_is_no_number(cli: InProcess) -> None:
    got = cli("stats", "duration_ms")
    assert got.out.startswith(
        "count 9  min 0  p50 35  p90 57.4  p99 62.44  max 63  mean 32.67\n\n 0 to  10  2  22.2 %  "
    )
    assert got.err == ("puppylog: 120 of 130 records have no duration_ms\npuppylog: 1 of 10 values are not numbers\n")
    [row] = json.loads(cli("stats", "response_bytes", "status_code:500", "-o", "json").out)
    bins = row.pop("bins")
    assert row == {
        "field": "response_bytes",
        "records": 12,
        "count": 12,
        "missing": 0,
        "not_numbers": 0,
        "min": 0.0,
        "p50": 55.0,
        "p90": 99.0,
        "p99": 108.9,
        "max": 110.0,
        "mean": 55.0,
    }
    assert (bins[0], sum(one["count"] for one in bins)) == ({"start": 0.0, "end": 10.0, "count": 1}, 12)


def test_patterns_groups_messages_and_finds_new_ones(cli: InProcess) -> None:
    got = cli("patterns")
    assert got.out.splitlines() == [
        "9  90.0 %  order * stored in * ms",
        f"           {DAY} 13:00 to 13:08",
        "           e.g. order 8 stored in 56 ms",
        "1  10.0 %  disk * is full",
        f"           {DAY} 13:09",
        '           e.g. disk "a" is full',
    ]
    assert got.err == "puppylog: 120 of 130 records have no message\n"
    got = cli("patterns", "has:message", "--new-since", "2026-03-01T13:01", "-o", "jsonl")
    assert json.loads(got.out) == {
        "pattern": "disk * is full",
        "count": 1,
        "share": 0.1,
        "example": 'disk "a" is full',
        "first_at": "2026-03-01T13:09:00+00:00",
        "last_at": "2026-03-01T13:09:00+00:00",
    }
    assert got.err == "puppylog: new since 2026-03-01T13:01: 1 of 2 patterns\n"


COUNTED = [("top", "severity"), ("hist", "--step", "10m"), ("stats", "response_bytes"), ("patterns",)]


@pytest.mark.parametrize("command", COUNTED)
def test_an_answer_in_time_says_since_when_it_counts(cli: InProcess, command: Sequence[str]) -> None:
    got = cli(*command, "--within", "0.000001", "-o", "jsonl", "-q")
    rows_ = [json.loads(line) for line in got.out.splitlines()]
    since = datetime.fromisoformat(rows_[0]["counted_since"])
    assert NOON + timedelta(hours=1) < since < NOON + timedelta(hours=1, minutes=9)
    assert all(row["counted_since"] == rows_[0]["counted_since"] for row in rows_)
    assert "counted since 2026-03-01 13:0" in got.err
    assert "1e-06 s are not enough for all records; without --within all are counted" in got.err
    part = cli(*command, "--from", since.isoformat(), "-o", "jsonl")
    assert [{**json.loads(line), "counted_since": rows_[0]["counted_since"]} for line in part.out.splitlines()] == rows_


@pytest.mark.sampled
@pytest.mark.parametrize("command", COUNTED)
def test_an_answer_of_all_records_in_time_is_that_without_a_limit(cli: InProcess, command: Sequence[str]) -> None:
    whole, in_time = (cli(*command, *limit, "-o", "jsonl") for limit in ((), ("--within", "60")))
    assert [{**json.loads(line), "counted_since": None} for line in whole.out.splitlines()] == [
        json.loads(line) for line in in_time.out.splitlines()
    ]
    assert "counted_since" not in whole.out
    assert in_time.err == whole.err
    assert cli(*command, "--within", "60").out == cli(*command).out


def test_nothing_found_in_a_part_is_not_nothing_found(cli: InProcess) -> None:
    got = cli("patterns", "--to", "2026-03-01T12:30", "--within", "0.000001")
    assert "no record is found" not in got.err
    assert "counted since" in got.err


def test_new_patterns_have_no_limit_of_time(cli: InProcess) -> None:
    got = cli("patterns", "--new-since", "1h", "--within", "1")
    assert got.code == 2
    assert got.err == "puppylog: cannot use --within with --new-since: only all records tell what is new\n"


def test_patterns_of_another_field_and_a_cut_are_said(cli: InProcess) -> None:
    got = cli("patterns", "--group", "shop", "--field", "request_route", "-l", "1", "-o", "csv")
    assert got.out.splitlines()[1].startswith("/shop/*,60,0.5,")
    assert got.err == "puppylog: 1 of 3 patterns are shown; -l shows more\n"
    got = cli("patterns", "--group", "shop")
    assert (got.out, got.err) == (
        "",
        "puppylog: 120 of 120 records have no message; --field names another field, such as request_route\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("top", "hots"),
            'cannot find the field "hots": the nearest are host and ts; the store has, for example, duration_ms:63',
        ),
        (("stats", "host"), "it is text, and statistics need numbers; 'puppylog top host' counts its values"),
        (("stats", "zone", "--group", "shop"), "cannot compute statistics of zone: none of its 120 values is a number"),
        (("patterns", "--field", "ts"), "cannot find patterns of ts: patterns are those of texts"),
        (("hist", "--step", "0"), "cannot use --step '0': it must be at least 1s"),
        (("hist", "--step", "1s", "--from", "1970-01-01"), "choose a longer step: at most 100,000 are shown"),
        (("top", "host", "status_code>x"), 'status_code is a number, but "x" is not'),
        (("patterns", "--new-since", "x"), "cannot read --new-since 'x'"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_is_right(
    cli: InProcess, arguments: tuple[str, ...], message: str
) -> None:
    got = cli(*arguments)
    assert (got.code, got.out) == (2, "")
    assert message in got.err.splitlines()[0]


@pytest.mark.sampled
@pytest.mark.parametrize("arguments", [("top", "host"), ("hist",), ("stats", "status_code"), ("patterns",)])
def test_an_empty_answer_says_what_to_type_next(cli: InProcess, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    got = cli(*arguments, "--from", "2026-04-01")
    assert (got.code, got.out) == (0, "")
    assert got.err.startswith("puppylog: no record is found; the newest record in the store is of 2026-03-01T13:09:00")
    with EmbeddedStore(tmp_path / "empty") as empty:
        got = cli(*arguments, "--store", empty.url)
        unknown = cli("top", "duration_ms", "--store", empty.url)
    assert got.err.startswith("puppylog: the store has no records; ")
    assert "the store has no records; 'puppylog collector -s FILE' collects one" in unknown.err
