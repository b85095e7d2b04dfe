import pytest

from puppylog.model.source import name_source, split_uri
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition, Fingerprint, Move, hash_bytes, have_moved


@pytest.mark.parametrize(
    ("uri", "host", "path", "name"),
    [
        ("file:///var/log/a.log", None, "/var/log/a.log", "/var/log/a.log"),
        ("file://web1/var/log/a%20b%23.log", "web1", "/var/log/a b#.log", "web1:/var/log/a b#.log"),
        ("file:///var/log/%FF.log", None, "/var/log/\\xff.log", "/var/log/\\xff.log"),
        ("stdin://web1", "web1", "-", "web1:-"),
        ("stdin://", None, "-", "-"),
    ],
)
def test_a_source_is_named_as_users_write_it(uri: str, host: str | None, path: str, name: str) -> None:
    assert split_uri(uri) == (host, path)
    assert name_source(uri) == name


def test_a_move_is_committed_if_the_store_has_all_its_values() -> None:
    move = Move(7, 0, 100, EMPTY_FINGERPRINT, finished=False, context="json")
    stands = FilePosition(7, "/a", 1, 2, EMPTY_FINGERPRINT, 100, finished=False, context="json")
    assert have_moved([move], {7: stands})
    other = FilePosition(7, "/a", 1, 2, EMPTY_FINGERPRINT, 100, finished=False, context="logfmt")
    assert not have_moved([move], {7: other})
    assert not have_moved([move], {})


def test_the_fingerprint_of_an_empty_file_has_the_hashes_of_nothing() -> None:
    assert Fingerprint(0, hash_bytes(b""), 0, hash_bytes(b"")) == EMPTY_FINGERPRINT
