import json
from typing import Any

import pytest

from puppylog.model.defaults import ORIGINAL
from support.inprocess import InProcess

CREATE = ("monitor", "metrics", "create")


def test_the_original_set_is_created_once(cli: InProcess) -> None:
    assert cli(*CREATE, "--default", "original").err.splitlines() == [
        "puppylog: created metric total_traffic_per_route",
        "puppylog: created metric total_traffic",
        "puppylog: created metric lines_per_stream",
        "puppylog: created alert totaltraffic",
        "puppylog: created alert silent_stream",
    ]
    again = cli(*CREATE, "--default", "original")
    assert again.code == 0
    assert again.err.count("already exists") == 5
    cli("monitor", "alerts", "delete", "silent_stream")
    cli("monitor", "metrics", "delete", "lines_per_stream")
    fitting = cli(*CREATE, "--default").err.splitlines()  # the store has records of requests
    assert "puppylog: metric total_traffic already exists" in fitting
    assert "puppylog: created metric lines_per_stream" in fitting
    assert "puppylog: created metric failed_share" in fitting
    assert "puppylog: created alert many_failures" in fitting
    for kind in ("alerts", "metrics"):  # for the next test
        created = [line.split()[-1] for line in fitting if f"created {kind[:-1]} " in line]
        cli("monitor", kind, "delete", *created, *(defined.name for defined in getattr(ORIGINAL, kind)))


def test_the_original_flags_define_a_metric(cli: InProcess) -> None:
    made = cli(
        *(*CREATE, "-id", "magic", "-s", "p99", "-p", "response_bsize", "-pr", "60", "-rr", "30"),
        *("-seg", "request_method", "--filter", "status_code < 500"),
    )
    assert (made.code, made.out, made.err) == (0, "", "puppylog: created metric magic\n")
    [meta] = json.loads(cli("monitor", "metrics", "meta", "magic", "-o", "json").out)
    wanted = {
        "statistic": "p99",
        "property": "response_bytes",
        "period_s": 60,
        "refresh_s": 30,
        "segment": "request_method",
        "filter": "status_code < 500",
        "group": None,
    }
    assert meta.items() >= wanted.items()


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ([], "cannot create a metric without a name"),
        (["--default", "-i", "mine"], "cannot create --default with an identifier"),
        (["-i", "Mine"], "cannot name metric 'Mine'"),
        (["-i", "mine", "-s", "median"], "cannot use statistic 'median'"),
        (["-i", "mine", "-s", "avg"], "cannot take avg of '*'"),
        (["-i", "mine", "--period", "0"], "cannot use period '0'"),
        (["-i", "mine", "--refresh-rate", "soon"], "cannot read refresh rate 'soon'"),
        (["-i", "mine", "--group", "shed"], "shed"),
        (["-i", "mine", "-s", "ratio"], "cannot create metric 'mine': a ratio needs the records whose share it is"),
        (["-i", "mine", "--of", "status_code>=500"], "cannot create metric 'mine': count takes no --of"),
        (["-i", "mine", "-s", "ratio", "--of", "status_code>=500", "-p", "host"], "cannot take ratio of 'host'"),
    ],
)
def test_a_wrong_definition_of_a_metric_is_refused(cli: InProcess, arguments: list[str], cause: str) -> None:
    made = cli(*CREATE, *arguments)
    assert made.code == 2
    assert cause in made.err
    assert made.err.count("\n") == 1


@pytest.mark.parametrize(
    ("stat", "prop", "cause", "caret_at"),
    [
        (
            "count",
            "response_byte",
            "there is no column and no attribute 'response_byte'; the nearest is response_bytes",
            0,
        ),
        ("avg", "response_bytes / (2", "it ends too early, after this", 18),
        ("p95", "response_bytes / host", "bigint is needed here, but this is text", 17),
        ("p95", "user_agent || 'x'", "this statistic is taken of numbers, but this is text", 0),
        ("avg", "response_bytes / 2; drop", "a semicolon is not allowed", 18),
    ],
)
def test_a_wrong_property_is_refused_with_a_caret_at_the_fault(
    cli: InProcess, stat: str, prop: str, cause: str, caret_at: int
) -> None:
    made = cli(*CREATE, "-i", "mine", "--stat", stat, "--prop", prop)
    assert made.code == 2
    assert made.err == f'puppylog: cannot use property "{prop}": {cause}\n  {prop}\n  {" " * caret_at}^\n'


@pytest.mark.parametrize(
    ("arguments", "message", "caret_at"),
    [
        (["--segment", "host || (select 1)"], "cannot use segment expression", 8),
        (["--filter", "status_code"], "cannot use filter expression", 0),
        (["--filter", "host = 'a' and 'b"], "cannot use filter expression", 15),
        (["-s", "ratio", "--of", "status_code >= 'a'"], "cannot use --of expression", 15),
    ],
)
def test_a_wrong_expression_is_refused_with_a_caret_at_the_fault(
    cli: InProcess, arguments: list[str], message: str, caret_at: int
) -> None:
    made = cli(*CREATE, "-i", "mine", *arguments)
    assert made.code == 2
    first, *rest = made.err.splitlines()
    assert first.startswith(f'puppylog: {message} "{arguments[-1]}": ')
    assert rest == [f"  {arguments[-1]}", f"  {' ' * caret_at}^"]


