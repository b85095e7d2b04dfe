"""Commands on a store behind a server do what they do on every store, with a token of the right scope."""

import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from puppylog.model.token import NewToken, Scope, hash_token, make_token
from support.commands import Puppylog
from support.inprocess import InProcessPuppylog
from support.served import Served

LOGGED_AT = datetime.now(UTC) - timedelta(minutes=10)
LINE = f'10.0.0.1 - - [{LOGGED_AT:%d/%b/%Y:%H:%M}:{{:02d}} +0000] "GET /{{}} HTTP/1.1" {{}} 10 "-" "curl"\n'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture(scope="module")
def tokens(served: Served) -> dict[Scope, str]:
    """A token of each scope."""
    made = {scope: make_token() for scope in Scope}
    with served.own.connect() as store:
        for scope, token in made.items():
            store.create_token(NewToken(scope.value, scope, hash_token(token)))
    return made


class Commands:
    """Runs commands with a token."""

    def __init__(
        self, served: Served, tokens: dict[Scope, str], home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.puppylog = Puppylog(served.url, home)
        self._tokens = tokens
        self._run = InProcessPuppylog(self.puppylog, capsys)

    def __call__(self, scope: Scope, *arguments: str, code: int = 0) -> str:
        """Return what a command prints, and what it says."""
        ran = self._run(*arguments, environment={"PUPPYLOG_TOKEN": self._tokens[scope]})
        assert ran.code == code, ran
        return ran.out + ran.err


@pytest.fixture
def commands(served: Served, tokens: dict[Scope, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(served, tokens, tmp_path, capsys)


def collect(commands: Commands, folder: Path, name: str) -> None:
    log = folder / name
    log.write_text("".join(LINE.format(second, name, 200 + 300 * (second % 2)) for second in range(10)) + "no line\n")
    said = commands(Scope.INGEST, "collector", "-s", str(log), "--host", "web1")
    assert "10 records, 1 rejected" in said


def test_lines_are_collected_and_searched(commands: Commands, tmp_path: Path) -> None:
    collect(commands, tmp_path, "a.log")
    assert "0 records" in commands(Scope.INGEST, "collector", "-s", str(tmp_path / "a.log"), "--host", "web1")
    assert commands(Scope.READ, "logs", "request_route=/a.log", "-o", "jsonl").count("\n") == 10
    assert "500" in commands(Scope.READ, "top", "status_code", "request_route=/a.log")
    counted = commands(Scope.READ, "sql", "SELECT count(*) AS n FROM log_records WHERE request_route = '/a.log'")
    assert counted.split() == ["n", "10"]
    assert "no line" in commands(Scope.READ, "rejects", "list")
    assert "web1" in commands(Scope.READ, "streams", "list")


def test_metrics_and_alerts_are_defined_and_read(commands: Commands, tmp_path: Path) -> None:
    collect(commands, tmp_path, "b.log")
    commands(Scope.ADMIN, "monitor", "metrics", "create", "-id", "hits", "-s", "count", "-p", "*", "-pr", "1m")
    assert "hits" in commands(Scope.READ, "monitor", "metrics", "list")
    shown = commands(Scope.READ, "monitor", "metrics", "get", "hits", "--since", "1h", "--tz", "UTC")
    assert f"{LOGGED_AT:%H:%M}" in shown
    wrong = commands(
        Scope.ADMIN, "monitor", "metrics", "create", "-id", "x", "-s", "no", "-p", "*", "-pr", "1m", code=2
    )
    assert "no" in wrong
    commands(Scope.ADMIN, "monitor", "alerts", "create", "-i", "burst", "-m", "hits", "--when", "> 1000")
    assert "burst" in commands(Scope.READ, "monitor", "alerts", "list")


def test_tokens_are_managed_by_an_admin_only(commands: Commands) -> None:
    assert "admin is needed" in commands(Scope.READ, "tokens", "list", code=78)
    assert "ppl_" in commands(Scope.ADMIN, "tokens", "create", "grafana", "--scope", "read")
    assert "grafana" in commands(Scope.ADMIN, "tokens", "list")
    commands(Scope.ADMIN, "tokens", "revoke", "grafana")


def test_the_doctor_reads_findings_of_the_server(commands: Commands) -> None:
    said = commands(Scope.READ, "doctor", "-o", "csv")
    assert "remote store" in said
    assert "DuckDB" in said


def test_a_token_of_another_scope_is_refused_in_one_line(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "c.log").write_text("x\n")
    assert "read is needed" in commands(Scope.INGEST, "logs", code=78)
    assert "ingest is needed" in commands(Scope.READ, "collector", "-s", str(tmp_path / "c.log"), code=78)
    assert "admin is needed" in commands(Scope.READ, "groups", "create", "shop", code=78)


def test_commands_about_an_engine_say_where_to_run_them(commands: Commands, tmp_path: Path) -> None:
    for command in (("down",), ("backup", str(tmp_path / "b")), ("restore", str(tmp_path / "b")), ("bootstrap",)):
        assert "server" in commands(Scope.ADMIN, *command, code=2)


def test_alerts_are_observed_until_the_command_is_interrupted(commands: Commands, tokens: dict[Scope, str]) -> None:
    commands(Scope.ADMIN, "monitor", "metrics", "create", "-id", "seen", "-s", "count", "-p", "*", "-pr", "1m")
    commands(Scope.ADMIN, "monitor", "alerts", "create", "-i", "quiet", "-m", "seen", "--when", "> 1000")
    commands.puppylog.environment["PUPPYLOG_TOKEN"] = tokens[Scope.READ]
    command = commands.puppylog.start("monitor", "alerts", "observe", "-rr", "1")
    try:
        assert command.stdout is not None
        assert command.stdout.readline()  # the first table
        command.send_signal(signal.SIGINT)
        _, err = command.communicate(timeout=60)
        assert command.returncode in (0, 130), err
        assert b"cannot" not in err
    finally:
        with suppress(ProcessLookupError):
            command.kill()
        command.wait()
