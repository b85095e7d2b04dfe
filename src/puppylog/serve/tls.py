"""TLS: the certificate and the key from files, which can be read again while the server runs."""

import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from puppylog.errors import ConfigurationError

_SOON: Final = timedelta(days=14)

# asyncio gives each encrypted connection a buffer of 256 KiB, which is 250 MiB for 900 idle connections. With 32 KiB,
# large bodies take no more CPU. Only the server uses asyncio.
SSLProtocol.max_size = 32 << 10


class Certificate:
    """A certificate with its key, for new connections. Connections that exist keep the one that they began with."""

    def __init__(self, certificate: Path, key: Path | None, client_ca: Path | None = None) -> None:
        """Read the files.

        Args:
            certificate: a PEM file.
            key: a PEM file; None: the file of the certificate.
            client_ca: a PEM file with authorities, of one of which a client must have a certificate; None: clients need
                none.

        Raises:
            ConfigurationError: a file cannot be read, or the key is not that of the certificate.
        """
        self._certificate = certificate
        self._key = key
        self._client_ca = client_ca
        self._read()
        self.context = self._current
        """What a server listens with."""
        self.context.sni_callback = self._choose

    def read_again(self) -> None:
        """Read the files again. After an error, the certificate that was read before stays in use. Raises as above."""
        self._read()

    def _read(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            texts = [path.read_bytes() for path in (self._certificate, self._key or self._certificate)]
            authorities = "" if self._client_ca is None else self._client_ca.read_text("utf-8", "replace")
        except OSError as error:
            raise ConfigurationError("read", str(error.filename), error.strerror or str(error)) from error
        try:
            context.load_cert_chain(self._certificate, self._key, password=_give_no_password)
        except (ssl.SSLError, OSError) as error:
            is_other = isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH"
            cause = "the key is not that of the certificate" if is_other else _find_fault(*texts)
            raise ConfigurationError("use", f"the certificate {self._certificate}", cause) from error
        if self._client_ca is not None:
            try:
                context.load_verify_locations(cadata=authorities)
            except (ssl.SSLError, ValueError) as error:
                cause = "there is no certificate in PEM format in it"
                raise ConfigurationError("use", f"the authorities {self._client_ca}", cause) from error
            context.verify_mode = ssl.CERT_REQUIRED
        self._content = _decode(self._certificate)
        self._current = context

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current

    @property
    def names(self) -> Sequence[str]:
        """The names of hosts in the certificate."""
        return [name for kind, name in self._content.get("subjectAltName", ()) if kind == "DNS"]

    def describe_expiry(self, now: datetime) -> str | None:
        """Return a sentence if the certificate has expired, or does so soon, or is not valid yet."""
        if "notAfter" not in self._content:
            return None
        expires_at = _parse_time(self._content["notAfter"])
        starts_at = _parse_time(self._content["notBefore"])
        if expires_at <= now:
            expired = f"{expires_at:%Y-%m-%d %H:%M} UTC"
            return f"the certificate {self._certificate} has expired at {expired}: clients refuse it"
        if starts_at > now:
            return f"the certificate {self._certificate} is not valid before {starts_at:%Y-%m-%d %H:%M} UTC"
        if expires_at <= now + _SOON:
            return f"the certificate {self._certificate} expires at {expires_at:%Y-%m-%d %H:%M} UTC"
        return None


def _parse_time(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def _decode(certificate: Path) -> dict[str, Any]:
    """Return the fields of the first certificate of a file; empty if this Python cannot decode it."""
    decode = getattr(ssl, "_ssl", None)
    decode = getattr(decode, "_test_decode_cert", None)  # the only way in the standard library
    return {} if decode is None else dict(decode(str(certificate)))


def _give_no_password() -> str:
    """Without this, OpenSSL would ask for the password of an encrypted key on the terminal, and wait."""
    return ""


def _find_fault(certificate: bytes, key: bytes) -> str:
    """Return why OpenSSL cannot use the files. Its own reasons are too short, or none."""
    if b"-----BEGIN CERTIFICATE-----" not in certificate:
        return "the file has no certificate in PEM format"
    if b"PRIVATE KEY-----" not in key:
        return "there is no private key in PEM format in the file, or in that of key"
    if b"ENCRYPTED" in key:
        return "the key is encrypted; a server cannot ask for its password"
    return "it is damaged"
