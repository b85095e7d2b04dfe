"""Labels of pods come from the API of Kubernetes, whenever it tells them, and no line waits for it."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from puppylog.collect import collector as collector_module
from puppylog.collect.collector import Collector
from puppylog.collect.containers import Runtime, check_pod_labels, pick_pod_labels
from puppylog.collect.events import Event, PodLabelsMissing
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.collect.pods import watched_pods
from puppylog.collect.pods.access import Access, find_access
from puppylog.collect.pods.api import ApiError, Pod, PodApi
from puppylog.errors import UsageError
from puppylog.model.labels import Labels
from support.certificate import write_certificate
from support.embedded import EmbeddedStore, wait_until
from support.pod_api import PodServer
from support.recording import LINES, RecordingStore
from support.running import running

HASH = {"kubernetes.io/config.hash": "5e1f"}


class LabelledStore(RecordingStore):
    def __init__(self) -> None:
        super().__init__()
        self.labels: dict[int, Labels] = {}

    def set_labels(self, labels: Mapping[int, Labels]) -> None:
        self.labels |= labels

    @property
    def of_pod(self) -> dict[str, str]:
        """The labels of the only stream that are not from its path."""
        (labels,) = self.labels.values()
        known = {"namespace", "pod", "pod_uid", "container", "restart"}
        assert known <= set(labels)
        return {name: value for name, value in labels.items() if name not in known}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[PodServer]:
    folder = tmp_path / "api"
    folder.mkdir()
    with PodServer(folder) as server:
        yield server


@pytest.fixture
def pods(tmp_path: Path) -> Path:
    """A directory with the log of one pod with the uid ``u1``."""
    log = tmp_path / "pods" / "shop_cart-7d9f_u1" / "web" / "0.log"
    log.parent.mkdir(parents=True)
    log.write_text("one\n")
    return tmp_path / "pods"


def options_of(pods: Path, access: Access | None, *, watch: bool = False, **labels: str) -> CollectOptions:
    source = SourceOptions(
        paths=[f"{pods}/*/*/*.log"],
        format=LINES,
        runtime=Runtime.KUBERNETES,
        pod_labels=["app", "app.kubernetes.io/*"],
        labels=labels,
    )
    return CollectOptions(sources=[source], watch=watch, node="node-1", cluster=access)


@contextmanager
def collecting(options: CollectOptions, store: LabelledStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Event]]:
    monkeypatch.setattr(collector_module, "_EXPAND_S", 0.02)
    monkeypatch.setattr(watched_pods, "_RETRY_S", (0.05,))
    events, stop = list[Event](), threading.Event()
    collector = Collector(store, replace(options, watch=True), stop=stop, on_event=events.append)
    with running(collector.run, stop):
        yield events


def troubles(events: list[Event]) -> list[str | None]:
    return [event.cause for event in events if isinstance(event, PodLabelsMissing)]


def test_a_run_that_ends_soon_has_the_labels_of_pods(api: PodServer, pods: Path) -> None:
    api.put("u1", {"app": "cart", "app.kubernetes.io/part-of": "shop", "pod-template-hash": "7d9f", "namespace": "x"})
    store = LabelledStore()
    options = options_of(pods, api.access, app_kubernetes_io_part_of="mine")
    Collector(store, options, stop=threading.Event(), on_event=lambda _: None).run()
    assert store.of_pod == {"app": "cart", "app_kubernetes_io_part_of": "mine"}
    assert next(iter(store.labels.values()))["namespace"] == "shop"
    assert api.asked[0]["fieldSelector"] == "spec.nodeName=node-1"
    assert "PartialObjectMetadataList" in api.accepted[0]


def test_labels_that_come_or_change_later_are_stored(
    api: PodServer, pods: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put("other", {"app": "web"})
    store = LabelledStore()
    with collecting(options_of(pods, api.access), store, monkeypatch) as events:
        wait_until(lambda: store.lines.total() == 1 and api.watches == 1, what="the line")
        assert store.of_pod == {}
        api.put("u1", {"app": "cart"})
        wait_until(lambda: store.of_pod == {"app": "cart"}, what="the label")
        api.put("u1", {"app": "basket"})
        wait_until(lambda: store.of_pod == {"app": "basket"}, what="the changed label")
        api.pods["u1"]["labels"] = {"app": "trolley"}
        api.end_watches()
        wait_until(lambda: store.of_pod == {"app": "trolley"}, what="the label of the next list")
    assert troubles(events) == []


def test_lines_are_stored_while_the_api_refuses_and_get_their_labels_later(
    api: PodServer, pods: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.put("u1", {"app": "cart"})
    api.status = 403
    store = LabelledStore()
    with collecting(options_of(pods, api.access), store, monkeypatch) as events:
        wait_until(lambda: store.lines.total() == 1, what="the line")
        wait_until(lambda: len(api.asked) > 2, what="more attempts")
        assert (store.of_pod, troubles(events)) == (
            {},
            [f"{api.access.address} answers 403: pods is forbidden: no right"],
        )
        api.status = 200
        wait_until(lambda: store.of_pod == {"app": "cart"}, what="the label")
        wait_until(lambda: troubles(events)[-1] is None, what="the good news")
    assert len(troubles(events)) == 2


def test_a_stream_keeps_the_labels_of_a_pod_that_is_gone(api: PodServer, pods: Path, tmp_path: Path) -> None:
    query = "SELECT labels ->> 'app' AS app, labels ->> 'pod' AS pod FROM puppylog.log_streams"
    with EmbeddedStore(tmp_path / "store") as server, server.connect() as store:

        def collect() -> dict[str, str]:
            Collector(store, options_of(pods, api.access), stop=threading.Event(), on_event=lambda _: None).run()
            (row,) = store.query(query).to_pylist()
            return dict(row)

        api.put("u1", {"app": "cart"})
        assert collect() == {"app": "cart", "pod": "cart-7d9f"}
        api.pods.clear()
        api.put("u2", {"app": "web"})
        assert collect() == {"app": "cart", "pod": "cart-7d9f"}


def test_outside_of_a_cluster_lines_are_stored_and_the_cause_is_told(pods: Path) -> None:
    store, events = LabelledStore(), list[Event]()
    Collector(store, options_of(pods, None), stop=threading.Event(), on_event=events.append).run()
    assert (store.lines.total(), store.of_pod) == (1, {})
    assert troubles(events) == ["this is not a pod of Kubernetes: KUBERNETES_SERVICE_HOST is not set"]


def test_a_node_without_pods_has_another_name(api: PodServer, pods: Path) -> None:
    events = list[Event]()
    options = options_of(pods, api.access)
    Collector(LabelledStore(), options, stop=threading.Event(), on_event=events.append).run()
    (cause,) = troubles(events)
    assert cause is not None
    assert cause.startswith("no pod runs on node 'node-1'; the name of this machine, PUPPYLOG_HOST,")


def test_an_api_that_does_not_answer_delays_no_line(pods: Path, api: PodServer) -> None:
    gone = replace(api.access, address="https://127.0.0.1:1")
    store, events = LabelledStore(), list[Event]()
    Collector(store, options_of(pods, gone), stop=threading.Event(), on_event=events.append).run()
    assert store.lines.total() == 1
    assert troubles(events) == ["https://127.0.0.1:1 cannot be reached: connection refused"]


def test_pods_come_in_pages_and_without_a_node_from_all_nodes(api: PodServer) -> None:
    api.page = 2
    for number in range(5):
        api.put(f"u{number}", {"app": str(number)})
    api.put("mirror", {"app": "dns"}, **HASH)
    api.put("bare", None)
    api.pods["nothing"] = {}
    found, version = PodApi(api.access, "").list()
    assert found == [
        Pod("bare", {}),
        Pod("5e1f", {"app": "dns"}),
        *[Pod(f"u{number}", {"app": str(number)}) for number in range(5)],
    ]
    assert version == "17"
    assert all("fieldSelector" not in fields for fields in api.asked)


def test_a_token_that_was_replaced_is_read_again(api: PodServer) -> None:
    pods = PodApi(api.access, "")
    api.authority = "Bearer " + "second"
    with pytest.raises(ApiError, match="401"):
        pods.list()
    api.token_file.write_text("second\n")
    assert pods.list() == ([], "17")


def test_a_missing_account_is_named(api: PodServer, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="service account cannot be read: No such file"):
        PodApi(replace(api.access, token_file=tmp_path / "missing"), "").list()


def test_another_certificate_is_refused(api: PodServer, tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="cannot be reached: the certificate is not valid"):
        PodApi(replace(api.access, ca_file=write_certificate(tmp_path)), "").list()


def test_an_error_within_a_watch_is_told(api: PodServer) -> None:
    failures: list[str] = []

    def watch() -> None:
        try:
            list(PodApi(api.access, "").watch("17"))
        except ApiError as error:
            failures.append(str(error))

    thread = threading.Thread(target=watch)
    thread.start()
    wait_until(lambda: api.watches == 1, what="the watch")
    api.send({"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}})
    thread.join()
    assert failures == ["too old resource version"]


def test_a_watch_can_be_cut(api: PodServer) -> None:
    pods = PodApi(api.access, "")
    ended: list[str] = []

    def watch() -> None:
        try:
            list(pods.watch("17"))
        except ApiError as error:
            ended.append(str(error))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    wait_until(lambda: api.watches == 1 and pods._watched is not None, what="the watch")
    pods.cut()
    thread.join(5.0)
    assert len(ended) == 1


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, None),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "https://10.0.0.1:443"),
        ({"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}, "https://[fd00::1]:6443"),
    ],
)
def test_a_pod_knows_the_api_from_its_environment(environ: dict[str, str], address: str | None) -> None:
    found = find_access(environ)
    assert (found and found.address) == address


def test_labels_are_picked_by_their_names() -> None:
    labels = {"app": "cart", "App": "x", "helm.sh/chart": "cart-1.0+2", "empty": "", "app.kubernetes.io/name": "cart"}
    assert pick_pod_labels(labels, ["app", "helm*", "empty", "*/name"]) == {
        "app": "cart",
        "app_kubernetes_io_name": "cart",
        "helm_sh_chart": "cart-1.0+2",
    }
    assert pick_pod_labels(labels, []) == {}


@pytest.mark.parametrize("pattern", ["", "a b", "[a]", "/a", "a=b", "?"])
def test_a_name_that_no_label_of_a_pod_has_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="of pods"):
        check_pod_labels(["app", pattern])
