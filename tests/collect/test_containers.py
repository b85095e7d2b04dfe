"""What the path of a log and the files beside it tell about a container."""

import json
from pathlib import Path

import pytest

from puppylog.collect.containers import Runtime, parse_pod_path, read_labels
from puppylog.errors import UsageError
from puppylog.model.labels import check_labels, keep_valid, parse_label


def test_the_path_of_a_pod_has_its_labels() -> None:
    path = "/var/log/pods/kube-system_etcd-node1_8a7f3c_x/etcd/12.log"
    assert read_labels(Runtime.KUBERNETES, path) == {
        "container": "etcd",
        "namespace": "kube-system",
        "pod": "etcd-node1",
        "pod_uid": "8a7f3c_x",
        "restart": "12",
    }


@pytest.mark.parametrize("path", ["/var/log/app.log", "/", "0.log", "/var/log/pods/shop_cart/web/0.log"])
def test_a_path_of_another_kind_has_no_labels(path: str) -> None:
    assert parse_pod_path(path) == {}


def write_container(directory: Path, described: object) -> str:
    folder = directory / ("0123456789abcdef" * 4)
    folder.mkdir(exist_ok=True)
    (folder / "config.v2.json").write_text(described if isinstance(described, str) else json.dumps(described))
    return str(folder / f"{folder.name}-json.log")


def test_a_container_of_docker_has_its_name_its_image_and_its_service(tmp_path: Path) -> None:
    own = {"com.docker.compose.project": "shop", "com.docker.compose.service": "cart", "maintainer": "ann"}
    path = write_container(tmp_path, {"Name": "/shop-cart-1", "Config": {"Image": "cart:1.2", "Labels": own}})
    assert read_labels(Runtime.DOCKER, path) == {
        "compose_project": "shop",
        "compose_service": "cart",
        "container": "shop-cart-1",
        "container_id": "0123456789ab",
        "image": "cart:1.2",
    }


@pytest.mark.parametrize("described", ["", "{", "[]", {"Name": None}, {"Config": None}, {"Config": {"Labels": None}}])
def test_a_container_that_is_not_described_has_its_id_only(tmp_path: Path, described: object) -> None:
    assert read_labels(Runtime.DOCKER, write_container(tmp_path, described)) == {"container_id": "0123456789ab"}


def test_a_label_that_no_store_should_have_is_left_out() -> None:
    assert keep_valid({"a": "1", "b c": "2", "d": "", "e": "x\x1b[0m", "f": "y" * 2000}) == {"a": "1"}


@pytest.mark.parametrize("written", ["env", "env=", "=prod", "2=x", "a b=c", "a=b\nc", "a=" + "x" * 1025])
def test_a_label_that_cannot_be_one_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match=r"^cannot use label "):
        parse_label(written)


def test_too_many_labels_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^cannot use 65 labels: a stream has at most 64$"):
        check_labels({f"n{number}": "x" for number in range(65)})
