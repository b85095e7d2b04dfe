"""How a program in a pod reaches the API of Kubernetes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Access:
    """The address of the API, and the files of the pod's account, which Kubernetes replaces from time to time."""

    address: str  # https://host:port
    token_file: Path
    ca_file: Path


def find_access(environ: Mapping[str, str]) -> Access | None:
    """Return the access of a program that runs in a pod; None elsewhere.

    >>> find_access({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}).address
    'https://10.0.0.1:443'
    """
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        return None
    place = f"[{host}]" if ":" in host else host
    return Access(f"https://{place}:{port}", _ACCOUNT / "token", _ACCOUNT / "ca.crt")
