"""Claims of streams: locks on parts of one file, for any number of streams."""

import errno
import os
from pathlib import Path

import pytest

from puppylog.stores.duckdb.client.claims import Claims, iter_claimed


def test_a_stream_is_claimed_by_one_client_until_it_is_released(tmp_path: Path) -> None:
    ours, theirs = Claims(tmp_path), Claims(tmp_path)
    assert ours.acquire(7)
    assert not ours.acquire(7)
    assert not theirs.acquire(7)
    assert theirs.describe_holder(7) == f"process {os.getpid()}"
    assert theirs.acquire(8)
    ours.release(7)
    assert theirs.acquire(7)
    ours.release(7)
    assert not ours.acquire(7), "what is not held is not released for another"
    theirs.close()
    assert ours.acquire(7)
    ours.close()


def test_the_claimed_streams_are_listed_without_claiming_them(tmp_path: Path) -> None:
    assert list(iter_claimed(tmp_path)) == []
    ours, theirs = Claims(tmp_path), Claims(tmp_path)
    for stream_id in (1, 2, 3, 900, 5000):
        assert ours.acquire(stream_id)
    for stream_id in (4, 40):
        assert theirs.acquire(stream_id)
    ours.release(2)
    assert sorted(iter_claimed(tmp_path)) == [1, 3, 4, 40, 900, 5000]
    ours.close()
    assert sorted(iter_claimed(tmp_path)) == [4, 40]
    theirs.close()
    assert list(iter_claimed(tmp_path)) == []


def test_a_process_that_has_ended_claims_nothing(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0 if Claims(tmp_path).acquire(7) else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert list(iter_claimed(tmp_path)) == []
    claims = Claims(tmp_path)
    assert claims.acquire(7)
    claims.close()


def test_thousands_of_claims_need_one_descriptor(tmp_path: Path) -> None:
    claims = Claims(tmp_path)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted while it is open
    assert all(claims.acquire(stream_id) for stream_id in range(3000))
    assert len(os.listdir("/proc/self/fd")) == before + 1  # noqa: PTH208 - as above
    assert len(list(iter_claimed(tmp_path))) == 3000
    claims.close()


def test_a_stream_can_be_claimed_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    ours, theirs = Claims(tmp_path), Claims(tmp_path)
    monkeypatch.setattr("os.pwrite", fail)
    assert ours.acquire(7)
    assert not theirs.acquire(7)
    assert theirs.describe_holder(7) == "another collector"
    ours.close()
    theirs.close()
