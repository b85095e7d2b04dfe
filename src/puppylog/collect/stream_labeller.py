"""Gives streams their labels: those that the user names, those of the container, and those of its pod."""

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from puppylog.collect.containers import Runtime, pick_pod_labels, read_labels
from puppylog.collect.events import OnEvent, PodLabelsMissing
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.collect.retry import call_with_retry
from puppylog.model.labels import Labels
from puppylog.model.stream import Stream
from puppylog.stores.base import RecordWriter

if TYPE_CHECKING:  # it loads an HTTP client, which few collectors need
    from puppylog.collect.pods.watched_pods import WatchedPods

_START_S: Final = 5.0
"""How long the first lines wait for the labels of pods, so that a run that ends soon has them."""

_NO_CLUSTER: Final = "this is not a pod of Kubernetes: KUBERNETES_SERVICE_HOST is not set"


class StreamLabeller:
    """The labels of the streams of one collector. Used in the reading thread only."""

    def __init__(self, store: RecordWriter, options: CollectOptions, stop: threading.Event, on_event: OnEvent) -> None:
        """Prepare; the arguments are those of `SourceFollower`."""
        self._store = store
        self._options = options
        self._stop = stop
        self._on_event = on_event
        self._pods: WatchedPods | None = None
        self._has_begun = False

    def label(self, opened: Iterable[tuple[str, SourceOptions, Stream]]) -> None:
        """Store the labels of streams that were opened: paths, how these are collected, and their streams.

        A stream without labels keeps those that an earlier run has given it. So does one whose pod is not known now.
        """
        found: dict[int, Labels] = {}
        for path, source, stream in opened:
            labels, is_whole = self._find(path, source)
            if labels and (is_whole or not stream.files):
                found[stream.stream_id] = labels
        self._set(found)

    def label_changed(self, followed: Iterable[tuple[str, SourceOptions, Stream]]) -> None:
        """Store the labels of the streams whose pods have got other labels since the last call."""
        changed = set() if self._pods is None else self._pods.take_changed()
        if not changed:
            return
        found: dict[int, Labels] = {}
        for path, source, stream in followed:
            if source.pod_labels and read_labels(Runtime.KUBERNETES, path).get("pod_uid") in changed:
                labels, _ = self._find(path, source)
                found[stream.stream_id] = labels
        self._set(found)

    def close(self) -> None:
        """End the thread that watches pods, if there is one."""
        if self._pods is not None:
            self._pods.close()

    def _find(self, path: str, source: SourceOptions) -> tuple[dict[str, str], bool]:
        """Return the labels of the stream of a path, and whether those of its pod are known if they are wanted.

        A label that the user gives takes precedence over one of the container, which does over one of the pod.
        """
        if source.runtime is None:
            return dict(source.labels), True
        of_container = read_labels(source.runtime, path)
        own = {**of_container, **source.labels}
        if not source.pod_labels:
            return own, True
        pods = self._watch()
        of_pod = None if pods is None else pods.find(of_container.get("pod_uid", ""))
        return {**pick_pod_labels(of_pod or {}, source.pod_labels), **own}, of_pod is not None

    def _watch(self) -> "WatchedPods | None":
        """Return the pods, which are watched from the first call on; None outside of a cluster."""
        if not self._has_begun:
            self._has_begun = True
            if self._options.cluster is None:
                self._on_event(PodLabelsMissing(_NO_CLUSTER))
                return None
            from puppylog.collect.pods.api import PodApi  # noqa: PLC0415 - see above
            from puppylog.collect.pods.watched_pods import WatchedPods  # noqa: PLC0415 - see above

            node = self._options.node
            self._pods = WatchedPods(PodApi(self._options.cluster, node), node, self._note_trouble)
            self._pods.start(_START_S)
        return self._pods

    def _note_trouble(self, cause: str | None) -> None:
        self._on_event(PodLabelsMissing(cause))

    def _set(self, labels: dict[int, Labels]) -> None:
        if labels:
            call_with_retry(lambda: self._store.set_labels(labels), self._stop, self._on_event)
