"""The pods of one node, as the API of Kubernetes lists them: first all, then each one that is new or has changed.

Only the metadata of pods are asked for, which are a hundredth of what the API knows about a pod. See
https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import urllib3

from puppylog.collect.pods.access import Access
from puppylog.model.network import explain_connection

_METADATA: Final = "application/json;as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
_PAGE: Final = 500  # pods in one answer
_WATCH_S: Final = 240  # how long a watch lasts; then all pods are asked for again
_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 15.0
_MAX_LINE_LENGTH: Final = 4 << 20  # bytes of one change
_MIRRORED: Final = "kubernetes.io/config.hash"
"""The annotation with the uid that paths of logs have, of a pod that a file on the node declares."""


class ApiError(Exception):
    """The API did not list the pods. The message says why."""


@dataclass(frozen=True, slots=True)
class Pod:
    uid: str  # as in the paths of its logs
    labels: Mapping[str, str]


class PodApi:
    """Asks the API. One thread at a time may call `list` and `watch`; any thread may call `cut`."""

    def __init__(self, access: Access, node: str) -> None:
        """Prepare to ask for the pods of a node; of all nodes if ``node`` is empty."""
        self._access = access
        self._node = node
        self._watched: urllib3.BaseHTTPResponse | None = None

    def list(self) -> tuple[list[Pod], str]:
        """Return the pods, and the version of the answer, from which `watch` goes on.

        Raises:
            ApiError: there is no answer, or it has no pods.
        """
        pods: list[Pod] = []
        fields = {"limit": str(_PAGE)}
        while True:
            with self._ask(fields, _METADATA.format("List"), _ANSWER_S) as response:
                answer = _read_object(_read(response))
            found = answer.get("items")
            metadata = answer.get("metadata")
            if not isinstance(found, list) or not isinstance(metadata, dict):
                raise ApiError("the answer is not a list of pods")
            pods += [pod for item in found if (pod := _read_pod(item)) is not None]
            if not metadata.get("continue"):
                return pods, str(metadata.get("resourceVersion", ""))
            fields["continue"] = str(metadata["continue"])

    def watch(self, version: str) -> Iterator[Pod]:
        """Yield each pod that is new or has changed since the version; end after some minutes, or when it is `cut`.

        Raises:
            ApiError: the API does not answer, or the version is too old.
        """
        fields = {"watch": "1", "resourceVersion": version, "timeoutSeconds": str(_WATCH_S)}
        with self._ask(fields, _METADATA.format(""), _WATCH_S + _ANSWER_S) as response:
            self._watched = response
            for line in _iter_lines(response):
                change = _read_object(line)
                if change.get("type") == "ERROR":
                    raise ApiError(_describe(change.get("object")) or "the watch has ended with an error")
                if change.get("type") in {"ADDED", "MODIFIED"} and (pod := _read_pod(change.get("object"))):
                    yield pod

    def cut(self) -> None:
        """End a `watch` that another thread waits in."""
        if self._watched is not None:
            with suppress(OSError, RuntimeError, ValueError):  # it has ended already
                self._watched.shutdown()

    def _ask(self, fields: Mapping[str, str], accept: str, answer_s: float) -> urllib3.BaseHTTPResponse:
        if self._node:
            fields = {**fields, "fieldSelector": f"spec.nodeName={self._node}"}
        try:
            token = self._access.token_file.read_text(encoding="ascii").strip()
            context = ssl.create_default_context(cafile=str(self._access.ca_file))
        except (OSError, ValueError) as error:
            cause = getattr(error, "strerror", None) or str(error)
            raise ApiError(f"the token and the certificate of the service account cannot be read: {cause}") from None
        pool = urllib3.PoolManager(ssl_context=context)
        try:
            response = pool.request(
                "GET",
                f"{self._access.address}/api/v1/pods",
                fields=dict(fields),
                headers={"Authorization": f"Bearer {token}", "Accept": accept},
                timeout=urllib3.Timeout(connect=_CONNECT_S, read=answer_s),
                retries=False,
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ApiError(f"{self._access.address} cannot be reached: {explain_connection(error)}") from None
        if response.status != 200:
            with response:
                said = _describe(_try_object(_read(response)))
            raise ApiError(f"{self._access.address} answers {response.status}" + (f": {said}" if said else ""))
        return response


def _read(response: urllib3.BaseHTTPResponse) -> bytes:
    try:
        return response.read()
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise ApiError(f"the answer has ended too early: {explain_connection(error)}") from None


def _iter_lines(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    rest = b""
    try:
        for piece in response.stream(1 << 16):
            *lines, rest = (rest + piece).split(b"\n")
            yield from filter(None, lines)
            if len(rest) > _MAX_LINE_LENGTH:
                raise ApiError("a pod has too many bytes")
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise ApiError(f"the watch has ended: {explain_connection(error)}") from None


def _read_object(data: bytes) -> dict[str, Any]:
    found = _try_object(data)
    if not isinstance(found, dict):
        raise ApiError("the answer is not a JSON object")
    return found


def _try_object(data: bytes) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _read_pod(item: object) -> Pod | None:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    if not isinstance(metadata, dict) or not metadata.get("uid"):
        return None
    annotations, labels = metadata.get("annotations"), metadata.get("labels")
    mirrored = annotations.get(_MIRRORED) if isinstance(annotations, dict) else None
    own = {str(name): str(value) for name, value in labels.items()} if isinstance(labels, dict) else {}
    return Pod(str(mirrored or metadata["uid"]), own)


def _describe(status: object) -> str:
    """Return what the API says about an error, in one line."""
    said = status.get("message") if isinstance(status, dict) else None
    return " ".join(str(said).split())[:200] if said else ""
