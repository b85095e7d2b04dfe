"""``collector status`` shows the state of each stream, and exits with 1 if a stream has stalled."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from puppylog.cli import collector_status
from puppylog.cli.collector_status import SCHEMA
from puppylog.model.stream import StreamReport
from puppylog.monitor.collectors import FollowedStream, StreamState
from support.embedded import EmbeddedStore, wait_until
from support.inprocess import InProcess
from support.lines import open_stream

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stream(path: str, state: StreamState, problem: str | None = None, *, lag_bytes: int = 0) -> FollowedStream:
    return FollowedStream(
        stream_id=1,
        source_uri=f"file://web1{path}",
        group="shop",
        state=state,
        problem=problem,
        report_age_s=2.04,
        lag_bytes=lag_bytes,
        lag_s=lag_bytes / 100,
        lines_per_s=1234.56,
        stored_at=AT,
        records=1_000_000,
        rejects=12,
        waiting_lines=5 if lag_bytes else 0,
        format="access",
    )


STREAMS = [
    stream("/var/log/a.log", StreamState.OK),
    stream("/var/log/b.log", StreamState.BEHIND, lag_bytes=1234),
    stream("/var/log/%1B[2J.log", StreamState.STALLED, "cannot read it: \x1b[2J no such file", lag_bytes=5),
    stream("/var/log/gone.log", StreamState.FINISHED),
    stream("", StreamState.ENDED),
]


def show(monkeypatch: pytest.MonkeyPatch, streams: Sequence[FollowedStream]) -> None:
    monkeypatch.setattr(collector_status, "list_followed_streams", lambda *_, **__: list(streams))


def test_a_table_has_a_row_per_stream_and_stderr_a_line_per_stalled_stream(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(monkeypatch, STREAMS)
    result = cli.at(AT)("collector", "status")
    assert result.out == (GOLDEN / "collector.status.txt").read_text(encoding="utf-8")
    assert result.code == 1
    assert result.err == ("puppylog: web1:/var/log/\\x1b[2J.log has stalled: cannot read it: \\x1b[2J no such file\n")


def test_a_table_that_does_not_fit_the_terminal_leaves_columns_out_and_names_them(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    show(monkeypatch, STREAMS)
    result = cli.at(AT).wide(80)("collector", "status")
    assert result.out == (GOLDEN / "collector.status.80.txt").read_text(encoding="utf-8")
    assert max(map(len, result.out.splitlines())) <= 80
    assert (
        result.err.splitlines()[0] == "puppylog: not shown: group, lag, waiting, format and 3 more; -o jsonl shows all"
    )
    assert "/var/log/\\x1b[2J.log has stalled: cannot read it" in result.err


def test_a_long_path_is_cut_at_its_start(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch, [stream(f"/srv/applications/production/shop/logs/{name}.log", StreamState.OK) for name in "ab"])
    result = cli.at(AT).wide(80)("collector", "status")
    assert [line.split()[0] for line in result.out.splitlines()[1:]] == [
        "…/shop/logs/a.log",
        "…/shop/logs/b.log",
    ]
    assert result.err.startswith("puppylog: cut: source; not shown: ")


@pytest.mark.parametrize(("columns", "hidden"), [(300, 0), (120, 3), (40, 11)])
def test_a_table_leaves_out_no_more_columns_than_necessary(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch, columns: int, hidden: int
) -> None:
    show(monkeypatch, STREAMS)
    result = cli.at(AT).wide(columns)("collector", "status")
    assert max(map(len, result.out.splitlines())) <= columns
    assert len(result.out.splitlines()[0].replace("last stored", "stored").split()) == len(SCHEMA) - hidden
    assert ("not shown: " in result.err) == (hidden > 0)


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_programs_get_every_column_on_any_terminal(cli: InProcess, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    show(monkeypatch, STREAMS)
    wide = cli("collector", "status", "-o", form).out
    assert cli.wide(20)("collector", "status", "-o", form).out == wide


def test_json_lines_and_csv_have_every_column(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch, STREAMS)
    assert cli("collector", "status", "-o", "jsonl").out == (GOLDEN / "collector.status.jsonl").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(cli("collector", "status", "-o", "csv").out)))
    assert [row["state"] for row in rows] == ["ok", "behind", "stalled", "finished", "ended"]
    assert list(rows[0]) == SCHEMA.names


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (StreamState.OK, 0),
        (StreamState.BEHIND, 0),
        (StreamState.FINISHED, 0),
        (StreamState.ENDED, 0),
        (StreamState.STALLED, 1),
    ],
)
def test_the_exit_code_is_1_if_a_stream_has_stalled(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch, state: StreamState, code: int
) -> None:
    show(monkeypatch, [stream("/a", state, "gone")])
    assert cli("collector", "status", "-q").code == code


def test_of_a_thousand_stalled_streams_twenty_are_reported(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    show(monkeypatch, [stream(f"/{number}", StreamState.STALLED, "gone") for number in range(1000)])
    lines = cli("collector", "status").err.splitlines()
    assert (len(lines), lines[-1]) == (21, "puppylog: and 980 more have stalled")


def test_the_status_comes_from_the_reports_in_the_store(cli: InProcess, server: EmbeddedStore) -> None:
    empty = cli("collector", "status")
    assert (empty.code, empty.err) == (0, "puppylog: no collector has reported yet\n")
    store = server.connect()
    stream_id = open_stream(store, "file:///var/log/live.log", group="front").stream_id
    store.report([StreamReport(stream_id, 5, 100.0, 100.0, 0.0, 7, 1)])
    wait_until(lambda: store.query("SELECT 1 FROM puppylog.stream_reports").num_rows == 1, what="the report")
    result = cli("collector", "status", "-o", "json", "--within", "1h")
    [row] = json.loads(result.out)
    assert result.code == 1
    assert "/var/log/live.log has stalled: 5 bytes wait, and nothing has been stored for 1 min" in result.err
    assert (row["source"], row["host"], row["group"], row["state"]) == ("/var/log/live.log", None, "front", "stalled")
    assert (row["records"], row["rejected"], row["lag_bytes"], row["format"]) == (7, 1, 5, None)
    assert json.loads(cli("collector", "status", "-o", "json", "--stale", "1h").out)[0]["state"] == "behind"
    assert json.loads(cli("collector", "status", "-o", "json", "--group", "back").out) == []
    store.report([StreamReport(stream_id, 5, 100.0, 100.0, 0.0, 7, 1, ended=True)])
    wait_until(lambda: cli("collector", "status").code == 0, what="the last report")


def test_a_wrong_period_is_refused(cli: InProcess) -> None:
    refused = cli("collector", "status", "--stale", "soon")
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
