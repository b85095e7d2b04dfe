"""What a shell completes: fields, formats, files, and the names that a running store knows."""

import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from puppylog.cli import complete
from puppylog.cli.main import run
from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.metric import Metric
from puppylog.model.token import NewToken, Scope, hash_token
from puppylog.stores.duckdb.client.launch import is_answering
from puppylog.stores.duckdb.directory import StoreDirectory
from support.embedded import EmbeddedStore
from support.inprocess import InProcess

BUSY: Final = Alert(
    name="busy",
    metric="requests",
    statistic="avg",
    comparison=Comparison.ABOVE,
    threshold=10.0,
    window_s=60,
    period_s=60,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=60,
    each_segment=False,
    no_data=NoData.OK,
)
Completing: TypeAlias = Callable[..., list[str]]


@pytest.fixture
def completing(cli: InProcess, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Completing:
    """Completes the last word of a line; returns what the shell gets, and asserts that nothing is on stderr."""
    del cli  # it sets the environment
    monkeypatch.setattr(complete, "ANSWER_S", 60.0)

    def run_completion(line: str, shell: str = "bash") -> list[str]:
        words = ["puppylog", *shlex.split(line)]
        if line.endswith(" "):
            words.append("")
        monkeypatch.setenv("_PUPPYLOG_COMPLETE", f"{shell}_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(words))
        monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words) - 1))
        assert run([]) == 0
        captured = capsys.readouterr()
        assert captured.err == ""
        return captured.out.split()

    return run_completion


@pytest.fixture(scope="module", autouse=True)
def definitions(server: EmbeddedStore) -> None:
    store = server.connect()
    for name in ("requests", "requests_per_route"):
        store.create_metric(Metric(name=name, statistic="count", property="*", period_s=60))
    store.create_alert(BUSY)
    for name in ("web1", "grafana", "revoked"):
        store.create_token(NewToken(name, Scope.READ, hash_token(name)))
    store.revoke_token("revoked")


def plain(*words: str) -> list[str]:
    return [f"plain,{word}" for word in words]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("logs sta", ["status_code:"]),
        ("logs host:a not resp", ["response_bytes:", "response_bsize:"]),
        ("rejects list re", ["reason:", "rejected_at:"]),
        ("logs zo", ["zone:"]),
        ("logs host:a no_such_field", []),
        ("top status", ["status_code"]),
        ("logs --columns sta", ["status_code"]),
        ("logs --columns ts,zo", ["ts,zone"]),
        ("monitor metrics get req", ["requests", "requests_per_route"]),
        ("monitor metrics delete requests req", ["requests_per_route"]),
        ("monitor alerts create -i x -m req", ["requests", "requests_per_route"]),
        ("monitor alerts get ", ["busy"]),
        ("monitor alerts check b", ["busy"]),
        ("monitor alerts update b", ["busy"]),
        ("groups delete ", ["shop"]),
        ("logs --group s", ["shop"]),
        ("collector -s a.log --group s", ["shop"]),
        ("up --format sys", ["syslog"]),
        ("tokens revoke ", ["grafana", "web1"]),
        ("tokens revoke web1 ", ["grafana"]),
        ("tokens create x --scope r", ["read"]),
        ("collector -f aut", ["auto"]),
    ],
)
def test_the_words_that_fit_are_completed(completing: Completing, line: str, wanted: Sequence[str]) -> None:
    assert completing(line) == plain(*wanted)


@pytest.mark.parametrize(
    "line",
    [
        "collector -s acc",
        "collector --format-from ngi",
        "collector detect acc",
        "up acc",
        "logs --source acc",
        "rejects list -s acc",
        "open acc",
    ],
)
def test_where_a_file_is_expected_the_shell_completes_files(completing: Completing, line: str) -> None:
    assert completing(line) == [f"file,{line.rsplit(maxsplit=1)[-1]}"]


def test_every_shell_gets_its_own_form(completing: Completing) -> None:
    assert completing("monitor alerts get b", "bash") == ["plain,busy"]
    assert completing("monitor alerts get b", "zsh") == ["plain", "busy", "_"]
    assert completing("monitor alerts get b", "fish") == ["plain,busy"]


def test_the_store_that_the_line_names_is_asked(completing: Completing, tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "other") as other:
        other.connect().create_group("elsewhere")
        assert completing(f"--store {other.url} groups delete ") == plain("elsewhere")
        assert completing(f"groups delete --store {other.url} ") == plain("elsewhere")


@pytest.mark.parametrize(
    "line", ["groups delete ", "monitor metrics get ", "logs --group ", "logs zo", "monitor alerts check "]
)
def test_a_completion_creates_no_store_and_starts_no_engine(completing: Completing, tmp_path: Path, line: str) -> None:
    directory = tmp_path / "none"
    assert completing(f"--store duckdb://{directory} {line}") == []
    assert not directory.exists()
    with EmbeddedStore(tmp_path / "stopped") as stopped:
        stopped.connect()
    assert completing(f"--store {stopped.url} {line}") == []
    assert not is_answering(StoreDirectory(tmp_path / "stopped"))


@pytest.mark.parametrize("url", ["nonsense", "duckdb://relative", "postgresql:///?host=/nowhere"])
def test_a_store_that_cannot_be_asked_completes_nothing(completing: Completing, url: str) -> None:
    assert completing(f"--store {url} groups delete ") == []


def test_a_store_that_does_not_answer_is_not_waited_for(
    completing: Completing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(complete, "ANSWER_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/x"
        assert completing(f"--store {url} groups delete ") == []
    _wait_for_threads()


def _wait_for_threads() -> None:
    """Wait until the thread that asked the store has noticed that the store is gone."""
    deadline = time.monotonic() + 30
    while any(thread.name == "completion" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_process_that_completes_ends_although_the_store_does_not_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = {
            **os.environ,
            "HOME": str(tmp_path),
            "PUPPYLOG_STORE": f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/x",
            "_PUPPYLOG_COMPLETE": "bash_complete",
            "COMP_WORDS": "puppylog groups delete ",
            "COMP_CWORD": "3",
        }
        ended = subprocess.run(
            [sys.executable, "-m", "puppylog"], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert (ended.returncode, ended.stdout.strip(), ended.stderr) == (0, "", "")
