"""``puppylog export --parquet`` writes a file per day, and never into a directory that has files."""

from pathlib import Path

from pyarrow import parquet

from support.inprocess import InProcess


def test_all_rows_are_written_into_a_new_directory(cli: InProcess, tmp_path: Path) -> None:
    place = tmp_path / "export"
    done = cli("export", "--parquet", str(place))
    assert done.code == 0
    assert done.out == ""
    assert done.err.startswith(f"puppylog: exported 120 records and 1 rejected line to {place}, ")
    (records,) = place.glob("day=*/rows.parquet")
    (rejected,) = place.glob("rejected/day=*/rows.parquet")
    assert parquet.read_table(str(records)).num_rows == 120
    assert parquet.read_table(str(rejected)).num_rows == 1
    assert set(place.rglob("*.tmp")) == set()


def test_a_directory_with_files_is_refused(cli: InProcess, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    done = cli("export", "--parquet", str(tmp_path))
    assert (done.code, done.err) == (
        2,
        f"puppylog: cannot export to {tmp_path}: it is not empty; name a new directory\n",
    )
