"""Keeps the labels of the pods of one node up to date, in a thread of its own.

A collector never waits for the API of Kubernetes to store a line: labels come when they are known.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from puppylog.collect.pods.api import ApiError, Pod, PodApi

_RETRY_S: Final = (1.0, 5.0, 30.0)
"""How long to wait after the first, second and each further failure."""

_UNKNOWN_NODE: Final = "no pod runs on node {!r}; the name of this machine, PUPPYLOG_HOST, must be that of its node"


class WatchedPods:
    """The labels of pods. Any thread may ask; one thread starts and ends it."""

    def __init__(self, api: PodApi, node: str, on_trouble: Callable[[str | None], None]) -> None:
        """Prepare to watch.

        Args:
            api: tells the pods.
            node: whose pods they are; empty: of all nodes.
            on_trouble: called in the thread with the cause if the API does not list the pods, and with None when it
                does again; once for each cause.
        """
        self._api = api
        self._node = node
        self._on_trouble = on_trouble
        self._trouble: str | None = None  # in the thread
        self._stop = threading.Event()
        self._is_told = threading.Event()  # whether all pods were told once, or could not be
        self._thread = threading.Thread(target=self._run, name="pods", daemon=True)
        self._lock = threading.Lock()
        # Under the lock.
        self._labels: dict[str, Mapping[str, str]] = {}  # by uid
        self._changed: set[str] = set()  # uids

    def start(self, wait_s: float) -> None:
        """Begin to watch, and wait at most ``wait_s`` seconds until all pods are known."""
        self._thread.start()
        self._is_told.wait(wait_s)

    def find(self, uid: str) -> Mapping[str, str] | None:
        """Return the labels of a pod; None if the pod is not known."""
        with self._lock:
            return self._labels.get(uid)

    def take_changed(self) -> set[str]:
        """Return the uids of the pods whose labels have come or changed since the last call."""
        with self._lock:
            changed, self._changed = self._changed, set()
        return changed

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._api.cut()
        self._thread.join(timeout=1.0)  # a request that was just sent may take longer, and its answer is not needed

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                pods, version = self._api.list()
                self._note(pods, is_all=True)
                self._tell(None if pods or not self._node else _UNKNOWN_NODE.format(self._node))
                self._is_told.set()
                failures = 0
                for pod in self._api.watch(version):
                    self._note([pod])
                    if self._stop.is_set():
                        return
                self._stop.wait(_RETRY_S[0])
            except ApiError as error:
                if self._stop.is_set():
                    return
                self._tell(str(error))
                self._is_told.set()
                self._stop.wait(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
                failures += 1

    def _note(self, pods: Iterable[Pod], *, is_all: bool = False) -> None:
        new = {pod.uid: pod.labels for pod in pods}
        with self._lock:
            self._changed |= {uid for uid, labels in new.items() if self._labels.get(uid) != labels}
            self._labels = new if is_all else {**self._labels, **new}

    def _tell(self, trouble: str | None) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._on_trouble(trouble)
