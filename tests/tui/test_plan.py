"""A plan as people read it."""

from dataclasses import replace

from puppylog.config.definition_set import DefinitionSet
from puppylog.config.plan import Plan, make_plan
from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric
from puppylog.tui.plan import describe_plan, draw_plan

ERRORS = Metric("errors", "count", "*", 10, segment="host", group="shop")
BUSY = define_alert("busy", ERRORS, comparison=Comparison.ABOVE, threshold=10, window_s=120)
STORED = DefinitionSet(("shop",), (ERRORS, Metric("old", "count", "*", 60)), (BUSY,))
LONG = "request_route LIKE '/shop/%' AND status_code >= 500 AND NOT host = '10.0.0.1' OR response_bytes > 1000000"


def draw(wanted: DefinitionSet, *, prune: bool = False, color: bool = False, width: int | None = 80) -> list[str]:
    return list(draw_plan(make_plan(wanted, STORED, prune=prune), width, color=color))


def test_a_plan_is_read_like_a_diff() -> None:
    errors = replace(ERRORS, period_s=60, filter=LONG)
    slow = replace(BUSY, name="slow", summary="too slow", contacts=("ops",))
    wanted = DefinitionSet((), (errors,), (replace(BUSY, threshold=0.5), slow))
    assert draw(wanted) == [
        "~ metric errors  its buckets are computed again from the stored records",
        '    period: "10s" -> "1m"',
        "    filter: none -> \"request_route LIKE '/shop/%' AND status_code >= 500 AND NOT",
        "        host = '10.0.0.1' OR response_bytes > 1000000\"",
        "~ alert busy",
        "    threshold: 10 -> 0.5",
        "+ alert slow",
        '    metric = "errors"',
        '    statistic = "avg"',
        '    comparison = ">"',
        "    threshold = 10",
        '    window = "2m"',
        '    period = "5s"',
        '    delay = "10s"',
        '    no_data = "zero"',
        '    contacts = ["ops"]',
        '    group_wait = "30s"',
        '    severity = "warning"',
        '    summary = "too slow"',
        "= metric old  not in the file; stays",
    ]
    assert max(map(len, draw(wanted))) <= 80
    assert len(draw(wanted, width=None)) == len(draw(wanted)) - 1


def test_a_plan_says_what_is_deleted_and_what_is_refused() -> None:
    wanted = DefinitionSet((), (ERRORS, replace(ERRORS, name="total")), (replace(BUSY, metric="total"),))
    assert draw(wanted, prune=True) == [
        "- metric old  not in the file",
        "+ metric total",
        '    statistic = "count"',
        '    period = "10s"',
        '    segment = "host"',
        '    refresh = "10s"',
        '    group = "shop"',
        "- alert busy  it judges metric total now; its history is deleted",
        "+ alert busy",
        '    metric: "errors" -> "total"',
    ]
    assert draw(wanted)[-3:] == [
        "= metric old  not in the file; stays",
        "! alert busy  it judges metric total now, and its history would be deleted;",
        "        allow it with --prune",
    ]


def test_a_character_that_a_terminal_obeys_is_shown_as_an_escape() -> None:
    wanted = DefinitionSet((), (replace(ERRORS, filter="host = '\u202e\x1b'"),), (BUSY,))
    assert draw(wanted)[1] == "    filter: none -> \"host = '\\u202e\\u001b'\""


def test_a_colour_tells_what_happens_to_a_definition() -> None:
    [created, *_, kept] = draw(DefinitionSet((), (replace(ERRORS, name="new"), ERRORS), (BUSY,)), color=True)
    assert created == "\x1b[32m+ metric new\x1b[0m"
    assert kept == "\x1b[2m= metric old\x1b[0m  not in the file; stays"


def test_a_metric_of_the_store_that_the_file_needs_says_why_it_stays() -> None:
    judges = replace(BUSY, name="judge", metric="old")
    [*_, kept] = draw(DefinitionSet((), (ERRORS,), (BUSY, judges)), prune=True)
    assert kept == "= metric old  not in the file; stays, because alert judge of the file judges it"


def test_a_sentence_counts_the_changes() -> None:
    assert describe_plan(Plan()) == "nothing to do: the store has what the file declares"
    wanted = DefinitionSet((), (ERRORS,), (replace(BUSY, metric="errors", threshold=1), replace(BUSY, name="new")))
    assert describe_plan(make_plan(wanted, STORED, prune=True)) == "1 to create, 1 to update, 1 to delete; 1 unchanged"
    refused = make_plan(DefinitionSet((), (), (replace(BUSY, metric="nope"),)), STORED)
    assert describe_plan(refused).endswith(", 2 refused; 0 unchanged")
