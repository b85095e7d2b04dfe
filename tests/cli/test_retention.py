import json
from pathlib import Path

from support.inprocess import InProcess


def test_rules_are_set_one_by_one_shown_and_removed(cli: InProcess, tmp_path: Path) -> None:
    try:
        said = cli("retention", "set", "--keep", "30d", "--group", "shop=6d", "--max-size", "10GB")
        assert (said.code, said.err) == (0, "puppylog: set: keep 30d, keep shop 6d, max_size 10 GB\n")
        assert cli("retention", "set", "--keep", "30d").err.startswith("puppylog: unchanged: keep 30d")
        assert cli("retention", "set", "--archive", str(tmp_path / "a"), "--group", "shop=none").code == 0
        shown = json.loads(cli("retention", "show", "-o", "json").out)
        assert [tuple(row.values()) for row in shown] == [
            ("keep", None, "30d"),
            ("max_size", None, "10 GB"),
            ("archive", None, str(tmp_path / "a")),
        ]
    finally:
        assert cli("retention", "set", "--none").err == "puppylog: set: all records are kept\n"
    assert json.loads(cli("retention", "show", "-o", "json").out) == []
    assert cli("retention").err == "puppylog: all records are kept\n"


def test_wrong_rules_are_refused_in_one_line(cli: InProcess) -> None:
    for arguments in (
        (),
        ("--none", "--keep", "1d"),
        ("--keep", "1m"),
        ("--group", "shop"),
        ("--max-size", "big"),
        ("--max-size", "1MB"),
        ("--archive", "/proc/no/such/place"),
    ):
        refused = cli("retention", "set", *arguments)
        assert refused.code != 0, arguments
        assert refused.err.startswith("puppylog: cannot "), refused.err
        assert refused.err.count("\n") == 1, refused.err
    assert json.loads(cli("retention", "show", "-o", "json").out) == []


def test_a_new_metric_of_a_store_that_drops_records_says_what_it_covers(cli: InProcess) -> None:
    covered = "this store drops old records: the metric covers those that it has now, and all later ones"
    try:
        assert cli("retention", "set", "--keep", "4000d").code == 0
        assert covered in cli("monitor", "metrics", "create", "-i", "kept_hits").err
    finally:
        assert cli("retention", "set", "--none").code == 0
        assert cli("monitor", "metrics", "delete", "kept_hits").code == 0
