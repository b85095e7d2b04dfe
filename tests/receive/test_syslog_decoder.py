"""Records of messages from the network: each device's form, peers, years, zones, newlines, and what fits no form."""

import json
import os
import random
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.agreement import texts as lines_like
from formats.paths import PATHS, reading
from formats.sample_files import line_of, read_samples
from puppylog.receive.received import ReceivedLines
from puppylog.receive.syslog.decoder import Arrived, Listening, decode
from puppylog.receive.syslog.framing import Defect, Framer, Messages, split_datagram

RECEIVED_AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
RECEIVED_AT_US = int(RECEIVED_AT.timestamp()) * 1_000_000
PLAIN = Listening("network")


def arrive(*texts: bytes, peer: str = "192.0.2.9") -> Arrived:
    arrived = Arrived()
    arrived.extend(Messages(list(texts)), peer)
    return arrived


def lines_of(arrived: Arrived, listening: Listening = PLAIN, at_us: int = RECEIVED_AT_US) -> ReceivedLines:
    (lines,) = decode(arrived, at_us, listening).lines
    lines.parsed.records.validate(full=True)
    assert lines.parsed.rejects.num_rows == 0
    assert lines.size == len(lines.parsed.data)
    return lines


def records_of(arrived: Arrived, listening: Listening = PLAIN, at_us: int = RECEIVED_AT_US) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = lines_of(arrived, listening, at_us).parsed.records.to_pylist()
    for row in rows:
        row["attributes"] = json.loads(row["attributes"])
    return rows


