"""Options have one spelling that is shown; those of the first Puppylog still work."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from puppylog.cli.lazy import LazyGroup
from puppylog.cli.main import cli as root
from puppylog.cli.old_names import OldNamesOption
from support.inprocess import InProcess

pytestmark = pytest.mark.sampled

METRICS, ALERTS = ("monitor", "metrics"), ("monitor", "alerts")
SHOWN = re.compile(r"-[a-zA-Z]|--[a-z]+(-[a-z]+)*")


def iter_commands(command: click.Command, path: str = "puppylog") -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, LazyGroup):
        for name in command.table:
            found = command.get_command(click.Context(command), name)
            assert found is not None
            yield from iter_commands(found, f"{path} {name}")


COMMANDS = dict(iter_commands(root))
OLD_NAMES = {
    path: [name for param in command.params if isinstance(param, OldNamesOption) for name in param.old_names]
    for path, command in COMMANDS.items()
}


@pytest.mark.parametrize("path", COMMANDS)
def test_an_option_has_one_letter_or_words_with_hyphens(path: str) -> None:
    names = [
        name
        for param in COMMANDS[path].params
        if isinstance(param, click.Option)
        for name in param.opts + param.secondary_opts
    ]
    assert [name for name in names if not SHOWN.fullmatch(name)] == []


def test_every_old_name_of_an_option_is_accepted() -> None:
    assert {path: names for path, names in OLD_NAMES.items() if names} == {
        "puppylog collector": ["--redirect_psql_out"],
        "puppylog monitor metrics create": ["-id", "-pr", "-rr", "--refresh_rate", "-seg", "--segment_expression"],
        "puppylog monitor metrics update": ["-pr", "-rr", "--refresh_rate", "-seg", "--segment_expression"],
        "puppylog monitor alerts create": ["-id", "-pr"],
        "puppylog monitor alerts update": ["-pr"],
        "puppylog monitor alerts test": ["-pr"],  # new, with the options of create
        "puppylog monitor alerts observe": ["-rr", "--refresh_rate"],
    }


@pytest.mark.parametrize("path", [path for path, names in OLD_NAMES.items() if names])
def test_help_shows_no_old_name(cli: InProcess, path: str) -> None:
    words = re.findall(r"--?[\w-]+", cli(*path.split()[1:], "--help").out)
    assert "--help" in words
    assert set(words) & set(OLD_NAMES[path]) == set()


@pytest.mark.parametrize(
    ("given", "suggested"),
    [("--refresh-rat", "--refresh-rate"), ("--refresh_rat", "--refresh-rate"), ("--segment-expression", "--segment")],
)
def test_no_old_name_is_suggested(cli: InProcess, given: str, suggested: str) -> None:
    err = cli(*METRICS, "create", given, "3").err
    assert f"Did you mean '{suggested}'?" in err
    assert "_" not in err.removeprefix(f"puppylog: No such option '{given}'")


@pytest.mark.parametrize("refresh_rate", ["-rr", "--refresh_rate", "--refresh-rate"])
@pytest.mark.parametrize("segment", ["-seg", "--segment_expression", "--segment"])
def test_a_metric_is_created_with_old_names(cli: InProcess, refresh_rate: str, segment: str) -> None:
    identifier, period = ("-i", "--period") if segment == "--segment" else ("-id", "-pr")
    created = cli(
        *(*METRICS, "create", identifier, "spelled", period, "20", refresh_rate, "40", segment, "request_method"),
    )
    assert (created.code, created.out) == (0, "")
    [meta] = json.loads(cli(*METRICS, "meta", "spelled", "-o", "json").out)
    assert cli(*METRICS, "delete", "spelled").code == 0
    assert (meta["segment"], meta["period_s"], meta["refresh_s"]) == ("request_method", 20, 40)


@pytest.mark.parametrize(("identifier", "period"), [("-id", "-pr"), ("--identifier", "--period")])
def test_an_alert_is_created_with_old_names(cli: InProcess, identifier: str, period: str) -> None:
    cli(*METRICS, "create", "-i", "judged", "--period", "10s")
    created = cli(*ALERTS, "create", identifier, "spelled", "-m", "judged", "--when", "> 10", period, "30s")
    assert (created.code, created.out) == (0, "")
    [meta] = json.loads(cli(*ALERTS, "meta", "spelled", "-o", "json").out)
    assert cli(*ALERTS, "delete", "spelled").code == 0
    assert cli(*METRICS, "delete", "judged").code == 0
    assert meta["period_s"] == 30


@pytest.mark.parametrize("name", ["-rr", "--refresh_rate", "--refresh-rate"])
def test_alerts_are_observed_with_old_names(cli: InProcess, name: str) -> None:
    refused = cli(*ALERTS, "observe", name, "soon")
    assert refused.code == 2
    assert "cannot read refresh rate 'soon'" in refused.err


@pytest.mark.parametrize("name", ["-r", "--redirect_psql_out", "--echo"])
def test_a_collector_prints_what_the_store_answers_with_old_names(cli: InProcess, tmp_path: Path, name: str) -> None:
    log = tmp_path / "a.log"
    log.write_text("one\ntwo\n")
    assert cli("collector", "-s", str(log), "-f", "plain", name, "-q").out == "committed 2 records, 0 rejected lines\n"
