"""Which records a store keeps: the setting, age, and the metrics of dropped records."""

from collections.abc import Callable

import pytest

from contract.differences import NO_ARCHIVE, Difference
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


def test_a_store_archives_records_or_refuses_to(store: Store, differs: Callable[[Difference], bool]) -> None:
    kept = Retention(30 * DAY_S, archive="/srv/archive")
    if differs(NO_ARCHIVE):
        with pytest.raises(UsageError, match=NO_ARCHIVE.expected):
            store.set_retention(kept)
        assert store.get_retention() == KEEP_ALL
    else:
        assert store.set_retention(kept)
        assert store.get_retention() == kept
