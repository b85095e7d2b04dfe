"""Which records a store keeps: the setting, age, and the metrics of dropped records."""

import pytest

from contract.differences import DUCKDB
from puppylog.errors import UsageError
from puppylog.model.retention import KEEP_ALL, Retention
from puppylog.stores.base import Store
from support.server import StoreServer

DAY_S = 86_400


def test_a_store_remembers_which_records_it_keeps(server: StoreServer) -> None:
    store = server.connect()
    assert store.get_retention() == KEEP_ALL
    kept = Retention(30 * DAY_S, (("shop", 7 * DAY_S), ("audit", 90 * DAY_S)), 10**10)
    assert store.set_retention(kept)
    assert not store.set_retention(kept)
    assert server.connect().get_retention() == kept
    assert store.set_retention(Retention(max_bytes=2 * 10**8))
    assert store.get_retention() == Retention(max_bytes=2 * 10**8)
    assert store.set_retention(KEEP_ALL)
    assert store.get_retention() == KEEP_ALL


def test_only_the_embedded_store_has_an_archive(server: StoreServer, store: Store) -> None:
    kept = Retention(30 * DAY_S, archive="/srv/archive")
    if server.name == DUCKDB:
        assert store.set_retention(kept)
        assert store.get_retention() == kept
    else:
        with pytest.raises(UsageError, match="only the embedded store writes an archive"):
            store.set_retention(kept)
        assert store.get_retention() == KEEP_ALL
