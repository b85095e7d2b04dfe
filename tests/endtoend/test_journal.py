"""Entries of a journal are stored once, through kills of the collector, rotation, vacuuming and new boots."""

import json
import os
import random
import time
from pathlib import Path

import pytest

from puppylog.formats.journal.export import MAX_VALUE_BYTES
from support.commands import Puppylog
from support.embedded import EmbeddedStore, wait_until
from support.journals import Journal, field, make_entry, needs_journals
from support.rotating_log import Collecting

pytestmark = needs_journals

KILLS = int(os.environ.get("PUPPYLOG_TEST_EXACTLY_ONCE_KILLS", "3"))
ENTRIES = int(os.environ.get("PUPPYLOG_TEST_EXACTLY_ONCE_LINES", "8000"))


def read_numbers(server: EmbeddedStore) -> list[int]:
    with server.connect() as store:
        store.create_group("barrier")  # returns when earlier commits are durable
        messages = store.query("SELECT message FROM puppylog.log_records")["message"].to_pylist()
    return sorted(int(message.removeprefix("number ")) for message in messages)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_every_entry_is_stored_once_through_kills_rotation_and_vacuuming(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)
    journal = Journal(tmp_path / "journal")
    boots = [letter * 32 for letter in "0123"]
    with EmbeddedStore(tmp_path / "store") as server:
        files = [journal.write(10, boot=boots[0])]
        collecting = Collecting(Path(journal.source), server.url, tmp_path / "collector.err")
        try:
            for kill in range(KILLS):
                boot = boots[kill * len(boots) // KILLS]
                files.append(journal.write((ENTRIES - journal.written) // (KILLS - kill), boot=boot))
                time.sleep(chance.random() * 0.5)  # not a wait for anything: the moment of a kill is left to chance
                collecting.kill()
                if chance.random() < 0.5:
                    wait_until(lambda: len(read_numbers(server)) >= journal.written, within_s=60, what="catching up")
                    while files:  # the entry at which the collector goes on vanishes with its file
                        files.pop().unlink()
            journal.write(10, boot=boots[-1])
            wait_until(lambda: len(read_numbers(server)) >= journal.written, within_s=60, what="the last entries")
            assert collecting.stop() == 0, collecting.said
        finally:
            collecting.end()
        assert read_numbers(server) == list(range(journal.written))


def test_a_vacuumed_journal_goes_on_with_its_next_entry_and_the_user_is_told(
    tmp_path: Path, server: EmbeddedStore, puppylog: Puppylog
) -> None:
    journal = Journal(tmp_path / "journal")
    first = journal.write(20)
    assert puppylog("collector", "-s", journal.source).code == 0
    journal.write(10)
    journal.write(10).unlink()
    again = journal.write(10)
    first.unlink()
    (tmp_path / "journal" / "002.journal").unlink()
    result = puppylog("collector", "-s", journal.source)
    assert result.code == 0
    assert "no longer has the last stored entry, of 2025-11-24T16:00:00.000+00:00" in result.err
    assert read_numbers(server) == [*range(20), *range(40, 50)]
    again.unlink()
    assert puppylog("collector", "-s", journal.source).code == 0
    assert len(read_numbers(server)) == 30


def test_large_binary_and_repeated_fields_are_stored(tmp_path: Path, server: EmbeddedStore, puppylog: Puppylog) -> None:
    journal = Journal(tmp_path / "journal")
    large = "x" * 100_000
    journal.add(
        [
            make_entry(0, MESSAGE=large, BLOB=b"\xff\n\n", TRACE="first\n\nsecond"),
            make_entry(1, MESSAGE="y" * 400_000),
            make_entry(2)[:-1] + field("CODE", "1") + field("CODE", "2") + b"\n",
        ]
    )
    assert puppylog("collector", "-s", journal.source).code == 0
    with server.connect() as store:
        rows = store.query("SELECT message, attributes FROM puppylog.log_records ORDER BY line_offset").to_pylist()
    first, second, third = [json.loads(row["attributes"]) for row in rows]
    assert [len(row["message"]) for row in rows] == [100_000, MAX_VALUE_BYTES, len("number 2")]
    assert (first["BLOB"], first["TRACE"], first["invalid_utf8"]) == ("\ufffd\n\n", "first\n\nsecond", True)
    assert ("cut" in first, second["cut"]) == (False, True)
    assert sorted(third["CODE"]) == ["1", "2"]


def test_units_and_matches_choose_entries_and_each_choice_is_a_stream(
    tmp_path: Path, server: EmbeddedStore, puppylog: Puppylog
) -> None:
    journal = Journal(tmp_path / "journal")
    journal.write(8)
    assert puppylog("collector", "-s", f"{journal.source}?unit=nginx").code == 0
    assert read_numbers(server) == []
    assert puppylog("collector", "-s", f"{journal.source}?unit=shop&match=MESSAGE=number 3").code == 0
    assert read_numbers(server) == [3]
    listed = puppylog("collector", "status", "-o", "csv")
    assert f"{journal.source}?unit=shop.service&match=MESSAGE=number 3" in listed.out


def test_from_the_end_only_new_entries_are_stored(tmp_path: Path, server: EmbeddedStore, puppylog: Puppylog) -> None:
    journal = Journal(tmp_path / "journal")
    journal.write(5)
    assert puppylog("collector", "-s", journal.source, "--from-end").code == 0
    journal.write(5)
    assert puppylog("collector", "-s", journal.source, "--from-end").code == 0
    assert read_numbers(server) == [5, 6, 7, 8, 9]
