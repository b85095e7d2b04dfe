import click
import pytest
from click.testing import CliRunner

from puppylog.cli.options import output_options, pass_settings, store_options
from puppylog.settings import Settings


@click.group
@store_options
def outer() -> None:
    pass


@outer.command
@output_options
@store_options
@pass_settings
def inner(settings: Settings) -> None:
    click.echo(f"{settings.store.url} {settings.output} {settings.quiet} {settings.color}")


@pytest.fixture(autouse=True)
def _no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.parametrize(
    ("arguments", "environ", "message"),
    [
        (["--store", "a:", "inner"], {}, "a: table False None"),
        (["inner", "--store", "a:"], {}, "a: table False None"),
        (["--store", "a:", "inner", "--store", "b:"], {}, "b: table False None"),
        (["inner"], {"PUPPYLOG_STORE": "e:"}, "e: table False None"),
        (["--store", "a:", "inner"], {"PUPPYLOG_STORE": "e:"}, "a: table False None"),
        (["inner", "--store", "a:"], {"PUPPYLOG_STORE": "e:"}, "a: table False None"),
        (["-q", "inner", "--store", "a:"], {}, "a: table True None"),
        (["inner", "--store", "a:", "-q", "-o", "csv"], {}, "a: csv True None"),
        (["inner", "--store", "a:"], {"PUPPYLOG_OUTPUT": "json", "PUPPYLOG_QUIET": "1"}, "a: json True None"),
        (["inner", "--store", "a:", "--color", "always"], {"NO_COLOR": "1"}, "a: table False True"),
    ],
)
def test_shared_options_stand_before_or_after_and_win_over_the_environment(
    arguments: list[str], environ: dict[str, str], message: str
) -> None:
    assert CliRunner(env=environ).invoke(outer, arguments).output == f"{message}\n"


def test_a_wrong_zone_is_a_usage_error() -> None:
    answer = CliRunner().invoke(outer, ["inner", "--tz", "Mars/Olympus"])
    assert answer.exit_code == 2
    assert "cannot use time zone 'Mars/Olympus'" in answer.output


def test_help_names_the_variable_of_each_option() -> None:
    shown = CliRunner().invoke(outer, ["inner", "--help"]).output
    for variable in ("PUPPYLOG_STORE", "PUPPYLOG_OUTPUT", "PUPPYLOG_TZ", "PUPPYLOG_COLOR", "PUPPYLOG_QUIET"):
        assert variable in " ".join(shown.split())
