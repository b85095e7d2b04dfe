"""Bootstrap upgrades an older PostgreSQL store of any flavour, which then continues at its positions."""

from collections.abc import Iterator

import pytest

from contract.conftest import OFFERED
from contract.differences import POSTGRESQL
from contract.elsewhere import ELSEWHERE
from puppylog.model.stream import Move, StreamReport
from puppylog.monitor.collectors import list_followed_streams
from puppylog.stores.postgres.schema.bootstrap import bootstrap
from puppylog.stores.postgres.schema.migrations import SCHEMA_VERSION
from puppylog.stores.postgres.store import PostgresStore
from support.lines import fingerprint, open_stream, records
from support.old_schema import BYTE_OFFSET, RECORDS, URI, make_version_1
from support.postgres import PostgresServer


@pytest.fixture(params=[POSTGRESQL, *OFFERED])
def version_1(
    request: pytest.FixtureRequest, shared_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A store of version 1."""
    if request.param == POSTGRESQL:
        with shared_postgres.database() as name:
            make_version_1(shared_postgres.url(name), monkeypatch)
            yield shared_postgres.url(name)
    else:
        elsewhere = ELSEWHERE[request.param]
        with elsewhere.database(elsewhere.url) as url:
            make_version_1(url, monkeypatch, is_distributed=elsewhere.is_distributed)
            yield url


def test_an_upgraded_store_of_version_1_continues_at_its_positions(version_1: str) -> None:
    upgraded = bootstrap(version_1)
    assert (upgraded.found_version, upgraded.schema_version) == (1, SCHEMA_VERSION)
    until = BYTE_OFFSET + 200
    with PostgresStore(version_1) as store:
        stream = open_stream(store, URI)
        (file,) = stream.files
        assert (file.byte_offset, file.context) == (BYTE_OFFSET, "")
        appender = store.appender()
        appender.write(stream.stream_id, file.file_id, records(2, start=BYTE_OFFSET))
        appender.commit([Move(file.file_id, BYTE_OFFSET, until, fingerprint(until), finished=False, context="json")])
        store.report([StreamReport(stream.stream_id, 0, None, 1.0, 2.0, 2, 0)])
        assert store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"].to_pylist() == [RECORDS + 2]
        assert [followed.records for followed in list_followed_streams(store)] == [2]
        store.close_stream(stream.stream_id)
        (file,) = open_stream(store, URI).files
        assert (file.byte_offset, file.context) == (until, "json")
