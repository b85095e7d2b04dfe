"""Format files: where records begin, records with and without attributes, and stamps that name their zone."""

from pathlib import Path

from puppylog.formats.base import Format
from puppylog.formats.file.format import FileParser, read_format_file
from puppylog.formats.file.samples import list_records

HEAD = 'name = "own"\ntitle = "Own lines"\n'


def write(text: str, folder: Path) -> Format:
    path = folder / "own.toml"
    path.write_text(text)
    return read_format_file(path)


def test_no_record_begins_directly_after_a_line_that_says_so(tmp_path: Path) -> None:
    own = HEAD + "begins = '^# (?:Time|User): '\nnot_after = '^# Time: '\npattern = '^(?P<message>.*)$'\n"
    lines = b"# Time: 10\n# User: a\nSELECT 1;\n# User: b\nSELECT 2;\n"
    parser = write(own, tmp_path).open()
    assert isinstance(parser, FileParser)
    messages = [record["message"] for record in list_records(parser.parse(lines, 0, 0))]
    assert messages == ["# Time: 10\n# User: a\nSELECT 1;", "# User: b\nSELECT 2;"]
    assert parser.find_last_start(b"# User: b\nSELECT 2;\n# Time: 11\n# User: c\n") == len(b"# User: b\nSELECT 2;\n")


def test_records_with_attributes_and_records_without_any_are_read_by_one_pattern(tmp_path: Path) -> None:
    own = HEAD + r"pattern = '^(?:a=(?P<a>\d) )?(?:b=(?P<b>\d) )?(?P<message>\w+)$'" + "\n"
    parsed = write(own, tmp_path).open().parse(b"one\na=1 two\nthree\nb=2 four\na=1 b=2 five\nsix\n", 0, 0)
    found = [(record["message"], record.get("attributes")) for record in list_records(parsed)]
    assert found == [
        ("one", None),
        ("two", {"a": 1}),
        ("three", None),
        ("four", {"b": 2}),
        ("five", {"a": 1, "b": 2}),
        ("six", None),
    ]


def test_a_stamp_that_names_its_zone_in_full_is_of_that_zone(tmp_path: Path) -> None:
    own = HEAD + r"pattern = '^\[(?P<time>[^\]]*)\] (?P<message>.*)$'" + "\n"
    lines = b"[24-Nov-2026 11:00:00 Europe/Berlin] a\n[24-Nov-2026 10:00:00 UTC] b\n"
    lines += b"[24-Nov-2026 05:00:00 America/New_York] c"
    parsed = write(own, tmp_path).open().parse(lines + b"\n", 0, 0)
    assert [record["ts"] for record in list_records(parsed)] == ["2026-11-24T10:00:00Z"] * 3
    assert parsed.ambiguous_zones == 0


def test_the_last_record_is_found_by_a_head_with_colours(tmp_path: Path) -> None:
    own = HEAD + "begins = '^[A-Z]+: '\npattern = '^[A-Z]+: (?P<message>.*)$'\n"
    parser = write(own, tmp_path).open()
    first, last = b"\x1b[32mINFO\x1b[0m: one\n more\n", b"\x1b[31mERROR\x1b[0m: two\n \x1b[1mmore\x1b[0m\n"
    assert parser.find_last_start(first + last) == len(first)
    assert parser.find_last_start(b" \x1b[1mmore\x1b[0m\n") == -1
