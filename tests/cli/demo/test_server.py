from pathlib import Path

from puppylog.cli.demo.server import Server
from puppylog.cli.demo.traffic import Traffic
from support.embedded import wait_until


def test_the_server_counts_the_lines_written(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    with Server(log, Traffic(garbage_share=0.2)) as server:
        server.write_history(1_000)
        server.rate_per_s = 2_000.0
        wait_until(lambda: server.lines > 1_400)
    assert log.read_bytes().count(b"\n") == server.lines
    assert server.lines / 10 < server.rejects < server.lines / 5


def test_after_a_rotation_the_old_file_gets_more_lines_and_none_is_lost(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    with Server(log, Traffic()) as server:
        server.rate_per_s = 500.0
        wait_until(lambda: server.lines > 50)
        before = log.stat().st_size
        rotated = server.rotate()
        assert log.exists()
        wait_until(lambda: log.stat().st_size > 0)
        lines_then = server.lines
        wait_until(lambda: server.lines > lines_then + 50)
    assert rotated == tmp_path / "access.log.1"
    assert rotated.stat().st_size > before
    contents = [rotated.read_bytes(), log.read_bytes()]
    assert all(content.endswith(b"\n") for content in contents)
    assert sum(content.count(b"\n") for content in contents) == server.lines
