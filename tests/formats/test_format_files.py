"""The format files of Puppylog: each sample is read as the file says, and each format is found by its name."""

import pytest

from formats.kinds import KINDS
from puppylog.formats.auto import AutoParser
from puppylog.formats.file.definition import read_definition
from puppylog.formats.file.folder import find_title_and_line, list_files
from puppylog.formats.registry import FORMATS, find_format
from puppylog.tui.clean import is_narrow

FILES = list_files()


def test_the_kinds_are_all_packaged_formats_and_each_has_samples() -> None:
    """`test_kinds` reads the samples of the kinds."""
    assert set(KINDS) == set(FILES)
    definitions = {name: read_definition(file.path) for name, file in FILES.items()}
    assert {name: definition.name for name, definition in definitions.items()} == {name: name for name in FILES}
    assert [name for name, definition in definitions.items() if not definition.document.samples] == []


def test_a_packaged_format_is_found_by_its_name() -> None:
    assert FILES.keys().isdisjoint(FORMATS)
    assert {name: find_format(name).name for name in FILES} == {name: name for name in FILES}


@pytest.mark.thorough  # `test_kinds` lets auto choose each format by twenty lines
def test_auto_chooses_a_packaged_format_for_its_samples() -> None:
    chosen = {}
    for name, file in FILES.items():
        document = read_definition(file.path).document
        if not document.auto:  # it says that auto does not try it
            continue
        lines = [sample.line for sample in document.samples if sample.rejected is None]
        parser = find_format("auto").open()
        assert isinstance(parser, AutoParser)
        parser.parse("".join(f"{line}\n" for line in lines).encode(), 0, 0)
        chosen[name] = parser.name
    assert chosen == {name: name for name in chosen}
    assert len(chosen) > 100


def test_the_list_of_formats_shows_a_packaged_format_without_measuring_characters() -> None:
    for name, file in FILES.items():
        title, line = find_title_and_line(file)
        assert title, name
        assert line, name
        assert is_narrow(title + line.replace("\t", " ")), name
