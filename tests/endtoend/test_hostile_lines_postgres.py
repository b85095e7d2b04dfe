"""A line that PostgreSQL cannot hold is stored as a rejected line, with its bytes and the cause."""

from collections.abc import Callable
from pathlib import Path

import psycopg

from support.commands import Puppylog

LINE = b'10.0.0.1 - - [%s] "GET /%s HTTP/1.1" 200 %s "-" "%s"\n'
NOON = b"01/Mar/2026:12:00:00 +0000"


def line(*, at: bytes = NOON, route: bytes = b"a", size: bytes = b"1", agent: bytes = b"-") -> bytes:
    return LINE % (at, route, size, agent)


GOOD = line()
HOSTILE = {
    "a NUL in the route": line(route=b"a\0b"),
    "a NUL in the agent": line(agent=b"x\0y"),
    "the beginning of time": line(at=b"01/Jan/0001:00:00:00 +0000"),
    "before the beginning of time": line(at=b"01/Jan/0001:00:00:00 +1400"),
    "the end of time": line(at=b"31/Dec/9999:23:59:59 +0000"),
    "after the end of time": line(at=b"31/Dec/9999:23:59:59 -1400"),
    "the largest size": line(size=b"9223372036854775807"),
    "more than the largest size": line(size=b"9223372036854775808"),
    "a size of many digits": line(size=b"9" * 100),
    "not UTF-8": line(agent=b"\xff\xfe\xc0\x80"),
    "a surrogate": line(agent=b"\xed\xa0\x80"),
    "an escaped NUL": line(agent=b"\\x00\\u0000"),
    "a long route": line(route=b"r" * 100_000),
    "no log line at all": b"what \0 is this?\n",
    "an empty line": b"\n",
    "control characters": line(agent=b"\x1b[31m\x01\x7f"),
}


def test_every_line_is_kept_as_a_record_or_as_a_rejected_line(
    postgres_store_url: str, puppylog_at: Callable[[str], Puppylog], tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    lines = [piece for hostile in HOSTILE.values() for piece in (GOOD, hostile)] + [GOOD]
    log.write_bytes(b"".join(lines))
    puppylog = puppylog_at(postgres_store_url)
    ran = puppylog("collector", "-s", str(log), "-f", "access")
    assert ran.code == 0, ran
    assert ran.err.count("\n") == 1
    with psycopg.connect(postgres_store_url) as connection:
        records = connection.execute("SELECT line_offset FROM puppylog.log_records").fetchall()
        rejects = connection.execute("SELECT line_offset, line, reason FROM puppylog.rejected_lines").fetchall()
    data, offsets = log.read_bytes(), [0]
    for piece in lines[:-1]:
        offsets.append(offsets[-1] + len(piece))
    offsets.remove(data.index(b"\n\n") + 1)  # a blank line is counted, and has no row
    stored = [at for (at,) in records] + [at for at, *_ in rejects]
    assert sorted(stored) == offsets
    for at, kept, reason in rejects:
        assert data[at:].startswith(kept)
        assert reason
    reasons = {bytes(kept): reason for _, kept, reason in rejects}
    for name in ("a NUL in the route", "a NUL in the agent"):
        assert "invalid byte sequence" in reasons[HOSTILE[name].rstrip(b"\n")], name


def test_hostile_lines_are_found_among_many(
    postgres_store_url: str, puppylog_at: Callable[[str], Puppylog], tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    count, every = 20_000, 2_000
    log.write_bytes(b"".join(line(route=b"a\0b" if n % every == 7 else b"%d" % n) for n in range(count)))
    ran = puppylog_at(postgres_store_url)("collector", "-s", str(log))
    assert ran.code == 0, ran
    with psycopg.connect(postgres_store_url) as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM puppylog.log_records), (SELECT count(*) FROM puppylog.rejected_lines)"
        ).fetchall()
    assert found == [(count - count // every, count // every)]
