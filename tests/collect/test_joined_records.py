"""Records of several lines in a collector: each line is stored once, through restarts, rotation and truncation."""

import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.collect.collector import Collector
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.formats.registry import find_format
from support.embedded import wait_until
from support.remembering_store import RememberingStore
from support.running import running

HEADS = {
    "syslog": "Nov 24 10:00:00 web1 app: {}",
    "plain": "{}",
    "auto": "Nov 24 10:00:00 web1 app: {}",
}
ACTIONS = st.sampled_from(["head", "rest", "rest", "blank", "collect", "rotate", "truncate"])


def collector(store: RememberingStore, path: Path, name: str, *, watch: bool, stop: threading.Event) -> Collector:
    source = SourceOptions(paths=[str(path)], format=find_format(name), record_wait_s=1.0)
    options = CollectOptions(sources=[source], watch=watch)
    return Collector(store.client(), options, stop=stop, on_event=lambda _: None)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(sorted(HEADS)), st.lists(ACTIONS, max_size=40))
def test_every_line_is_stored_once(name: str, actions: list[str]) -> None:
    store, written = RememberingStore(), []
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "app.log")
        path.touch()
        for number, action in enumerate(["head", *actions, "collect"]):
            if action in {"head", "rest", "blank"}:
                line = {"head": f"head {number}", "rest": f"  rest {number}", "blank": ""}[action]
                with path.open("a") as file:
                    file.write((HEADS[name].format(line) if action == "head" else line) + "\n")
                written += [line.strip()] * (action != "blank")
                continue
            collector(store, path, name, watch=False, stop=threading.Event()).run()
            if action == "rotate":
                path.rename(path.with_name(f"app.log.{number}"))
            if action in {"rotate", "truncate"}:
                path.write_text("")
    stored = [line.strip().rpartition(": ")[2] for message in store.messages for line in message.split("\n")]
    assert [line for line in stored if line] == written


@pytest.mark.parametrize("name", ["syslog", "plain"])
def test_the_last_record_is_stored_whole_while_watching(name: str, tmp_path: Path) -> None:
    store, path = RememberingStore(), tmp_path / "app.log"
    path.write_text(HEADS[name].format("a") + "\n  b\n")
    stop = threading.Event()
    with running(collector(store, path, name, watch=True, stop=stop).run, stop):
        with path.open("a") as file:
            file.write("  c\n")
        wait_until(lambda: store.messages == ["a\n  b\n  c"], what="the record's arrival")
        with path.open("a") as file:
            file.write(HEADS[name].format("d") + "\n")
        wait_until(lambda: store.messages == ["a\n  b\n  c", "d"], what="the next record's arrival")
