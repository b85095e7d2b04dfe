"""Logs of pods are stored once, with labels, while kubelet rotates, compresses and deletes them.

The collector is a process of its own, which is killed at random moments. PUPPYLOG_TEST_KUBELET_BYTES is the size at
which logs are rotated; kubelet's is 10 MiB.
"""

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from puppylog.monitor.collectors import FollowedStream, StreamState, list_followed_streams, list_streams
from support.embedded import EmbeddedStore, wait_until
from support.examples import IS_SOAK
from support.kubelet import PodLog
from support.rotating_log import Collecting

MAX_BYTES = int(os.environ.get("PUPPYLOG_TEST_KUBELET_BYTES", "20000"))
STEPS = int(os.environ.get("PUPPYLOG_TEST_KUBELET_STEPS", "16"))
KILLS = 3 if IS_SOAK else 2


class Node:
    """Pods on one machine, and a collector of their logs."""

    def __init__(self, home: Path, server: EmbeddedStore) -> None:
        self.seed = random.SystemRandom().randrange(2**32)
        print(f"seed {self.seed}")  # noqa: T201 - shown when the test fails
        self.chance = random.Random(self.seed)
        self.root = home / "pods"
        self.root.mkdir()
        self.server = server
        self._store = server.connect()
        self.pods: list[PodLog] = []  # that run
        self.all: list[PodLog] = []
        self.labels: dict[str, dict[str, str]] = {}  # by the path of a log
        self.collecting = Collecting(
            self.root / "*" / "*" / "*.log", server.url, home / "collector.err", "--kubernetes", "--label", "env=test"
        )

    def add_pod(self) -> None:
        name = f"cart-{len(self.all)}"
        pod = PodLog(
            self.root, name, max_bytes=MAX_BYTES, chance=self.chance, before_delete=self.wait_until_all_is_stored
        )
        self.pods.append(pod)
        self.all.append(pod)
        self.note(pod)

    def note(self, pod: PodLog) -> None:
        self.labels[str(pod.path)] = {**pod.labels, "env": "test"}

    @property
    def written(self) -> int:
        return sum(len(pod.written) for pod in self.all)

    def stored(self) -> int:
        return int(self._store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())

    def wait_until_all_is_stored(self) -> None:
        wait_until(lambda: self.stored() >= self.written, within_s=120, what="the lines of all pods")
        self._store.create_group("barrier")  # when this returns, all earlier commits are durable

    def close(self) -> None:
        self.collecting.end()
        for pod in self.all:
            pod.close()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_line_of_every_pod_is_stored_once_with_its_labels(tmp_path: Path) -> None:
    happened: Counter[str] = Counter()
    with EmbeddedStore(tmp_path / "store") as server:
        node = Node(tmp_path, server)
        try:
            for _ in range(3):
                node.add_pod()
            kills = set(node.chance.sample(range(STEPS), KILLS))
            for step in range(STEPS):
                act(node, step, happened)
                if step in kills:
                    node.collecting.kill()
            node.wait_until_all_is_stored()
            node.pods[0].write(1)  # when this line is stored, the collector runs and can be asked to end
            node.wait_until_all_is_stored()
            check_states(node)
            assert node.collecting.stop() == 0, node.collecting.said
        finally:
            node.close()
        print(dict(happened), f"{node.written:,} lines")  # noqa: T201 - for who runs it long
        assert happened["rotation"] > 3
        check_lines(node)
        check_labels(node)


def act(node: Node, step: int, happened: Counter[str]) -> None:
    """Let pods write; rotate, restart, delete and add them."""
    for pod in node.pods:
        pod.write(node.chance.randint(1, max(2, MAX_BYTES // 200)))
        happened["rotation"] += pod.rotate_if_full()
    if step % 9 == 5:
        pod = node.chance.choice(node.pods)
        pod.restart()
        node.note(pod)
        happened["restart"] += 1
    if step % 13 == 7:
        gone = node.pods.pop(node.chance.randrange(len(node.pods)))
        gone.delete_pod()
        happened["deletion"] += 1
        node.add_pod()
        if happened["deletion"] % 2:
            node.collecting.kill()  # it has not reported that the files are gone
    time.sleep(node.chance.random() * 0.1)  # not a wait for anything: the moment of a kill is left to chance


def check_states(node: Node) -> None:
    """No stream is reported as stalled, also none of a deleted pod."""
    gone = {path for path in node.labels if not Path(path).exists()}

    def list_wrong() -> list[FollowedStream]:
        with node.server.connect() as store:
            followed = list_followed_streams(store)
        return [
            stream
            for stream in followed
            if stream.state == StreamState.STALLED or (stream.source in gone and stream.state != StreamState.FINISHED)
        ]

    wait_until(lambda: not list_wrong(), within_s=60, what=f"the end of streams of {len(gone)} files")
    assert list_wrong() == []


def check_lines(node: Node) -> None:
    with node.server.connect() as store:
        stored = store.query("SELECT message FROM puppylog.log_records")["message"].to_pylist()
        rejects = store.query("SELECT count(*) AS n FROM puppylog.rejected_lines")["n"][0].as_py()
    assert rejects == 0
    written = [message for pod in node.all for message in pod.written]
    assert Counter(stored) - Counter(written) == Counter(), "stored twice or changed"
    assert Counter(written) - Counter(stored) == Counter(), "lost"


def check_labels(node: Node) -> None:
    with node.server.connect() as store:
        stored = {stream.source_uri.removeprefix("file://"): stream.labels for stream in list_streams(store)}
    assert {path: labels for path, labels in stored.items() if labels} == stored
    for path, labels in stored.items():
        assert node.labels[path] == labels
    assert set(stored) <= set(node.labels)
    with node.server.connect() as store:
        records = store.query("SELECT stream_id, message FROM puppylog.log_records").to_pylist()
        streams = {stream.stream_id: stream.labels for stream in list_streams(store)}
    for record in records:
        labels = streams[record["stream_id"]]
        assert record["message"].startswith(f"{labels['pod']} after {labels['restart']} restarts says line ")


@pytest.mark.timeout(120)
def test_files_that_kubelet_deletes_before_they_are_read_are_said_to_be_lost(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "store") as server:
        node = Node(tmp_path, server)
        try:
            node.add_pod()
            pod = node.pods[0]
            pod.write(50)
            node.wait_until_all_is_stored()
            assert node.collecting.stop() == 0
            before = len(pod.written)
            pod._before_delete = lambda: None
            while pod.deleted_unread < 3:
                pod.write(100)
                pod.rotate_if_full()
            kept = pod.read_messages()
            node.collecting.process = node.collecting._start()
            pod.write(1)
            last = pod.written[-1]

            def has_last() -> bool:
                with server.connect() as store:
                    sql = "SELECT count(*) AS n FROM puppylog.log_records WHERE message = $last"
                    return bool(store.query(sql, {"last": last})["n"][0].as_py())

            wait_until(has_last, within_s=60, what="the last line")
            assert node.collecting.stop() == 0
            said = node.collecting.said
        finally:
            node.close()
        with server.connect() as store:
            stored = Counter(store.query("SELECT message FROM puppylog.log_records")["message"].to_pylist())
        assert max(stored.values()) == 1
        assert before < len(stored) < len(pod.written)
        assert 0 < len(kept) < len(pod.written) - before
        assert "and was not found again: it was deleted or replaced" in said
        assert f"{pod.path} was read up to" in said
        assert set(kept) <= set(stored)
