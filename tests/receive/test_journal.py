"""Entries of a journal that are sent again are recognized by the numbers in their cursors."""

from hypothesis import given
from hypothesis import strategies as st

from puppylog.formats.journal.export import Entry, ExportDecoder
from puppylog.receive.journal import MAX_SERIES, StoredNumbers, decode_entries, group_by_machine
from support.journals import make_cursor, make_entry


def entries(*numbers: int, seqnum_id: str = "a" * 32, boot: str = "b" * 32, hostname: str = "web1") -> list[Entry]:
    return ExportDecoder().feed(
        b"".join(
            make_entry(number, cursor=make_cursor(number, seqnum_id=seqnum_id, boot=boot), _HOSTNAME=hostname)
            for number in numbers
        )
    )


def decode(found: list[Entry], context: str = "") -> tuple[list[str], str, int]:
    """Return the messages of new entries, the context behind them, and how many were repeated."""
    received, repeated = decode_entries({"web1": found}, {"web1": context}, 0)
    if not received.lines:
        return [], context, repeated
    (lines,) = received.lines
    assert lines.context is not None
    messages: list[str] = lines.parsed.records["message"].to_pylist()
    return messages, lines.context, repeated


def test_entries_that_come_again_are_left_out() -> None:
    messages, context, repeated = decode(entries(0, 1, 2))
    assert (messages, repeated) == (["number 0", "number 1", "number 2"], 0)
    assert context.startswith("journal\n")
    messages, context, repeated = decode(entries(1, 2, 3), context)
    assert (messages, repeated) == (["number 3"], 2)
    assert decode(entries(0, 1, 2, 3), context) == ([], context, 4)


def test_only_numbers_of_one_series_are_compared() -> None:
    _, context, _ = decode(entries(100))
    messages, context, _ = decode(entries(3, 4, seqnum_id="c" * 32), context)
    assert messages == ["number 3", "number 4"]
    assert decode(entries(5, seqnum_id="c" * 32) + entries(99, 101), context)[0] == ["number 5", "number 101"]


def test_a_new_boot_of_a_series_goes_on_even_if_the_clock_was_set_back() -> None:
    _, context, _ = decode(entries(1, 2))
    (entry,) = entries(0, boot="c" * 32)
    later = Entry(entry.cursor.replace("i=1;", "i=4;"), entry.hostname, entry.line)
    assert decode([later], context)[0] == ["number 0"]


def test_an_entry_without_a_cursor_is_always_new() -> None:
    found = ExportDecoder().feed(make_entry(1))
    _, context, _ = decode(found)
    assert decode(found, context)[0] == ["number 1"]


def test_of_series_that_do_not_fit_the_context_the_time_is_kept() -> None:
    series = [f"{number:032x}" for number in range(MAX_SERIES + 2)]
    stored = StoredNumbers.parse("")
    for number, seqnum_id in enumerate(series):
        assert stored.add(make_cursor(number, seqnum_id=seqnum_id))
    again = StoredNumbers.parse(stored.context)
    assert len(again.context.splitlines()) == 1 + MAX_SERIES + 1
    assert not any(again.add(make_cursor(number, seqnum_id=seqnum_id)) for number, seqnum_id in enumerate(series))
    assert again.add(make_cursor(2, seqnum_id=series[0]))
    assert len(again.context) < 5000


@given(st.lists(st.integers(0, 3), max_size=30), st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=6))
def test_each_entry_is_stored_once_wherever_a_sender_is_interrupted(
    written: list[int], attempts: list[tuple[int, bool]]
) -> None:
    cursors = [make_cursor(at, seqnum_id=f"{series:032x}") for at, series in enumerate(written)]
    context, stored, acknowledged = "", [], 0
    for end, is_acknowledged in [*attempts, (len(cursors), True)]:
        numbers = StoredNumbers.parse(context)
        sent = cursors[acknowledged : max(end, acknowledged)]
        stored += [cursor for cursor in sent if numbers.add(cursor)]
        context = numbers.context
        acknowledged += len(sent) if is_acknowledged else 0
    assert stored == cursors


@given(st.text(max_size=60))
def test_a_context_of_another_form_has_no_numbers(context: str) -> None:
    assert StoredNumbers.parse(context).add(make_cursor(1))


def test_entries_are_grouped_by_the_machine_that_wrote_them() -> None:
    grouped = group_by_machine(entries(0) + entries(1, hostname="web2") + entries(2))
    assert {name: len(found) for name, found in grouped.items()} == {"web1": 2, "web2": 1}
