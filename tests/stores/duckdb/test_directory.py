import errno
import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest

from puppylog.errors import StoreForbidden, StoreFull, StoreRefused
from puppylog.stores.duckdb.directory import StoreDirectory, translate_os_error


def test_only_the_owner_can_read_a_new_store(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "deep" / "store")
    directory.prepare()
    assert directory.path.stat().st_mode & 0o777 == 0o700


def test_preparing_twice_changes_nothing(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "store")
    directory.prepare()
    before = directory.marker.read_bytes()
    directory.prepare()
    assert directory.marker.read_bytes() == before


def test_a_directory_with_other_files_is_refused_and_not_changed(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    tmp_path.chmod(0o755)
    with pytest.raises(StoreRefused, match="it holds other files and no store"):
        StoreDirectory(tmp_path).prepare()
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreRefused, match=r"cannot open store .*store: it is not a directory; name a directory"):
        StoreDirectory(tmp_path / "store").prepare()


def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "store")
    directory.prepare()
    directory.marker.write_text(json.dumps({"puppylog_store": 99}))
    with pytest.raises(StoreRefused, match="its layout is 99, this Puppylog knows 1"):
        directory.prepare()


def test_a_marker_that_is_not_readable_is_refused(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / "store")
    directory.prepare()
    directory.marker.write_text("[]")
    with pytest.raises(StoreRefused, match=r"puppylog\.json in it is not readable"):
        directory.prepare()


def test_another_users_store_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = StoreDirectory(tmp_path / "store")
    directory.prepare()
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    with pytest.raises(StoreForbidden, match=r"it belongs to \S+, not to you"):
        directory.prepare()


def test_a_socket_with_a_long_path_is_reached_by_a_short_path(tmp_path: Path) -> None:
    directory = StoreDirectory(tmp_path / ("d" * 100) / ("e" * 100))
    directory.prepare()
    directory.socket.touch()
    with directory.reachable_socket() as short:
        assert len(short) < 100
        assert Path(short).samefile(directory.socket)


@pytest.mark.parametrize("name", ["with blank", "jürgen", "a#b", "cur{ly", "100%", "it's", "x\udcff"])
def test_a_socket_with_any_path_is_reached_by_a_path_without_escapes(tmp_path: Path, name: str) -> None:
    directory = StoreDirectory(tmp_path / name)
    directory.prepare()
    directory.socket.touch()
    with directory.reachable_socket() as plain:
        assert quote(plain) == plain
        assert Path(plain).samefile(directory.socket)


def test_without_proc_a_temporary_link_reaches_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("puppylog.stores.duckdb.directory._OPEN_FILES", tmp_path / "none")
    directory = StoreDirectory(tmp_path / "with blank")
    directory.prepare()
    with directory.reachable() as link:
        assert link.samefile(directory.path)
    assert not link.parent.exists()


@pytest.mark.parametrize("name", ["a?b", "a\\b"])
def test_a_path_that_duckdb_would_misread_is_refused_before_anything_is_created(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreRefused, match="DuckDB does not read"):
        StoreDirectory(tmp_path / name / "store").prepare()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.EACCES, StoreForbidden),
        (errno.EPERM, StoreForbidden),
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.ELOOP, StoreRefused),
    ],
)
def test_an_error_of_the_system_is_translated_by_its_number(code: int, kind: type[StoreRefused | StoreFull]) -> None:
    refused = translate_os_error(Path("/store"), OSError(code, "ein anderes Wort"))
    assert (type(refused), refused.cause) == (kind, os.strerror(code).lower())


def test_the_link_of_a_killed_process_is_removed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("puppylog.stores.duckdb.directory._OPEN_FILES", tmp_path / "none")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, alive, other = (
        tmp_path / name for name in ("puppylog-999999999-x", f"puppylog-{os.getpid()}-x", "puppylog-1x")
    )
    for folder in (dead, alive, other):
        folder.mkdir()
        (folder / "s").symlink_to(tmp_path)
    directory = StoreDirectory(tmp_path / "with blank")
    directory.prepare()
    with directory.reachable() as link:
        assert link.samefile(directory.path)
    assert (dead.exists(), alive.exists(), other.exists()) == (False, True, True)


def test_under_any_umask_a_store_and_the_folders_made_for_it_are_for_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        StoreDirectory(tmp_path / "deep" / "down" / "store").prepare()
    finally:
        os.umask(before)
    made = [tmp_path / "deep", *(tmp_path / "deep").rglob("*")]
    assert {path.stat().st_mode & 0o077 for path in made} == {0}
    assert len(made) > 5


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("file", "it is not a directory"),
        ("file/store", "{}/file is not a directory"),
        ("dangling", "it is a link to nowhere, which does not exist"),
        ("dangling/store", "{}/dangling is a link to nowhere, which does not exist"),
    ],
)
def test_what_stands_in_the_way_of_a_directory_is_named(tmp_path: Path, name: str, cause: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(StoreRefused) as refusal:
        StoreDirectory(tmp_path / name).prepare()
    path = tmp_path / name
    assert refusal.value.message == f"cannot open store {path}: {cause.format(tmp_path)}; name a directory"
