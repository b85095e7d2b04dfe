"""A file that ends at an offset for its reader, whatever was written behind it."""

import gzip
from contextlib import closing
from pathlib import Path

import pytest

from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import identity_of
from puppylog.tail.limited_file import LimitedFile


@pytest.mark.parametrize("name", ["app.log", "app.log.gz"])
def test_no_byte_behind_the_end_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"0123456789") if name.endswith("gz") else b"0123456789")
    with closing(LimitedFile(open_log(str(path)), 4)) as handle:
        assert [handle.read(10, 0), handle.read(2, 1), handle.read(5, 3), handle.read(1, 4), handle.read(1, 9)] == [
            b"0123",
            b"12",
            b"3",
            b"",
            b"",
        ]
        assert (handle.path, handle.identity) == (str(path), identity_of(path.stat()))
        assert (handle.is_compressed, handle.fault) == (name.endswith("gz"), None)
    with closing(LimitedFile(open_log(str(path)), 99)) as handle:
        assert handle.read(99, 0) == b"0123456789"
