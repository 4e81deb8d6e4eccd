"""Makes certificates: of a CA, and of services that this CA signs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Certificates are valid from a little before now on: clocks of machines differ.
_CLOCK_DIFFERENCE = timedelta(minutes=10)
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_MOST_NAME = 253
_MOST_COMMON_NAME = 64


class CertificateError(Exception):
    """Why certificates can't be made or read. Its text says what to do."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key in PEM, without a pass phrase."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


@dataclass(frozen=True, slots=True)
class Period:
    """When a certificate is valid."""

    begins: datetime
    ends: datetime


def from_now(days: int) -> Period:
    """The next days."""
    now = datetime.now(timezone.utc)
    return Period(now - _CLOCK_DIFFERENCE, now + timedelta(days=days))


def make_authority(period: Period) -> Issued:
    """A new CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    # The serial number in the name tells an old CA from a new one where both are trusted.
    name = _name(f"Queue Server CA {x509.random_serial_number() % 10**8:08}")
    usage = _key_usage(signs_certificates=True)
    builder = _builder(name, name, key.public_key(), period).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    builder = builder.add_extension(usage, critical=True).add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    return Issued(builder.sign(key, hashes.SHA256()), key)


def make_certificate(
    authority: Issued, service: str, hosts: Sequence[str], *, is_server: bool, period: Period
) -> Issued:
    """A certificate of a service, for these host names and IP addresses. Raises CertificateError."""
    alternatives = [_alternative(host) for host in hosts]
    key = ec.generate_private_key(ec.SECP256R1())
    common_name = f"{service} on {hosts[0]}"[:_MOST_COMMON_NAME]
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if is_server else ExtendedKeyUsageOID.CLIENT_AUTH
    # A peer refuses it as soon as the CA's certificate has expired.
    ends = min(period.ends, authority.certificate.not_valid_after_utc)
    builder = _builder(_name(common_name), authority.certificate.subject, key.public_key(), Period(period.begins, ends))
    builder = (
        builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    return Issued(builder.sign(authority.key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    period: Period,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(period.begins)
        .not_valid_after(period.ends)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    if len(host) > _MOST_NAME or not _HOST.fullmatch(host):
        raise CertificateError(
            f"'{host:.80}' is neither a host name nor an IP address: give names as in beamline.example.org,10.0.0.7."
        )
    return x509.DNSName(host)
