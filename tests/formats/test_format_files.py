"""The format files of Puppylog: each sample is read as the file says, and each format is found by its name."""

import pytest

from puppylog.formats.auto import AutoParser
from puppylog.formats.file.definition import read_definition
from puppylog.formats.file.folder import find_title_and_line, list_files
from puppylog.formats.file.samples import check_samples
from puppylog.formats.registry import FORMATS, find_format
from puppylog.tui.clean import is_narrow

FILES = list_files()


@pytest.mark.parametrize("name", FILES)
def test_the_samples_of_a_packaged_format_are_read_as_the_file_says(name: str) -> None:
    definition = read_definition(FILES[name].path)
    assert check_samples(definition) == []
    assert definition.name == name
    assert definition.document.samples


@pytest.mark.parametrize("name", FILES)
def test_a_packaged_format_is_found_by_its_name(name: str) -> None:
    assert name not in FORMATS
    assert find_format(name).name == name


@pytest.mark.parametrize("name", FILES)
def test_auto_chooses_a_packaged_format_for_its_samples(name: str) -> None:
    definition = read_definition(FILES[name].path)
    lines = [sample.line for sample in definition.document.samples if sample.rejected is None]
    if not definition.document.auto:
        pytest.skip(f"{name} says that auto does not try it")
    parser = find_format("auto").open()
    assert isinstance(parser, AutoParser)
    parser.parse("".join(f"{line}\n" for line in lines).encode(), 0, 0)
    assert parser.name == name


@pytest.mark.parametrize("name", FILES)
def test_the_list_of_formats_shows_a_packaged_format_without_measuring_characters(name: str) -> None:
    title, line = find_title_and_line(FILES[name])
    assert title
    assert line
    assert is_narrow(title + line.replace("\t", " "))
