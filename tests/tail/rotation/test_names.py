"""The names that rotation gives to files."""

import pytest

from puppylog.tail.rotation.names import find_extended_base, list_bases, parse_rotated_name


@pytest.mark.parametrize(
    "name",
    [
        "access.log.1",
        "access.log.12",
        "access.log.2026-11-23",
        "access.log.2026-11-23T18:00",
        "access.log-20261123",
        "access.log-2026-11-23",
        "access.log_2026_11_23",
        "access.log.old",
        "access.log-20261123-1800",
        "access.log.gz",
        "access.log.1.gz",
        "access.log.2.bz2",
        "access.log.old.xz",
        "access.log-20261123.xz",
        "access.log.20261123.zst",
    ],
)
def test_names_of_rotated_files_are_recognized(name: str) -> None:
    assert parse_rotated_name("access.log", name) is not None
    assert "/var/log/access.log" in list_bases(f"/var/log/{name}")


@pytest.mark.parametrize(
    "name",
    [
        "access.log",
        "access.log.1.lz4",
        "access.log.gz.1",
        "access.log.gz.gz",
        "access.log.swp",
        "access.log-1",
        "access.log-error",
        "error.log.1",
        "access-2.log",
        "access-error.log",
        "access.log.d",
        "my-access.1.log",
        "my-access.log.1",
    ],
)
def test_names_of_other_programs_logs_and_unknown_compressions_are_not_recognized(name: str) -> None:
    assert parse_rotated_name("access.log", name) is None
    assert "/var/log/access.log" not in list_bases(f"/var/log/{name}")


@pytest.mark.parametrize(
    ("name", "number", "date"),
    [
        ("access.1.log", 1, None),
        ("access.12.log.gz", 12, None),
        ("access-20261126.log", None, "20261126"),
        ("access-20261126.log.xz", None, "20261126"),
        ("access_2026-11-26.log", None, "20261126"),
        ("access.2026-11-26.log", None, "20261126"),
        ("access-2026112618.log", None, "2026112618"),
    ],
)
def test_a_number_or_date_before_the_extension_is_recognized(name: str, number: int | None, date: str | None) -> None:
    rotated = parse_rotated_name("access.log", name)
    assert rotated is not None
    assert (rotated.number, rotated.date, rotated.is_extended) == (number, date, True)
    assert find_extended_base(f"/var/log/{name}") == "/var/log/access.log"


@pytest.mark.parametrize("name", ["access-2.log", "access.log", "access.log.1", "access.1.gz", "1.log", "20261126.log"])
def test_other_names_have_no_base_with_their_extension(name: str) -> None:
    assert find_extended_base(f"/var/log/{name}") is None
