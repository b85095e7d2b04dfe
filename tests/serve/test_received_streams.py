"""Sources of received lines have streams of their own, up to a limit; a group is part of a source."""

import json
from collections.abc import Iterator

import pytest

from puppylog.serve.intake import IntakeLimits
from puppylog.serve.received_streams import clean_source
from support.embedded import EmbeddedStore
from support.intake import IntakeTrial, receive


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path_factory.mktemp("streams") / "store") as server:
        yield server


@pytest.fixture
def trial(server: EmbeddedStore) -> IntakeTrial:
    return IntakeTrial(server)


def streams(trial: IntakeTrial) -> dict[str, str | None]:
    """Return the group of each stream, by its URI without the receiver."""
    sql = (
        "SELECT source_uri, groups.name AS group_name FROM puppylog.log_streams AS streams"
        f" LEFT JOIN puppylog.log_groups AS groups ON groups.id = group_id WHERE source_uri LIKE '{trial.receiver}:%'"
    )
    rows = trial.reader.query(sql).to_pylist()
    return {row["source_uri"].removeprefix(f"{trial.receiver}://"): row["group_name"] for row in rows}


def test_each_source_has_one_stream_and_one_file_for_ever(trial: IntakeTrial) -> None:
    for _ in range(2):
        with trial.intake() as intake:
            for source in ("a", "b/c", "", "ü x", "a"):
                trial.send(intake, receive("m", source=source)).stored()
    assert set(streams(trial)) == {"/a", "/b/c", "/", "/%C3%BC%20x"}
    assert len(trial.rows("log_files", "id")) == 4
    assert len(trial.messages()) == 10


def test_further_sources_share_a_stream_and_their_records_keep_the_name(trial: IntakeTrial) -> None:
    existing = len([uri for uri in trial.source_uris() if not uri.startswith(("file:", "stdin:"))])
    limits = IntakeLimits(streams=existing + 2)
    for _ in range(2):  # the limit counts the streams of earlier runs
        with trial.intake(limits) as intake:
            for source in ("a", "b", "c", 'd"', "c"):
                trial.send(intake, receive("m", source=source)).stored()
    with trial.intake(limits) as intake:
        parsed = trial.send(intake, receive("m", source="e", extra='"n": 1'))
        parsed.stored()
    assert set(streams(trial)) == {"/a", "/b", "/"}
    attributes = [json.loads(row["attributes"] or "{}") for row in trial.rows("log_records", "attributes")]
    named = [found for found in attributes if "received_source" in found]
    assert sorted(found["received_source"] for found in named) == ["c"] * 4 + ['d"'] * 2 + ["e"]
    assert any(found["received_source"] == "e" and found.get("n") == 1 for found in named)
    assert len(trial.said) == 3  # once in each run
    assert "streams of received lines" in trial.said[0]


def test_a_stream_takes_the_first_group_and_a_second_group_gets_a_stream_of_its_own(trial: IntakeTrial) -> None:
    with trial.intake() as intake:
        for group in (None, "shop", "blog", "shop", None):
            trial.send(intake, receive("m", source="app", group=group)).stored()
        trial.send(intake, receive("m", source="new", group="shop")).stored()
    assert streams(trial) == {"/app": "shop", "/blog/app": "blog", "/new": "shop"}
    with trial.intake() as restarted:
        for group in ("blog", "shop"):
            trial.send(restarted, receive("m", source="app", group=group)).stored()
    assert streams(trial) == {"/app": "shop", "/blog/app": "blog", "/new": "shop"}
    assert len(trial.messages()) == 8


def test_further_sources_in_groups_create_no_groups(trial: IntakeTrial) -> None:
    existing = len([uri for uri in trial.source_uris() if not uri.startswith(("file:", "stdin:"))])
    with trial.intake(IntakeLimits(streams=existing + 1)) as intake:
        for group in ("g1", "g2", "g3"):
            trial.send(intake, receive("m", source="first", group=group)).stored()
            trial.send(intake, receive("m", source="other", group=group)).stored()
    assert streams(trial) == {"/first": "g1", "/": None}
    groups = trial.reader.query("SELECT name FROM puppylog.log_groups WHERE name LIKE 'g_'")["name"].to_pylist()
    assert groups == ["g1"]
    named = [json.loads(row["attributes"] or "{}") for row in trial.rows("log_records", "attributes")]
    assert sorted(found.get("received_source", "") for found in named) == [
        "",
        "first",
        "first",
        "other",
        "other",
        "other",
    ]


def test_the_name_of_a_source_is_cleaned() -> None:
    assert clean_source("a\x1b[31m\nb" + "x" * 300) == ("a[31mb" + "x" * 300)[:200]
    assert clean_source("../../etc/passwd") == "../../etc/passwd"  # a name, never a path
    assert clean_source("\ud800 ") == ""
