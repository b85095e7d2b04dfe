"""Proxies, and the causes for which a connection fails, in words without a secret."""

import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from urllib3 import exceptions

from puppylog.model.network import explain_connection


def find_proxy(url: str, proxies: Mapping[str, str]) -> str:
    """Return the URL of the proxy for a request; empty if there is none.

    >>> find_proxy("https://hooks.example.com/x", {"https": "proxy:3128", "no": "localhost, .internal"})
    'http://proxy:3128'
    >>> find_proxy("https://a.internal/x", {"https": "proxy:3128", "no": "localhost, .internal"})
    ''

    Args:
        url: of the receiver.
        proxies: URLs by scheme; ``all`` for every scheme, and under ``no`` the hosts without a proxy, by commas.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    for name in proxies.get("no", "").lower().split(","):
        name = name.strip().lstrip(".")  # noqa: PLW2901 - the same name, as it is compared
        if name and (name in {"*", host} or host.endswith(f".{name}") or f"{host}:{parts.port}" == name):
            return ""
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    return proxy if "://" in proxy or not proxy else f"http://{proxy}"


class BadCertificates(Exception):
    """A file with certificates cannot be used. The message says why, without the path."""


def make_tls_context(ca_file: str) -> ssl.SSLContext:
    """Return the settings of an encrypted connection, with verification of the certificate and of the host's name.

    Args:
        ca_file: a file with CA certificates to trust, in addition to those of the system; empty: only the system's.

    Raises:
        BadCertificates: the file cannot be read, or has no certificate.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except ssl.SSLError:
            raise BadCertificates("it has no certificate") from None
        except OSError as error:
            raise BadCertificates(str(error.strerror or error).lower()) from None
    return context


def explain_network_error(error: BaseException) -> tuple[str, bool]:
    """Return the cause of an error of urllib3, smtplib or ssl, and whether every later attempt would fail, too.

    The error's own text is not used, because it may hold the URL, and so a secret.
    """
    is_certificate = isinstance(error, ssl.SSLError)  # one that is not valid is a ValueError, too
    if isinstance(error, ValueError | exceptions.LocationValueError) and not is_certificate:
        return "its URL, or a header, has a value that is not allowed", True
    if isinstance(error, BadCertificates):
        return f"the file with certificates cannot be used: {error}", True
    return explain_connection(error), False
