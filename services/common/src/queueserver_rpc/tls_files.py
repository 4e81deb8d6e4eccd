"""Certificate, key and CA of one end of a connection with mutual TLS: three files, checked before they are used.

A problem is one sentence that names the option, the file and what to do. OpenSSL checks the files, in a handshake with
itself in memory, so that what is accepted here is accepted in a real handshake too.
"""

from __future__ import annotations

import argparse
import os
import ssl
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from queueserver_process.variables import PREFIX, value_of

#: Whom a key may be accessible to besides its owner: to none.
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_MAKE_NEW = "make a new one with qserver-certs (docs/how-to/worker-elsewhere.md)"
#: Codes of OpenSSL's verification.
_NOT_YET_VALID, _EXPIRED, _WRONG_PURPOSE = 9, 10, 26
_HANDSHAKE_STEPS = 8


class TlsError(OSError):
    """Files that can't be used for TLS. Its text says which, and what to do."""


class Side(Enum):
    """Which end of the connection a certificate is for."""

    SERVER = "servers"
    CLIENT = "clients"


@dataclass(frozen=True, slots=True)
class TlsMaterial:
    """What the three files contain."""

    certificate: bytes
    key: bytes
    ca: bytes


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The three files, and the options that named them."""

    side: Side
    #: "" or "worker-", before "tls-cert" in the names of the options.
    prefix: str
    certificate: Path
    key: Path
    ca: Path

    def shown(self) -> dict[str, str]:
        """The paths, by the names of the options."""
        return {name: str(path) for name, path in zip(names(self.prefix), self.paths, strict=True)}

    @property
    def paths(self) -> tuple[Path, Path, Path]:
        """The three files."""
        return self.certificate, self.key, self.ca

    def read(self) -> TlsMaterial:
        """Read and check the files. Raises TlsError."""
        contents = [
            _content(f"--{name}", path, is_key=path is self.key)
            for name, path in zip(names(self.prefix), self.paths, strict=True)
        ]
        option, _, ca_option = (f"--{name}" for name in names(self.prefix))
        _check_ca(ca_option, self.ca)
        _check_pair(option, self)
        _check_certificate(option, self)
        return TlsMaterial(*contents)


def names(prefix: str) -> tuple[str, str, str]:
    """Names of the three options, without dashes before them."""
    return f"{prefix}tls-cert", f"{prefix}tls-key", f"{prefix}tls-ca"


def add_tls_options(parser: argparse.ArgumentParser, side: Side, prefix: str = "") -> None:
    """Give a parser the three options."""
    peer = "Manager" if side is Side.SERVER else "Worker"
    meanings = (
        "certificate of this end of the connection between Manager and Worker, in PEM",
        "its private key, readable by its owner only",
        f"certificate of the CA that must have signed the {peer}'s certificate",
    )
    for name, meaning in zip(names(prefix), meanings, strict=True):
        parser.add_argument(
            f"--{name}",
            type=_path,
            metavar="FILE",
            help=f"{meaning}; also from {_variable(name)}; all three of them, or none",
        )


def read_tls_options(
    given: argparse.Namespace, side: Side, prefix: str = "", environment: Mapping[str, str] = os.environ
) -> TlsFiles | None:
    """The files that options or variables name; None if they name none. Raises ValueError if they name some only."""
    paths: dict[str, Path] = {}
    for name in names(prefix):
        path = getattr(given, name.replace("-", "_")) or _from_variable(name, environment)
        if path is not None:
            paths[name] = path
    if not paths:
        return None
    missing = [name for name in names(prefix) if name not in paths]
    if missing:
        options = " and ".join(f"--{name}" for name in missing)
        raise ValueError(f"for TLS {options} is missing" if len(missing) == 1 else f"for TLS {options} are missing")
    return TlsFiles(side, prefix, *(paths[name] for name in names(prefix)))


def _path(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    return Path(text).expanduser().absolute()


def _variable(name: str) -> str:
    return f"{PREFIX}{_suffix(name)}"


def _suffix(name: str) -> str:
    return name.replace("-", "_").upper()


def _from_variable(name: str, environment: Mapping[str, str]) -> Path | None:
    text = value_of(_suffix(name), environment)
    return _path(text) if text else None


def _content(option: str, path: Path, *, is_key: bool) -> bytes:
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise TlsError(f"{option}: can't read {path}: {reason}. Correct the path or the file's mode.") from error
    if is_key and mode & _OTHERS:
        raise TlsError(f"{option}: other users of this machine may access {path}. Type: chmod 600 {path}")
    return content


def _check_ca(option: str, path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise TlsError(f"{option}: {path} has no certificate in PEM. Give the CA's certificate.") from None
    found = context.get_ca_certs()
    if not found:
        raise TlsError(f"{option}: {path} has no certificate of a CA. Give the CA's certificate, not a service's.")
    now = time.time()
    ends = max(ssl.cert_time_to_seconds(str(each["notAfter"])) for each in found)
    begins = min(ssl.cert_time_to_seconds(str(each["notBefore"])) for each in found)
    if ends < now:
        raise TlsError(f"{option}: the CA's certificate in {path} expired on {_day(ends)}: {_MAKE_NEW}.")
    if begins > now:
        raise TlsError(f"{option}: {_not_yet(path, f' before {_day(begins)}')}")


def _check_pair(option: str, files: TlsFiles) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A pass phrase is never asked for: a service has no terminal.
        context.load_cert_chain(files.certificate, files.key, password=_no_pass_phrase)
    except _EncryptedKeyError:
        raise TlsError(
            f"--{names(files.prefix)[1]}: {files.key} has a pass phrase. Give a file without one: openssl pkey -in "
            f"{files.key} -out NEW."
        ) from None
    except ssl.SSLError as error:
        if "mismatch" in str(error).lower():
            raise TlsError(
                f"{option}: the key in {files.key} does not belong to the certificate in {files.certificate}. Give "
                "both files of one service."
            ) from None
        wrong = _without_pem(files)
        raise TlsError(f"{wrong} Give a file in PEM.") from None


class _EncryptedKeyError(Exception):
    """A key that can't be read without a pass phrase."""


