"""What certificates there are, for how long they are valid, and what is wrong with them."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from queueserver_standalone.certificates.authority import CertificateError
from queueserver_standalone.certificates.directory import CA

#: A certificate that ends sooner is reported.
_SOON = timedelta(days=30)
_KEY_ENDING = "-key.pem"
_RENEW = "make it anew with qserver-certs create --force"
_RENEW_BOTH = "make both anew with qserver-certs create --force"


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate, for a person or a program."""

    file: str
    subject: str
    #: "CA", "server", "client", or both of the last.
    purpose: str
    #: Host names and IP addresses.
    names: tuple[str, ...]
    valid_from: str
    valid_until: str
    problems: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The fields by their names."""
        return asdict(self)


def report(directory: Path) -> list[Shown]:
    """Every certificate of a directory, the CA first. Raises CertificateError if there is none."""
    if not directory.is_dir():
        raise CertificateError(f"There is no directory {directory}. Name the one with the certificates.")
    found = [path for path in sorted(directory.glob("*.pem")) if not path.name.endswith(_KEY_ENDING)]
    found.sort(key=lambda path: path.stem != CA)
    if not found:
        raise CertificateError(f"There is no certificate in {directory}: make some with qserver-certs create.")
    authorities = _read(directory / f"{CA}.pem")
    return [shown for path in found for shown in _show_file(path, authorities)]


def table(rows: Sequence[Shown]) -> str:
    """The certificates as lines of text, and below them what is wrong."""
    head = ("file", "subject", "for", "names", "valid from", "valid until")
    cells = [
        (Path(row.file).name, row.subject, row.purpose, " ".join(row.names), row.valid_from[:10], row.valid_until[:10])
        for row in rows
    ]
    widths = [max(len(line[column]) for line in (head, *cells)) for column in range(len(head))]
    lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in (head, *cells)]
    wrong = [f"{Path(row.file).name}: {problem}." for row in rows for problem in row.problems]
    return "\n".join([*lines, "", *(wrong or ["Nothing is wrong."])])


def _read(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return []


def _show_file(path: Path, authorities: Sequence[x509.Certificate]) -> Iterable[Shown]:
    certificates = _read(path)
    if not certificates:
        yield Shown(str(path), "", "", (), "", "", ("has no certificate in PEM that can be read",))
    for number, certificate in enumerate(certificates):
        purpose = _purpose(certificate)
        problems = list(_problems_of_dates(certificate))
        if purpose != "CA" and not any(_signed(certificate, each) for each in authorities):
            problems.append(f"is not signed by the CA in {CA}.pem: {_RENEW}")
        # The key of a CA may be kept elsewhere, and is better kept there.
        if number == 0:
            problems += _problems_of_key(path, certificate, is_needed=purpose != "CA")
        yield Shown(
            str(path),
            _common_name(certificate),
            purpose,
            _names(certificate),
            certificate.not_valid_before_utc.isoformat(),
            certificate.not_valid_after_utc.isoformat(),
            tuple(problems),
        )


def _problems_of_dates(certificate: x509.Certificate) -> Iterable[str]:
    now = datetime.now(timezone.utc)
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if ends < now:
        yield f"expired on {ends:%Y-%m-%d}: {_RENEW}"
    elif ends < now + _SOON:
        yield f"expires in {(ends - now).days} days: {_RENEW}"
    if begins > now:
        yield f"is not valid before {begins:%Y-%m-%d %H:%M} UTC: check the clocks of the machines"


def _problems_of_key(path: Path, certificate: x509.Certificate, *, is_needed: bool) -> Iterable[str]:
    key = path.with_name(f"{path.stem}{_KEY_ENDING}")
    try:
        mode, content = key.stat().st_mode, key.read_bytes()
    except FileNotFoundError:
        if is_needed:
            yield f"its key {key.name} is missing: restore it, or {_RENEW_BOTH}"
        return
    except OSError as error:
        yield f"its key {key.name} can't be read: {(error.strerror or str(error)).lower()}"
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield f"other users of this machine may access its key: chmod 600 {key}"
    try:
        fits = serialization.load_pem_private_key(content, None).public_key() == certificate.public_key()
    except (ValueError, TypeError):
        yield f"its key {key.name} is no private key in PEM without a pass phrase"
        return
    if not fits:
        yield f"the key in {key.name} does not belong to it: restore it, or {_RENEW_BOTH}"


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _common_name(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else certificate.subject.rfc4514_string()


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = found.get_values_for_type(x509.DNSName)
    return (*names, *(str(each) for each in found.get_values_for_type(x509.IPAddress)))


def _purpose(certificate: x509.Certificate) -> str:
    extensions = certificate.extensions
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return "CA"
    except x509.ExtensionNotFound:
        pass
    try:
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return "server, client"
    words = {ExtendedKeyUsageOID.SERVER_AUTH: "server", ExtendedKeyUsageOID.CLIENT_AUTH: "client"}
    return ", ".join(word for purpose, word in words.items() if purpose in usage)
