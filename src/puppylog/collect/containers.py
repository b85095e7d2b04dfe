"""Logs of containers: where Kubernetes and Docker keep them, and what they tell about a container, as labels.

Kubernetes names a container in the path of its log. Docker keeps it in the file ``config.v2.json`` beside the log.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from puppylog.model.labels import keep_valid


class Runtime(StrEnum):
    """The programs that write logs of containers."""

    KUBERNETES = "kubernetes"
    DOCKER = "docker"


DEFAULT_PATHS: Final = {
    Runtime.KUBERNETES: ("/var/log/pods/*/*/*.log",),
    Runtime.DOCKER: ("/var/lib/docker/containers/*/*-json.log",),
}
"""The patterns of the logs. Rotated files do not match: they are found through their log."""

_POD_PARTS: Final = 3  # namespace, name and uid
_COMPOSE: Final = {
    "com.docker.compose.project": "compose_project",
    "com.docker.compose.service": "compose_service",
}
_MOST_BYTES: Final = 4 << 20  # of a config.v2.json


def read_labels(runtime: Runtime, path: str) -> dict[str, str]:
    """Return the labels of the container whose log is at the path; without those that cannot be found out."""
    return parse_pod_path(path) if runtime is Runtime.KUBERNETES else read_docker_labels(path)


def parse_pod_path(path: str) -> dict[str, str]:
    """Return the labels of a container of Kubernetes from the path ``.../NAMESPACE_POD_UID/CONTAINER/RESTART.log``.

    >>> parse_pod_path("/var/log/pods/shop_cart-7d9f_0d5c-11/web/2.log")
    {'container': 'web', 'namespace': 'shop', 'pod': 'cart-7d9f', 'pod_uid': '0d5c-11', 'restart': '2'}
    """
    log = Path(path)
    pod = log.parent.parent.name.split("_", _POD_PARTS - 1)
    if len(pod) != _POD_PARTS:
        return {}
    labels = dict(zip(("namespace", "pod", "pod_uid"), pod, strict=True)) | {"container": log.parent.name}
    if log.stem.isdecimal():
        labels["restart"] = log.stem
    return keep_valid(dict(sorted(labels.items())))


def read_docker_labels(path: str) -> dict[str, str]:
    """Return the labels of a container of Docker: its name, image and id, and the project and service of Compose."""
    log = Path(path).resolve()
    labels = {"container_id": log.parent.name[:12]}
    try:
        with log.with_name("config.v2.json").open("rb") as file:
            described = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError):
        return keep_valid(labels)  # it may not be read, or is being written
    if not isinstance(described, dict):
        return keep_valid(labels)
    labels["container"] = str(described.get("Name") or "").removeprefix("/")
    config = _as_object(described.get("Config"))
    labels["image"] = str(config.get("Image") or "")
    own = _as_object(config.get("Labels"))
    labels |= {label: str(own[name]) for name, label in _COMPOSE.items() if name in own}
    return keep_valid(dict(sorted(labels.items())))


def _as_object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