def test_a_property_can_be_an_expression_over_columns(cli: InProcess) -> None:
    assert cli(*CREATE, "-i", "kib", "-s", "avg", "-p", "response_bytes / 1024.0").code == 0
    [meta] = json.loads(cli("monitor", "metrics", "meta", "kib", "-o", "json").out)
    assert meta["property"] == "response_bytes / 1024.0"


def test_a_metric_can_be_derived_from_others(cli: InProcess) -> None:
    for name, filter_ in (("errors", "status_code >= 500"), ("total", "true")):
        assert cli(*CREATE, "-i", name, "--filter", filter_).code == 0
    made = cli(*CREATE, "-i", "share", "--from", "errors / total * 100")
    assert (made.code, made.err) == (0, "puppylog: created metric share\n")
    assert cli(*CREATE, "-i", "share", "--from", "errors/total*100").err == "puppylog: metric share already exists\n"
    [meta] = json.loads(cli("monitor", "metrics", "meta", "share", "-o", "json").out)
    assert meta.items() >= {"statistic": "derived", "property": "errors / total * 100", "period_s": 60}.items()
    assert cli("monitor", "metrics", "delete", "total").err == (
        "puppylog: cannot delete metric 'total': metric share is derived from it\n"
    )
    cli("monitor", "metrics", "delete", "share", "errors", "total")  # for the next test


def test_a_wrong_formula_is_refused_with_a_caret_at_the_fault(cli: InProcess) -> None:
    made = cli(*CREATE, "-i", "share", "--from", "1 + nothing")
    assert made.code == 2
    assert made.err.splitlines()[1:] == ["  1 + nothing", "      ^"]
    assert "cannot use formula \"1 + nothing\": there is no metric 'nothing'" in made.err
    assert cli(*CREATE, "-i", "share", "--from", "total", "--period", "1m").err == (
        "puppylog: cannot create metric 'share': a derived metric takes no --period: period, segments and records are "
        "those of its inputs\n"
    )


def test_a_second_metric_of_the_same_name_is_refused(cli: InProcess) -> None:
    cli(*CREATE, "-i", "taken", "--period", "60")
    made = cli(*CREATE, "-i", "taken", "--period", "120")
    assert (made.code, made.out) == (2, "")
    assert "taken" in made.err


def test_a_deleted_metric_is_gone(cli: InProcess) -> None:
    cli(*CREATE, "-i", "brief")
    assert cli("monitor", "metrics", "delete", "brief").err == "puppylog: deleted metric brief\n"
    assert cli("monitor", "metrics", "delete", "brief").code == 2


UPDATE = ("monitor", "metrics", "update")


def meta(cli: InProcess, name: str) -> dict[str, Any]:
    [found] = json.loads(cli("monitor", "metrics", "meta", name, "-o", "json").out)
    return dict(found)


def test_a_metric_is_updated_in_the_parts_that_are_given(cli: InProcess) -> None:
    cli(*CREATE, "-i", "growing", "--filter", "status_code >= 500", "--segment", "request_method", "--period", "10s")
    made = cli(*UPDATE, "growing", "--filter", "status_code >= 400", "--period", "5m")
    assert (made.code, made.err) == (0, "puppylog: updated metric growing\n")
    wanted = {"statistic": "count", "filter": "status_code >= 400", "segment": "request_method"}
    assert meta(cli, "growing").items() >= {**wanted, "period_s": 300, "refresh_s": 300}.items()
    cli(*UPDATE, "growing", "--segment", "", "--stat", "ratio", "--of", "status_code>=500")
    known = meta(cli, "growing")
    assert (known["statistic"], known["of"], known["segment"]) == ("ratio", "status_code >= 500", None)
    cli(*UPDATE, "growing", "--stat", "avg", "--prop", "response_bytes / 2", "--filter", "")
    assert meta(cli, "growing").items() >= {"of": None, "property": "response_bytes / 2", "filter": None}.items()
    assert cli(*UPDATE, "growing", "--stat", "avg").err == "puppylog: metric growing is unchanged\n"


def test_a_derived_metric_is_updated_by_its_formula(cli: InProcess) -> None:
    for name in ("some", "all_of_it"):
        cli(*CREATE, "-i", name)
    cli(*CREATE, "-i", "part", "--from", "some / all_of_it")
    cli(*UPDATE, "part", "--from", "100 * some / all_of_it")
    assert meta(cli, "part")["property"] == "100 * some / all_of_it"
    assert "a derived metric takes no --period" in cli(*UPDATE, "part", "--period", "5m").err
    assert "'part' would be derived from itself" in cli(*UPDATE, "part", "--from", "part / some").err
    cli("monitor", "metrics", "delete", "part", "some", "all_of_it")  # for the next test


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["nope", "--period", "5m"], "cannot find metric 'nope'"),
        (["kept"], "cannot update metric 'kept': nothing to change was given"),
        (["kept", "--stat", "ratio"], "cannot update metric 'kept': a ratio needs the records whose share it is"),
        (["kept", "--stat", "p95"], "cannot take p95 of '*'"),
        (["kept", "--group", "shed"], "shed"),
    ],
)
def test_a_wrong_update_of_a_metric_is_refused(cli: InProcess, arguments: list[str], cause: str) -> None:
    cli(*CREATE, "-i", "kept")
    failed = cli(*UPDATE, *arguments)
    assert failed.code == 2
    assert cause in failed.err
    assert failed.err.count("\n") == 1
