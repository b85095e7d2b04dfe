"""A certificate for 127.0.0.1 that signs itself, so that a test can encrypt on loopback."""

import shutil
import subprocess
from pathlib import Path

import pytest

_AUTHORITY = """
[ca]
default_ca = own
[own]
database = {folder}/database
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""


def write_certificate(folder: Path, *, is_expired: bool = False) -> Path:
    """Write a private key and its certificate into one file, and return its path. Skips the test without openssl.

    The certificate is for two days, or has expired in the year 2020.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed, which makes the certificate of the test's server")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    request = [openssl, "req", *curve, *names, "-keyout", str(key)]
    if not is_expired:
        _run(*request, "-x509", "-days", "2", "-out", str(certificate))
    else:
        (folder / "database").touch()
        (folder / "authority").write_text(_AUTHORITY.format(folder=folder))
        _run(*request, "-new", "-out", str(folder / "request"))
        own = ["-selfsign", "-batch", "-notext", "-keyfile", str(key), "-config", str(folder / "authority")]
        dates = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"]
        _run(openssl, "ca", *own, *dates, "-in", str(folder / "request"), "-out", str(certificate))
    both = folder / "both.pem"
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    return both


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)
