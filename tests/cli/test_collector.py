import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from formats.paths import reading
from puppylog.errors import StoreCrowded, StoreUnavailable
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from support.inprocess import InProcess
from support.pod_api import PodServer

GOOD = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{} HTTP/1.1" 200 17 "-" "curl/8"\n'
BAD = "not an access log at all\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_text("".join(GOOD.format(i) for i in range(20)) + BAD + GOOD.format("unfinished").rstrip())
    return path


def routes(cli: InProcess, log: Path) -> list[str]:
    """Return the routes of a file's records, in the order of its lines."""
    rows = cli(
        "sql",
        "select request_route, f.path from log_records join log_files f on f.id = file_id order by line_offset",
        "-o",
        "jsonl",
    ).out.splitlines()
    return [row["request_route"] for row in map(json.loads, rows) if row["path"] == str(log)]


def test_a_file_is_collected_once_and_a_summary_says_so(cli: InProcess, log: Path) -> None:
    first = cli("collector", "-s", str(log))
    assert (first.code, first.out) == (0, "")
    assert first.err.startswith("puppylog: ")
    assert " 20 records, 1 rejected in " in first.err
    assert "of unfinished lines wait for their newline" in first.err
    assert " 0 records, 0 rejected in " in cli("collector", "--source", str(log)).err
    assert routes(cli, log) == [f"/{i}" for i in range(20)]


