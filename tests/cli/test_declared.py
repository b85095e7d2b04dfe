from pathlib import Path

import pytest

from puppylog.cli.declared import Declared, read_declared
from puppylog.errors import ConfigurationError
from puppylog.settings import read_settings

FILE = """
[[source]]
paths = ["a.log"]
format = "main"
format_file = "nginx.conf"
[[source]]
paths = ["b.log"]
{more}
[[contact]]
name = "ops"
type = "slack"
url_env = "SLACK"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "nginx.conf").write_text("log_format main '$remote_addr $status';\n")
    path = tmp_path / "config.toml"
    path.write_text(FILE.format(more=""))
    return path


def read(file: Path, before: Declared | None = None, *, zone: str = "UTC") -> Declared:
    settings = read_settings({"tz": zone, "store": "duckdb:///store"}, {"HOME": "/"})
    return read_declared([file], settings, {"SLACK": "https://example.org"}, before)


def test_a_source_that_has_not_changed_keeps_its_options_as_the_same_object(file: Path) -> None:
    first = read(file)
    file.write_text(FILE.format(more='group = "shop"') + '[[source]]\npaths = ["c.log"]\n')
    second = read(file, first)
    assert second.sources[0] is first.sources[0]
    assert second.sources[1] is not first.sources[1]
    assert [source.group for source in second.sources] == [None, "shop", None]
    assert [contact.name for contact in second.contacts] == ["ops"]


def test_a_source_changes_with_the_servers_configuration_and_with_the_zone(file: Path) -> None:
    first = read(file)
    (file.parent / "nginx.conf").write_text("log_format main '$remote_addr $status $request';\n")
    second = read(file, first)
    assert [new is old for new, old in zip(second.sources, first.sources, strict=True)] == [False, True]
    third = read(file, second, zone="Europe/Berlin")
    assert [new is old for new, old in zip(third.sources, second.sources, strict=True)] == [False, False]


def test_a_contact_without_its_secret_is_refused(file: Path) -> None:
    settings = read_settings({"store": "duckdb:///store"}, {"HOME": "/"})
    with pytest.raises(ConfigurationError, match="the variable SLACK is not set"):
        read_declared([file], settings, {})
