"""A log that was renamed is read to its end before a new one is there, although no pattern matches its name."""

import pytest

from puppylog.collect.events import SourceUnreadable
from puppylog.errors import SourceError
from support.numbered_logs import Logs

NAMES = ["app.log.1", "app.log-20261126", "app.log.old"]


def list_problems(logs: Logs) -> list[str]:
    return [event.cause for event in logs.events if isinstance(event, SourceUnreadable)]


@pytest.mark.parametrize("renamed", NAMES)
@pytest.mark.parametrize("source", ["*.log", "app.log", "?pp.log"])
def test_a_run_that_does_not_watch_reads_the_rest(logs: Logs, source: str, renamed: str) -> None:
    logs.write("app.log")
    logs.collect(source)
    logs.write("app.log")
    logs.rename("app.log", renamed)
    for _ in range(3):
        logs.collect(source)
        logs.check()
        assert list_problems(logs) == []
        logs.write(renamed)
    logs.write("app.log")
    logs.collect(source)
    logs.check()
    assert len(logs.store.files_of("app.log")) == 2  # the renamed file has stayed one file


def test_a_run_that_does_not_watch_reads_the_rest_of_a_compressed_file(logs: Logs) -> None:
    logs.write("app.log", 40)
    logs.collect("*.log")
    logs.write("app.log")
    logs.rename("app.log", "app.log.1")
    logs.gzip("app.log.1")
    logs.write("other.log")
    logs.collect("*.log")
    logs.check()


@pytest.mark.parametrize("renamed", NAMES)
def test_a_collector_that_starts_again_reads_the_rest_and_what_is_written_later(logs: Logs, renamed: str) -> None:
    logs.write("app.log")
    with logs.watching("*.log"):
        logs.wait()
    logs.write("app.log")
    logs.rename("app.log", renamed)
    logs.write("other.log")
    with logs.watching("*.log"):
        logs.wait()
        logs.write(renamed)
        logs.wait()
        logs.write("app.log")
        logs.wait()


def test_below_directories_of_a_pattern_the_rest_is_read(logs: Logs) -> None:
    for name in ("a", "b"):
        logs.path(name).mkdir()
        logs.write(f"{name}/app.log")
    logs.collect("*/app.log")
    logs.write("b/app.log")
    logs.rename("b/app.log", "b/app.log.1")
    logs.collect("*/app.log")
    logs.check()


def test_a_file_with_a_rotated_name_that_no_stream_has_read_is_left_alone(logs: Logs) -> None:
    logs.path("app.log.1").write_text("old\n")
    with pytest.raises(SourceError, match="no file matches"):
        logs.collect("*.log")
    logs.write("other.log")
    with logs.watching("*.log"):
        logs.wait()
    assert logs.store.messages == logs.written


def test_a_watching_collector_does_not_ask_again_about_a_file_that_no_stream_has_read(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("puppylog.collect.source_follower._SEARCH_S", 0.0)
    logs.path("app.log.1").write_text("old\n")
    logs.write("other.log")
    with logs.watching("*.log"):
        logs.wait()
        questions = logs.store.questions
        for _ in range(5):
            logs.write("other.log")
            logs.wait()
        assert logs.store.questions == questions
