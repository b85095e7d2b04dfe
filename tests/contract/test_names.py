from puppylog.model.metric import Metric
from puppylog.monitor.names import list_names
from puppylog.stores.base import Store


def test_the_names_of_metrics_alerts_and_groups_are_listed(store: Store) -> None:
    for name in ("shop", "blog"):
        store.create_group(name)
    store.create_metric(Metric("total", "count", "*", 10))
    assert list_names(store, "group") == ["blog", "shop"]
    assert list_names(store, "metric") == ["total"]
    assert list_names(store, "alert") == []
