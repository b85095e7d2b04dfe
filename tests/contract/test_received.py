"""Received requests are stored once on every store, and a row that a store refuses keeps its line."""

from puppylog.formats.registry import find_format
from puppylog.monitor.collectors import list_followed_streams
from puppylog.receive.elasticsearch import decode_bulk
from puppylog.receive.lines import decode_lines
from puppylog.serve.counters import Counters
from puppylog.serve.intake import Intake
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.intake import Answer
from support.server import StoreServer

JSON = find_format("json")
LINES = b'{"message": "one", "level": "info"}\nno object\n{"message": "two"}\n'


def make_intake(server: StoreServer) -> Intake:
    return Intake(server.connect, host="web1", counters=Counters())


def put(intake: Intake, body: bytes, digest: str, source: str = "app") -> Answer:
    done = Answer()
    received = decode_lines(body, JSON, source=source, group="shop", read_at_us=1_700_000_000_000_000)
    intake.put("lines", received, digest=digest * 64, answer='{"n": 1}', on_done=done)
    return done


def stored_messages(store: Store) -> list[str]:
    found = store.query("SELECT message FROM puppylog.log_records ORDER BY file_id, line_offset")
    messages: list[str] = found["message"].to_pylist()
    return messages


def test_requests_are_stored_once_also_by_another_server(server: StoreServer, store: Store) -> None:
    with make_intake(server) as intake:
        first = [put(intake, LINES, "a"), put(intake, LINES, "b", "other"), put(intake, LINES, "a")]
        assert [answer.stored().repeated_s for answer in first] == [None, None, 0]
    with make_intake(server) as restarted:
        again = [put(restarted, LINES, "a"), put(restarted, LINES, "c"), put(restarted, LINES, "b", "other")]
        assert [answer.stored().repeated_s is None for answer in again] == [False, True, False]
        assert again[0].stored().answer == '{"n": 1}'
        wait_until(lambda: bool(list_followed_streams(store)), what="the report")
    assert sorted(stored_messages(store)) == ["one"] * 3 + ["two"] * 3
    rejected = store.query("SELECT line_offset, line FROM puppylog.rejected_lines ORDER BY file_id, line_offset")
    assert [bytes(line) for line in rejected["line"].to_pylist()] == [b"no object"] * 3
    host = "web1" if store.is_shared else ""
    uris = store.query("SELECT source_uri FROM puppylog.log_streams ORDER BY source_uri")["source_uri"].to_pylist()
    assert uris == [f"lines://{host}/app", f"lines://{host}/other"]


def test_a_row_that_the_store_refuses_is_a_rejected_line_with_its_document(server: StoreServer, store: Store) -> None:
    body = b"".join(
        b'{"create":{"_index":"%s"}}\n%s\n' % (index, document)
        for index, document in (
            (b"a", b'{"message":"good"}'),
            (b"b", b'{"message":"other index"}'),
            (b"a", b'{"message":"deep","x":' + b"[" * 60 + b"]" * 60 + b"}"),
            (b"a", b'{"message":"nul","x":"\\u0000"}'),
        )
    )
    with make_intake(server) as intake:
        for digest in "ab":  # the second time behind the first, at a later offset
            done = Answer()
            received, _ = decode_bulk(body, read_at_us=1_700_000_000_000_000)
            intake.put("elasticsearch", received, digest=digest * 64, on_done=done)
            done.stored()
    found = store.query("SELECT line FROM puppylog.rejected_lines")["line"].to_pylist()
    kept = stored_messages(store) + [text for line in found for text in ("deep", "nul") if text.encode() in bytes(line)]
    assert sorted(kept) == ["deep"] * 2 + ["good"] * 2 + ["nul"] * 2 + ["other index"] * 2
