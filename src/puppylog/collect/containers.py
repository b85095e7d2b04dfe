"""Logs of containers: where Kubernetes and Docker keep them, and the labels that they give a container.

Kubernetes names a container in the path of its log. Docker keeps the name in ``config.v2.json`` next to the log.
"""

import json
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from puppylog.errors import UsageError
from puppylog.model.labels import Labels, keep_valid


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
_MAX_BYTES: Final = 4 << 20  # of a config.v2.json
_POD_LABEL: Final = re.compile(r"[A-Za-z0-9*][A-Za-z0-9*._/\-]*")


def read_labels(runtime: Runtime, path: str) -> dict[str, str]:
    """Return the labels of the container whose log is at the path, as far as they can be found."""
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
            described = json.loads(file.read(_MAX_BYTES))
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


def check_pod_labels(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return names of labels of pods, in which ``*`` stands for any text.

    Raises:
        UsageError: a label of a pod cannot have this name.
    """
    checked = tuple(patterns)
    for pattern in checked:
        if _POD_LABEL.fullmatch(pattern) is None:
            cause = "a name has letters, digits, / . _ and -, and * for any text, such as app.kubernetes.io/*"
            raise UsageError("use", f"the label {pattern!r} of pods", cause)
    return checked


def pick_pod_labels(labels: Labels, patterns: Sequence[str]) -> dict[str, str]:
    """Return the labels of a pod whose names fit one of the patterns, with names that a label of a stream can have.

    >>> pick_pod_labels({"app.kubernetes.io/name": "cart", "pod-template-hash": "7d9f"}, ["app.*"])
    {'app_kubernetes_io_name': 'cart'}
    """
    picked = {
        re.sub(r"[^A-Za-z0-9_]", "_", name): value
        for name, value in sorted(labels.items())
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    }
    return keep_valid(picked)


def _as_object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
