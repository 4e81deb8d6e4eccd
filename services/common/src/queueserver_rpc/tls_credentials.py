"""Credentials for mutual TLS from files that may be replaced while the service runs.

The files are looked at when a connection is made, on either end. New ones are used from the next connection on, without
a restart; connections that exist keep theirs. Files that can't be used, or do not fit together yet because only some of
them were replaced, are reported, and the previous ones stay in use.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import grpc

from queueserver_rpc.tls_files import TlsError, TlsFiles, TlsMaterial

_log = logging.getLogger("queueserver_rpc")
#: Identity, size and times of each file; None for one that can't be looked at.
_Signature = tuple[tuple[int, ...] | None, ...]


class RereadFiles:
    """The three files as they were when they last could be used. Any thread may ask."""

    def __init__(self, files: TlsFiles) -> None:
        """Raises TlsError for files that can't be used now."""
        self.files = files
        self._lock = threading.Lock()
        # Before they are read: a change in between is seen at the next look.
        self._seen = _signature(files.paths)
        self._material = files.read()

    def current(self) -> TlsMaterial:
        """What to use for a new connection: the same object for as long as the files are the same."""
        with self._lock:
            seen = _signature(self.files.paths)
            if seen != self._seen:
                self._seen = seen
                self._reread()
            return self._material

    def _reread(self) -> None:
        try:
            material = self.files.read()
        except TlsError as error:
            _log.warning("New certificates can't be used, and the previous ones stay in use: %s", error)
            return
        if _signature(self.files.paths) != self._seen:
            # They are being replaced: the next look takes what is there then.
            return
        if material != self._material:
            self._material = material
            _log.info("New connections use the new certificate in %s", self.files.certificate)


def server_credentials(files: RereadFiles) -> grpc.ServerCredentials:
    """Credentials of a server that refuses clients without a certificate that the CA has signed."""
    used = files.current()
    lock = threading.Lock()

    def configuration_if_changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal used
        with lock:
            current = files.current()
            if current is used:
                return None
            used = current
            return _configuration(current)

    return grpc.dynamic_ssl_server_credentials(
        _configuration(used),
        configuration_if_changed,  # type: ignore[arg-type] # None is "no change", which the stubs do not know
        require_client_authentication=True,
    )


def channel_credentials(material: TlsMaterial) -> grpc.ChannelCredentials:
    """Credentials of a client that shows its certificate, and checks the server's."""
    return grpc.ssl_channel_credentials(material.ca, material.key, material.certificate)


def _configuration(material: TlsMaterial) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(material.key, material.certificate)], material.ca)


def _signature(paths: Sequence[Path]) -> _Signature:
    return tuple(map(_signature_of, paths))


def _signature_of(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mode, found.st_mtime_ns, found.st_ctime_ns
