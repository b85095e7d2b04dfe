"""The embedded store alone: parsed rows, through a client and the engine to their commits.

It runs in a process of its own. The lines are parsed beforehand, in chunks as large as a collector's. The time is that
of the collector's batches and committer. It shows what passing rows to the engine costs in addition to inserting them.
"""

import json
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.floor import iter_parsed
from bench.processes import Stopwatch, read_cpu_s
from puppylog.collect.batch import FIRST_SHARE, Batch
from puppylog.collect.committer import Committer
from puppylog.model.record import Parsed
from puppylog.model.stream import EMPTY_FINGERPRINT
from puppylog.stores.base import NewFile
from puppylog.stores.duckdb.client.store import DuckdbStore
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.limits import CHUNK_BYTES


def main() -> None:
    """Run as ``python -m bench.feeder LOG STORE``; print rows, seconds and CPU seconds of both processes as JSON."""
    log, directory = map(Path, sys.argv[1:3])
    pieces = list(iter_parsed(log, CHUNK_BYTES))
    with DuckdbStore(directory) as store:
        engine_before, watch = read_cpu_s(store.engine_pid), Stopwatch()
        with Committer(threading.Event(), lambda _: None) as committer:
            for batch in _iter_batches(store, pieces):
                committer.hand_over(batch)
            committer.wait()
        taken = watch.read()
        engine_cpu_s = read_cpu_s(store.engine_pid) - engine_before
    rows = committer.totals.records
    sys.stdout.write(json.dumps({"rows": rows, **taken, "engine_cpu_s": engine_cpu_s}))


def _iter_batches(store: DuckdbStore, pieces: Sequence[Parsed]) -> Iterator[Batch]:
    (stream,) = store.open_streams(["file:///bench/access.log"])
    (known,) = store.open_files([NewFile(stream.stream_id, "/bench/access.log", device=1, inode=1)])
    file = TailedFile(1, known.path, known.device, known.inode, 0, known.file_id)
    batch = Batch(store.appender(), store.full_rows // FIRST_SHARE)
    offset = 0
    for piece in pieces:
        chunk = Chunk(file, offset, offset + piece.lines, b"", offset, EMPTY_FINGERPRINT)
        batch.add(stream.stream_id, known.file_id, chunk, piece)
        offset = chunk.end
        if batch.is_full:
            yield batch
            batch = Batch(store.appender(), store.full_rows)
    yield batch


if __name__ == "__main__":
    main()
