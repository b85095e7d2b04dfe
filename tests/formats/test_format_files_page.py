"""The page about format files: its example works, and its tables have every key and every type."""

import re
from pathlib import Path

import msgspec
import pytest

from puppylog.formats.file.definition import read_definition
from puppylog.formats.file.document import TYPES, Document, FieldTable, SampleTable
from puppylog.formats.file.forms import KNOWN
from puppylog.formats.file.samples import check_samples
from support.inprocess import InProcess

PAGE = (Path(__file__).parents[2] / "docs" / "format-files.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
LINES = re.findall(r"^```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]


def rows_of(heading: str) -> list[str]:
    """Return the first cells of the table below a heading."""
    section = PAGE.partition(f"{heading}\n")[2].partition("\n#")[0]
    cells = re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)
    return [cell.strip("[]").split(".")[0] for cell in cells]


def test_the_example_of_the_page_has_no_fault_and_its_samples_are_right(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(EXAMPLE)
    definition = read_definition(path)
    assert check_samples(definition) == []
    assert "".join(f"{sample.line}\n" for sample in definition.document.samples) == LINES


def test_the_commands_of_the_page_give_what_it_shows(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    cli = InProcess(capsys)
    path = tmp_path / "shop.toml"
    path.write_text(EXAMPLE)
    assert cli("formats", "check", str(path)).err == f"puppylog: {path}: 2 samples, all as stated\n"
    path.write_text(EXAMPLE.replace('severity = "warning"\nmessage', 'severity = "notice"\nmessage'))
    ran = cli("formats", "check", str(path))
    assert ran.code == 1
    assert f"```text\n{ran.out}```" in PAGE


def test_the_tables_have_every_key_and_every_type() -> None:
    fields = {"fields", "severity", "constants", "samples"}
    assert {*rows_of("## Keys")} == {field.encode_name for field in msgspec.structs.fields(Document)} | fields
    assert {*rows_of("### Keys of `[fields.NAME]`")} == {field.name for field in msgspec.structs.fields(FieldTable)}
    assert {*rows_of("### Keys of `[[samples]]`")} == {field.name for field in msgspec.structs.fields(SampleTable)}
    assert rows_of("### Types") == list(TYPES)


def test_the_page_has_every_directive_of_forms() -> None:
    sentence = PAGE.partition("Forms take these directives:")[2].partition("A blank stands")[0]
    assert {*re.findall(r"%([A-Za-z])", sentence)} == {*KNOWN} - {"%", "h", "t"}
