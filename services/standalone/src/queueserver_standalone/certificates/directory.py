"""The directory in which `qserver-certs` keeps certificates and keys, and how files get there.

Each file is written completely, or not at all; keys can be read by their owner only, also while they are written.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from queueserver_standalone.certificates.authority import (
    CertificateError,
    Issued,
    Period,
    from_now,
    make_authority,
    make_certificate,
)

CA, MANAGER, WORKER = "ca", "manager", "worker"
#: Days for which the CA's certificate is valid.
CA_DAYS = 3650
_KEY_MODE, _CERTIFICATE_MODE = 0o600, 0o644


def certificate_file(directory: Path, name: str) -> Path:
    """Where the certificate of the CA or of a service is."""
    return directory / f"{name}.pem"


def key_file(directory: Path, name: str) -> Path:
    """Where its key is."""
    return directory / f"{name}-key.pem"


def create(directory: Path, services: dict[str, Sequence[str]], *, period: Period, force: bool) -> list[Path]:
    """Make certificates for services, by their host names; returns the files that were written.

    The CA of the directory signs them; if there is none, it is made. Raises CertificateError.
    """
    if not force:
        _refuse_overwriting(directory, services)
    authority, is_new = _authority(directory)
    made = {
        service: make_certificate(authority, service, hosts, is_server=service == WORKER, period=period)
        for service, hosts in services.items()
    }
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        written = _store(directory, CA, authority) if is_new else []
        return written + [file for service, issued in made.items() for file in _store(directory, service, issued)]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CertificateError(f"Can't write to {directory}: {reason}. Choose another directory.") from error


def _refuse_overwriting(directory: Path, services: dict[str, Sequence[str]]) -> None:
    for service in services:
        for path in (certificate_file(directory, service), key_file(directory, service)):
            if os.path.lexists(path):
                raise CertificateError(f"{path} exists already. Choose another directory, or replace it with --force.")


def _authority(directory: Path) -> tuple[Issued, bool]:
    """The CA, and whether it was made now."""
    certificate, key = certificate_file(directory, CA), key_file(directory, CA)
    if not certificate.exists() and not key.exists():
        return make_authority(from_now(CA_DAYS)), True
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), None)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CertificateError(
            f"Can't read the CA's file {error.filename}: {reason}. Restore it, or choose another "
            "directory for a new CA."
        ) from error
    except (ValueError, TypeError) as error:
        raise CertificateError(
            f"{certificate} and {key} are not the certificate and the key of a CA. Choose another directory."
        ) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != found.public_key():
        raise CertificateError(f"The key in {key} does not belong to {certificate}. Choose another directory.")
    return Issued(found, private), False


def _store(directory: Path, name: str, issued: Issued) -> list[Path]:
    # The key first: a service that reads between the two files sees that they do not fit, and reads again.
    key, certificate = key_file(directory, name), certificate_file(directory, name)
    _write(key, issued.key_pem, _KEY_MODE)
    _write(certificate, issued.certificate_pem, _CERTIFICATE_MODE)
    return [certificate, key]


def _write(path: Path, content: bytes, mode: int) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