def test_a_run_says_how_many_records_have_no_time_of_their_own(cli: InProcess, tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    log.write_text("begin\n2026-11-24 10:00:00 CST copied\nend\n")
    os.utime(log, (0, 0))
    said = cli("collector", "-s", str(log), "-f", "plain").err
    assert "2 records have no time of their own: 1 took the time of the record before" in said
    assert " and 1 took the time of reading" in said
    assert "1 time stamp names a zone that can mean several" in said


def test_labels_of_pods_are_found_by_the_name_of_the_node(
    cli: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "shop_cart_u1" / "web" / "0.log"
    log.parent.mkdir(parents=True)
    log.write_text("2026-11-24T10:00:00Z stdout F hello\n")
    with PodServer(tmp_path) as api:
        api.put("u1", {"app": "basket"})
        monkeypatch.setattr("puppylog.cli.collector_run.find_access", lambda _: api.access)
        run = cli("collector", "--kubernetes", "--pod-label", "app", "-s", str(log), "--host", "node-7")
        assert run.code == 0, run.err
        assert api.asked[0]["fieldSelector"] == "spec.nodeName=node-7"
    assert "hello" in cli("logs", "label.app:basket").out


def test_labels_of_pods_are_for_logs_of_kubernetes(cli: InProcess, log: Path) -> None:
    refused = cli("collector", "--docker", "--pod-label", "app", "-s", str(log))
    assert (refused.code, refused.out) == (2, "")
    assert "cannot use --pod-label: it is about logs of Kubernetes" in refused.err


def test_a_run_waits_for_a_free_connection_but_not_for_a_server_that_is_away(
    cli: InProcess, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals: list[StoreUnavailable] = []

    def refuse_first(url: str) -> Store:
        if refusals:
            raise refusals.pop()
        return connect(url)

    monkeypatch.setattr("puppylog.cli.collector_run.connect", refuse_first)
    refusals[:] = [StoreCrowded("connect", "", "too many connections")] * 2
    run = cli("collector", "-s", str(log))
    assert run.code == 0
    assert run.err.count("cannot connect: too many connections; nothing is lost, retrying in") == 2
    assert " 20 records, 1 rejected in " in run.err
    refusals[:] = [StoreUnavailable("connect", "", "no such server")]
    assert cli("collector", "-s", str(log)).code == 69
    monkeypatch.setattr("puppylog.cli.collector_run._CROWDED_S", 0.0)
    refusals[:] = [StoreCrowded("connect", "", "too many connections")]
    assert cli("collector", "-s", str(log)).code == 69


def test_an_unfinished_line_of_an_unchanged_file_is_stored_and_its_rest_is_reported(cli: InProcess, log: Path) -> None:
    os.utime(log, (time.time() - 60,) * 2)
    assert " 21 records, 1 rejected in " in cli("collector", "-s", str(log)).err
    size = log.stat().st_size
    with log.open("a") as file:
        file.write(" and more\n" + GOOD.format("next"))
    second = cli("collector", "-s", str(log))
    assert (
        f"{log}: the unfinished line that was stored up to byte {size} continues; the rest is stored as another line"
        in second.err
    )
    assert " 1 records, 1 rejected in " in second.err
    assert routes(cli, log) == [f"/{i}" for i in range(20)] + ["/unfinished", "/next"]
    assert " 0 records, 0 rejected in " in cli("collector", "-s", str(log)).err


def test_a_dry_run_counts_and_stores_nothing(cli: InProcess, log: Path) -> None:
    dry = cli("collector", "-s", str(log), "--dry-run", "--store", "duckdb:///nowhere/at/all")
    assert (dry.code, dry.err) == (0, f"puppylog: reading {log} as access\n")
    assert " 20 records, 1 rejected in " in dry.out
    assert "       1 rejected: " in dry.out
    assert routes(cli, log) == []


def test_a_run_without_the_native_readers_says_so_and_makes_the_same_records(cli: InProcess, log: Path) -> None:
    with reading("python"):
        dry = cli("collector", "-s", str(log), "--dry-run")
        quiet = cli("collector", "-s", str(log), "--quiet")
    assert dry.err.splitlines()[0].startswith("puppylog: installed without a C compiler: lines are read in Python")
    assert dry.err.splitlines()[1:] == [f"puppylog: reading {log} as access"]
    assert " 20 records, 1 rejected in " in dry.out
    assert quiet.err == ""
    assert routes(cli, log) == [f"/{i}" for i in range(20)]


def test_the_answers_of_the_store_are_printed_on_request(cli: InProcess, log: Path) -> None:
    assert cli("collector", "-s", str(log), "-r", "-q").out == "committed 20 records, 1 rejected lines\n"


def test_now_replaces_the_time_of_the_records(cli: InProcess, log: Path) -> None:
    assert cli("collector", "-s", str(log), "-n", "--group", "now").code == 0
    got = cli("logs", "--group", "now", "--since", "10m", "-o", "jsonl", "--where", "host = '10.0.0.1'")
    assert len(got.out.splitlines()) == 20


def test_several_sources_and_patterns_can_be_given(cli: InProcess, tmp_path: Path) -> None:
    for name in ("a.log", "b.log", "c.txt"):
        (tmp_path / name).write_text(GOOD.format(name))
    assert cli("collector", "-s", f"{tmp_path}/*.log", "-s", f"{tmp_path}/c.txt").code == 0
    assert [routes(cli, tmp_path / name) for name in ("a.log", "b.log", "c.txt")] == [
        ["/a.log"],
        ["/b.log"],
        ["/c.txt"],
    ]


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ([], "name a source with -s"),
        (["-s", "/nope.log"], "cannot read /nope.log"),
        (["-s", "/sys/empty/*.log"], "cannot read /sys/empty/*.log: no file matches"),
        (["-s", "-", "-f", "nope"], "cannot use format 'nope'"),
        (["-s", "-", "--group", "No Group"], "cannot name group 'No Group'"),
        (["-s", "-", "--dry-run", "--watch"], "cannot watch in a dry run"),
    ],
)
def test_collector_refuses_wrong_arguments(cli: InProcess, arguments: list[str], cause: str) -> None:
    ran = cli("collector", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert cause in ran.err
    assert ran.err.count("\n") == 1


def test_a_collector_loads_no_screen_and_no_engine() -> None:
    code = (
        "import sys\nimport puppylog.cli.collector_run\n"
        "heavy = {'rich', 'duckdb', 'sqlglot'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr


def test_without_a_source_those_of_the_configuration_file_are_collected(cli: InProcess, log: Path) -> None:
    file = log.with_name("config.toml")
    file.write_text('[[source]]\npaths = ["access.log"]\nformat = "plain"\n[[source]]\npaths = ["b.log"]\n')
    log.with_name("b.log").write_text("level=info msg=one\n")
    assert " 22 records, 0 rejected in " in cli("collector", "-c", str(file)).err
    refused = cli("collector", "-c", str(file), "--format", "json")
    assert (refused.code, refused.err) == (
        2,
        "puppylog: cannot use --format without --source: sources of a file have keys for it\n",
    )
    file.write_text("")
    nothing = cli("collector", "-c", str(file))
    assert nothing.code == 2
    assert "name a source with -s/--source, or with [[source]] in the configuration file" in nothing.err


def test_a_collector_that_rejects_most_lines_says_where_to_look(cli: InProcess, tmp_path: Path) -> None:
    for name, format_, is_told in (("wrong.log", "json", True), ("right.log", "combined", False)):
        (tmp_path / name).write_text(GOOD.format(name) * 3)
        said = cli("collector", "-s", str(tmp_path / name), "-f", format_).err
        assert ("most lines are rejected, and kept: 'puppylog rejects count'" in said) is is_told
