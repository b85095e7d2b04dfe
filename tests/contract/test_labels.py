"""Labels of a stream are kept, shown and searched in the same way on every store."""

import pytest

from puppylog.model.expression import render
from puppylog.model.query import Reading, parse_query, translate
from puppylog.monitor.collectors import list_streams
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.logql.streams import read_stream_labels
from puppylog.monitor.search import Search, find_records
from puppylog.monitor.streams import list_named_streams
from puppylog.stores.base import Store
from support.lines import Source, rows

pytestmark = pytest.mark.sampled

CART = {"container": "web", "env": "prod", "namespace": "shop", "pod": "cart-7d9f"}
SEARCH = {"env": "test", "namespace": "shop", "team.name": 'it\'s "ours"'}


def fill(store: Store) -> list[Source]:
    sources = [Source(store, f"file:///var/log/{name}.log") for name in ("cart", "search", "plain")]
    store.set_labels({sources[0].stream_id: CART, sources[1].stream_id: SEARCH})
    for source, name in zip(sources, ("cart", "search", "plain"), strict=True):
        source.append(rows([{"message": name}]))
    return sources


def test_labels_are_shown_with_the_stream(store: Store) -> None:
    cart, search, plain = fill(store)
    stored = {stream.stream_id: stream.labels for stream in list_streams(store)}
    assert stored == {cart.stream_id: CART, search.stream_id: SEARCH, plain.stream_id: {}}
    named = dict(zip(*(list_named_streams(store)[name].to_pylist() for name in ("stream_id", "labels")), strict=True))
    assert named[cart.stream_id] == "container=web env=prod namespace=shop pod=cart-7d9f"
    assert named[plain.stream_id] is None


def test_labels_are_replaced_and_other_streams_keep_theirs(store: Store) -> None:
    cart, search, plain = fill(store)
    store.set_labels({cart.stream_id: {"env": "dev"}, plain.stream_id + 1_000_000: {"env": "none"}})
    store.set_labels({})
    stored = {stream.stream_id: stream.labels for stream in list_streams(store)}
    assert stored == {cart.stream_id: {"env": "dev"}, search.stream_id: SEARCH, plain.stream_id: {}}


FOUND: dict[str, set[str]] = {
    "label.env:prod": {"cart"},
    "label.env:PR*": {"cart"},
    "label.env=prod": {"cart"},
    "label.env=PROD": set(),
    "label.env!=prod": {"search", "plain"},
    "-label.env:prod": {"search", "plain"},
    "label.namespace:shop": {"cart", "search"},
    "label.namespace:shop label.pod~/^cart/": {"cart"},
    "label.env:*": {"cart", "search"},
    "label.nothing:x": set(),
    'label.team.name:"it\'s \\"ours\\""': {"search"},
    "label.namespace:sho": set(),
}
"""The messages of the records that a query finds, by its text."""


def test_records_are_found_by_the_labels_of_their_stream(store: Store) -> None:
    fill(store)
    found = {}
    for text in FOUND:
        condition = render(translate(parse_query(text), Reading(text=text)), dialect_of(store))
        found[text] = set(find_records(store, Search(condition), records=10)["message"].to_pylist())
    assert found == FOUND


def test_labels_are_labels_of_loki_too(store: Store) -> None:
    cart, search, _ = fill(store)
    labels = read_stream_labels(store)
    assert labels[cart.stream_id] == {"filename": "/var/log/cart.log", "service_name": "cart", **CART}
    assert labels[search.stream_id]["team_name"] == SEARCH["team.name"]
