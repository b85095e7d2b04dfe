"""Sources of the configuration file: their formats."""

from pathlib import Path

import pytest

from puppylog.config.reading import read_configuration
from puppylog.errors import ConfigurationError


def test_the_path_of_a_format_file_begins_at_the_directory_of_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("name = 'own'\ntitle = 'Own'\npattern = '(?P<message>.*)'\n")
    path = tmp_path / "config.toml"
    path.write_text('[[source]]\npaths = ["a.log"]\nformat = "@own.toml"\n')
    (source,) = read_configuration([path]).sources
    assert source.format == f"@{tmp_path / 'own.toml'}"
    path.write_text('[[source]]\npaths = ["a.log"]\nformat = "@none.toml"\n')
    with pytest.raises(ConfigurationError, match="cannot read format file"):
        read_configuration([path])
