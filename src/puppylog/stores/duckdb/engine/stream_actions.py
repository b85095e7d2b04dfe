"""The engine's actions that change what is stored of a stream."""

from collections.abc import Callable

from puppylog.stores import values
from puppylog.stores.duckdb import spool
from puppylog.stores.duckdb.directory import StoreDirectory
from puppylog.stores.duckdb.engine import rewriting, streams
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.ingest import write_skipping
from puppylog.stores.duckdb.engine.retainer import Retainer
from puppylog.stores.rewriting import DeletedStream, ReadFile, Rewritten


def list_actions(
    engine: Engine,
    directory: StoreDirectory,
    refuse_damaged: Callable[[], None],
    retainer: Retainer,
    note_append: Callable[[], None],
) -> dict[str, Callable[..., object]]:
    """Return the actions by name.

    Args:
        engine: the database.
        directory: the store's directory, which has the spool.
        refuse_damaged: raises an error if the database is damaged.
        retainer: makes space for rows.
        note_append: tells the jobs that rows have changed.
    """

    def forget_stream(source_uri: str) -> None:
        engine.write(lambda connection: DEFINITIONS.forget_stream(connection, source_uri))

    def set_labels(labels: dict[str, dict[str, str]]) -> None:
        given = values.to_labels(labels)
        engine.write(lambda connection: streams.set_labels(connection, given))

    def rewrite(file: dict[str, int], context: str, records: str | None, rejects: str | None) -> Rewritten:
        refuse_damaged()
        rows = spool.read_spooled(directory.spool, records, spool.SPOOLED_RECORDS)
        refused = spool.read_spooled(directory.spool, rejects, spool.SPOOLED_REJECTS)

        def work(connection: Connection, skipped: frozenset[int]) -> Rewritten:
            return rewriting.rewrite(connection, ReadFile(**file), context, (rows, refused), skipped)

        with retainer.space_for(rows.num_rows + refused.num_rows, rows.nbytes + refused.nbytes):
            rewritten = write_skipping(engine, work)
        note_append()
        return rewritten

    def delete_stream(stream_id: int) -> DeletedStream:
        refuse_damaged()

        def work(connection: Connection, skipped: frozenset[int]) -> DeletedStream:
            return rewriting.delete_stream(connection, stream_id, skipped)

        deleted = write_skipping(engine, work)
        note_append()
        return deleted

    return {
        "forget_stream": forget_stream,
        "set_labels": set_labels,
        "rewrite": rewrite,
        "delete_stream": delete_stream,
    }
