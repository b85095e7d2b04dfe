"""``puppylog doctor`` shows findings to people and programs, and exits with 1 if a finding needs action."""

import csv
import io
import json
from pathlib import Path

import pytest

from puppylog.cli import doctor
from puppylog.model.finding import Finding, Health
from support.inprocess import InProcess

GOLDEN = Path(__file__).parent / "golden"

FINDINGS = [
    Finding("server", Health.OK, "PostgreSQL 17.10 at postgresql:///shop"),
    Finding("capability several machines", Health.NOTE, "no: needs Citus 12 or later"),
    Finding("TimescaleDB 2.28.1", Health.WARNING, "a refresh leaves the last bucket out", "upgrade it to 2.29.2"),
    Finding("alert busy", Health.WRONG, "its last evaluation failed: \x1b[2J division by zero"),
]


def found(monkeypatch: pytest.MonkeyPatch, findings: list[Finding]) -> None:
    monkeypatch.setattr(doctor, "list_findings", lambda _: findings)


def test_a_healthy_store_gives_exit_code_0(cli: InProcess) -> None:
    result = cli("doctor", "-o", "json")
    assert (result.code, result.err) == (0, "")
    rows = {row["subject"]: row for row in json.loads(result.out)}
    assert rows["server"]["found"].startswith("DuckDB ")
    assert {row["state"] for row in rows.values()} <= {"ok", "note"}


def test_a_table_has_one_line_per_finding(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, FINDINGS)
    result = cli("doctor")
    assert result.out == (GOLDEN / "doctor.txt").read_text(encoding="utf-8")
    assert (result.code, result.err) == (1, "puppylog: 2 of 4 findings need action\n")


def test_sentences_are_wrapped_to_fit_a_terminal(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, FINDINGS)
    assert cli.wide(80)("doctor").out == (GOLDEN / "doctor.terminal.txt").read_text(encoding="utf-8")


def test_json_has_the_advice_as_a_member(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, FINDINGS)
    lines = [json.loads(line) for line in cli("doctor", "-o", "jsonl").out.splitlines()]
    assert [list(line) for line in lines] == [["subject", "state", "found", "advice"]] * 4
    assert (lines[2]["state"], lines[2]["advice"]) == ("warning", "upgrade it to 2.29.2")
    assert list(csv.DictReader(io.StringIO(cli("doctor", "-o", "csv").out)))[2] == lines[2]


@pytest.mark.parametrize(("state", "code"), [(Health.OK, 0), (Health.NOTE, 0), (Health.WARNING, 1), (Health.WRONG, 1)])
def test_the_exit_code_is_1_if_a_finding_needs_action(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch, state: Health, code: int
) -> None:
    found(monkeypatch, [Finding("server", state, "it is there")])
    assert cli("doctor", "-q").code == code


def test_a_store_that_cannot_be_reached_is_an_error_of_one_line(cli: InProcess) -> None:
    result = cli("doctor", "--store", "postgresql://127.0.0.1:1/shop")
    assert (result.code, result.out, result.err.count("\n")) == (69, "", 1)


def test_a_store_that_is_too_damaged_to_open_is_a_finding(cli: InProcess, tmp_path: Path) -> None:
    store = tmp_path / "damaged"
    cli("sql", "select 1", "--store", f"duckdb://{store}")
    cli("down", "--store", f"duckdb://{store}")
    (store / "records.duckdb").write_bytes(b"")
    result = cli("doctor", "-o", "json", "--store", f"duckdb://{store}")
    [found] = json.loads(result.out)
    assert (result.code, found["subject"], found["state"]) == (1, "database", "wrong")
    assert found["found"].startswith(f"cannot read the store {store}: ")
    for command in (["sql", "select 1"], ["collector", "status"], ["logs"]):
        result = cli(*command, "--store", f"duckdb://{store}")
        assert (result.code, result.err.startswith(f"puppylog: cannot read the store {store}: ")) == (69, True)


def test_the_quick_check_asks_only_for_the_store_and_its_evaluator(cli: InProcess) -> None:
    result = cli("doctor", "--quick", "-o", "json")
    assert (result.code, result.err) == (0, "")
    store, evaluator = json.loads(result.out)
    assert (store["subject"], store["state"]) == ("store", "ok")
    # The first heartbeat of an engine waits for other writes. Until then, there is only a note.
    assert (evaluator["subject"], evaluator["state"] in ("ok", "note")) == ("evaluator", True)


def test_the_quick_check_fails_without_a_store(cli: InProcess) -> None:
    assert cli("doctor", "--quick", "--store", "postgresql://127.0.0.1:1/shop").code == 69


def test_the_quick_check_ignores_what_does_not_stop_the_store(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, FINDINGS)
    assert (cli("doctor").code, cli("doctor", "--quick").code) == (1, 0)
