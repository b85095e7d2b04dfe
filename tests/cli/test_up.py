import signal
import subprocess
from pathlib import Path

import pytest

from puppylog.stores.duckdb.client.launch import is_answering
from support.commands import Puppylog
from support.embedded import EmbeddedStore, wait_until

LINE = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{} HTTP/1.1" 200 17 "-" "curl/8"\n'


@pytest.fixture
def puppylog(server: EmbeddedStore, tmp_path: Path) -> Puppylog:
    return Puppylog(server.url, tmp_path)


def end(process: "subprocess.Popen[bytes]", number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    return process.returncode, err.decode()


def test_up_follows_files_until_it_is_asked_to_end(puppylog: Puppylog, server: EmbeddedStore, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(LINE.format("first"))
    running = puppylog.start("up", str(log), "--group", "up")
    store = server.connect()

    def count() -> list[int]:
        sql = "SELECT count(*)::INTEGER AS n FROM puppylog.log_records WHERE user_agent = 'curl/8'"
        return list(store.query(sql)["n"].to_pylist())

    try:
        wait_until(lambda: count() == [1], what="the first line")
        with log.open("a") as more:
            more.write(LINE.format("second"))
        wait_until(lambda: count() == [2], what="the second line")
    finally:
        code, err = end(running, signal.SIGINT)
    assert code == 0
    assert err.splitlines()[0] == f"puppylog: up: {server.url}; Ctrl-C to quit"
    assert " 2 records, 0 rejected in " in err.splitlines()[-1]


def test_up_without_files_restarts_an_engine_that_crashes(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "own") as own:
        running = Puppylog(own.url, tmp_path).start("up")
        try:
            assert running.stderr is not None
            assert running.stderr.readline().startswith(b"puppylog: up: ")
            [first] = own.engine_pids()
            own.kill_engine()
            wait_until(lambda: is_answering(own.directory), what="another engine")
            assert own.engine_pids() != [first]
            refused = Puppylog(own.url, tmp_path)("down")
            assert (refused.code, refused.err.count("\n")) == (2, 1)
            assert "uses it" in refused.err
        finally:
            code, _ = end(running)
        assert code == 0


def test_down_stops_an_engine_without_clients(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "own") as own:
        puppylog = Puppylog(own.url, tmp_path)
        assert puppylog("groups", "list").code == 0
        assert len(own.engine_pids()) == 1
        assert puppylog("down").err == "puppylog: the engine has stopped\n"
        wait_until(lambda: own.engine_pids() == [], what="the engine's end")
        again = puppylog("down")
        assert (again.code, again.err) == (0, "puppylog: no engine is running\n")


def test_a_wrong_name_of_a_group_is_refused(puppylog: Puppylog) -> None:
    assert puppylog("up", "--group", "No Name").code == 2


def test_a_file_that_is_wrong_is_refused_at_the_start(puppylog: Puppylog, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("sources = 1\n")
    refused = puppylog("up", "-c", str(tmp_path / "config.toml"))
    assert refused.code == 78
    assert "unknown key 'sources' (did you mean 'source'?)" in refused.err
    both = puppylog("up", "-c", str(tmp_path / "config.toml"), "a.log")
    assert (both.code, both.err.count("\n")) == (78, 1)
    (tmp_path / "config.toml").write_text("")
    assert puppylog("up", "-c", str(tmp_path / "config.toml"), "a.log").code == 2
