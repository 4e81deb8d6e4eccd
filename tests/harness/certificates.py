"""Certificates of a lab for a test, also such as no lab should have."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import grpc
from cryptography.hazmat.primitives import serialization
from queueserver_standalone.certificates.authority import Period, from_now, make_authority, make_certificate
from queueserver_standalone.certificates.directory import MANAGER, WORKER, certificate_file, create, key_file

HOSTS = ("127.0.0.1", "127.0.0.2")
_DAY = timedelta(days=1)


def past() -> Period:
    """A time that is over."""
    now = datetime.now(timezone.utc)
    return Period(now - 10 * _DAY, now - _DAY)


def future() -> Period:
    """A time that has not begun."""
    now = datetime.now(timezone.utc)
    return Period(now + _DAY, now + 10 * _DAY)


class Certificates:
    """A CA, a Worker's and a Manager's certificate, each with its key, as qserver-certs makes them."""

    def __init__(self, directory: Path, *, hosts: tuple[str, ...] = HOSTS) -> None:
        """Make them in a directory of their own."""
        self.directory = directory
        self._hosts = hosts
        self.make(WORKER, MANAGER)

    @property
    def ca(self) -> Path:
        """The CA's certificate."""
        return certificate_file(self.directory, "ca")

    @property
    def worker(self) -> tuple[Path, Path, Path]:
        """Certificate, key and CA of the Worker."""
        return certificate_file(self.directory, WORKER), key_file(self.directory, WORKER), self.ca

    @property
    def manager(self) -> tuple[Path, Path, Path]:
        """Certificate, key and CA of the Manager."""
        return certificate_file(self.directory, MANAGER), key_file(self.directory, MANAGER), self.ca

    @property
    def worker_options(self) -> list[str]:
        """The Worker's options."""
        return _options("", self.worker)

    @property
    def manager_options(self) -> list[str]:
        """The Manager's options."""
        return _options("worker-", self.manager)

    def make(self, *services: str, period: Period | None = None) -> None:
        """Make certificates of services anew."""
        period = period or from_now(60)
        create(self.directory, dict.fromkeys(services, self._hosts), period=period, force=True)

    def make_expired_authority(self) -> None:
        """Put the certificate of an expired CA in the place of the CA's."""
        self.ca.write_bytes(make_authority(past()).certificate_pem)

    def replace_by(self, other: Certificates) -> None:
        """Rotate everything: CA, certificates and keys are those of another directory now."""
        for path in sorted(other.directory.iterdir()):
            new = self.directory / f".new-{path.name}"
            shutil.copy2(path, new)
            new.replace(self.directory / path.name)


def client_credentials(ca: Path, certificate: Path | None = None, key: Path | None = None) -> grpc.ChannelCredentials:
    """What a client shows, if anything, and whom it trusts."""
    if certificate is None or key is None:
        return grpc.ssl_channel_credentials(ca.read_bytes())
    return grpc.ssl_channel_credentials(ca.read_bytes(), key.read_bytes(), certificate.read_bytes())


def self_made(directory: Path) -> tuple[Path, Path]:
    """A client's certificate and key that a CA has signed of which no service knows."""
    issued = make_certificate(make_authority(from_now(1)), MANAGER, HOSTS, is_server=False, period=from_now(1))
    certificate, key = directory / "self-made.pem", directory / "self-made-key.pem"
    certificate.write_bytes(issued.certificate_pem)
    key.write_bytes(issued.key_pem)
    key.chmod(0o600)
    return certificate, key


def with_pass_phrase(key: Path, phrase: bytes) -> None:
    """Encrypt a key in its file."""
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    encryption = serialization.BestAvailableEncryption(phrase)
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))


def _options(prefix: str, files: tuple[Path, Path, Path]) -> list[str]:
    return [
        word
        for name, path in zip(("cert", "key", "ca"), files, strict=True)
        for word in (f"--{prefix}tls-{name}", str(path))
    ]
