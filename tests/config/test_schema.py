import tomllib
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types, and three of its names are used
import pytest

from puppylog.config.reading import check_configuration
from puppylog.config.schema import make_schema

VALID = """
store = "duckdb:///var/lib/puppylog"
color = "never"
quiet = true
include = ["conf.d/*.toml"]
[[source]]
paths = ["/var/log/nginx/access.log"]
format = "combined"
year = 2024
from_end = true
multiline_timeout = "5s"
[[metric]]
name = "errors"
filter = "status_code >= 500"
period = "5m"
[[alert]]
name = "errors"
metric = "errors"
comparison = ">"
threshold = 3
for = "5m"
window = "10m"
no_data = "ok"
[listen]
address = "[::]:7380"
hosts = ["logs.example.org"]
max_body = "16MiB"
[[listen.syslog]]
name = "routers"
address = "[::]:514"
"""

INVALID = [
    "[[listen]]",
    '[listen]\naddress = "::"',
    '[listen.syslog]\nname = "a"',
    '[[listen.syslog]]\nname = "a"\naddress = "[::]:514"\nprotocol = "tcp6"',
    'quiet = "yes"',
    'color = "blue"',
    "sources = []",
    "include = 'a.toml'",
    "[[source]]\npaths = []",
    '[[source]]\npaths = "a.log"',
    '[[source]]\npaths = ["a.log"]\nyear = 1',
    '[[source]]\nformat = "plain"',
    '[[metric]]\nname = "Errors"',
    '[[metric]]\nname = "errors"\nperiod = 60',
    '[[metric]]\nname = "errors"\nperiod = "1 fortnight"',
    '[[metric]]\nname = "errors"\nfilters = "a"',
    '[[alert]]\nname = "a"\nmetric = "errors"\ncomparison = "="\nthreshold = 1',
    '[[alert]]\nname = "a"\nmetric = "errors"\ncomparison = ">"\nthreshold = "1"',
    '[[alert]]\nname = "a"\nmetric = "errors"\ncomparison = ">"',
]


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = make_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def test_the_schema_accepts_what_the_reader_accepts(validator: Any, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(VALID)
    assert check_configuration([path])[1] == []
    assert list(validator.iter_errors(tomllib.loads(VALID))) == []


@pytest.mark.parametrize("text", INVALID)
def test_the_schema_refuses_what_the_reader_refuses(validator: Any, tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    assert check_configuration([path])[1] != []
    assert list(validator.iter_errors(tomllib.loads(text))) != []


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [
        ('type = "slack"\nurl_file = "a"', True),
        ('type = "slack"\nurl_file = "a"\nurl_env = "B"', False),
        ('type = "slack"\nurl = "https://example.org"', False),
        ('type = "slack"', False),
        ('type = "webhook"\nurl = "https://example.org"\ntoken_env = "B"', True),
        ('type = "exec"\ncommand = ["a"]\ntimeout = "5s"', True),
        ('type = "exec"\ncommand = ["a"]\ntimeout = 5', False),
        ('type = "pager"', False),
    ],
)
def test_the_schema_and_the_reader_agree_about_contacts(
    validator: Any, tmp_path: Path, text: str, *, is_valid: bool
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[[contact]]\nname = "ops"\n{text}\n')
    assert (check_configuration([path])[1] == []) is is_valid
    assert validator.is_valid(tomllib.loads(path.read_text())) is is_valid
