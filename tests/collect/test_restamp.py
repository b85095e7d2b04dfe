from puppylog.collect.restamp import Restamped
from puppylog.model.record import RECORDS, Parsed
from support.lines import NOON, records, rejects

LATER_US = 1_900_000_000_000_000


class Old:
    name = "old"
    context = "what it has learnt"

    def open(self, context: str = "", modified_at_us: int | None = None) -> "Old":
        assert (context, modified_at_us) == ("before", 5)
        return self

    def find_mismatch(self, line: str) -> int:
        return len(line)

    def find_last_start(self, lines: bytes) -> int:
        return len(lines)

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        assert (bytes(data), offset, read_at_us) == (b"line\n", 7, LATER_US)
        return Parsed(records(2, host="here").records, rejects(b"bad").rejects, rowless=3)


def test_records_get_the_time_of_reading_and_nothing_else_changes() -> None:
    stamped = Restamped(Old()).open("before", 5)
    parsed = stamped.parse(b"line\n", 7, LATER_US)
    old = Old().parse(b"line\n", 7, LATER_US)
    assert (stamped.name, stamped.context) == ("old", "what it has learnt")
    assert parsed.records.schema == RECORDS
    assert {ts.timestamp() for ts in parsed.records["ts"].to_pylist()} == {LATER_US / 1_000_000}
    assert old.records["ts"].to_pylist()[0] == NOON
    assert parsed.records.drop_columns(["ts"]).equals(old.records.drop_columns(["ts"]))
    assert parsed.rejects.equals(old.rejects)
    assert parsed.rowless == 3
    assert Restamped(Old()).find_mismatch("four") == 4
