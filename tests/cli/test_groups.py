import json

from support.inprocess import InProcess


def test_groups_are_listed_with_what_belongs_to_them(cli: InProcess) -> None:
    [shop] = [row for row in json.loads(cli("groups", "list", "-o", "json").out) if row["name"] == "shop"]
    assert (shop["streams"], shop["files"], shop["bytes"]) == (1, 1, 12100)


def test_a_group_is_created_once_and_deleted_once(cli: InProcess) -> None:
    assert cli("groups", "create", "one", "two").err == "puppylog: created group one\npuppylog: created group two\n"
    assert cli("groups", "create", "one").err == "puppylog: group one already exists\n"
    assert cli("groups", "delete", "one", "two").code == 0
    gone = cli("groups", "delete", "one")
    assert (gone.code, gone.err.count("\n")) == (2, 1)


def test_a_wrong_name_is_refused_before_any_group_is_created(cli: InProcess) -> None:
    assert cli("groups", "create", "fine", "not fine").code == 2
    assert "fine" not in cli("groups", "list", "-o", "csv").out
