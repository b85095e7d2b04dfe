"""Lines of logfmt, written and read back on both paths."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import assert_no_line_is_lost, read, starts_of, texts
from formats.paths import PATHS
from formats.sample_files import read_samples
from puppylog.formats.logfmt import CONTROL, REASONS
from puppylog.formats.registry import find_format

paths = st.sampled_from(PATHS)
keys = st.from_regex(r"xx[A-Za-z0-9_@%.:/#$\[\]é-]*", fullmatch=True)  # no known name begins so
values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
numbers = st.integers(-(10**18), 10**18) | st.floats(-1e9, 1e9).map(lambda number: round(number, 3))
members = st.dictionaries(keys, values | numbers | st.booleans(), min_size=1, max_size=20)


def write(key: str, value: str | float | bool, is_alone: bool) -> str:
    if isinstance(value, str):
        return f"{key}={json.dumps(value)}"
    if value is True and is_alone:
        return key
    return f"{key}={json.dumps(value)}"


@given(members, st.booleans(), st.sampled_from([" ", "  ", "\t"]), paths)
def test_fields_written_as_a_line_are_read_back(
    row: dict[str, str | float | bool], is_alone: bool, blank: str, path: str
) -> None:
    pairs = ["level=info", *(f"{key}.pair=1" for key in row)]
    line = blank.join([*pairs, *(write(key, value, is_alone) for key, value in row.items())])
    (record,) = read("logfmt", line.encode() + b"\n", path).records
    assert record["severity"] == "info"
    assert json.loads(record["attributes"]) == {f"{key}.pair": 1 for key in row} | row | {"ts_source": "read"}


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)), values, paths)  # noqa: DTZ001 - the zone comes later
def test_time_level_and_message_are_columns(at: datetime, message: str, path: str) -> None:
    line = f"time={at.isoformat()}Z level=WARN msg={json.dumps(message)}\n"
    (record,) = read("logfmt", line.encode(), path).records
    assert record["ts"] == at.replace(tzinfo=UTC)
    assert record["severity"] == "warning"
    kept = message.removesuffix("\n").removesuffix("\r")
    assert record["message"] == (kept if kept and message != "-" else None)
    assert json.loads(record["attributes"]) == {"severity_text": "WARN"}


@given(texts("logfmt"), st.data())
def test_both_paths_read_the_same_rows_in_any_pieces(data: bytes, draw: st.DataObject) -> None:
    cuts = draw.draw(st.sets(st.sampled_from(starts_of(data)), max_size=3)) if data else set()
    outcome = read("logfmt", data, "native")
    assert_no_line_is_lost(data, outcome)
    assert read("logfmt", data, "python") == outcome
    assert read("logfmt", data, "native", cuts) == outcome


words = st.sampled_from(["a", "a=1", 'a="b c"', "a=", "b=2.50", "é=1", "=", '"', "(c)", "status=200", "msg=m", "1=2"])


@given(st.lists(words, max_size=6), paths)
def test_both_paths_accept_the_same_words(line: list[str], path: str) -> None:
    data = " ".join(line).encode() + b"\n"
    outcome = read("logfmt", data, path)
    pairs = sum("=" in word for word in line)
    is_well_formed = not {"=", '"', "(c)", "1=2"} & {*line}
    fits = bool(line) and line[0] != "a" and is_well_formed and len(line) <= 2 * pairs
    assert bool(outcome.records) == fits


@pytest.mark.parametrize("path", PATHS)
def test_one_duplicate_among_twenty_thousand_keys_is_dropped(path: str) -> None:
    count = 20_000
    line = " ".join(f"k{k % (count - 1)}={k}" for k in range(count))
    (record,) = read("logfmt", line.encode() + b"\n", path).records
    attributes = json.loads(record["attributes"])
    assert attributes.pop("ts_source") == "read"
    assert len(attributes) == count - 1
    assert attributes["k0"] == count - 1


@pytest.mark.parametrize("reason", REASONS)
def test_each_reason_has_a_sample(reason: str) -> None:
    assert reason in {sample.get("reject") for sample in read_samples("logfmt")}


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("prose and a=1", 0),
        ("a=1 (b)=2", 4),
        ('a=1 b="c', 6),
        ('a=1 b="c"d', 9),
        ('a=1 b=c"d"', 7),
        ("a=1 \x1b[0m", 4),
        ("a=1 b c", 0),
        ("a=1", 0),
    ],
)
def test_the_first_mismatch_of_a_rejected_line_is_found(line: str, at: int) -> None:
    assert find_format("logfmt").find_mismatch(line) == at


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("control", ["\x00", "\x01", "\x1f", "\x7f", "\t"])
def test_a_control_character_is_found_at_each_place(path: str, control: str) -> None:
    line = "level=info message=paid.an.order order=17"
    text = "".join(f"{line[:place]}{control}{line[place:]}\n" for place in range(30, len(line) + 1))
    reasons = [reject["reason"] for reject in read("logfmt", text.encode(), path).rejects]
    is_refused = control < " " and control != "\t"
    assert reasons.count(CONTROL) == (12 if is_refused else 0)
