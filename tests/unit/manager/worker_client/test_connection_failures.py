"""What gRPC's words about a failed connection mean for people."""

from __future__ import annotations

import pytest
from queueserver_manager.worker_client.connection import sentence_of

FAILED = "failed to connect to all addresses; last error: "
HANDSHAKE = (
    "UNKNOWN: ipv4:10.0.0.7:1: Tls handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: error:1: SSL routines:"
    "OPENSSL_internal:"
)


@pytest.mark.parametrize(
    ("details", "sentence"),
    [
        (f"{HANDSHAKE}CERTIFICATE_VERIFY_FAILED: certificate has expired: OK", "refused (certificate has expired)."),
        (
            f"{HANDSHAKE}WRONG_VERSION_NUMBER: Invalid certificate verification context: OK",
            "it does not use TLS. Start",
        ),
        ("UNKNOWN: Custom verification check failed: Hostname Verification Check failed.", "is for other names"),
        ("UNAVAILABLE: ipv4:10.0.0.7:1: Socket closed", "it refuses this Manager's certificate"),
        ("UNKNOWN: ipv4:10.0.0.7:1: recvmsg:Connection reset by peer", "it refuses this Manager's certificate"),
        (f"{HANDSHAKE}SOMETHING_NEW", "SOMETHING_NEW."),
    ],
)
def test_a_failed_handshake_is_told_with_what_to_do(details: str, sentence: str) -> None:
    told = sentence_of(FAILED + details, "10.0.0.7:1", has_tls=True)
    assert told.startswith("The Worker at 10.0.0.7:1 can't be reached because of TLS: ")
    assert sentence in told


@pytest.mark.parametrize(
    ("details", "has_tls"),
    [
        (f"{FAILED}UNKNOWN: ipv4:10.0.0.7:1: Failed to connect to remote host: Connection refused", True),
        (f"{FAILED}UNKNOWN: ipv4:10.0.0.7:1: Failed to connect to remote host: Connection refused", False),
        ("Socket closed", True),
        ("DNS resolution failed for worker:1", True),
    ],
)
def test_what_has_nothing_to_do_with_tls_is_not_told_as_if_it_had(details: str, has_tls: bool) -> None:
    assert sentence_of(details, "10.0.0.7:1", has_tls=has_tls) == ""


def test_a_worker_that_wants_certificates_is_told_to_a_manager_without_any() -> None:
    told = sentence_of(f"{FAILED}UNAVAILABLE: ipv4:10.0.0.7:1: Socket closed", "10.0.0.7:1", has_tls=False)
    assert "Give --worker-tls-cert, --worker-tls-key and --worker-tls-ca." in told
