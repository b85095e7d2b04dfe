import logging
from pathlib import Path

from puppylog.stores.duckdb.engine.limited_log import LimitedLog


def test_a_log_that_has_reached_its_limit_is_emptied_before_the_next_line(tmp_path: Path) -> None:
    path = tmp_path / "engine.log"
    with path.open("a", encoding="utf-8") as file:
        handler = LimitedLog(file, limit_bytes=100)
        for number in range(50):
            handler.emit(logging.LogRecord("engine", logging.INFO, "", 0, f"line {number:04}", None, None))
        handler.close()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 10
    assert lines[-1] == "line 0049"