def _no_pass_phrase() -> str:
    raise _EncryptedKeyError


def _without_pem(files: TlsFiles) -> str:
    """Which of the two files can't be understood."""
    certificate, key, _ = names(files.prefix)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=files.certificate)
    except ssl.SSLError:
        return f"--{certificate}: {files.certificate} has no certificate that can be read."
    return f"--{key}: {files.key} has no private key that can be read."


def _check_certificate(option: str, files: TlsFiles) -> None:
    """Dates and purpose, as a peer that trusts the certificate itself would see them."""
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if files.side is Side.SERVER else ssl.PROTOCOL_TLS_CLIENT)
    own.load_cert_chain(files.certificate, files.key)
    peer = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if files.side is Side.SERVER else ssl.PROTOCOL_TLS_SERVER)
    for context in (own, peer):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    peer.verify_mode = ssl.CERT_REQUIRED
    peer.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    peer.load_verify_locations(cafile=files.certificate)
    try:
        if files.side is Side.SERVER:
            _shake_hands(own, peer)
        else:
            # A server needs a certificate too; this client does not check it.
            peer.load_cert_chain(files.certificate, files.key)
            _shake_hands(peer, own)
    except ssl.SSLCertVerificationError as error:
        raise TlsError(f"{option}: {_refusal(files, error)}") from None


def _refusal(files: TlsFiles, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _EXPIRED:
        return f"the certificate in {files.certificate} has expired: {_MAKE_NEW}."
    if error.verify_code == _NOT_YET_VALID:
        return _not_yet(files.certificate, "")
    if error.verify_code == _WRONG_PURPOSE:
        return f"the certificate in {files.certificate} is not one for {files.side.value}: {_MAKE_NEW}."
    return f"the certificate in {files.certificate} can't be used ({error.verify_message}): {_MAKE_NEW}."


def _not_yet(path: Path, when: str) -> str:
    return f"the certificate in {path} is not valid yet{when}. Check the clock of this machine, or {_MAKE_NEW}."


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    """A handshake of two ends in memory. Raises SSLCertVerificationError."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_side=False),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(_HANDSHAKE_STEPS):
        for end in list(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)
        if not ends:
            return
