"""Damaged bodies of ``_bulk``: no exception, an item for each action, one outcome in all ways of gathering."""

import json
import os
import random
from typing import Any

import pytest

from puppylog.receive import elasticsearch
from puppylog.receive.bulk_answer import BulkAnswer
from puppylog.receive.elasticsearch import decode_bulk
from puppylog.receive.received import NotDecoded, Received

INPUTS = int(os.environ.get("PUPPYLOG_TEST_FUZZ_INPUTS", "300"))
ACTIONS = (
    b'{"create":{"_index":"web"}}',
    b'{"create":{"_index":"web"}}',
    b'{"index":{"_index":"db-2026.11.27"}}',
    b'{"index": {"_id": null, "_index": "db", "routing": null}}',
    b'{"create":{"_index":"web","_id":"a1"}}',
    b'{"delete":{"_index":"web","_id":"a1"}}',
    b'{"update":{"_id":"a1"},"attempts":3}',
)
DOCUMENTS = (
    b'{"@timestamp":"2026-11-27T10:00:00.250Z","log":{"level":"WARN"},"message":"one","n":1.50}',
    '{"message":"ü\\u0000\\ud800","http":{"response":{"status_code":503}}}'.encode(),
    b'{"a":[[[1]]],"@timestamp":17,"message":null}',
    ACTIONS[0],
    b"no json",
    b"",
)
BYTES = (b"\n", b"\n\n", b"{", b"}", b'"', b"\\", b"\0", b"\xff", b"\r", b'{"create":{}}\n', b"9" * 30, b"[" * 70)


def make_body(rng: random.Random) -> bytes:
    actions = rng.sample(ACTIONS, rng.choice((1, 1, 2, 4)))
    pairs = [(rng.choice(actions), rng.choice(DOCUMENTS)) for _ in range(rng.randrange(1, 9))]
    body = bytearray(b"".join(action + b"\n" + document + b"\n" for action, document in pairs))
    for _ in range(rng.choice((0, 0, 1, 2, 5))):
        at = rng.randrange(len(body) + 1)
        match rng.randrange(4):
            case 0:
                body[at : at + rng.randrange(1, 20)] = b""
            case 1:
                body[at:at] = rng.choice(BYTES)
            case 2:
                body[at : at + 1] = bytes([rng.randrange(256)])
            case _:
                body[at:] = b""
    return bytes(body)


def describe(received: Received, answer: BulkAnswer) -> dict[str, Any]:
    """Return the rows of each source, without their places, and the items."""
    by_source: dict[str, list[Any]] = {}
    for lines in received.lines:
        rows = [
            lines.parsed.records.drop_columns(["line_offset"]).to_pylist(),
            lines.parsed.rejects["line"].to_pylist(),
        ]
        by_source.setdefault(lines.source, []).extend(rows)
    return {"rows": by_source, "answer": answer.to_json()}


def decode(body: bytes) -> dict[str, Any]:
    try:
        received, answer = decode_bulk(body, index="web", read_at_us=7)
    except NotDecoded as error:
        return {"error": str(error)}
    items = json.loads(answer.render(0))["items"]
    assert len(items) == answer.count
    assert received.records == answer.count - len(answer.errors)
    for lines in received.lines:
        text = lines.parsed.data
        assert len(text) == lines.size
        assert text.count(b"\n") == lines.parsed.lines
        for at, line in zip(
            lines.parsed.rejects["line_offset"].to_pylist(), lines.parsed.rejects["line"].to_pylist(), strict=True
        ):
            assert lines.parsed.line_at(at) == line
    return describe(received, answer)


def test_damaged_bodies_have_the_same_outcome_in_every_way_of_gathering(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(20261127)
    bodies = [make_body(rng) for _ in range(INPUTS)]
    fast = [decode(body) for body in bodies]
    monkeypatch.setattr(elasticsearch, "_gather_after_one_action", lambda *_: None)
    in_arrow = [decode(body) for body in bodies]
    monkeypatch.setattr(elasticsearch, "_gather_alternating", lambda *_: None)
    for body, *outcomes in zip(bodies, fast, in_arrow, strict=True):
        assert outcomes == [decode(body)] * 2, body