# What devices send, the host, the severity, the time ("" for the time of receipt), the message, and further attributes.
DEVICES: dict[str, tuple[bytes, tuple[str, str | None, str, str | None], dict[str, object]]] = {
    "RFC 5424": (
        b'<165>1 2026-11-24T09:14:15.003Z web1 evntslog 10 ID47 [x@1 a="3"] \xef\xbb\xbfhi',
        ("web1", "notice", "2026-11-24T09:14:15.003", "hi"),
        {"facility": "local4", "app": "evntslog", "pid": 10, "msgid": "ID47", "structured_data": {"x@1": {"a": "3"}}},
    ),
    "RFC 3164": (
        b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
        ("mymachine", "critical", "2026-10-11T22:14:15", "'su root' failed"),
        {"facility": "auth", "app": "su"},
    ),
    "Huawei, with the year after the day": (
        b"<190>Nov 24 2026 09:59:59 S5700 %%01SHELL/6/DISPLAY_CMDRECORD(s)[12]:Recorded display command.",
        ("S5700", "info", "2026-11-24T09:59:59", None),
        {"facility": "local7"},
    ),
    "Ubiquiti, without a time": (
        b"<30>U7PG2,f09fc2000000,v4.0.80: hostapd: ath0: STA associated",
        ("192.0.2.9", "info", "", "hostapd: ath0: STA associated"),
        {"facility": "daemon", "app": "U7PG2,f09fc2000000,v4.0.80"},
    ),
    "nothing but a priority": (b"<13>", ("192.0.2.9", "notice", "", None), {"facility": "user"}),
    "Fortinet": (
        b'<189>date=2026-11-24 time=09:59:59 devname="FG100" level="notice" msg="login"',
        ("192.0.2.9", "notice", "2026-11-24T09:59:59", "login"),
        {"facility": "local7", "date": "2026-11-24", "time": "09:59:59", "devname": "FG100"},
    ),
    "ESXi, like RFC 5424 without a version": (
        b"<166>2026-11-24T09:59:59.123Z esx1 Hostd: info hostd[2099] [Originator@6876 sub=Vimsvc] started",
        ("esx1", "info", "2026-11-24T09:59:59.123", "[Originator@6876 sub=Vimsvc] started"),
        {"facility": "local4", "app": "Hostd", "pid": 2099},
    ),
    "Cisco ISE, with an unpadded day": (
        b"<181>Nov 4 09:59:59 ise1 CISE_Passed_Authentications 0000012345 1 0",
        ("ise1", "notice", "2026-11-04T09:59:59", "CISE_Passed_Authentications 0000012345 1 0"),
        {"facility": "local6"},
    ),
    "Cisco IOS, with a sequence number and a year": (
        b"<189>29: Nov 24 2026 09:59:59.483 UTC: %SYS-5-CONFIG_I: Configured from console",
        ("192.0.2.9", "notice", "2026-11-24T09:59:59.483", "Configured from console"),
        {"facility": "local7", "app": "%SYS-5-CONFIG_I"},
    ),
    "Cisco IOS, without a sequence number": (
        b"<189>*Mar  1 18:48:50.483: %SYS-5-CONFIG_I: Configured from console",
        ("192.0.2.9", "notice", "2026-03-01T18:48:50.483", "Configured from console"),
        {"facility": "local7", "app": "%SYS-5-CONFIG_I"},
    ),
    "an ISO stamp": (
        b"<30>2026-11-24T10:59:59.5+01:00 web1 systemd[1]: Started cleanup.",
        ("web1", "info", "2026-11-24T09:59:59.5", "Started cleanup."),
        {"facility": "daemon", "app": "systemd", "pid": 1},
    ),
    "a byte order mark before the priority": (
        b"\xef\xbb\xbf<13>Nov 24 09:59:59 web1 app: hi",
        ("web1", "notice", "2026-11-24T09:59:59", "hi"),
        {"facility": "user", "app": "app"},
    ),
    "a byte order mark before the message": (
        b"<13>Nov 24 09:59:59 web1 app: \xef\xbb\xbfhi",
        ("web1", "notice", "2026-11-24T09:59:59", "hi"),
        {"facility": "user", "app": "app"},
    ),
    "no priority": (
        b"web1 is on fire",
        ("192.0.2.9", None, "", "web1 is on fire"),
        {"unparsed": "no priority and no time at the start"},
    ),
    "no priority, and a time of its own": (
        b"2026-11-24T09:59:59Z ERROR server: it is on fire",
        ("192.0.2.9", "error", "2026-11-24T09:59:59", "2026-11-24T09:59:59Z ERROR server: it is on fire"),
        {"unparsed": "no host and tag after the time"},
    ),
    "a priority that does not exist": (
        b"<192>Nov 24 09:59:59 web1 app: hi",
        ("192.0.2.9", None, "", "<192>Nov 24 09:59:59 web1 app: hi"),
        {"unparsed": "priority is not a number from 0 to 191 in angle brackets"},
    ),
    "RFC 5424 with the time of RFC 3164": (
        b"<34>1 Oct 11 22:14:15 web1 su - - - hello",
        ("192.0.2.9", "critical", "", "1 Oct 11 22:14:15 web1 su - - - hello"),
        {"facility": "auth", "unparsed": "time is not yyyy-mm-ddTHH:MM:SS or a dash"},
    ),
    "an hour that does not exist": (
        b"<34>Nov 24 24:00:00 web1 app: hello",
        ("192.0.2.9", "critical", "", "Nov 24 24:00:00 web1 app: hello"),
        {"facility": "auth", "unparsed": "time out of range"},
    ),
    "several lines": (
        b"<13>Nov 24 09:59:59 web1 app: one\n\ttwo",
        ("web1", "notice", "2026-11-24T09:59:59", "one\n\ttwo"),
        {"facility": "user", "app": "app"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("device", DEVICES)
def test_each_device_keeps_its_priority_text_and_peer(device: str, path: str) -> None:
    text, expected, attributes = DEVICES[device]
    with reading(path):
        (record,) = records_of(arrive(text))
    assert record["attributes"].pop("peer") == "192.0.2.9"
    host, severity, time, message = expected
    at = datetime.fromisoformat(f"{time}+00:00") if time else RECEIVED_AT
    assert (record["host"], record["severity"], record["ts"]) == (host, severity, at)
    if "Huawei" not in device:  # its tag contains brackets
        assert record["message"] == message
    assert {key: record["attributes"].get(key) for key in attributes} == attributes
    assert "unparsed" in attributes or "unparsed" not in record["attributes"]


def test_records_are_in_the_order_of_their_messages_with_their_peers() -> None:
    arrived = Arrived()
    texts = [text for text, _, _ in DEVICES.values()]
    for number, text in enumerate(texts):
        arrived.extend(Messages([text]), f"192.0.2.{number}")
    records = records_of(arrived)
    assert [record["attributes"]["peer"] for record in records] == [f"192.0.2.{at}" for at in range(len(texts))]
    assert [record["line_offset"] for record in records] == sorted(record["line_offset"] for record in records)


def test_the_bytes_of_each_message_can_be_found_by_its_offset() -> None:
    lines = lines_of(arrive(b"<13>one\ntwo", b"no priority", b"<13>three"))
    found = [lines.parsed.line_at(at) for at in lines.parsed.records["line_offset"].to_pylist()]
    assert found == [b"<13>one#012two", b"no priority", b"<13>three"]


def test_byte_order_marks_before_messages_without_a_priority_are_no_text() -> None:
    for marks in ((b"", b"\xef\xbb\xbf"), (b"\xef\xbb\xbf", b""), (b"\xef\xbb\xbf", b"\xef\xbb\xbf")):
        texts = [mark + text for mark, text in zip(marks, (b"one", b"<34>1 two"), strict=True)]
        assert [record["message"] for record in records_of(arrive(*texts))] == ["one", "1 two"]
    records = records_of(arrive(b"<13>app: one", b"\xef\xbb\xbf", b"\xef\xbb\xbfno priority", b"<13>app: two"))
    assert [record["message"] for record in records] == ["one", "no priority", "two"]


def test_a_newline_in_structured_data_is_kept() -> None:
    (record,) = records_of(arrive(b'<13>1 - web1 app - - [x@1 a="one\ntwo \\\\u0001"] \xf3\xb0\x80\x80 three'))
    assert record["attributes"]["structured_data"] == {"x@1": {"a": "one\ntwo \\u0001"}}
    assert record["message"] == "\U000f0000 three"


def test_a_nul_which_a_store_may_refuse_is_escaped() -> None:
    counted, other = records_of(arrive(b"<13>app: a\0b", b"no\0priority"))
    assert (counted["message"], other["message"]) == ("a#000b", "no#000priority")


def test_messages_that_have_every_stand_in_for_a_newline_keep_it_escaped() -> None:
    every = "".join(chr(0xF0000 + number) for number in range(16))
    (record,) = records_of(arrive(f"<13>app: {every}\nnext".encode()))
    assert record["message"] == f"{every}#012next"


def test_a_stamp_without_a_year_is_not_after_its_arrival_whatever_came_before() -> None:
    texts = (
        b"<13>Nov 24 10:00:00 a b: c",
        b"<13>Mar  1 00:00:00 a b: c",
        b"<13>Dec 31 10:00:00 a b: c",
        b"<13>Jan  2 10:00:00 a b: c",
    )
    years = [record["ts"].year for record in records_of(arrive(*texts))]
    assert years == [2026, 2026, 2025, 2026]
    new_year_us = int(datetime(2027, 1, 1, 0, 0, 5, tzinfo=UTC).timestamp()) * 1_000_000
    years = [record["ts"].year for record in records_of(arrive(*texts), at_us=new_year_us)]
    assert years == [2026, 2026, 2026, 2027]


def test_a_local_time_that_comes_twice_means_the_instant_nearest_to_its_arrival() -> None:
    berlin = Listening("network", zone=ZoneInfo("Europe/Berlin"))
    text = b"<13>Oct 25 02:30:00 web1 app: hi"
    for hour in (0, 1):
        arrived_at = datetime(2026, 10, 25, hour, 30, 1, tzinfo=UTC)
        (record,) = records_of(arrive(text), berlin, int(arrived_at.timestamp()) * 1_000_000)
        assert record["ts"] == datetime(2026, 10, 25, hour, 30, tzinfo=UTC)


def test_a_listener_may_use_the_time_of_receipt_and_keeps_the_time_of_the_message() -> None:
    listening = Listening("network", uses_time_of_receipt=True)
    first, second = records_of(arrive(b"<13>Mar  1 18:48:50.25 web1 app: hi", b"<13>no time"), listening)
    assert first["ts"] == second["ts"] == RECEIVED_AT
    assert first["attributes"]["sent_at"] == "2026-03-01T18:48:50.250000Z"
    assert "sent_at" not in second["attributes"]


def test_a_message_that_is_not_whole_says_so() -> None:
    arrived = Arrived()
    arrived.extend(Messages([b"<13>whole"]), "192.0.2.1")
    arrived.extend(
        Messages([b"<13>a", b"b", b"<13>c"], {0: Defect.CUT, 1: Defect.LOST_FRAMING, 2: Defect.INCOMPLETE}), "::1"
    )
    whole, *rest = records_of(arrived)
    assert whole["attributes"] == {"facility": "user", "ts_source": "read", "peer": "192.0.2.1"}
    for record, mark in zip(rest, ("cut", "lost_framing", "incomplete"), strict=True):
        assert record["attributes"][mark] is True


def test_bytes_that_are_not_utf_8_are_replaced_and_flagged() -> None:
    damaged, whole = records_of(arrive(b"<13>app: caf\xe9", b"<13>app: caf\xc3\xa9"))
    assert (damaged["message"], damaged["attributes"]["invalid_utf8"]) == ("caf\ufffd", True)
    assert (whole["message"], "invalid_utf8" in whole["attributes"]) == ("café", False)


def test_the_source_and_the_group_of_the_listener_are_kept() -> None:
    lines = lines_of(arrive(b"<13>hi"), Listening("switches", "network"))
    assert (lines.source, lines.group, lines.format_name) == ("switches", "network", "syslog")


def test_no_message_makes_no_record() -> None:
    assert lines_of(Arrived()).parsed.records.num_rows == 0


@given(lines_like("syslog"), st.binary(max_size=60), st.sampled_from(PATHS))
def test_any_message_becomes_a_record(lines: bytes, rest: bytes, path: str) -> None:
    arrived = Arrived()
    arrived.extend(Messages([*split_datagram(lines), *(line for line in lines.split(b"\n") if line)]), "192.0.2.1")
    arrived.extend(Framer().feed(rest + b"\n"), "192.0.2.2")
    with reading(path):
        lines_of(arrived)


def test_damaged_messages_of_samples_become_records() -> None:
    rng = random.Random(20261127)
    samples = [line_of(sample) for sample in read_samples("syslog")]
    damages = (b"", b"\n", b"\0", b"<", b"\xff", b"9 <1>", b"\xf3\xb0\x80\x80")
    for _ in range(int(os.environ.get("PUPPYLOG_TEST_FUZZ_INPUTS", "2000")) // 100):
        framer, arrived = Framer(limit_bytes=200), Arrived()
        for _ in range(100):
            text = bytearray(rng.choice(samples))
            for _ in range(rng.choice([0, 1, 1, 3])):
                at = rng.randrange(len(text) + 1)
                text[at : at + rng.choice([0, 1, 9])] = rng.choice(damages)
            arrived.extend(Messages(split_datagram(bytes(text))), "192.0.2.1")
            arrived.extend(framer.feed(bytes(text) + b"\n"), "192.0.2.2")
            framer = Framer(limit_bytes=200) if framer.fault else framer
        records = lines_of(arrived).parsed.records
        assert records.num_rows >= len(arrived.texts) - arrived.texts.count(b"\xef\xbb\xbf")
