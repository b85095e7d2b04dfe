import os
from pathlib import Path

import pytest

from puppylog.tail.handle import Handle, cannot_read, signed64


@pytest.mark.parametrize(("number", "signed"), [(0, 0), (2**63 - 1, 2**63 - 1), (2**63, -(2**63)), (2**64 - 1, -1)])
def test_numbers_of_64_bits_become_signed(number: int, signed: int) -> None:
    assert signed64(number) == signed


def test_a_handle_stays_with_its_file_when_another_file_gets_the_name(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"old")
    handle = Handle(str(path))
    path.rename(tmp_path / "log.1")
    path.write_bytes(b"new")
    assert handle.read(10, 0) == b"old"
    assert handle.identity == ((tmp_path / "log.1").stat().st_dev, (tmp_path / "log.1").stat().st_ino)
    handle.close()
    handle.close()


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="not a regular file"):
        Handle(str(tmp_path / "fifo"))


def test_a_refused_file_is_closed(tmp_path: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    with pytest.raises(IsADirectoryError):
        Handle(str(tmp_path))
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_an_error_names_the_file_and_the_cause(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        Handle(str(tmp_path / "none"))
    assert cannot_read("/x", caught.value).message == "cannot read /x: no such file or directory"
