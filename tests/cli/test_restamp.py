from datetime import UTC, datetime

from puppylog.cli.restamp import Restamped
from puppylog.model.record import RECORDS, Parsed
from support.lines import NOON, records, rejects


class Old:
    name = "old"

    def parse(self, data: bytes | memoryview, offset: int) -> Parsed:
        assert (bytes(data), offset) == (b"line\n", 7)
        return Parsed(records(2, host="here").records, rejects(b"bad").rejects)


def test_records_are_of_now_and_nothing_else_changes() -> None:
    before = datetime.now(UTC)
    stamped = Restamped(Old())
    parsed = stamped.parse(b"line\n", 7)
    old = Old().parse(b"line\n", 7)
    assert stamped.name == "old"
    assert parsed.records.schema == RECORDS
    assert all(before <= ts <= datetime.now(UTC) for ts in parsed.records["ts"].to_pylist())
    assert old.records["ts"].to_pylist()[0] == NOON
    assert parsed.records.drop_columns(["ts"]).equals(old.records.drop_columns(["ts"]))
    assert parsed.rejects.equals(old.rejects)
